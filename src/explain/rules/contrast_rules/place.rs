//! The same credential, path or method at other places of the server.

use crate::explain::case::{Case, Nearness};
use crate::explain::contrast::stats::EndpointStats;
use crate::explain::knowledge::words::times;
use crate::explain::request::family::Family;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part, Refuser};

const DIFFERS: EvidenceKind = EvidenceKind::Differs;

/// The credential is accepted at other places, so it is known and current.
pub struct Elsewhere;

impl Rule for Elsewhere {
    fn id(&self) -> &'static str {
        "elsewhere"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.credential != 0
            && case
                .place
                .is_none_or(|place| place.credentials.get(&case.credential).is_none_or(|tally| tally.ok == 0))
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let Some(tally) = case
            .server
            .and_then(|server| server.credentials.get(&case.credential))
            .filter(|tally| tally.ok > 0)
        else {
            return;
        };
        let there = case.stats.place_by_key(tally.ok_place);
        let place = there
            .map_or_else(String::new, |place| format!(", for one at {} {}", place.method, place.template));
        let text = format!("the same credential is accepted at other endpoints{place}");
        let rule = &case.knowledge.rules().elsewhere;
        out.add_all(&rule.causes, 1.0, DIFFERS, text, &[case.point(Part::RequestHeader, "authorization")]);
        let pair = case.place.zip(there).filter(|(here, there)| {
            here.ok > 0 && here.method == there.method && siblings_below(&here.template, &there.template)
        });
        if let Some((here, there)) = pair {
            let (here, there) = (&here.template, &there.template);
            let text = format!("the same credential is accepted at {there}, others are at {here}");
            out.add_all(&rule.sibling, 1.0, DIFFERS, text, &[case.point(Part::Path, "")]);
        }
    }
}

/// One segment apart with more behind it, so that it names whose these are; a last one names what they are.
fn siblings_below(a: &str, b: &str) -> bool {
    let last = |path: &str| path.rsplit('/').next().map(str::to_owned);
    one_segment_apart(a, b) && last(a) == last(b)
}

/// Same number of segments, one of them different.
pub fn one_segment_apart(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split('/').collect(), b.split('/').collect());
    a.len() == b.len() && a.iter().zip(&b).filter(|(a, b)| a != b).count() == 1
}

/// No success was ever seen here: other methods, other spellings of the path, other places under the same beginning.
pub struct NeverHere;

impl Rule for NeverHere {
    fn id(&self) -> &'static str {
        "never-here"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.place.is_some_and(|place| place.ok == 0)
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let Some(here) = case.place else { return };
        let infront = matches!(case.refuser, Refuser::WebServer | Refuser::Gateway | Refuser::Cdn);
        let pointer = [case.point(Part::RequestLine, "")];
        let rule = &case.knowledge.rules().never_here;
        node(case, here, out);
        let mut varied = 0;
        for there in case.stats.siblings(case.address).filter(|place| place.ok > 0) {
            if there.template == here.template && there.method != here.method {
                let text = format!(
                    "{} is accepted at this path {}, {} never",
                    there.method,
                    times(there.ok),
                    here.method
                );
                let causes = if infront { &rule.method_in_front } else { &rule.method };
                out.add_all(causes, 1.0, DIFFERS, &text, &pointer);
                out.rule_out(rule.path_exists, format!("the path exists: {text}"));
            } else if there.method == here.method && varied < 2 {
                varied += u32::from(variant(case, here, there, out));
            }
        }
        if infront && case.good.len() >= 2 {
            let text = "nothing was ever accepted here, other endpoints of the server are fine";
            out.add_all(&rule.nothing, 1.0, DIFFERS, text, &pointer);
        }
    }
}

/// The same request is accepted at another node or host.
fn node(case: &Case<'_>, here: &EndpointStats, out: &mut EvidenceSink) {
    if case.nearness != Nearness::Node {
        return;
    }
    let same_host = case.contrasts.iter().all(|contrast| contrast.family != Family::Host);
    let pointer = [case.point(Part::Server, "")];
    let count = times(case.good.len() as u64);
    let text = format!("{} {} is accepted at another server {count}, here never", here.method, here.template);
    let rule = &case.knowledge.rules().never_here;
    let causes = if same_host { &rule.node } else { &rule.other_host };
    out.add_all(causes, 1.0, DIFFERS, text, &pointer);
}

/// Says whether it found something.
fn variant(case: &Case<'_>, here: &EndpointStats, there: &EndpointStats, out: &mut EvidenceSink) -> bool {
    let pointer = [case.point(Part::Path, "")];
    let rule = &case.knowledge.rules().never_here;
    let (a, b) = (here.template.as_ref(), there.template.as_ref());
    let plain = |path: &str| path.trim_end_matches('/').to_ascii_lowercase();
    let (short, long) = (plain(a), plain(b));
    if !short.is_empty()
        && !long.is_empty()
        && (short == long || short.ends_with(&long) || long.ends_with(&short))
    {
        let text = format!("{b} is accepted, {a} never: a slash, a prefix or letters' case differs");
        out.add_all(&rule.spelling, 1.0, DIFFERS, text, &pointer);
        return true;
    }
    if !one_segment_apart(a, b) {
        return false;
    }
    let versions = a.split('/').zip(b.split('/')).any(|(a, b)| a != b && is_version(a) && is_version(b));
    if versions {
        let text = format!("{b} is accepted, {a} never: the version differs");
        out.add_all(&rule.version, 1.0, DIFFERS, text, &pointer);
    } else if case.nearness != Nearness::Sibling {
        let text = format!("{b} is accepted, {a} never");
        out.add_all(&rule.neighbour, 1.0, DIFFERS, text, &pointer);
    }
    true
}

fn is_version(segment: &str) -> bool {
    let numbered =
        segment.strip_prefix(['v', 'V']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    numbered || (segment.len() == 10 && segment.starts_with("20"))
}
