//! Whose is it: the caller against the object, over several requests.

use smallvec::SmallVec;

use crate::explain::case::Case;
use crate::explain::contrast::columns::Column;
use crate::explain::request::attribute::Attribute;
use crate::explain::request::family::Family;
use crate::explain::request::shown::Shown;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::features::json;
use crate::model::{Cause, EvidenceKind, Part};

/// The caller succeeds on other objects of this endpoint, and this object answers to other callers.
pub struct Owner;

impl Rule for Owner {
    fn id(&self) -> &'static str {
        "owner"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.own_good().is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let mine = case.mine();
        if mine == 0 {
            return;
        }
        let objects = [Family::Segment, Family::Tenant, Family::Query, Family::Body];
        let objects = case.features.attributes.iter().filter(|one| objects.contains(&one.family));
        let mut objects: SmallVec<[&Attribute<'_>; 32]> = objects.collect();
        objects.sort_by(|a, b| a.name.cmp(&b.name));
        for object in objects {
            judge(case, object, mine, out);
        }
    }
}

fn judge(case: &Case<'_>, object: &Attribute<'_>, mine: u64, out: &mut EvidenceSink) {
    let Some(column) = case.own_columns().column(object.mark.key) else { return };
    let same = column.with(object.mark.value);
    if same & mine != 0 || column.having & mine == 0 {
        return;
    }
    let weak = object.family == Family::Body;
    let name = &object.name;
    // A free member such as a note takes any value by chance; one that names an object does not.
    let theirs = same.count_ones() > u32::from(weak && !names_object(name));
    if theirs && exclusive(case, column) {
        let text = format!(
            "the caller is accepted with other values of {name}; this value ({}) is accepted from others",
            object.shown()
        );
        let pointer = vec![case.point(if weak { Part::RequestBody } else { Part::Path }, name)];
        let scale = case.beside_lead(object.mark.key);
        if weak && !names_object(name) {
            // What is asked for, and no object: the caller may not ask for it.
            for (cause, weight) in
                [(Cause::InsufficientScope, 1.8), (Cause::InsufficientRole, 1.7), (Cause::Subscription, 1.3)]
            {
                out.add(cause, weight * scale, EvidenceKind::Differs, &text, &pointer);
            }
            return;
        }
        let weight = if weak { 2.4 } else { 3.8 };
        out.add(Cause::NotOwner, weight * scale, EvidenceKind::Differs, text, pointer);
    } else if same == 0 && !weak {
        let text =
            format!("the caller is accepted with other values of {name}, never with {}", object.shown());
        let pointer = vec![case.point(Part::Path, name)];
        let scale = case.beside_lead(object.mark.key);
        out.add(Cause::NotOwner, 1.9 * scale, EvidenceKind::Differs, &text, &pointer);
        out.add(Cause::ResourceState, 1.1 * scale, EvidenceKind::Differs, text, pointer);
    }
}

/// Whether a member is called as references to objects are: `id`, `userId`, `account_no`, `$.owner`.
fn names_object(name: &str) -> bool {
    let lower = json::last_name(name).unwrap_or_default().to_ascii_lowercase();
    ENDS.iter().any(|end| lower.ends_with(end)) || CALLED.iter().any(|part| lower.contains(part))
}

/// Ends of the names of members that name an object.
const ENDS: [&str; 8] = ["id", "uuid", "_no", "number", "_ref", "_key", "iban", "slug"];
/// Parts of such names.
const CALLED: [&str; 19] = [
    "owner",
    "tenant",
    "account",
    "project",
    "team",
    "customer",
    "company",
    "organi",
    "workspace",
    "user",
    "author",
    "group",
    "site",
    "store",
    "merchant",
    "member",
    "department",
    "folder",
    "repo",
];

/// Whether no value was accepted from two callers.
fn exclusive(case: &Case<'_>, column: &Column) -> bool {
    let caller = |slot: u32| case.own_good().get(slot as usize).map(|sample| sample.caller);
    column.values().all(|(_, samples)| {
        let first = caller(samples.trailing_zeros());
        (0..u64::BITS).filter(|slot| samples >> slot & 1 == 1).all(|slot| caller(slot) == first)
    })
}
