//! What a proxy changed of a request that the server behind it refused.

use crate::explain::case::Case;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Cause, Difference, DifferenceKind, EvidenceKind, Leg, LegRole, Part, Pointer};

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
    let causes = causes(change);
    if causes.is_empty() {
        return;
    }
    let verb = match change.kind {
        DifferenceKind::Removed => "did not pass on",
        DifferenceKind::Added => "added",
        _ => "changed",
    };
    let text = out.text(|| format!("the proxy {verb} {} on the way to {}", name(change), leg.server));
    let exchange = case.exchange().id;
    let pointer = Pointer { exchange, part: change.part, name: change.name.clone(), range: None };
    for (cause, share) in causes {
        out.add(cause, factor * share, EvidenceKind::Behaved, &text, std::slice::from_ref(&pointer));
    }
}

fn name(change: &Difference) -> String {
    match change.part {
        Part::RequestLine => "the method".into(),
        Part::RequestBody => "the content".into(),
        _ => change.name.clone(),
    }
}

/// The causes that a change may bring about, with their share of its weight.
fn causes(change: &Difference) -> Vec<(Cause, f32)> {
    let removed = change.kind == DifferenceKind::Removed;
    match (change.part, change.name.as_str()) {
        (Part::RequestHeader, "authorization" | "x-api-key") if removed => {
            vec![(Cause::MissingCredentials, 1.0)]
        }
        (Part::RequestHeader, "authorization" | "x-api-key") if change.kind == DifferenceKind::Changed => {
            vec![(Cause::InvalidCredentials, 1.0)]
        }
        (Part::RequestHeader, "cookie") if removed => {
            vec![(Cause::MissingCredentials, 0.8), (Cause::Csrf, 0.5)]
        }
        (Part::RequestHeader, "x-csrf-token" | "x-csrftoken" | "x-xsrf-token") if removed => {
            vec![(Cause::Csrf, 1.0)]
        }
        (Part::RequestHeader, "origin") => vec![(Cause::Origin, 1.0), (Cause::Csrf, 0.4)],
        (Part::RequestHeader, "referer") => vec![(Cause::Referer, 1.0), (Cause::Csrf, 0.3)],
        (Part::RequestHeader, "content-type") => vec![(Cause::ContentType, 1.0)],
        (Part::RequestHeader, "host") => vec![(Cause::Host, 0.3)],
        (Part::RequestHeader, "date" | "digest") => vec![(Cause::Signature, 0.8)],
        (Part::RequestLine, _) => vec![(Cause::Method, 1.0)],
        (Part::RequestBody, _) => vec![(Cause::Signature, 0.5)],
        _ => Vec::new(),
    }
}
