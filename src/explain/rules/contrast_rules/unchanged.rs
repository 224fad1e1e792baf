//! What servers test in a single field, where that field is as in accepted requests.

use crate::explain::case::Case;
use crate::explain::request::family::Family;
use crate::explain::rules::contrast_rules::rules::part_of;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Cause, EvidenceKind};

/// The field, the cause that it is about, and what its accepted value speaks against it.
const FIELDS: [(Family, &str, Cause, f32); 6] = [
    (Family::Accept, "accept", Cause::Accept, -2.6),
    (Family::Referer, "referer", Cause::Referer, -2.2),
    (Family::Origin, "origin", Cause::Origin, -2.2),
    (Family::Host, "host", Cause::Host, -2.4),
    (Family::ApiVersion, "api-version", Cause::ApiVersion, -2.0),
    (Family::MediaType, "content-type", Cause::ContentType, -0.8),
];
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
        for (family, name, cause, weight) in FIELDS {
            let Some(own) = case.features.family(family).next() else { continue };
            let same = case.own_columns().with(own.mark.key, own.mark.value).count_ones();
            if same >= ENOUGH {
                let text = out.text(|| format!("the same {name} was accepted {same} times"));
                out.add(
                    cause,
                    weight,
                    EvidenceKind::Differs,
                    text,
                    &[case.point(part_of(family), &own.name)],
                );
            }
        }
    }
}
