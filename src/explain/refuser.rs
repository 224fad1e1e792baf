//! Who said no: the application, or somebody in front of it.

use std::sync::LazyLock;

use crate::explain::case::Case;
use crate::explain::contrast::sample::Sample;
use crate::explain::request::attribute_hash::hash;
use crate::explain::request::names::{Kind, name};
use crate::explain::rules::response_text::quote::recognised;
use crate::knowledge::names::{At, Trait, catalogue};
use crate::model::{Cause, Evidence, EvidenceKind, Fields, Part, Pointer, Refuser};

/// What a Server field names, by the beginning of its value in lower case.
const SERVERS: &[(&str, Refuser)] = &[
    ("ecacc", Refuser::Cdn),
    ("ecs (", Refuser::Cdn),
    ("ecd (", Refuser::Cdn),
    ("hcdn", Refuser::Cdn),
    ("netlify", Refuser::Cdn),
    ("vercel", Refuser::Cdn),
    ("ats", Refuser::Cdn),
    ("edgeone", Refuser::Cdn),
    ("nginx-wallarm", Refuser::Waf),
    ("barracuda", Refuser::Waf),
    ("rhino-core-shield", Refuser::Waf),
    ("fortiweb", Refuser::Waf),
    ("safedog", Refuser::Waf),
    ("yunjiasu", Refuser::Waf),
    ("krakend", Refuser::Gateway),
    ("wso2", Refuser::Gateway),
    ("fly/", Refuser::Gateway),
    ("gravitee", Refuser::Gateway),
    ("google_frontend", Refuser::Gateway),
    ("tinyproxy", Refuser::OutboundProxy),
    ("privoxy", Refuser::OutboundProxy),
    ("bluecoat", Refuser::OutboundProxy),
    ("proxysg", Refuser::OutboundProxy),
    ("mcafee", Refuser::OutboundProxy),
    ("cisco umbrella", Refuser::OutboundProxy),
    ("menlo", Refuser::OutboundProxy),
    ("netskope", Refuser::OutboundProxy),
    ("amazons3", Refuser::Application),
    ("minio", Refuser::Application),
    ("couchdb", Refuser::Application),
    ("nexus", Refuser::Application),
    ("artifactory", Refuser::Application),
    ("esf", Refuser::Application),
    ("gws", Refuser::Application),
    ("scaffolding", Refuser::Application),
    ("uploadserver", Refuser::Application),
    ("windows-azure-blob", Refuser::Application),
    ("express", Refuser::Application),
    ("undertow", Refuser::Application),
    ("wildfly", Refuser::Application),
    ("daphne", Refuser::Application),
    ("phusion", Refuser::Application),
    ("unicorn", Refuser::Application),
    ("thin", Refuser::Application),
    ("webrick", Refuser::Application),
    ("mochiweb", Refuser::Application),
    ("sap netweaver", Refuser::Application),
    ("splunkd", Refuser::Application),
    ("influxdb", Refuser::Application),
    ("gitlab", Refuser::Application),
    ("github", Refuser::Application),
    ("cloudflare", Refuser::Cdn),
    ("cloudfront", Refuser::Cdn),
    ("akamai", Refuser::Cdn),
    ("varnish", Refuser::Cdn),
    ("fastly", Refuser::Cdn),
    ("bunnycdn", Refuser::Cdn),
    ("keycdn", Refuser::Cdn),
    ("ddos-guard", Refuser::Cdn),
    ("qrator", Refuser::Cdn),
    ("google frontend", Refuser::Gateway),
    ("envoy", Refuser::Gateway),
    ("istio", Refuser::Gateway),
    ("kong", Refuser::Gateway),
    ("apisix", Refuser::Gateway),
    ("tyk", Refuser::Gateway),
    ("haproxy", Refuser::Gateway),
    ("traefik", Refuser::Gateway),
    ("awselb", Refuser::Gateway),
    ("webseal", Refuser::Gateway),
    ("big-ip", Refuser::Gateway),
    ("bigip", Refuser::Gateway),
    ("microsoft-azure-application-gateway", Refuser::Gateway),
    ("sucuri", Refuser::Waf),
    ("coraza", Refuser::Waf),
    ("huaweicloudwaf", Refuser::Waf),
    ("imunify360", Refuser::Waf),
    ("zscaler", Refuser::OutboundProxy),
    ("squid", Refuser::OutboundProxy),
    ("gunicorn", Refuser::Application),
    ("uvicorn", Refuser::Application),
    ("hypercorn", Refuser::Application),
    ("puma", Refuser::Application),
    ("kestrel", Refuser::Application),
    ("jetty", Refuser::Application),
    ("werkzeug", Refuser::Application),
    ("waitress", Refuser::Application),
    ("wsgiserver", Refuser::Application),
    ("cowboy", Refuser::Application),
    ("tornadoserver", Refuser::Application),
    ("python", Refuser::Application),
    ("nginx", Refuser::WebServer),
    ("apache", Refuser::WebServer),
    ("litespeed", Refuser::WebServer),
    ("microsoft-iis", Refuser::WebServer),
];

/// How much speaks for each layer.
#[derive(Default)]
struct Votes {
    sums: [f32; 7],
    evidence: Vec<Evidence>,
}

impl Votes {
    fn add(&mut self, layer: Refuser, weight: f32) {
        if let Some(sum) = self.sums.get_mut(layer as usize) {
            *sum += weight;
        }
    }
    fn note(&mut self, text: String, weight: f32, pointer: Pointer) {
        self.evidence.push(Evidence { kind: EvidenceKind::Behaved, text, weight, pointers: vec![pointer] });
    }
    /// The layer for which most speaks, if enough does.
    fn most(&self) -> Refuser {
        const LAYERS: [Refuser; 6] = [
            Refuser::Application,
            Refuser::Gateway,
            Refuser::Waf,
            Refuser::Cdn,
            Refuser::WebServer,
            Refuser::OutboundProxy,
        ];
        let sum = |layer: &Refuser| self.sums.get(*layer as usize).copied().unwrap_or_default();
        let best = LAYERS.into_iter().max_by(|a, b| sum(a).total_cmp(&sum(b)));
        best.filter(|best| sum(best) >= 0.8).unwrap_or(Refuser::Unknown)
    }
}

/// Who refused, with the evidence; `brief` where nobody will read it.
pub fn find(case: &Case<'_>, brief: bool) -> (Refuser, Vec<Evidence>) {
    let mut votes = Votes::default();
    prints(case, brief, &mut votes);
    if let Some(response) = case.response() {
        let fields = response.head.fields();
        upstream(case, fields, &mut votes);
        if !compare(case, fields, &mut votes) {
            alone(case, fields, &mut votes);
        }
        words(case, &mut votes);
    }
    (votes.most(), votes.evidence)
}

/// Products that are known by their answers.
fn prints(case: &Case<'_>, brief: bool, votes: &mut Votes) {
    for print in &case.prints {
        let Some(layer) = print.layer else { continue };
        let weight = match layer {
            Refuser::OutboundProxy => 7.0,
            Refuser::Waf => 5.0,
            Refuser::Cdn => 4.0,
            Refuser::Gateway => 3.5,
            Refuser::Application => 3.2,
            Refuser::WebServer | Refuser::Unknown => 2.0,
        };
        let known = votes.sums.get(layer as usize).copied().unwrap_or_default() > 0.0;
        votes.add(layer, if known { 0.5 } else { weight });
        if !known {
            let pointer = if brief { case.point(Part::ResponseBody, "") } else { recognised(case, print) };
            votes.note(format!("the response is that of {}", print.system), 3.0, pointer);
        }
    }
}

/// Fields that only an answer which passed through the application carries.
fn upstream(case: &Case<'_>, fields: &Fields, votes: &mut Votes) {
    let mut names = fields.iter().map(|field| name(Kind::Field, field.name));
    if let Some(name) = names.find(|name| name.traits.has_trait(Trait::Upstream)) {
        let name = &*name.text;
        votes.add(Refuser::Application, 3.0);
        let text = format!("{name} says that the application answered");
        votes.note(text, 2.5, case.point(Part::ResponseHeader, name));
    }
}

fn named(value: &str) -> Option<Refuser> {
    let lower = value.to_ascii_lowercase();
    SERVERS.iter().find(|(name, _)| lower.starts_with(name)).map(|(_, layer)| *layer)
}

/// What shows a forward proxy where another server than usual answers.
fn on_the_way_out(case: &Case<'_>, fields: &Fields, usual: &Sample, votes: &mut Votes) {
    if is_absolute(case) {
        votes.note(ABSOLUTE.to_owned(), 1.5, case.point(Part::RequestLine, ""));
        votes.add(Refuser::OutboundProxy, 2.8);
    }
    let known = usual.fields.contains(&name(Kind::Field, b"via").key);
    if let Some(via) = fields.text("via").filter(|_| !known) {
        let text = format!("Via: {via} is here and in no success");
        votes.note(text, 1.5, case.point(Part::ResponseHeader, "via"));
        votes.add(Refuser::OutboundProxy, 2.2);
    }
}

/// Sets the answer's form beside that of successes; whether there were enough.
fn compare(case: &Case<'_>, fields: &Fields, votes: &mut Votes) -> bool {
    let good = case.own_good();
    let Some(first) = good.first().filter(|_| good.len() >= 2) else { return false };
    let value = fields.text("server");
    let same_server = good.iter().any(|sample| sample.server == fields.value("server").map_or(0, hash));
    let names: Vec<u64> = fields.iter().map(|field| name(Kind::Field, field.name).key).collect();
    let ordinary = COMMON_KEYS.as_slice();
    let others: Vec<&&Sample> = good.iter().filter(|sample| sample.fields != first.fields).collect();
    let everywhere = |key: &&u64| others.iter().all(|sample| sample.fields.contains(key));
    let common: Vec<&u64> = first.fields.iter().filter(everywhere).collect();
    let own: Vec<&&u64> = common.iter().filter(|key| !ordinary.contains(key)).collect();
    let kept = common.iter().filter(|key| names.contains(key)).count();
    let own_kept = own.iter().filter(|key| names.contains(key)).count();
    let (took, usual) = (case.behaviour.took, case.behaviour.usual);
    let fast = usual > 2_000_000 && took.saturating_mul(6) < usual;
    let layer = value.and_then(named);
    if fast {
        let (took, usual) = (took as f64 / 1e6, usual as f64 / 1e6);
        let text = format!("refused after {took:.2} ms where successes take {usual:.1} ms");
        votes.note(text, 1.5, case.point(Part::Timing, ""));
        votes.add(Refuser::Application, -0.8);
        votes.add(layer.unwrap_or(Refuser::Gateway), 0.8);
    }
    if !same_server {
        on_the_way_out(case, fields, first, votes);
    }
    if !same_server {
        let text = "Server differs from that of successes".to_owned();
        votes.note(text, 2.0, case.point(Part::ResponseHeader, "server"));
        votes.add(Refuser::Application, -1.0);
        // Web servers say who they are; what hides it is more often a gateway.
        let unnamed = if value.is_none() { Refuser::Gateway } else { Refuser::WebServer };
        votes.add(layer.unwrap_or(unnamed), if value.is_none() { 1.4 } else { 2.0 });
    }
    let alike = common.len() >= 3 && kept * 5 >= common.len() * 4 || !own.is_empty() && own_kept == own.len();
    if alike && same_server {
        let text = format!("{kept} of {} fields that all successes have are here", common.len());
        votes.note(text, 1.5, case.point(Part::ResponseHeader, ""));
        votes.add(Refuser::Application, if own.is_empty() { 1.2 } else { 2.2 });
    } else if own.len() >= 2 && own_kept * 2 < own.len() {
        let text = format!(
            "{} of {} fields that only the application sets are lost",
            own.len() - own_kept,
            own.len()
        );
        votes.note(text, 1.5, case.point(Part::ResponseHeader, ""));
        votes.add(Refuser::Application, -1.2);
        let named = layer.filter(|layer| *layer != Refuser::Application);
        votes.add(named.unwrap_or(Refuser::Gateway), if named.is_some() { 1.4 } else { 1.0 });
    } else if same_server && !fast {
        votes.add(Refuser::Application, 0.9);
    }
    true
}

/// Keys of the fields that any server sets, so that they say nothing about who answered.
static COMMON_KEYS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let names = catalogue().list(At::Response, Trait::AnyServer);
    names.iter().map(|field| name(Kind::Field, field.as_bytes()).key).collect()
});

const ABSOLUTE: &str = "the request names a whole URL, as to a forward proxy";

/// Whether the target is in absolute form, as it is sent to a forward proxy (RFC 9112 §3.2.2).
fn is_absolute(case: &Case<'_>) -> bool {
    let target = case.exchange().target();
    target.starts_with(b"http://") || target.starts_with(b"https://")
}

/// Without successes: what Server and the media type say.
fn alone(case: &Case<'_>, fields: &Fields, votes: &mut Votes) {
    let media = fields.text("content-type").unwrap_or_default().to_ascii_lowercase();
    let structured = media.contains("json") || media.contains("xml");
    let layer = fields.text("server").and_then(named);
    if !structured && is_absolute(case) {
        votes.note(ABSOLUTE.to_owned(), 1.5, case.point(Part::RequestLine, ""));
        votes.add(Refuser::OutboundProxy, 1.6);
    }
    if let Some(layer) = layer {
        // A gateway or CDN hands on what stands behind it: JSON is seldom its own.
        let behind =
            structured && !matches!(layer, Refuser::Application | Refuser::Waf | Refuser::OutboundProxy);
        votes.add(layer, if behind { 0.6 } else { 1.4 });
    }
    if structured {
        votes.add(Refuser::Application, 1.2);
    }
}

/// Causes that only the application can know of.
const OF_THE_APPLICATION: [Cause; 9] = [
    Cause::InsufficientRole,
    Cause::InsufficientScope,
    Cause::NotOwner,
    Cause::ResourceState,
    Cause::Csrf,
    Cause::Quota,
    Cause::Subscription,
    Cause::ExpiredCredentials,
    Cause::InvalidCredentials,
];

fn words(case: &Case<'_>, votes: &mut Votes) {
    let said = |causes: &[Cause]| {
        let hits = case.heard.hits.iter().filter(|(cause, _, _)| causes.contains(cause));
        hits.map(|(_, weight, _)| *weight).fold(0.0, f32::max)
    };
    let text = case.heard.text.trim_start();
    let structured = text.starts_with(['{', '[']) && text.len() > 40 || text.starts_with("<?xml");
    let its_own = said(&OF_THE_APPLICATION) >= 3.0;
    if structured {
        votes.add(Refuser::Application, if its_own { 2.4 } else { 0.9 });
    } else if its_own {
        votes.add(Refuser::Application, 1.6);
    }
    if said(&[Cause::Waf]) >= 4.0 {
        votes.add(Refuser::Waf, 2.0);
    }
}
