//! What servers test in a single field, where that field is as in accepted requests.

use crate::explain::case::Case;
use crate::explain::knowledge::rules;
use crate::explain::rules::contrast_rules::rules::part_of;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::EvidenceKind;

/// Successes with the same value from which on it counts.
const ENOUGH: u32 = 2;

/// A field is exactly as in requests that were accepted here.
pub struct Unchanged;

impl Rule for Unchanged {
    fn id(&self) -> &'static str {
        "unchanged"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= ENOUGH as usize
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        for rules::UnchangedField { family, name, causes } in &case.knowledge.rules().unchanged.field {
            let Some(own) = case.features.family(*family).next() else { continue };
            let same = case.own_columns().with(own.mark.key, own.mark.value).count_ones();
            if same >= ENOUGH {
                let text = out.text(|| format!("the same {name} was accepted {same} times"));
                let pointer = [case.point(part_of(*family), &own.name)];
                out.add_all(causes, 1.0, EvidenceKind::Differs, text, &pointer);
            }
        }
    }
}
