//! A request or a response, line by line, with its parameters, cookies and token claims as trees below their fields.

use super::{Doc, Line, Scene, body};
use crate::edge::sanitize;
use crate::features::{Target, parameters, tokens};
use crate::history::Record;
use crate::model::{Exchange, Fields, Outcome, Part, Request, Response, ResponseHead};
use crate::tui::text;
use crate::tui::theme::Role;

/// The Request tab.
pub fn request(record: &Record, scene: &Scene<'_>) -> Doc {
    let mut doc = Doc::default();
    let exchange = &record.exchange;
    connection(&mut doc, exchange);
    let Some(request) = &exchange.request else {
        doc.push(
            Line::of(
                Role::Warn,
                "The request was not seen: the capture began later, or only the server's side was captured",
            )
            .prose(),
        );
        return doc;
    };
    doc.gap();
    start_line(&mut doc, request, scene);
    let fields = request.head.fields();
    for field in fields.iter() {
        field_line(&mut doc, field.name, field.value, Part::RequestHeader, scene);
        if field.name.eq_ignore_ascii_case(b"cookie") {
            cookies(&mut doc, field.value, scene);
        }
    }
    claims(&mut doc, request, scene);
    body::show(&mut doc, &request.body, fields, Part::RequestBody, scene.redactor);
    trailers(&mut doc, request.body.trailers(), Part::RequestHeader, scene);
    anomalies(&mut doc, exchange);
    doc
}

/// The Response tab.
pub fn response(record: &Record, scene: &Scene<'_>) -> Doc {
    let mut doc = Doc::default();
    let exchange = &record.exchange;
    for head in &exchange.interim {
        status_line(&mut doc, head, scene);
        fields(&mut doc, head.fields(), scene);
        doc.gap();
    }
    let Some(response) = &exchange.response else {
        doc.push(Line::of(Role::Warn, no_response(exchange.outcome)).prose());
        if let Some(bytes) = &exchange.not_http {
            let bytes = scene.redactor.text(bytes);
            doc.push(Line::of(Role::Text, &crate::edge::sanitize::utf8(&bytes)).prose());
        }
        return doc;
    };
    timing(&mut doc, exchange, response);
    doc.gap();
    status_line(&mut doc, &response.head, scene);
    fields(&mut doc, response.head.fields(), scene);
    body::show(&mut doc, &response.body, response.head.fields(), Part::ResponseBody, scene.redactor);
    trailers(&mut doc, response.body.trailers(), Part::ResponseHeader, scene);
    doc
}

/// Why there is no response, and what that means.
pub fn no_response(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Closed => "No response: the connection was closed first",
        Outcome::Reset => "No response: the connection was reset first",
        Outcome::Pending => "No response yet when the capture ended",
        Outcome::Expired => "No response came for so long that the connection was given up",
        Outcome::Evicted => "The connection was given up to stay within the memory budget; raise --memory",
        Outcome::Lost => "The response was lost by the capture",
        Outcome::OneSided => {
            "Only the client's direction was captured: is the capture on a span port or an asymmetric route?"
        }
        Outcome::Switched => "The connection left HTTP/1.1 here (CONNECT or Upgrade)",
        Outcome::NotHttp => "The server answered, but not with HTTP",
        Outcome::NotRecorded => "The record shows no response",
        Outcome::Complete | Outcome::Partial | Outcome::Orphan => "No response was seen",
    }
}

fn connection(doc: &mut Doc, exchange: &Exchange) {
    let way = format!("{} to {}", exchange.client_text(), exchange.server);
    let nth = exchange.connection.index + 1;
    let late = if exchange.connection.handshake { "" } else { " seen, connection begun before the capture" };
    let line = Line::of(Role::Text, &way)
        .add(Role::Dim, &format!("  {}", exchange.started()))
        .add(Role::Dim, &format!("  request {nth}{late}"));
    doc.push(
        line.prose().hang(2).anchor(Part::Connection, "").anchor(Part::Client, "").anchor(Part::Server, ""),
    );
}

fn timing(doc: &mut Doc, exchange: &Exchange, response: &Response) {
    let mut line = Line::of(Role::Dim, &response.started.to_string());
    if let Some(latency) = exchange.latency() {
        line = line.add(Role::Text, &format!("  first byte after {}", text::duration(latency)));
    }
    let took = response.ended.since(response.started);
    let line = line.add(Role::Dim, &format!(", complete {} later", text::duration(took)));
    doc.push(line.anchor(Part::Timing, ""));
}

fn start_line(doc: &mut Doc, request: &Request, scene: &Scene<'_>) {
    let head = &request.head;
    let target = scene.redactor.target(head.target());
    let line = Line::of(Role::Accent, &sanitize::text(head.method()))
        .add(Role::Text, " ")
        .value(Role::Title, &sanitize::line(&target))
        .add(Role::Dim, &format!(" {}", head.version().as_str()));
    doc.push(line.hang(4).anchor(Part::RequestLine, "").anchor(Part::Path, ""));
    let parsed = Target::parse(&target);
    let rows: Vec<(String, String)> = parameters(parsed.query())
        .map(|parameter| {
            (sanitize::text(&parameter.name()).into_owned(), sanitize::line(&parameter.value()).into_owned())
        })
        .collect();
    tree(doc, &rows, Part::Query, scene);
}

fn status_line(doc: &mut Doc, head: &ResponseHead, scene: &Scene<'_>) {
    let role = status_role(head.status());
    let line = Line::of(Role::Dim, head.version().as_str())
        .value(role, &format!(" {}", head.status()))
        .add(role, &format!(" {}", sanitize::line(&scene.redactor.text(head.reason()))));
    doc.push(line.anchor(Part::StatusLine, ""));
}

/// The role a status is shown in.
pub fn status_role(status: u16) -> Role {
    match status {
        200..=399 => Role::Good,
        400..=499 => Role::Bad,
        500.. => Role::Warn,
        _ => Role::Dim,
    }
}

fn fields(doc: &mut Doc, fields: &Fields, scene: &Scene<'_>) {
    for field in fields.iter() {
        field_line(doc, field.name, field.value, Part::ResponseHeader, scene);
    }
}

fn field_line(doc: &mut Doc, name: &[u8], value: &[u8], part: Part, scene: &Scene<'_>) {
    let redacted = scene.redactor.field(name, value);
    let role = if scene.is_secret(name, value) { Role::Secret } else { Role::Text };
    let name = sanitize::line(name);
    let line = Line::of(Role::Name, &name).add(Role::Dim, ": ").value(role, &sanitize::line(&redacted));
    doc.push(line.hang(4).anchor(part, &name));
}

fn cookies(doc: &mut Doc, value: &[u8], scene: &Scene<'_>) {
    let redacted = scene.redactor.field(b"cookie", value);
    let rows: Vec<(String, String)> = redacted
        .split(|byte| *byte == b';')
        .map(|pair| {
            let pair = pair.trim_ascii();
            let at = memchr::memchr(b'=', pair).unwrap_or(pair.len());
            let (name, value) = pair.split_at(at);
            let value = value.strip_prefix(b"=").unwrap_or(value);
            (sanitize::line(name).into_owned(), sanitize::line(value).into_owned())
        })
        .collect();
    if rows.len() > 1 {
        tree(doc, &rows, Part::Cookie, scene);
    } else if let (Some((name, _)), Some(line)) = (rows.first(), doc.pop()) {
        doc.push(line.anchor(Part::Cookie, name));
    }
}

/// What the tokens of a request say, below it: header and claims.
fn claims(doc: &mut Doc, request: &Request, scene: &Scene<'_>) {
    for token in tokens(request) {
        let place = sanitize::text(&token.place.name).into_owned();
        doc.push(Line::of(Role::Dim, "token in ").add(Role::Name, &place).add(Role::Dim, " (not verified)"));
        let members = token.jwt.header.iter().chain(token.jwt.claims.iter());
        let rows: Vec<(String, String)> = members
            .map(|(name, value)| {
                let value = match value {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let shown = scene.redactor.value(Part::Claim, name, value.as_bytes());
                let instant = instant(name, &value);
                let value = format!("{}{instant}", sanitize::line(&shown));
                (sanitize::text(name).into_owned(), value)
            })
            .collect();
        tree(doc, &rows, Part::Claim, scene);
    }
}

/// The instant that a numeric date claim means (RFC 7519 §4.1).
fn instant(name: &str, value: &str) -> String {
    let seconds = value.parse::<i64>().ok().filter(|_| matches!(name, "exp" | "nbf" | "iat" | "auth_time"));
    seconds.map_or_else(String::new, |seconds| {
        let text = crate::model::Timestamp::from_parts(seconds, 0).to_string();
        format!("  {}Z", text.get(..19).unwrap_or_default())
    })
}

/// Names and values as branches below the line before.
fn tree(doc: &mut Doc, rows: &[(String, String)], part: Part, scene: &Scene<'_>) {
    let column = rows.iter().map(|(name, _)| text::width(name)).max().unwrap_or_default().min(28);
    for (number, (name, value)) in rows.iter().enumerate() {
        let [middle, last, _] = scene.glyphs.tree;
        let branch = if number + 1 == rows.len() { last } else { middle };
        let line = Line::of(Role::Line, &format!("  {branch} ")).add(Role::Name, name).pad(4 + column);
        doc.push(line.add(Role::Dim, " = ").value(Role::Text, value).hang(column + 7).anchor(part, name));
    }
}

fn trailers(doc: &mut Doc, trailers: Option<&Fields>, part: Part, scene: &Scene<'_>) {
    let Some(trailers) = trailers else { return };
    doc.gap();
    doc.push(Line::of(Role::Title, "Trailers"));
    for field in trailers.iter() {
        field_line(doc, field.name, field.value, part, scene);
    }
}

/// What is odd about an exchange on the wire.
pub(super) fn anomalies(doc: &mut Doc, exchange: &Exchange) {
    if exchange.anomalies.is_empty() {
        return;
    }
    doc.gap();
    doc.push(Line::of(Role::Title, "Odd on the wire"));
    for anomaly in exchange.anomalies.iter() {
        let line = Line::of(Role::Warn, &format!("  {}", anomaly.describe()));
        doc.push(line.add(Role::Dim, &format!("  {}", anomaly.name())).hang(4).prose());
    }
}
