//! A canary in every place where a secret may stand, and harmless values beside them, through every output.

mod places;
mod screens;
mod unseen;

use std::fmt::Write as _;

use self::places::{BODIES, FIELDS, HARMLESS, HARMLESS_JSON, RESPONSES, TARGETS};

use crate::archive;
use crate::cli::Format;
use crate::edge::redact::{Mask, Redactor};
use crate::explain::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::export::{self, Writer, sample, with_item};
use crate::history::History;
use crate::model::BaselineChoice;
use crate::tui::doc::{self, Scene};
use crate::tui::theme::Theme;
use crate::tui::{Environment, Settings};

/// What must not be seen, in the refused request and in the accepted one.
const CANARIES: [&str; 2] = ["zQ7Kp225BXw9TmR4vB2qL", "zQ7Kp225AXw9TmR4vB2qL"];

fn message(start: &str, fields: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{start}\r\n");
    for field in fields {
        let _ = write!(text, "{field}\r\n");
    }
    (text + "\r\n" + body).into_bytes()
}

/// Everything that is written about the second exchange, by output.
fn outputs(exchanges: &[(Vec<u8>, Vec<u8>)], reveal: bool) -> Vec<(&'static str, String)> {
    let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let redactor = Redactor::for_tests(reveal);
    let mut id = None;
    for (request, response) in exchanges {
        id = Some(inspector.push(sample::exchange(request, response)));
    }
    let id = id.unwrap();
    let mut all = Vec::new();
    for (name, format) in [
        ("ndjson", Format::Json),
        ("curl", Format::Curl),
        ("nc", Format::Nc),
        ("httpie", Format::Httpie),
        ("fetch", Format::Fetch),
        ("python", Format::Python),
        ("powershell", Format::Powershell),
        ("har", Format::Har),
        ("markdown", Format::Markdown),
        ("raw", Format::Raw),
    ] {
        let mut out = Vec::new();
        with_item(&inspector, id, |item| Writer::new(format).item(&mut out, item, &redactor))
            .unwrap()
            .unwrap();
        all.push((name, String::from_utf8_lossy(&out).into_owned()));
    }
    let record = inspector.history().get(id).unwrap();
    let mut stored = record.exchange.clone();
    if !reveal {
        Mask::new(&[3; 32]).apply(&mut stored);
    }
    all.push(("record", archive::record::write(1, &stored)));
    let report = inspector.report(id, BaselineChoice::LastSuccess).unwrap();
    let name = inspector.history().endpoint(record.endpoint).unwrap().to_string();
    all.push(("endpoint", redactor.endpoint(&name)));
    all.push(("completion", crate::edge::redact::starred(&name)));
    let baseline = report.baseline.as_ref().and_then(|baseline| inspector.history().get(baseline.id));
    let redactor = redactor.knowing(&export::exchanges(record, baseline));
    let scene = Scene {
        redactor: &redactor,
        glyphs: Theme::new(&Settings::default(), &Environment::default()).glyphs,
        width: 200,
    };
    let docs = [
        doc::why::why(record, (&report, BaselineChoice::LastSuccess), inspector.history(), &scene),
        doc::message::request(record, &scene),
        doc::message::response(record, &scene),
    ];
    let lines = docs.iter().flat_map(doc::Doc::lines);
    let screen = lines.map(|line| line.text().to_owned() + "\n").collect();
    all.push(("screen", screen));
    all.extend(screens::screens(exchanges, reveal));
    if !reveal {
        all.extend(screens::lists(&inspector));
    }
    all
}

/// The place with the canary in the refused exchange and with another one in the accepted one.
fn exchanges(make: impl Fn(&str) -> (Vec<u8>, Vec<u8>)) -> Vec<(Vec<u8>, Vec<u8>)> {
    let [refused, accepted] = CANARIES;
    let (request, _) = make(accepted);
    let success = message("HTTP/1.1 200 OK", &["Content-Type: application/json"], "{\"ok\":true}");
    vec![(request.clone(), success.clone()), (request, success), make(refused)]
}

fn refusal() -> Vec<u8> {
    message("HTTP/1.1 403 Forbidden", &["Content-Type: application/json"], "{\"error\":\"forbidden\"}")
}

#[expect(clippy::type_complexity, reason = "a table of tests")]
fn places() -> Vec<(String, Vec<(Vec<u8>, Vec<u8>)>)> {
    let host = "Host: api.example.com";
    let put = |place: &str, canary: &str| {
        // `@@` is a canary and an at sign.
        place.replace("@@", "\u{1}@").replace('@', "\u{2}").replace(['\u{1}', '\u{2}'], canary).clone()
    };
    let put = move |place: &str, canary: &str| {
        if place.contains("@@") { place.replace("@@", &format!("{canary}@")) } else { put(place, canary) }
    };
    let mut all = Vec::new();
    for field in FIELDS.iter().chain(unseen::FIELDS) {
        let make = |canary: &str| {
            (message("POST /api/v1/orders HTTP/1.1", &[host, &put(field, canary)], "{\"a\":1}"), refusal())
        };
        all.push(((*field).to_owned(), exchanges(make)));
    }
    for target in TARGETS.iter().chain(unseen::TARGETS) {
        let make = |canary: &str| {
            (message(&format!("POST {} HTTP/1.1", put(target, canary)), &[host], "{\"a\":1}"), refusal())
        };
        all.push(((*target).to_owned(), exchanges(make)));
    }
    for (media, body) in BODIES.iter().chain(unseen::BODIES) {
        let media = format!("Content-Type: {media}");
        let make = |canary: &str| {
            (message("POST /api/v1/orders HTTP/1.1", &[host, &media], &put(body, canary)), refusal())
        };
        all.push(((*body).to_owned(), exchanges(make)));
    }
    for response in RESPONSES.iter().chain(unseen::RESPONSES) {
        let key = |canary: &str| format!("X-Api-Key: {canary}");
        let make = |canary: &str| {
            let request = message("POST /api/v1/orders HTTP/1.1", &[host, &key(canary)], "{\"a\":1}");
            (request, put(response, canary).into_bytes())
        };
        all.push(((*response).to_owned(), exchanges(make)));
    }
    all
}

#[test]
fn no_output_shows_a_secret() {
    let places = places();
    assert!(places.len() >= 250, "{}", places.len());
    let mut leaks = String::new();
    for (place, exchanges) in &places {
        for (output, text) in outputs(exchanges, false) {
            let seen = CANARIES
                .iter()
                .map(|canary| canary.get(..9).unwrap_or_default())
                .any(|canary| text.contains(canary));
            if seen || text.contains("elFkS3AyMjVC") {
                let at = text.find("zQ7Kp225").or(text.find("elFkS3AyMjVC")).unwrap_or_default();
                let from =
                    (at.saturating_sub(60)..=at).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
                let shown: String = text.get(from..).unwrap_or_default().chars().take(110).collect();
                let _ = writeln!(leaks, "{output}: {place:?}\n    {shown:?}");
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks}");
}

#[test]
fn harmless_values_stay() {
    let mut hidden = String::new();
    for field in HARMLESS.iter().chain(unseen::HARMLESS_FIELDS) {
        let request = message("POST /api/v1/orders HTTP/1.1", &["Host: api.example.com"], "{\"a\":1}");
        let response = message("HTTP/1.1 403 Forbidden", &[field], "");
        for (output, text) in outputs(&[(request, response)], false) {
            if output == "raw" && !text.contains(field) {
                let _ = writeln!(hidden, "{field}: {text}");
            }
        }
    }
    let request = message(
        "POST /v1/users HTTP/1.1",
        &["Host: api.example.com", "Content-Type: application/json"],
        HARMLESS_JSON,
    );
    for (output, text) in outputs(&[(request, refusal())], false) {
        if output == "raw" && !text.contains(HARMLESS_JSON) {
            let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
            let same = body.bytes().zip(HARMLESS_JSON.bytes()).take_while(|(a, b)| a == b).count();
            let _ = writeln!(hidden, "{}", body.get(same.saturating_sub(40)..same + 60).unwrap_or_default());
        }
    }
    assert!(hidden.is_empty(), "{hidden}");
}

#[test]
fn harmless_bodies_and_targets_stay() {
    let mut hidden = String::new();
    let host = "Host: api.example.com";
    for (media, body) in unseen::HARMLESS_BODIES {
        let media = format!("Content-Type: {media}");
        let request = message("POST /v1/users HTTP/1.1", &[host], "{}");
        let exchange = (request, message("HTTP/1.1 403 Forbidden", &[&media], body));
        for (_, text) in outputs(&[exchange], false).iter().filter(|(output, _)| *output == "raw") {
            if !text.contains(body) {
                let _ = writeln!(hidden, "{body}\n    {:?}", text.split("\r\n\r\n").last());
            }
        }
    }
    for target in unseen::HARMLESS_TARGETS {
        let exchange = (message(&format!("POST {target} HTTP/1.1"), &[host], "{}"), refusal());
        for (_, text) in outputs(&[exchange], false).iter().filter(|(output, _)| *output == "raw") {
            if !text.contains(target) {
                let _ = writeln!(hidden, "{target}\n    {:?}", text.lines().nth(1));
            }
        }
    }
    let more = [unseen::HARMLESS_FIELDS.len(), unseen::HARMLESS_BODIES.len(), unseen::HARMLESS_TARGETS.len()];
    assert!(more.iter().sum::<usize>() >= 100, "{more:?}");
    assert!(hidden.is_empty(), "{hidden}");
}

/// A way to write bytes.
type Encoding = fn(&[u8]) -> String;

const ENCODINGS: &[(&str, Encoding)] = &[
    ("percent", |bytes| each(bytes, |byte| format!("%{byte:02x}"))),
    ("percent twice", |bytes| each(bytes, |byte| format!("%25{byte:02X}"))),
    ("\\u", |bytes| each(bytes, |byte| format!("\\u{byte:04x}"))),
    ("\\x", |bytes| each(bytes, |byte| format!("\\x{byte:02x}"))),
    ("entities", |bytes| each(bytes, |byte| format!("&#x{byte:x};"))),
    ("decimal entities", |bytes| each(bytes, |byte| format!("&#{byte};"))),
    ("quoted-printable", |bytes| each(bytes, |byte| format!("={byte:02X}"))),
    ("base64", |bytes| base64(bytes)),
    ("base64 after one byte", |bytes| base64(&[b"x", bytes].concat())),
    ("base64 after two bytes", |bytes| base64(&[b"xy", bytes, b"z"].concat())),
];

fn each(bytes: &[u8], written: impl Fn(u8) -> String) -> String {
    let mut out = String::new();
    for byte in bytes {
        out.push_str(&written(*byte));
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[test]
fn an_echo_in_another_encoding_is_hidden() {
    let mut leaks = String::new();
    for (name, encoded) in ENCODINGS {
        let echo = encoded(CANARIES[0].as_bytes());
        let key = format!("X-Api-Key: {}", CANARIES[0]);
        let request = message("POST /v1/x HTTP/1.1", &["Host: a", &key], "{}");
        for media in ["text/plain", "application/json", "text/html"] {
            let body = format!("refused =3D \"{echo}\"");
            let response = message("HTTP/1.1 403 Forbidden", &[&format!("Content-Type: {media}")], &body);
            // The beginning and the end may depend on what stands around the secret.
            let middle = echo.get(echo.len() / 4..echo.len() * 3 / 4).unwrap();
            for (output, text) in outputs(&[(request.clone(), response)], false) {
                if text.contains(middle) {
                    let _ = writeln!(leaks, "{output}: {name} in {media}: {echo}");
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks}");
}

#[test]
fn a_log_record_shows_no_secret() {
    let secret = CANARIES[0];
    let target = format!("/v1/x?access_token={secret}");
    let request = message(&format!("POST {target} HTTP/1.1"), &["Host: a", "User-Agent: x"], "{}");
    for words in [
        format!(
            "access forbidden by rule, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\", host: \"a\""
        ),
        format!(
            "access forbidden by rule, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\", referrer: \"https://h/{secret}\""
        ),
        format!(
            "denied password={secret}, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\""
        ),
        format!(
            "auth failed for Bearer {secret}, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\""
        ),
    ] {
        let text =
            screens::with_log(&request, &refusal(), &format!("1970/01/01 00:00:01 [error] 7#7: *1 {words}"));
        assert!(!text.contains("zQ7Kp225"), "{words}\n{text}");
    }
}

#[test]
fn secrets_are_let_through_together() {
    let (_, exchanges) = places().swap_remove(0);
    for (output, text) in outputs(&exchanges, true) {
        if !matches!(output, "endpoint" | "completion") {
            let quotes =
                matches!(output, "ndjson" | "curl" | "nc" | "har" | "markdown" | "raw" | "request tab");
            assert!(text.contains("zQ7Kp225B") || !quotes, "{output}");
            assert!(!text.contains("[redacted"), "{output}");
        }
    }
}
