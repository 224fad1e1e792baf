//! Whose is it: the caller against the object, over several requests.

use std::collections::HashMap;

use crate::diagnosis::attribute::{Attribute, Mark};
use crate::diagnosis::case::Case;
use crate::diagnosis::family::Family;
use crate::diagnosis::rule::{Out, Rule};
use crate::diagnosis::stats::Sample;
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
    fn evidence(&self, case: &Case<'_>, out: &mut Out) {
        let me = caller(&case.sheet.marks(), case.credential, case);
        if me == 0 {
            return;
        }
        let by_caller: Vec<u64> =
            case.own_good().iter().map(|sample| caller(&sample.marks, sample.credential, case)).collect();
        let good: Vec<(u64, &Sample)> = by_caller.into_iter().zip(case.own_good().iter().copied()).collect();
        if good.iter().all(|(who, _)| *who != me) {
            return;
        }
        let objects = [Family::Segment, Family::Tenant, Family::Query, Family::Body];
        for object in case.sheet.attributes.iter().filter(|one| objects.contains(&one.family)) {
            judge(case, object, &good, me, out);
        }
    }
}

fn judge(case: &Case<'_>, object: &Attribute, good: &[(u64, &Sample)], me: u64, out: &mut Out) {
    let (key, this) = (object.mark.key, object.mark.value);
    let mine = || good.iter().filter(|(who, _)| *who == me).filter_map(|(_, sample)| sample.value(key));
    if mine().any(|value| value == this) || mine().next().is_none() {
        return;
    }
    let theirs = good.iter().any(|(who, sample)| *who != me && sample.value(key) == Some(this));
    let weak = object.family == Family::Body;
    let name = &object.name;
    let pointer = vec![case.point(if weak { Part::RequestBody } else { Part::Path }, name)];
    if theirs && exclusive(good, key) {
        let text = format!(
            "the caller is accepted with other values of {name}; this value ({}) is accepted from others",
            object.shown()
        );
        out.add(Cause::NotOwner, if weak { 2.4 } else { 3.8 }, EvidenceKind::Differs, text, pointer);
    } else if !theirs && !weak {
        let text =
            format!("the caller is accepted with other values of {name}, never with {}", object.shown());
        out.add(Cause::NotOwner, 1.9, EvidenceKind::Differs, &text, &pointer);
        out.add(Cause::ResourceState, 1.1, EvidenceKind::Differs, text, pointer);
    }
}

/// Whether no value of `key` was accepted from two callers.
fn exclusive(good: &[(u64, &Sample)], key: u64) -> bool {
    let mut callers: HashMap<u64, u64> = HashMap::new();
    good.iter().all(|(who, sample)| {
        sample.value(key).is_none_or(|value| *callers.entry(value).or_insert(*who) == *who)
    })
}

/// Who asks: the token's subject, else the credential, else the session cookie; 0 for nobody.
fn caller(marks: &[Mark], credential: u64, case: &Case<'_>) -> u64 {
    let named = |wanted: fn(Family, &str) -> bool| {
        marks
            .iter()
            .find(|mark| case.stats.name_of(mark.key).is_some_and(|(family, name)| wanted(family, name)))
            .map(|mark| mark.value)
    };
    named(|family, name| family == Family::Subject && matches!(name, "sub" | "user"))
        .or((credential != 0).then_some(credential))
        .or_else(|| named(|family, _| family == Family::Session))
        .unwrap_or(0)
}
