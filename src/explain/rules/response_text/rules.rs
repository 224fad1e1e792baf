//! Rules over what the response says.

use std::collections::BTreeMap;

use crate::explain::case::Case;
use crate::explain::knowledge::Fingerprint;
use crate::explain::request::family::Family;
use crate::explain::request::names;
use crate::explain::request::names::Kind;
use crate::explain::rules::response_text::quote::{quote, recognised};
use crate::explain::rules::response_text::utterance::Utterance;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::features::{cookies, set_cookies};
use crate::model::{Cause, EvidenceKind, Part, Pointer};

const SAID: EvidenceKind = EvidenceKind::Said;

/// A response whose meaning is known, from `assets/fingerprints.toml`.
pub struct KnownResponse;

impl Rule for KnownResponse {
    fn id(&self) -> &'static str {
        "known-response"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.prints.is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        for print in &case.prints {
            if print.causes.is_empty() {
                continue;
            }
            let pointer =
                if out.brief { case.point(Part::ResponseBody, "") } else { recognised(case, print) };
            let text = out.text(|| format!("the response is that of {} ({})", print.system, print.id));
            for (cause, weight) in &print.causes {
                out.add(*cause, *weight, SAID, &text, std::slice::from_ref(&pointer));
            }
        }
    }
}

/// A weight, the utterance it rests on, and its number among this response's own.
type Heeded<'a> = (f32, &'a Utterance, Option<usize>);

/// Codes and words, from `assets/lexicon.toml`.
pub struct Wording;

impl Rule for Wording {
    fn id(&self) -> &'static str {
        "wording"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.heard.hits.is_empty() || !case.behind.is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let mut best: BTreeMap<Cause, Vec<Heeded<'_>>> = BTreeMap::new();
        let all = std::iter::once((&case.heard, false)).chain(case.behind.iter().map(|heard| (heard, true)));
        for (heard, inner) in all {
            for (cause, weight, index) in &heard.hits {
                if let Some(utterance) = heard.said.get(*index) {
                    best.entry(*cause).or_default().push((*weight, utterance, (!inner).then_some(*index)));
                }
            }
        }
        let rule = &case.knowledge.rules().wording;
        let known = known_meaning(case);
        let most = |wanted: &dyn Fn(Cause) -> bool| {
            let heeded = best.iter().filter(|(cause, _)| wanted(**cause)).flat_map(|(_, found)| found);
            heeded.map(|one| one.0).fold(0.0, f32::max)
        };
        let specific = most(&|_| true) >= rule.specific;
        let named = most(&|cause| cause != rule.general) >= rule.named;
        for (cause, mut found) in best {
            for one in &mut found {
                // A product that is known by its words says what they mean there; a generic code beside a specific one says
                // nothing of its own.
                if known >= rule.meant && !case.prints.iter().any(|print| speaks_for(print, cause)) {
                    one.0 *= rule.beside_meant;
                } else if specific && one.0 <= rule.generic {
                    one.0 *= rule.beside_specific;
                } else if named && cause == rule.general && one.0 <= rule.general_most {
                    // "You may not do this" is said beside the reason as well.
                    one.0 *= rule.beside_named;
                }
            }
            if case.prints.iter().any(|print| print.silences.contains(&cause)) {
                continue;
            }
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            found.dedup_by(|a, b| std::ptr::eq(a.1, b.1) || a.1 == b.1);
            for (weight, utterance, own) in found.into_iter().take(3) {
                if out.brief {
                    out.add(cause, weight, SAID, "", &[]);
                    continue;
                }
                let place =
                    if utterance.name.is_empty() { String::new() } else { format!(" in {}", utterance.name) };
                let (who, (text, range)) = match own {
                    Some(index) => ("the response", quote(case, utterance, index)),
                    None => ("an answer behind it", (utterance.text.as_str().into(), None)),
                };
                let pointer = Pointer { range, ..case.point(utterance.part, &utterance.name) };
                out.add(cause, weight, SAID, format!("{who} says {:?}{place}", clip(&text)), vec![pointer]);
            }
        }
    }
}

/// The strongest meaning that a fingerprint gives this response.
fn known_meaning(case: &Case<'_>) -> f32 {
    let weights = case.prints.iter().flat_map(|print| &print.causes).map(|(_, weight)| *weight);
    weights.fold(0.0, f32::max)
}

fn speaks_for(print: &Fingerprint, cause: Cause) -> bool {
    print.causes.iter().any(|(known, weight)| *known == cause && *weight > 0.0)
}

fn clip(text: &str) -> String {
    if text.chars().count() > 120 {
        format!("{}…", text.chars().take(120).collect::<String>())
    } else {
        text.to_owned()
    }
}

/// An Allow field that does not list the method (RFC 9110 §10.2.1).
pub struct Allow;

impl Rule for Allow {
    fn id(&self) -> &'static str {
        "allow"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.response().is_some_and(|response| response.head.fields().has("allow"))
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let Some(allow) = case.response().and_then(|response| response.head.fields().text("allow")) else {
            return;
        };
        let method = case.exchange().method();
        let listed = allow.split(',').any(|one| one.trim().eq_ignore_ascii_case(method));
        let rule = &case.knowledge.rules().allow;
        let pointer = [case.point(Part::ResponseHeader, "allow")];
        if listed {
            out.add_all(&rule.lists, 1.0, SAID, format!("Allow lists {method}"), &pointer);
            for cause in rule.lists.keys() {
                out.rule_out(*cause, format!("the answer's Allow lists {method}"));
            }
        } else {
            out.add_all(&rule.omits, 1.0, SAID, format!("Allow lists {allow:?}, not {method}"), &pointer);
        }
    }
}

/// The refusal sets cookies that successes send back and this request did not.
pub struct NewCookies;

impl Rule for NewCookies {
    fn id(&self) -> &'static str {
        "new-cookies"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.response().is_some_and(|response| response.head.fields().has("set-cookie"))
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let (Some(request), Some(response)) = (case.request(), case.response()) else { return };
        let rule = &case.knowledge.rules().new_cookies;
        for set in set_cookies(response.head.fields()).filter(|set| !set.deletes()) {
            let name = String::from_utf8_lossy(set.cookie.name).into_owned();
            if cookies(request.head.fields()).any(|cookie| cookie.name == set.cookie.name) {
                continue;
            }
            let kind = names::name(Kind::Cookie, set.cookie.name).family;
            let stem: String = name.split('_').take(2).collect::<Vec<_>>().join("_");
            let sent_by_successes = case
                .own_columns()
                .iter()
                .filter_map(|column| case.stats.name_of(column.key))
                .any(|(_, known)| known == name || (stem.len() > 4 && known.starts_with(&stem)));
            let factor = if sent_by_successes { 1.0 } else { rule.unsent };
            let text = format!(
                "the refusal sets the cookie {name}, which the request did not carry{}",
                if sent_by_successes { " and successes do" } else { "" }
            );
            let causes = match kind {
                Family::Clearance => &rule.clearance,
                Family::Csrf => &rule.csrf,
                Family::Session => &rule.session,
                _ => &rule.other,
            };
            out.add_all(causes, factor, SAID, text, &[case.point(Part::ResponseHeader, "set-cookie")]);
        }
    }
}
