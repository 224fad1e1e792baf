//! What curl cannot reproduce of a head: how the content is framed, how lines are written, where Host stands. A server or a
//! firewall may refuse a request for just that, so each such thing gets a note.

use crate::model::{Anomaly, Exchange, FieldSpan, Request, Version};

/// How the content of a request is framed (RFC 9112 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// By Content-Length, or there is no content: curl writes the field.
    Length,
    /// One `Transfer-Encoding` that ends in chunked: curl sends chunks when the field is given.
    Chunked,
}

/// Whether the content was sent in chunks: the last transfer coding is chunked.
pub(super) fn is_chunked(request: &Request) -> bool {
    let last = request.head.fields().values("transfer-encoding").last();
    last.and_then(|value| value.rsplit(|byte| *byte == b',').next())
        .is_some_and(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"chunked"))
}

impl Framing {
    /// How curl frames `request`.
    pub(super) fn new(request: &Request) -> Self {
        let mut values = request.head.fields().values("transfer-encoding");
        let value = values.next().unwrap_or_default().to_ascii_lowercase();
        let once = memchr::memmem::find_iter(&value, b"chunked").count() == 1;
        let sent = is_chunked(request) && once && values.next().is_none();
        if sent { Self::Chunked } else { Self::Length }
    }
}

/// One note for each thing about the head of `exchange`'s request that curl sends in another way.
pub(super) fn notes(exchange: &Exchange, request: &Request) -> Vec<String> {
    let mut notes = Vec::new();
    length(request, &mut notes);
    transfer_encoding(exchange, request, &mut notes);
    host(request, &mut notes);
    lines(request, &mut notes);
    notes
}

fn length(request: &Request, notes: &mut Vec<String>) {
    let fields = request.head.fields();
    let values: Vec<&[u8]> = fields.values("content-length").collect();
    let Some(first) = values.first() else {
        let content = !request.body.kept.is_empty();
        if content && !fields.has("transfer-encoding") {
            notes.push("the content came without Content-Length, curl adds it".to_owned());
        }
        return;
    };
    if fields.has("transfer-encoding") {
        notes.push("Content-Length beside Transfer-Encoding: curl sends only one of them".to_owned());
    }
    if values.len() > 1 {
        notes.push(format!("Content-Length is sent {} times, curl sends it once", values.len()));
    }
    let number = std::str::from_utf8(first).ok().and_then(|text| text.parse::<u64>().ok());
    if number.is_none_or(|number| number.to_string().as_bytes() != *first) {
        notes.push("Content-Length is not a plain decimal number, curl writes a plain one".to_owned());
    } else if request.body.is_whole()
        && number != Some(request.body.len)
        && !fields.has("transfer-encoding")
        && values.iter().all(|value| value == first)
    {
        notes.push("Content-Length is not the length of the content, curl sends the right one".to_owned());
    }
}

fn transfer_encoding(exchange: &Exchange, request: &Request, notes: &mut Vec<String>) {
    if !request.head.fields().has("transfer-encoding") {
        return;
    }
    if Framing::new(request) != Framing::Chunked {
        notes.push("Transfer-Encoding is not one field that ends in chunked, curl leaves it out".to_owned());
    }
    if request.head.version() == Version::Http10 {
        notes.push("Transfer-Encoding in HTTP 1.0: newer versions of curl refuse to send it".to_owned());
    }
    if exchange.anomalies.contains(Anomaly::ChunkExtension) {
        notes.push("chunk extensions are left out".to_owned());
    }
}

fn host(request: &Request, notes: &mut Vec<String>) {
    let fields = request.head.fields();
    let count = fields.values("host").count();
    if count > 1 {
        notes.push(format!("Host is sent {count} times, curl sends the first one"));
    }
    let first = fields.iter().position(|field| field.name.eq_ignore_ascii_case(b"host"));
    if first.is_some_and(|at| at > 0) {
        notes.push("Host is not the first field, curl sends it first".to_owned());
    }
    for (name, who) in [("Host", "curl writes Host"), ("Content-Length", "curl writes Content-Length")] {
        let odd = fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()) && field.name != name.as_bytes());
        if let Some(field) = odd {
            notes.push(format!("the field name {} has another case, {who}", field.name_text()));
        }
    }
}

/// How the lines of the head are written.
fn lines(request: &Request, notes: &mut Vec<String>) {
    let head = &request.head;
    let raw = head.fields().raw();
    let end = memchr::memchr(b'\n', raw).map_or(raw.len(), |at| at + 1);
    let line = raw.get(..end).unwrap_or_default().trim_ascii_end();
    let method = head.method().as_bytes();
    let regular = [method, b" ", head.target(), b" ", head.version().as_str().as_bytes()].concat();
    if line != regular || method.is_empty() {
        notes.push("the request line is written in an unusual way, curl writes a regular one".to_owned());
    }
    let bare = memchr::memchr_iter(b'\n', raw)
        .any(|at| at.checked_sub(1).and_then(|before| raw.get(before)) != Some(&b'\r'));
    if bare {
        notes.push("lines end with LF alone, curl ends them with CR LF".to_owned());
    }
    if head.fields().spans().any(|span| separator(raw, span).is_none()) {
        notes.push("white space stands before a colon, curl leaves it out".to_owned());
    }
}

/// What stands between name and value when it is a colon with white space after it.
pub(super) fn separator(raw: &[u8], span: FieldSpan) -> Option<&[u8]> {
    let from = span.name.start.saturating_add(span.name.len) as usize;
    // An empty value may be anywhere on its line.
    if span.value.len == 0 {
        return raw.get(from).filter(|byte| **byte == b':').map(|_| &b":"[..]);
    }
    let between = raw.get(from..span.value.start as usize).unwrap_or_default();
    let white = between.strip_prefix(b":")?;
    white.iter().all(|byte| matches!(byte, b' ' | b'\t')).then_some(between)
}
