//! A value that stays the same and grows old: a digest with a date in it, a form token, a session.

use crate::explain::case::Case;
use crate::explain::contrast::columns;
use crate::explain::request::attribute::Attribute;
use crate::explain::request::family::Family;
use crate::explain::rules::contrast_rules::rules::{label, part_of};
use crate::explain::rules::request_facts::facts::span;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::features::dated::date_within;
use crate::model::EvidenceKind;

const SECOND: i64 = 1_000_000_000;
/// Seconds from which on a value counts as old: what guards forms lasts at least so long.
const OLD: i64 = 15 * 60;

/// The value was accepted while it was younger, and is refused since.
pub struct Aged;

impl Rule for Aged {
    fn id(&self) -> &'static str {
        "aged"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.own_good().is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let now = case.exchange().started().seconds();
        for one in case.features.attributes.iter().filter(|one| may_age(one.family)) {
            let same = case.own_columns().with(one.mark.key, one.mark.value);
            let last = columns::those(case.own_good(), same).map(|sample| sample.at / SECOND).max();
            let written = date_within(one.bytes()).filter(|then| *then < now);
            let age = match (written, last) {
                (Some(then), _) => now - then,
                (None, Some(last)) if last < now => now - last,
                _ => continue,
            };
            let accepted = written.zip(last).map_or(0, |(then, last)| (last - then).max(0));
            let refused_since = case.group().all(|sample| last.is_none_or(|last| sample.at / SECOND >= last));
            if age < OLD || age < accepted + OLD / 2 || !refused_since {
                continue;
            }
            speak(case, one, age, written.is_some(), out);
        }
    }
}

fn speak(case: &Case<'_>, one: &Attribute<'_>, age: i64, dated: bool, out: &mut EvidenceSink) {
    let text = out.text(|| {
        let since = if dated { "was issued" } else { "was accepted last" };
        format!("{} {since} {} before this request", label(one.family, &one.name), span(age))
    });
    let pointer = [case.point(part_of(one.family), &one.name)];
    let rule = &case.knowledge.rules().aged;
    let causes = match one.family {
        Family::Csrf => &rule.csrf,
        Family::Session | Family::ApiKey | Family::Credential => &rule.session,
        _ if dated => &rule.dated,
        _ => return,
    };
    out.add_all(causes, if dated { 1.0 } else { rule.undated }, EvidenceKind::Differs, text, &pointer);
}

const fn may_age(family: Family) -> bool {
    matches!(
        family,
        Family::Csrf
            | Family::Session
            | Family::ApiKey
            | Family::Credential
            | Family::Signature
            | Family::Other
            | Family::Query
    )
}
