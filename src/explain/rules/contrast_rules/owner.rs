//! Whose is it: the caller against the object, over several requests.

use smallvec::SmallVec;

use crate::explain::case::Case;
use crate::explain::contrast::columns::Column;
use crate::explain::knowledge::rules;
use crate::explain::request::attribute::Attribute;
use crate::explain::request::family::Family;
use crate::explain::request::shown::Shown;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::features::json;
use crate::model::{EvidenceKind, Part};

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
    let rule = &case.knowledge.rules().owner;
    let names_object = names_object(rule, name);
    // A free member such as a note takes any value by chance; one that names an object does not.
    let theirs = same.count_ones() > u32::from(weak && !names_object);
    if theirs && exclusive(case, column) {
        let text = format!(
            "the caller is accepted with other values of {name}; this value ({}) is accepted from others",
            object.shown()
        );
        let pointer = [case.point(if weak { Part::RequestBody } else { Part::Path }, name)];
        let causes = match (weak, names_object) {
            // What is asked for, and no object: the caller may not ask for it.
            (true, false) => &rule.value,
            (true, true) => &rule.member,
            (false, _) => &rule.object,
        };
        out.add_all(causes, case.beside_lead(object.mark.key), EvidenceKind::Differs, text, &pointer);
    } else if same == 0 && !weak {
        let text =
            format!("the caller is accepted with other values of {name}, never with {}", object.shown());
        let pointer = [case.point(Part::Path, name)];
        out.add_all(&rule.never, case.beside_lead(object.mark.key), EvidenceKind::Differs, text, &pointer);
    }
}

/// Whether a member is called as references to objects are: `id`, `userId`, `account_no`, `$.owner`.
fn names_object(rule: &rules::Owner, name: &str) -> bool {
    let lower = json::last_name(name).unwrap_or_default().to_ascii_lowercase();
    rule.ends.iter().any(|end| lower.ends_with(&**end))
        || rule.parts.iter().any(|part| lower.contains(&**part))
}

/// Whether no value was accepted from two callers.
fn exclusive(case: &Case<'_>, column: &Column) -> bool {
    let caller = |slot: u32| case.own_good().get(slot as usize).map(|sample| sample.caller);
    column.values().all(|(_, samples)| {
        let first = caller(samples.trailing_zeros());
        (0..u64::BITS).filter(|slot| samples >> slot & 1 == 1).all(|slot| caller(slot) == first)
    })
}
