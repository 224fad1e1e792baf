//! Who said no: the application, or somebody in front of it.

use crate::explain::case::Case;
use crate::explain::contrast::sample::Sample;
use crate::explain::request::attribute_hash::hash;
use crate::explain::request::name_list::Listed;
use crate::explain::request::names::{Kind, name};
use crate::explain::rules::response_text::quote::recognised;
use crate::model::{Evidence, EvidenceKind, Part, Pointer, Refuser};

/// Fields that only an answer which passed through the application carries.
static UPSTREAM: Listed<6> = Listed::new([
    "x-envoy-upstream-service-time",
    "x-kong-upstream-latency",
    "x-runtime",
    "x-powered-by",
    "x-upstream-response-time",
    "x-aspnet-version",
]);

/// Who refused, with the evidence; `brief` where nobody will read it.
pub fn find(case: &Case<'_>, brief: bool) -> (Refuser, Vec<Evidence>) {
    let mut evidence = Vec::new();
    let mut note = |text: String, weight: f32, pointer: Pointer| {
        evidence.push(Evidence { kind: EvidenceKind::Behaved, text, weight, pointers: vec![pointer] });
    };
    let printed = case.prints.iter().filter_map(|print| print.layer.map(|layer| (layer, print)));
    let strongest = printed.max_by_key(|(layer, _)| match layer {
        Refuser::Waf => 5,
        Refuser::Cdn => 4,
        Refuser::Gateway => 3,
        Refuser::Application => 2,
        Refuser::WebServer => 1,
        Refuser::Unknown => 0,
    });
    let mut refuser = Refuser::Unknown;
    if let Some((layer, print)) = strongest {
        let pointer = if brief { case.point(Part::ResponseBody, "") } else { recognised(case, print) };
        note(format!("the response is that of {}", print.system), 3.0, pointer);
        refuser = layer;
    }
    let Some(response) = case.response() else { return (refuser, evidence) };
    let fields = response.head.fields();
    let upstream = fields.iter().filter_map(|field| UPSTREAM.position(field.name)).min();
    if let Some(name) = upstream.and_then(|at| UPSTREAM.get(at)) {
        let text = format!("{name} says that the application answered");
        note(text, 2.5, case.point(Part::ResponseHeader, name));
        if matches!(refuser, Refuser::Unknown | Refuser::Gateway | Refuser::WebServer) {
            refuser = Refuser::Application;
        }
    }
    compare(case, &mut refuser, &mut note);
    (refuser, evidence)
}

/// Sets the answer's form beside that of successes.
fn compare(case: &Case<'_>, refuser: &mut Refuser, note: &mut impl FnMut(String, f32, Pointer)) {
    let Some(response) = case.response() else { return };
    let good = case.own_good();
    if good.len() < 2 {
        return;
    }
    let fields = response.head.fields();
    let server = fields.value("server").map_or(0, hash);
    let same_server = good.iter().any(|sample| sample.server == server);
    let names: Vec<u64> = fields.iter().map(|field| name(Kind::Field, field.name).key).collect();
    let other = |sample: &&&Sample| good.first().is_some_and(|first| first.fields != sample.fields);
    let others: Vec<&&Sample> = good.iter().filter(other).collect();
    let common: Vec<&u64> = good
        .first()
        .map(|first| {
            first
                .fields
                .iter()
                .filter(|name| others.iter().all(|sample| sample.fields.contains(name)))
                .collect()
        })
        .unwrap_or_default();
    let kept = common.iter().filter(|name| names.contains(name)).count();
    let (took, usual) = (case.behaviour.took, case.behaviour.usual);
    let fast = usual > 2_000_000 && took * 6 < usual;
    if fast {
        note(
            format!(
                "refused after {:.2} ms where successes take {:.1} ms",
                took as f64 / 1e6,
                usual as f64 / 1e6
            ),
            1.5,
            case.point(Part::Timing, ""),
        );
    }
    if !same_server {
        let text = "Server differs from that of successes".to_owned();
        note(text, 2.0, case.point(Part::ResponseHeader, "server"));
    }
    let alike = common.len() >= 3 && kept * 5 >= common.len() * 4;
    if alike && same_server {
        let text = format!("{kept} of {} fields that all successes have are here", common.len());
        note(text, 1.5, case.point(Part::ResponseHeader, ""));
    }
    if *refuser == Refuser::Unknown {
        *refuser = match (same_server, alike, fast) {
            (true, true, false) => Refuser::Application,
            (false, _, _) => Refuser::WebServer,
            (_, false, true) => Refuser::Gateway,
            _ => Refuser::Unknown,
        };
    }
}
