//! Exchanges for the benchmarks: small JSON posts to a dozen endpoints, some with a token, one in ten refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use why403::history::History;
use why403::model::{
    AnomalySet, Body, BodyEnd, Connection, Exchange, ExchangeId, FieldSpan, Fields, Outcome, Request,
    RequestHead, Response, ResponseHead, Span, Timestamp, Version,
};

/// What becomes of the request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 200
    Success,
    /// 403
    Refusal,
}

/// With `count` exchanges in it, every tenth refused.
pub(crate) fn history(count: u64, budget: u64) -> History {
    let mut history = History::new(budget);
    for number in 1..=count {
        history
            .insert(exchange(number, if number.is_multiple_of(10) { Kind::Refusal } else { Kind::Success }));
    }
    history
}

/// The exchange with this number: method, endpoint, ids, client and token follow from it.
pub(crate) fn exchange(number: u64, kind: Kind) -> Exchange {
    let start =
        Timestamp::from_parts(1_795_333_921 + number as i64 / 1000, (number % 1000) as u32 * 1_000_000);
    let answered = start.plus(500_000 + (number % 7) as i64 * 400_000);
    let refused = kind == Kind::Refusal;
    let body =
        format!(r#"{{"id":{number},"name":"n{}","tags":["a","b"],"total":{}.5}}"#, number % 97, number % 13);
    Exchange {
        id: ExchangeId(0),
        client: ([10, 0, (number % 3) as u8, (number % 40) as u8], 40_000).into(),
        server: ([10, 1, 0, 9], 8080).into(),
        preface: None,
        connection: Connection::default(),
        request: Some(Request {
            head: request(number, refused, body.len()),
            body: content(body.as_bytes()),
            started: start,
            ended: start,
        }),
        interim: Box::default(),
        response: Some(Response {
            head: response(number, refused),
            body: content(if refused { br#"{"error":"denied"}"# } else { br#"{"ok":true}"# }),
            started: answered,
            ended: answered,
        }),
        outcome: Outcome::Complete,
        not_http: None,
        imported: None,
        anomalies: AnomalySet::default(),
    }
}

fn request(number: u64, refused: bool, length: usize) -> RequestHead {
    let method = if number % 5 == 4 { "GET" } else { "POST" };
    let path = match number % 4 {
        0 => format!("/v1/users/{number}/profile"),
        1 => format!("/v1/orders/{}?expand=items", number % 5000),
        2 => "/v1/login".to_owned(),
        _ => format!("/v2/files/{:08x}-0000-4000-8000-{number:012x}", number % 0xffff_ffff),
    };
    let scope = if refused { "read" } else { "read write" };
    let claims = format!(
        r#"{{"sub":"u{}","iss":"me","exp":1895333921,"iat":{number},"scope":"{scope}"}}"#,
        number % 50
    );
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJlc2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims));
    let lines = [
        ("Host", "api.example.com".to_owned()),
        ("User-Agent", if number.is_multiple_of(3) { "curl/8.5.0".into() } else { "okhttp/4.12".into() }),
        ("Accept", "application/json".to_owned()),
        ("Content-Type", "application/json".to_owned()),
        ("Content-Length", length.to_string()),
        ("Authorization", format!("Bearer {token}")),
        ("X-Request-Id", format!("{number:016x}")),
        ("traceparent", format!("00-{number:032x}-{number:016x}-01")),
    ];
    let (raw, [method, target], fields) = head(&[method, " ", &path, " HTTP/1.1"], [0, 2], &lines);
    RequestHead::new(Fields::new(raw, fields), method, target, Version::Http11)
}

fn response(number: u64, refused: bool) -> ResponseHead {
    let status = if refused { 403 } else { 200 };
    let reason = if refused { "Forbidden" } else { "OK" };
    let lines = [
        ("Server", "nginx".to_owned()),
        ("Date", format!("Sun, 22 Nov 2026 07:52:{:02} GMT", number % 60)),
        ("Content-Type", "application/json".to_owned()),
        ("X-Request-Id", format!("{number:016x}")),
    ];
    let (raw, [reason, _], fields) = head(&["HTTP/1.1 ", &status.to_string(), " ", reason], [3, 0], &lines);
    ResponseHead::new(Fields::new(raw, fields), status, reason, Version::Http11)
}

/// The head's bytes, where two pieces of its start line are, and its fields.
fn head(
    start: &[&str],
    wanted: [usize; 2],
    lines: &[(&str, String)],
) -> (Vec<u8>, [Span; 2], Vec<FieldSpan>) {
    let mut raw = Vec::with_capacity(600);
    let put = |raw: &mut Vec<u8>, text: &str| {
        let span = Span { start: raw.len() as u32, len: text.len() as u32 };
        raw.extend_from_slice(text.as_bytes());
        span
    };
    let spans: Vec<Span> = start.iter().map(|piece| put(&mut raw, piece)).collect();
    put(&mut raw, "\r\n");
    let mut fields = Vec::with_capacity(lines.len());
    for (name, value) in lines {
        let name = put(&mut raw, name);
        put(&mut raw, ": ");
        let value = put(&mut raw, value);
        put(&mut raw, "\r\n");
        fields.push(FieldSpan { name, value });
    }
    put(&mut raw, "\r\n");
    (raw, wanted.map(|at| spans[at]), fields)
}

fn content(bytes: &[u8]) -> Body {
    Body { kept: bytes.into(), len: bytes.len() as u64, end: BodyEnd::Complete, rare: None }
}
