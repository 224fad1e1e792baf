//! The contract: read back into structures that know no other field.
#![allow(dead_code, reason = "the fields are there to be checked by serde")]

use serde::Deserialize;

use super::write;
use crate::edge::redact::Redactor;
use crate::explain::diagnoser::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::export::{sample, with_item};
use crate::history::History;
use crate::model::ExchangeId;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preface {
    protocol: String,
    destination: Option<String>,
    authority: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    v: u8,
    id: u64,
    started: String,
    client: String,
    peer: Option<String>,
    forwarded_client: Option<String>,
    preface: Option<Preface>,
    server: String,
    endpoint: String,
    request: Option<Request>,
    response: Option<Response>,
    outcome: String,
    latency_ms: Option<f64>,
    baseline: Option<Baseline>,
    differences: Vec<Difference>,
    diagnosis: Vec<Finding>,
    anomalies: Vec<String>,
    refuser: Option<String>,
    incident: Option<String>,
    #[serde(default)]
    ruled_out: Vec<RuledOut>,
    #[serde(default)]
    interim: Vec<u16>,
    principal: Option<String>,
    connection: Connection,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    id: u64,
    index: u32,
    handshake: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    target: String,
    version: String,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    status: u16,
    reason: String,
    version: String,
    headers: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    bytes: u64,
    captured: u64,
    truncated: bool,
    text: Option<String>,
    base64: Option<String>,
    withheld: Option<String>,
    decoded: Option<String>,
    #[serde(default)]
    missing: u64,
    #[serde(default)]
    trailers: Vec<(String, String)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    id: u64,
    why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    r#where: String,
    name: String,
    kind: String,
    significance: String,
    baseline: Option<String>,
    this: Option<String>,
    note: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    cause: String,
    confidence: f64,
    evidence: Vec<String>,
    at: Vec<Option<Spot>>,
    next: Vec<String>,
    separates: Option<Separates>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "pins the names")]
struct Separates {
    r#where: String,
    name: String,
    refused: (u32, u32),
    accepted: (u32, u32),
    this: Option<String>,
    accepted_value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spot {
    r#where: String,
    #[serde(default)]
    name: String,
    range: Option<(u32, u32)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuledOut {
    cause: String,
    why: String,
}

fn lines(exchanges: &[(&[u8], &[u8])], reveal: bool) -> Vec<(String, Line)> {
    let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let redactor = Redactor::new(reveal);
    exchanges
        .iter()
        .map(|(request, response)| {
            let id: ExchangeId = inspector.push(sample::exchange(request, response));
            let mut out = Vec::new();
            with_item(&inspector, id, |item| write(&mut out, item, &redactor)).unwrap().unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.matches('\n').count(), 1, "one line");
            (text.clone(), serde_json::from_str(&text).unwrap())
        })
        .collect()
}

const SUCCESS: &[u8] = b"POST /v1/users/7/profile?v=2 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer good\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}";
const REFUSED: &[u8] = b"POST /v1/users/7/profile?v=2 HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer s3cr3t\r\nX: \x1b\x9b\xe2\x80\xae\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n{\"password\":\"hunter2\",\"a\":1}";

#[test]
fn a_refusal_beside_its_success() {
    let lines = lines(
        &[
            (SUCCESS, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
            (REFUSED, b"HTTP/1.1 403 Forbidden\r\nSet-Cookie: s=topsecret\r\nContent-Length: 2\r\n\r\nno"),
        ],
        false,
    );
    let (text, line) = &lines[1];
    for secret in ["s3cr3t", "hunter2", "topsecret"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
    assert_eq!((line.v, line.id, line.outcome.as_str()), (1, 2, "complete"));
    assert_eq!(line.started, "1970-01-01T00:00:01.000000Z");
    assert_eq!(line.latency_ms, Some(2.25));
    assert_eq!(line.client, "127.0.0.1:49152");
    let request = line.request.as_ref().unwrap();
    assert_eq!(request.target, "/v1/users/7/profile?v=2");
    assert_eq!(request.headers[2], ("X".to_owned(), "\u{1b}\\x9b\u{202e}".to_owned()));
    assert!(request.body.text.as_ref().unwrap().ends_with("\",\"a\":1}"));
    assert_eq!(line.response.as_ref().unwrap().status, 403);
    assert!(!line.diagnosis.is_empty(), "never empty on a 403");
    assert!(line.diagnosis.iter().all(|finding| finding.at.len() == finding.evidence.len()));
    let spots = || line.diagnosis.iter().flat_map(|finding| finding.at.iter().flatten());
    assert!(spots().any(|spot| spot.r#where == "request.header" && spot.name == "authorization"));
    assert!(lines[0].1.diagnosis.is_empty());
}

#[test]
fn with_secrets_everything_is_there() {
    let lines = lines(&[(REFUSED, b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")], true);
    assert!(lines[0].0.contains("Bearer s3cr3t") && lines[0].0.contains("hunter2"));
}

#[test]
fn without_a_response_and_without_a_request() {
    let lines =
        lines(&[(SUCCESS, b""), (b"", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\na\0b")], false);
    assert!(lines[0].1.response.is_none());
    assert!(
        lines[0].0.contains("\"response\":null")
            && lines[0].0.contains("\"outcome\":\"closed-without-response\"")
    );
    assert!(lines[1].0.contains("\"request\":null"));
    let body = &lines[1].1.response.as_ref().unwrap().body;
    assert_eq!((body.base64.as_deref(), body.text.as_deref(), body.bytes), (Some("YQBi"), None, 3));
}

#[test]
fn text_in_another_charset() {
    let lines = lines(&[(SUCCESS, b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Length: 1\r\n\r\n\xe9")], false);
    assert_eq!(lines[0].1.response.as_ref().unwrap().body.text.as_deref(), Some("\u{e9}"));
}

#[test]
fn both_ends_of_a_proxied_connection_are_written() {
    let mut exchange = sample::exchange(
        b"GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.7, 10.0.0.3\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
    );
    let line = |exchange: crate::model::Exchange| {
        let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
        let id = inspector.push(exchange);
        let mut out = Vec::new();
        with_item(&inspector, id, |item| write(&mut out, item, &Redactor::new(true))).unwrap().unwrap();
        serde_json::from_slice::<Line>(&out).unwrap()
    };
    let plain = line(exchange.clone());
    assert_eq!((plain.peer, plain.preface.is_none()), (None, true));
    assert_eq!(plain.forwarded_client.as_deref(), Some("198.51.100.7"));
    exchange.preface = Some(Box::new(crate::model::Preface {
        kind: crate::model::PrefaceKind::Proxy2,
        peer: exchange.client,
        client: Some("203.0.113.9:5555".parse().unwrap()),
        destination: Some("10.0.0.1:80".into()),
        authority: Some("api.test".into()),
    }));
    exchange.client = "203.0.113.9:5555".parse().unwrap();
    let proxied = line(exchange);
    assert_eq!(
        (proxied.client.as_str(), proxied.peer.as_deref()),
        ("203.0.113.9:5555", Some("127.0.0.1:49152"))
    );
    assert_eq!(proxied.forwarded_client, None, "a public client is believed about nobody else");
    let preface = proxied.preface.unwrap();
    assert_eq!(
        (preface.protocol.as_str(), preface.destination.as_deref()),
        ("proxy-v2", Some("10.0.0.1:80"))
    );
    assert_eq!(preface.authority.as_deref(), Some("api.test"));
}
