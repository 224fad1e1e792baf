//! A CSRF token that belongs to another cookie.

use crate::explain::case::Case;
use crate::explain::request::attribute::Attribute;
use crate::explain::request::family::Family;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part};

/// The token was accepted before together with another session or cookie.
pub struct StaleToken;

impl Rule for StaleToken {
    fn id(&self) -> &'static str {
        "stale-token"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.own_good().is_empty() && case.features.family(Family::Csrf).next().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let beside = |family| matches!(family, Family::Session | Family::Csrf | Family::Cookie);
        let mut all: Vec<&Attribute<'_>> =
            case.features.attributes.iter().filter(|one| beside(one.family)).collect();
        all.sort_by(|a, b| a.family.cmp(&b.family).then_with(|| a.name.cmp(&b.name)));
        let token = |one: &&&Attribute<'_>| one.family == Family::Csrf && &*one.name != "token = cookie";
        if let Some(token) = all.iter().filter(token).find(|one| is_sent_again(case, one)) {
            let text = out.text(|| {
                format!("the token {} is the same in every refusal; each success had a new one", token.name)
            });
            let pointer = [case.point(Part::RequestHeader, &token.name)];
            out.add_all(
                &case.knowledge.rules().stale_token.sent_again,
                1.0,
                EvidenceKind::Differs,
                text,
                &pointer,
            );
            return;
        }
        for token in all.iter().filter(token) {
            let before = case.own_columns().with(token.mark.key, token.mark.value);
            let moved = all.iter().filter(|one| one.mark.key != token.mark.key);
            for cookie in moved.filter(|_| before != 0) {
                let column = case.own_columns().column(cookie.mark.key);
                let another = column.map_or(0, |column| column.having & !column.with(cookie.mark.value));
                if before & !another == 0 {
                    let text = format!("the token {} was accepted with another {}", token.name, cookie.name);
                    let pointer = [case.point(Part::RequestHeader, &token.name)];
                    let causes = &case.knowledge.rules().stale_token.causes;
                    out.add_all(causes, 1.0, EvidenceKind::Differs, text, &pointer);
                    return;
                }
            }
        }
    }
}

/// Whether at least two refusals have this value and at least three successes had a value of their own each.
fn is_sent_again(case: &Case<'_>, one: &Attribute<'_>) -> bool {
    let rotates = case.own_columns().column(one.mark.key).is_some_and(|column| {
        let all = column.count();
        all >= 3 && column.singletons() == all
    });
    let alike = case.place.map_or(0, |place| {
        (place.bad_columns.with(one.mark.key, one.mark.value) & case.similar_refusals).count_ones()
    });
    rotates && alike >= 2 && alike == case.similar_refusals.count_ones()
}
