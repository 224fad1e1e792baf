//! A staging box as frames: successes and refusals of several endpoints, through the real pipeline into a state.

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use why403::edge::redact::Redactor;
use why403::explain::diagnoser::Diagnoser;
use why403::explain::inspector::Inspector;
use why403::feed::{Message, Source, SourceKind};
use why403::filter::Filter;
use why403::history::History;
use why403::model::{Exchange, LinkType, Timestamp};
use why403::synth::pcap::{self, Precision};
use why403::synth::{Conversation, merge};
use why403::tui::action::Action;
use why403::tui::prepare_frame::prepare_frame;
use why403::tui::state::State;
use why403::tui::update::update;
use why403::tui::{Environment, Exports, Settings};
use why403::wire::pipeline::{Limits, Pipeline};

/// 2026-11-22T07:52:00Z.
pub(super) const START: i64 = 1_795_333_920;

const MILLI: i64 = 1_000_000;

pub(super) fn jwt(subject: &str, scope: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let head = part(r#"{"alg":"HS256","typ":"JWT"}"#);
    let exp = START + 3600;
    let claims = part(&format!(
        r#"{{"iss":"https://id.acme.example/","sub":"{subject}","aud":"orders","exp":{exp},"scope":"{scope}"}}"#
    ));
    format!("{head}.{claims}.c2lnbmF0dXJl")
}

/// A request with its length filled in.
pub(super) fn message(start: &str, fields: &str, body: &str) -> Vec<u8> {
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    format!("{start}\r\n{fields}{length}\r\n{body}").into_bytes()
}

fn talk(client: u8, at_ms: i64, request: &[u8], response: &[u8], took_ms: i64) -> Conversation {
    let client: SocketAddr = format!("10.0.0.{client}:{}", 40_000 + at_ms % 20_000).parse().unwrap();
    let at = |ms: i64| Timestamp::from_parts(START, 0).plus((at_ms + ms) * MILLI);
    let talk = Conversation::new(client, "10.0.0.1:8080".parse().unwrap()).handshake(at(0));
    talk.client(request, at(1)).server(response, at(1 + took_ms)).fin(at(2 + took_ms))
}

fn order(token: &str, number: i64, item: &str) -> Vec<u8> {
    let fields = format!(
        "Host: api.acme.example\r\nUser-Agent: okhttp/4.12.0\r\nAuthorization: Bearer {token}\r\n\
         Cookie: sid=5f2b7c; theme=dark\r\nContent-Type: application/json\r\nX-Request-Id: 7c9e6679-7425-40de-944b-{number:012}\r\n"
    );
    let body =
        format!(r#"{{"number":{number},"lines":[{{"sku":"{item}","qty":2}}],"note":"für 山田さん 🦀"}}"#);
    message(&format!("POST /v1/orders?v={} HTTP/1.1", number % 3), &fields, &body)
}

fn login(cookie: &str, token: &str) -> Vec<u8> {
    let fields = format!(
        "Host: shop.acme.example\r\nOrigin: https://shop.acme.example\r\n{cookie}Content-Type: application/x-www-form-urlencoded\r\n"
    );
    message("POST /profile HTTP/1.1", &fields, &format!("name=J%C3%BCrgen+M&{token}city=Z%C3%BCrich"))
}

fn json(status: &str, fields: &str, body: &str) -> Vec<u8> {
    message(
        &format!("HTTP/1.1 {status}"),
        &format!("Server: nginx/1.24.0\r\nContent-Type: application/json\r\n{fields}"),
        body,
    )
}

/// What the pipeline makes of the box.
pub(super) fn exchanges() -> Vec<Exchange> {
    let mut pipeline = Pipeline::new(Limits::default());
    let mut out = Vec::new();
    for frame in merge(talks()) {
        pipeline.ingest(&frame.frame(), &mut out);
    }
    pipeline.finish(&mut out);
    out
}

/// The box as a capture file.
pub(super) fn capture() -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().prefix("box").suffix(".pcap").tempfile().unwrap();
    let mut writer = pcap::Writer::new(&mut file, Precision::Nanos, LinkType::ETHERNET).unwrap();
    writer.write_all(&merge(talks())).unwrap();
    writer.flush().unwrap();
    file
}

/// The conversations of the box.
fn talks() -> Vec<Conversation> {
    let good = jwt("u-17", "orders:read orders:write");
    let poor = jwt("u-18", "orders:read");
    let created = json("201 Created", "", r#"{"id":7}"#);
    let scope = json(
        "403 Forbidden",
        "WWW-Authenticate: Bearer realm=\"acme\", error=\"insufficient_scope\", scope=\"orders:write\"\r\n",
        r#"{"error":"insufficient_scope","message":"the token lacks orders:write"}"#,
    );
    let html = message(
        "HTTP/1.1 403 Forbidden",
        "Server: nginx/1.24.0\r\nContent-Type: text/html; charset=utf-8\r\n",
        "<!doctype html>\n<title>403</title>\n<h1>Forbidden</h1>\n<p>CSRF verification failed. Request aborted.</p>\n",
    );
    let saved = message("HTTP/1.1 303 See Other", "Server: nginx/1.24.0\r\nLocation: /profile\r\n", "saved");
    let home = message("GET /home HTTP/1.1", "Host: shop.acme.example\r\n", "");
    let page = message("HTTP/1.1 200 OK", "Content-Type: text/html\r\n", "<h1>home</h1>");
    let broken = json("500 Internal Server Error", "", r#"{"error":"database"}"#);
    let cookie = "Cookie: csrftoken=Zk1; sessionid=abc\r\n";
    let mut talks: Vec<Conversation> =
        (0..8).map(|n| talk(11, n * 900, &order(&good, n, "SKU-1"), &created, 3 + n)).collect();
    talks.extend((0..3).map(|n| talk(14, 7000 + n * 1100, &order(&poor, 100 + n, "SKU-9"), &scope, 2)));
    talks.extend(
        (0..3).map(|n| talk(20, 500 + n * 700, &login(cookie, "csrfmiddlewaretoken=Zk1&"), &saved, 9)),
    );
    talks.push(talk(20, 9000, &login("Cookie: sessionid=abc\r\n", ""), &html, 4));
    talks.push(talk(21, 9200, &home, &page, 1));
    talks.push(talk(21, 9300, &home, &broken, 1));
    let at = Timestamp::from_parts(START, 0).plus(9800 * MILLI);
    let waiting = Conversation::new("10.0.0.22:40001".parse().unwrap(), "10.0.0.1:8080".parse().unwrap());
    talks.push(waiting.handshake(at).client(&home, at.plus(MILLI)));
    talks
}

pub(super) fn exports() -> Exports {
    Exports {
        curl: |record, redactor| {
            why403::export::curl::command(&record.exchange, redactor)
                .map(|command| command.text)
                .unwrap_or_default()
        },
        markdown: |_, id, _| format!("# report of {}", id.0),
        json: |_, id, _| format!("{{\"id\":{}}}", id.0),
        many: |_, ids, format, _| Ok((format!("{format}: {} exchanges\n", ids.len()).into_bytes(), "txt")),
    }
}

pub(super) fn environment() -> Environment {
    Environment { term: "xterm-256color".into(), utf8: true, ..Environment::default() }
}

/// A state before anything came.
pub(super) fn empty(filter: &str, settings: &Settings) -> State {
    let inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
    let source = Source {
        kind: SourceKind::Live,
        label: "any".into(),
        listening: "every interface, tcp port 8080".into(),
        notes: vec![
            "the memory limit here is 64MiB: the history gets 16MiB instead of 256MiB (--memory)".to_owned(),
        ],
        hints: vec!["why403 -i lo  has traffic on port 9000".into()],
    };
    let filter = Filter::parse(filter).unwrap();
    let mut state = State::new(inspector, source, filter, exports(), settings, &environment()).unwrap();
    state.budget = 64 << 20;
    state.redactor = Redactor::for_tests(false);
    state
}

/// A state that has seen the box.
pub(super) fn staged(filter: &str, (width, height): (u16, u16)) -> State {
    let mut state = empty(filter, &Settings::default());
    update(&mut state, Action::Resize(width, height));
    update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    prepare_frame(&mut state);
    state
}

/// Presses keys: names as in the configuration, separated by blanks; `'text` types the rest of the word.
pub(super) fn press(state: &mut State, keys: &str) {
    for key in keys.split(' ').filter(|key| !key.is_empty()) {
        match key.strip_prefix('\'').filter(|text| text.len() > 1) {
            Some(text) => text.chars().for_each(|letter| one(state, &letter.to_string())),
            None => one(state, key),
        }
    }
}

fn one(state: &mut State, key: &str) {
    update(state, Action::Key(key.parse().unwrap()));
    while why403::tui::update::wants_scan(state) {
        update(state, Action::Scan);
    }
    prepare_frame(state);
}
