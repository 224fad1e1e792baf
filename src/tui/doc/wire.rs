//! An exchange's messages as they were on the wire, for copying, with secrets masked unless they are in the open.

use crate::edge::redact::Redactor;
use crate::features::coding::MAX_DECODED;
use crate::features::{content, target};
use crate::history::Record;
use crate::model::{Body, Fields};

/// The URL that was asked for.
pub(in crate::tui) fn url(record: &Record, redactor: &Redactor) -> String {
    let exchange = &record.exchange;
    let target = redactor.target(exchange.target());
    let path = String::from_utf8_lossy(&target);
    if path.contains("://") {
        return path.into_owned();
    }
    let authority = exchange.request.as_ref().and_then(|request| target::authority(&request.head));
    match authority {
        Some(authority) => format!("http://{}{path}", String::from_utf8_lossy(authority)),
        None => format!("http://{}{path}", exchange.server),
    }
}

/// The request's head and body; `None` for an orphan response.
pub(in crate::tui) fn request(record: &Record, redactor: &Redactor) -> Option<Vec<u8>> {
    let request = record.exchange.request.as_ref()?;
    let head = &request.head;
    let mut out = head.method().as_bytes().to_vec();
    out.push(b' ');
    out.extend_from_slice(&redactor.target(head.target()));
    out.extend_from_slice(format!(" {}\r\n", head.version().as_str()).as_bytes());
    message(head.fields(), &request.body, redactor, &mut out);
    Some(out)
}

/// The response's head and body; `None` when there was none.
pub(in crate::tui) fn response(record: &Record, redactor: &Redactor) -> Option<Vec<u8>> {
    let response = record.exchange.response.as_ref()?;
    let head = &response.head;
    let mut out = format!("{} {} ", head.version().as_str(), head.status()).into_bytes();
    out.extend_from_slice(&redactor.text(head.reason()));
    out.extend_from_slice(b"\r\n");
    message(head.fields(), &response.body, redactor, &mut out);
    Some(out)
}

fn message(fields: &Fields, body: &Body, redactor: &Redactor, out: &mut Vec<u8>) {
    for field in fields.iter() {
        out.extend_from_slice(field.name);
        out.extend_from_slice(b": ");
        out.extend_from_slice(&redactor.field(field.name, field.value));
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    if redactor.reveals() {
        out.extend_from_slice(&body.kept);
    } else {
        let content = content::read(fields, &body.kept, MAX_DECODED);
        let media = fields.value("content-type").unwrap_or_default();
        out.extend_from_slice(&redactor.body(media, &content.bytes));
    }
}
