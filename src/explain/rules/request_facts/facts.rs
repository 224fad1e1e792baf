//! Facts about a request that are true or false of it alone. They are counted in successes too: a fact that successes
//! share explains nothing.

use std::borrow::Cow;

use crate::explain::request::agent::{Agent, agent};
use crate::explain::request::family::Family;
use crate::explain::request::names::Which;
use crate::explain::request::parsed_request::ParsedRequest;
use crate::explain::rules::request_facts::{credential, payload};
use crate::features::json;
use crate::features::json::JsonEnd;
use crate::features::request::attributes::Attributes;
use crate::knowledge::names::Trait;
use crate::model::{Anomaly, Exchange, Part, Request};

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// As in `[fact]` of `assets/weights.toml`.
    pub id: &'static str,
    /// What was seen, for people; never a secret.
    pub detail: String,
    /// Where it stands: the part and the name in it.
    pub at: (Part, Cow<'static, str>),
}

/// The facts of a request.
pub fn facts(exchange: &Exchange, features: &Attributes<'_>, seen: &ParsedRequest<'_>) -> Vec<Fact> {
    let mut out = Vec::new();
    let Some(request) = &exchange.request else { return out };
    payload_fact(seen, &mut out);
    let mut add = |id: &'static str, detail: String| out.push(Fact { id, detail, at: part_of(id) });
    hidden_fact(seen, &mut add);
    upload_fact(seen, &mut add);
    credential_facts(exchange, features, seen, &mut add);
    body_facts(request, seen, &mut add);
    field_facts(exchange, seen, &mut add);
    out
}

/// The part in which a fact stands that is not about one named thing.
fn part_of(id: &str) -> (Part, Cow<'static, str>) {
    let part = match id {
        "body-mismatch" | "json-invalid" | "body-untyped" | "file-executable" => Part::RequestBody,
        "token-expired" | "token-not-yet-valid" | "token-unsigned" => Part::Claim,
        "address-expired" | "address-early" => Part::Query,
        "path-hidden" => Part::Path,
        _ => Part::RequestHeader,
    };
    let name = match id {
        "token-expired" => "exp",
        "token-not-yet-valid" => "nbf",
        "host-address" | "host-missing" => "host",
        "agent-missing" | "agent-script" | "agent-scanner" | "agent-bot" => "user-agent",
        "accept-missing" => "accept",
        "charset-odd" => "content-type",
        "encoding-odd" => "content-encoding",
        "credential-malformed" | "credential-none" => "authorization",
        _ => "",
    };
    (part, Cow::Borrowed(name))
}

fn payload_fact(seen: &ParsedRequest<'_>, out: &mut Vec<Fact>) {
    if let Some(found) = payload::find(seen) {
        let place = if found.place.is_empty() {
            found.part.as_str().to_owned()
        } else {
            format!("{} {}", found.part.as_str(), found.place)
        };
        out.push(Fact {
            id: if found.strong { "payload" } else { "payload-weak" },
            detail: format!("{} in {place}", found.name),
            at: (found.part, Cow::Owned(found.place)),
        });
    }
}

/// Names that begin with a dot, which servers refuse to hand out by themselves.
fn hidden_fact(seen: &ParsedRequest<'_>, add: &mut impl FnMut(&'static str, String)) {
    let hidden = |segment: &&[u8]| {
        segment.len() > 2
            && segment.starts_with(b".")
            && !segment.starts_with(b"..")
            && *segment != b".well-known"
    };
    if let Some(segment) = seen.target.path.split(|byte| *byte == b'/').find(hidden) {
        let name: String = String::from_utf8_lossy(segment).chars().take(40).collect();
        add("path-hidden", format!("the path names a hidden file or directory ({name})"));
    }
}

fn upload_fact(seen: &ParsedRequest<'_>, add: &mut impl FnMut(&'static str, String)) {
    for part in seen.parts() {
        let name = String::from_utf8_lossy(part.filename.unwrap_or_default()).to_ascii_lowercase();
        if let Some(suffix) =
            RISKY.iter().find(|suffix| name.ends_with(*suffix) || name.contains(&format!("{suffix}.")))
        {
            add("file-executable", format!("an uploaded file name that ends in {suffix}"));
            break;
        }
    }
}

fn credential_facts(
    exchange: &Exchange,
    features: &Attributes<'_>,
    seen: &ParsedRequest<'_>,
    add: &mut impl FnMut(&'static str, String),
) {
    let Some(request) = &exchange.request else { return };
    let now = request.started.seconds();
    if let Some(late) = credential::expired_for(&seen.tokens, now) {
        add("token-expired", format!("the token's exp lies {} before the request", span(late)));
    }
    if let Some(early) = credential::not_yet_for(&seen.tokens, now) {
        add("token-not-yet-valid", format!("the token begins to be valid {} after the request", span(early)));
    }
    if let Some(late) = credential::address_expired_for(now, seen.target.query()) {
        add("address-expired", format!("the signed address ended {} before the request", span(late)));
    }
    if let Some(early) = credential::address_early_for(now, seen.target.query()) {
        add("address-early", format!("the signed address begins {} after the request", span(early)));
    }
    if let Some(what) = credential::malformed(seen) {
        add("credential-malformed", what);
    }
    if credential::unsigned(&seen.tokens) {
        add("token-unsigned", "the token names no signature".to_owned());
    }
    if let Some((name, off)) = credential::clock_off(exchange, seen).filter(|(_, off)| off.abs() > 150) {
        let side = if off > 0 { "behind" } else { "ahead of" };
        add("clock-far", format!("{name} is {} {side} the time of the answer", span(off.abs())));
    }
    let named = [Family::Credential, Family::ApiKey, Family::Session, Family::Signature, Family::Certificate];
    if !features.attributes.iter().any(|one| named.contains(&one.family)) {
        add("credential-none", "no Authorization, API key or session cookie was sent".to_owned());
    }
    let session = features.family(Family::Session).next().is_some();
    if session
        && features.family(Family::Csrf).next().is_none()
        && features.family(Family::Credential).next().is_none()
        && !matches!(request.head.method(), "GET" | "HEAD")
    {
        add("csrf-none", "a session cookie comes without any CSRF token".to_owned());
    }
}

fn body_facts(request: &Request, seen: &ParsedRequest<'_>, add: &mut impl FnMut(&'static str, String)) {
    let (media, parsed) = (seen.field(Which::ContentType), seen.media);
    if seen.content.is_empty() {
        return;
    }
    match (media, &parsed) {
        (None, _) => add("body-untyped", "a body without Content-Type".to_owned()),
        (Some(_), Some(media)) if !seen.opaque => {
            let sniffed = seen.sniffed;
            if sniffed.contradicts(media) {
                add(
                    "body-mismatch",
                    format!("Content-Type says {}, the body looks like {}", media.essence, sniffed.as_str()),
                );
            } else if media.is_json() && request.body.is_whole() {
                let complete = matches!(&seen.json, Some(json) if matches!(json.end, JsonEnd::Complete | JsonEnd::Limit));
                let marked = seen.content.starts_with(b"\xef\xbb\xbf");
                if let Some((fault, at)) = (!complete || marked).then(|| json::fault(&seen.content)).flatten()
                {
                    add("json-invalid", format!("invalid JSON: {fault} at byte {at}"));
                }
            }
        }
        _ => {}
    }
    if let Some(charset) = parsed.and_then(|media| media.charset()) {
        let usual = ["utf-8", "utf8", "iso-8859-1", "iso-8859-15", "windows-1252", "us-ascii"];
        if !usual.contains(&charset.to_ascii_lowercase().as_str()) {
            add("charset-odd", format!("charset {charset}"));
        }
    }
}

fn field_facts(exchange: &Exchange, seen: &ParsedRequest<'_>, add: &mut impl FnMut(&'static str, String)) {
    let mut names = seen.fields.iter().map(|(name, _)| name);
    if let Some(name) = names.find(|name| name.traits.has_trait(Trait::Restricted)) {
        let name = &name.text;
        add("field-restricted", format!("the field {name}, which rule sets restrict"));
    }
    if let Some(coding) = seen.text(Which::ContentEncoding).filter(|coding| !coding.is_empty()) {
        let coding: String = coding.chars().take(20).collect();
        add("encoding-odd", format!("a request body with Content-Encoding {coding}"));
    }
    match seen.text(Which::Host) {
        None | Some("") => add("host-missing", "no Host".to_owned()),
        Some(host) if is_address(host) => add("host-address", format!("Host is the address {host}")),
        Some(_) => {}
    }
    let agent = seen.field(Which::UserAgent).map(agent);
    match agent.as_deref().filter(|agent| !agent.blank) {
        None => add("agent-missing", "no User-Agent".to_owned()),
        Some(Agent { scanner: Some(name), .. }) => {
            add("agent-scanner", format!("a scanner's User-Agent ({name})"));
        }
        Some(Agent { robot: Some(name), .. }) => add("agent-bot", format!("a robot's User-Agent ({name})")),
        Some(Agent { script: Some(name), .. }) => {
            add("agent-script", format!("a script's User-Agent ({name})"));
        }
        Some(_) => {}
    }
    if seen.field(Which::Accept).is_none() {
        add("accept-missing", "no Accept".to_owned());
    }
    if let Some(anomaly) = exchange.anomalies.iter().find(|anomaly| FRAMING.contains(anomaly)) {
        add("framing-odd", anomaly.describe().to_owned());
    }
}

fn is_address(host: &str) -> bool {
    let bare = host
        .rsplit_once(':')
        .filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(host, |(host, _)| host);
    bare.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

/// `90 s`, `3 h`, `2 d`.
pub fn span(seconds: i64) -> String {
    match seconds.abs() {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Ends of file names that a server might run.
const RISKY: [&str; 18] = [
    ".php",
    ".phtml",
    ".phar",
    ".jsp",
    ".jspx",
    ".asp",
    ".aspx",
    ".ashx",
    ".cgi",
    ".exe",
    ".sh",
    ".bat",
    ".pl",
    ".htaccess",
    ".php5",
    ".dll",
    ".svg",
    ".war",
];
/// Framing that servers in front refuse.
const FRAMING: [Anomaly; 14] = [
    Anomaly::TransferEncodingWithContentLength,
    Anomaly::DuplicateContentLength,
    Anomaly::ConflictingContentLength,
    Anomaly::InvalidContentLength,
    Anomaly::UnknownTransferCoding,
    Anomaly::ChunkedNotFinal,
    Anomaly::ObsFold,
    Anomaly::SpaceBeforeColon,
    Anomaly::InvalidFieldName,
    Anomaly::InvalidFieldValue,
    Anomaly::DuplicateHost,
    Anomaly::BodyLongerThanLength,
    Anomaly::WhiteSpaceBeforeStartLine,
    Anomaly::AmbiguousFraming,
];

#[cfg(test)]
mod tests {
    use crate::explain::fixture::exchanges;
    use crate::explain::request::features::Features;

    fn ids(text: &str) -> Vec<&'static str> {
        let exchange = &exchanges(text)[0];
        Features::of(exchange).facts.iter().map(|fact| fact.id).collect()
    }

    #[test]
    fn a_plain_request_shows_little() {
        let plain = "POST /x\nHost: a.example\nUser-Agent: Acme/1\nAccept: */*\nAuthorization: Bearer k\nContent-Type: application/json\n\n{\"a\":1}\n--- 201\n";
        assert_eq!(ids(plain), Vec::<&str>::new());
    }

    #[test]
    fn an_odd_request_shows_what_is_odd() {
        let odd = ids(
            "POST /x\nHost: 10.0.0.1:8080\nX-Http-Method-Override: PUT\nContent-Type: application/json; charset=utf-7\n\n<a/>\n--- 403\n",
        );
        for id in [
            "host-address",
            "field-restricted",
            "charset-odd",
            "body-mismatch",
            "agent-missing",
            "accept-missing",
            "credential-none",
        ] {
            assert!(odd.contains(&id), "{id} in {odd:?}");
        }
    }
}
