//! What a proxy changed of a request that the server behind it refused.

use crate::explain::case::Case;
use crate::explain::knowledge::rules::{self, Causes};
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Difference, DifferenceKind, EvidenceKind, Leg, LegRole, Part, Pointer};

/// Changes between the legs of a request.
pub struct Hops;

impl Rule for Hops {
    fn id(&self) -> &'static str {
        "hops"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.path.is_some_and(|path| !path.legs.is_empty())
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let legs = case.path.map_or(&[][..], |path| &path.legs);
        let Some(first) = legs.first() else { return };
        // What the application never saw, or accepted, was not refused for a change.
        let is_behind = |leg: &&Leg| leg.role == LegRole::Forwarded && leg.status == first.status;
        for leg in legs.iter().filter(is_behind) {
            for change in &leg.changed {
                self::change(case, leg, change, out);
            }
        }
    }
}

fn change(case: &Case<'_>, leg: &Leg, change: &Difference, out: &mut EvidenceSink) {
    let weights = case.knowledge.combine();
    let factor = match change.kind {
        DifferenceKind::Removed => weights.hop_removed,
        _ => weights.hop_changed,
    };
    let Some(causes) = causes(&case.knowledge.rules().hops, change) else { return };
    let verb = match change.kind {
        DifferenceKind::Removed => "did not pass on",
        DifferenceKind::Added => "added",
        _ => "changed",
    };
    let text = out.text(|| format!("the proxy {verb} {} on the way to {}", name(change), leg.server));
    let exchange = case.exchange().id;
    let pointer = Pointer { exchange, part: change.part, name: change.name.clone(), range: None };
    out.add_all(causes, factor, EvidenceKind::Behaved, text, &[pointer]);
}

fn name(change: &Difference) -> String {
    match change.part {
        Part::RequestLine => "the method".into(),
        Part::RequestBody => "the content".into(),
        _ => change.name.clone(),
    }
}

/// The causes that a change may bring about, with their share of its weight.
fn causes<'a>(rule: &'a rules::Hops, change: &Difference) -> Option<&'a Causes> {
    let kind = match change.kind {
        DifferenceKind::Removed => "removed",
        DifferenceKind::Added => "added",
        _ => "changed",
    };
    let part = match change.part {
        Part::RequestLine => "method",
        Part::RequestBody => "content",
        Part::RequestHeader => change.name.as_str(),
        _ => return None,
    };
    let fits = |one: &&rules::HopChange| {
        one.of.iter().any(|name| name == part) && one.kind.as_ref().is_none_or(|wanted| wanted == kind)
    };
    rule.change.iter().find(fits).map(|one| &one.causes)
}
