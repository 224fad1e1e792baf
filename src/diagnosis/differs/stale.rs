//! A CSRF token that belongs to another cookie.

use crate::diagnosis::case::Case;
use crate::diagnosis::family::Family;
use crate::diagnosis::rule::{Out, Rule};
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
        for token in case.sheet.family(Family::Csrf).filter(|one| &*one.name != "token = cookie") {
            let before = case.own_columns().with(token.mark.key, token.mark.value);
            let beside = |family| matches!(family, Family::Session | Family::Csrf | Family::Cookie);
            let moved = case
                .sheet
                .attributes
                .iter()
                .filter(|one| beside(one.family) && one.mark.key != token.mark.key);
            for cookie in moved.filter(|_| before != 0) {
                let column = case.own_columns().column(cookie.mark.key);
                let another = column.map_or(0, |column| column.having & !column.with(cookie.mark.value));
                if before & !another == 0 {
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
