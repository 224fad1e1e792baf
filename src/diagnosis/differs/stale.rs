//! A CSRF token that belongs to another cookie.

use crate::diagnosis::case::Case;
use crate::diagnosis::family::Family;
use crate::diagnosis::rule::{Out, Rule};
use crate::diagnosis::stats::Sample;
use crate::model::{Cause, EvidenceKind, Part};

/// The token was accepted before together with another session or cookie.
pub struct StaleToken;

impl Rule for StaleToken {
    fn id(&self) -> &'static str {
        "stale-token"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.own_good().is_empty() && case.sheet.family(Family::Csrf).next().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut Out) {
        for token in case.sheet.family(Family::Csrf).filter(|one| one.name != "token = cookie") {
            let before: Vec<&&Sample> = case
                .own_good()
                .iter()
                .filter(|sample| sample.value(token.mark.key) == Some(token.mark.value))
                .collect();
            let beside = |family| matches!(family, Family::Session | Family::Csrf | Family::Cookie);
            let moved = case
                .sheet
                .attributes
                .iter()
                .filter(|one| beside(one.family) && one.mark.key != token.mark.key);
            for cookie in moved.filter(|_| !before.is_empty()) {
                if before.iter().all(|sample| {
                    sample.value(cookie.mark.key).is_some_and(|value| value != cookie.mark.value)
                }) {
                    let text = format!("the token {} was accepted with another {}", token.name, cookie.name);
                    out.add(
                        Cause::Csrf,
                        3.0,
                        EvidenceKind::Differs,
                        text,
                        vec![case.point(Part::RequestHeader, &token.name)],
                    );
                    return;
                }
            }
        }
    }
}
