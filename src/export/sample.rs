//! Exchanges from bytes, for the tests of this module.

use std::net::SocketAddr;

use crate::model::{
    AnomalySet, Body, BodyEnd, Connection, Exchange, ExchangeId, FieldSpan, Fields, Outcome, Request,
    RequestHead, Response, ResponseHead, Span, Timestamp, Version,
};

/// An exchange of `request` and `response`, heads and bodies as on the wire. An empty one is absent.
pub(crate) fn exchange(request: &[u8], response: &[u8]) -> Exchange {
    let request = (!request.is_empty()).then(|| self::request(request));
    let response = (!response.is_empty()).then(|| self::response(response));
    Exchange {
        id: ExchangeId(1),
        client: "127.0.0.1:49152".parse().unwrap(),
        server: "127.0.0.1:8080".parse().unwrap(),
        preface: None,
        connection: Connection { handshake: true, ..Connection::default() },
        outcome: match (&request, &response) {
            (Some(_), Some(_)) => Outcome::Complete,
            (Some(_), None) => Outcome::Closed,
            _ => Outcome::Orphan,
        },
        request,
        interim: Box::default(),
        response,
        not_http: None,
        imported: None,
        anomalies: AnomalySet::default(),
    }
}

/// As [`exchange`], sent to `server`.
pub(super) fn to(server: SocketAddr, request: &[u8]) -> Exchange {
    Exchange { server, ..exchange(request, b"") }
}

fn request(bytes: &[u8]) -> Request {
    let (head, body) = split(bytes);
    let line = memchr::memchr(b'\n', head).unwrap();
    let line = head[..line].trim_ascii_end();
    let method = memchr::memchr(b' ', line).unwrap();
    let version = memchr::memrchr(b' ', line).unwrap();
    let spaces = line[method..].iter().take_while(|byte| **byte == b' ').count();
    let target = line[..version].trim_ascii_end().len();
    let span = |start: usize, end: usize| Span { start: start as u32, len: (end - start) as u32 };
    let number = if line.ends_with(b"1.0") { Version::Http10 } else { Version::Http11 };
    let head = RequestHead::new(fields(head), span(0, method), span(method + spaces, target), number);
    let (started, ended) = (Timestamp(1_000_000_000), Timestamp(1_001_000_000));
    let chunked = head.fields().values("transfer-encoding").any(|value| value == b"chunked");
    let body = if chunked { unchunked(body) } else { body.to_vec() };
    Request { head, body: whole(&body), started, ended }
}

/// The content of one chunk, or of none.
fn unchunked(body: &[u8]) -> Vec<u8> {
    let end = memchr::memmem::find(body, b"\r\n").unwrap();
    let len = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap(), 16).unwrap();
    body[end + 2..][..len].to_vec()
}

fn response(bytes: &[u8]) -> Response {
    let (head, body) = split(bytes);
    let line = memchr::memchr(b'\n', head).unwrap();
    let line = head[..line].trim_ascii_end();
    let status = std::str::from_utf8(&line[9..12]).unwrap().parse().unwrap();
    let reason = Span { start: 13, len: line.len().saturating_sub(13) as u32 };
    let head = ResponseHead::new(fields(head), status, reason, Version::Http11);
    let (started, ended) = (Timestamp(1_002_250_000), Timestamp(1_003_000_000));
    Response { head, body: whole(body), started, ended }
}

fn whole(body: &[u8]) -> Body {
    let end = if body.is_empty() { BodyEnd::None } else { BodyEnd::Complete };
    Body { kept: body.into(), len: body.len() as u64, end, rare: None }
}

fn split(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memmem::find(bytes, b"\r\n\r\n").unwrap() + 4;
    bytes.split_at(end)
}

/// The field lines after the first line; one that begins with a space continues the one before.
pub(super) fn fields(head: &[u8]) -> Fields {
    let mut spans = Vec::new();
    let mut at = memchr::memchr(b'\n', head).unwrap() + 1;
    while let Some(mut len) = memchr::memmem::find(&head[at..], b"\r\n").filter(|len| *len > 0) {
        while head[at + len + 2..].starts_with(b" ") {
            len += 2 + memchr::memmem::find(&head[at + len + 2..], b"\r\n").unwrap();
        }
        let line = &head[at..at + len];
        let colon = memchr::memchr(b':', line).unwrap();
        let value = line[colon + 1..].trim_ascii();
        let start = at + colon + 1 + (line[colon + 1..].len() - line[colon + 1..].trim_ascii_start().len());
        spans.push(FieldSpan {
            name: Span { start: at as u32, len: line[..colon].trim_ascii_end().len() as u32 },
            value: Span { start: start as u32, len: value.len() as u32 },
        });
        at += len + 2;
    }
    Fields::new(head, spans)
}
