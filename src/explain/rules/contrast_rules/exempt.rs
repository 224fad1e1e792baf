//! A complaint about a CSRF token where nobody sends one: servers ask for it when the credential that makes it needless is
//! absent or unknown.

use crate::explain::case::Case;
use crate::explain::contrast::Change;
use crate::explain::request::family::Family;
use crate::explain::rules::{Clue, EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part};

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
        let rule = &case.knowledge.rules().exempt;
        let complains = |clue: &Clue| {
            clue.cause == rule.complaint && clue.kind == EvidenceKind::Said && clue.weight >= rule.said
        };
        if !out.clues.iter().any(complains) {
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
        let Some(contrast) =
            keys.filter(|one| one.surprise > rule.surprise).max_by_key(|one| absent(one.change))
        else {
            return;
        };
        let causes = match contrast.change {
            Change::Absent => &rule.absent,
            Change::Value => &rule.value,
            Change::Added => return,
        };
        let text = out.text(|| {
            let what = if absent(contrast.change) { "which is absent here" } else { "which is another here" };
            format!(
                "no success carries a CSRF token, all of them {}, {what}: with it none is needed",
                contrast.name
            )
        });
        let pointer = [case.point(Part::RequestHeader, &contrast.name)];
        out.add_all(causes, 1.0, EvidenceKind::Differs, text, &pointer);
    }
}
