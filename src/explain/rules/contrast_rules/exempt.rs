//! A complaint about a CSRF token where nobody sends one: servers ask for it when the credential that makes it needless is
//! absent or unknown.

use crate::explain::case::Case;
use crate::explain::contrast::Change;
use crate::explain::request::family::Family;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Cause, EvidenceKind, Part};

/// Complaint from which it counts, in nats.
const SAID: f32 = 3.0;

/// Successes carry a key or a token and no CSRF token; this request has another key or none.
pub struct Exempt;

impl Rule for Exempt {
    fn id(&self) -> &'static str {
        "exempt"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2
            && case
                .contrasts
                .iter()
                .any(|contrast| matches!(contrast.family, Family::Credential | Family::ApiKey))
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let complaint =
            |cause, kind, weight| cause == Cause::Csrf && kind == EvidenceKind::Said && weight >= SAID;
        if !out.clues.iter().any(|clue| complaint(clue.cause, clue.kind, clue.weight)) {
            return;
        }
        let family = |key| case.stats.name_of(key).map(|(family, _)| family);
        if case.own_columns().iter().any(|column| family(column.key) == Some(Family::Csrf)) {
            return;
        }
        let keys = case
            .contrasts
            .iter()
            .filter(|contrast| matches!(contrast.family, Family::Credential | Family::ApiKey));
        let absent = |change: Change| change == Change::Absent;
        let Some(contrast) = keys.filter(|one| one.surprise > 0.6).max_by_key(|one| absent(one.change))
        else {
            return;
        };
        let cause = match contrast.change {
            Change::Absent => Cause::MissingCredentials,
            Change::Value => Cause::InvalidCredentials,
            Change::Added => return,
        };
        let text = out.text(|| {
            let what = if absent(contrast.change) { "which is absent here" } else { "which is another here" };
            format!(
                "no success carries a CSRF token, all of them {}, {what}: with it none is needed",
                contrast.name
            )
        });
        let pointer = vec![case.point(Part::RequestHeader, &contrast.name)];
        out.add(cause, 3.4, EvidenceKind::Differs, &text, &pointer);
        out.add(Cause::Csrf, -3.4, EvidenceKind::Differs, text, pointer);
    }
}
