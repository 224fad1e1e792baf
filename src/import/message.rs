//! Heads and bodies from parts: made as they would stand on the wire, and read like those that were captured.

use std::borrow::Cow;

use crate::features::coding::{self, Problem};
use crate::model::{Anomaly, AnomalySet, Body, BodyEnd, Fields, RequestHead, ResponseHead, Version};
use crate::wire::http1;

/// Bytes of a head; more fields are left out.
pub(super) const MAX_HEAD: usize = 256 << 10;

/// Field lines in the order of the record.
pub(super) type Lines = Vec<(Vec<u8>, Vec<u8>)>;

/// The first value of the field called `name`.
pub(super) fn value<'a>(lines: &'a Lines, name: &str) -> Option<&'a [u8]> {
    lines.iter().find(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value.as_slice())
}

/// The version that a record names.
pub(super) fn version(text: &[u8]) -> Option<Version> {
    let text = text.to_ascii_lowercase();
    let is = |prefixes: &[&str]| prefixes.iter().any(|prefix| text.starts_with(prefix.as_bytes()));
    if is(&["h3", "http/3", "quic", "http/2+quic"]) {
        Some(Version::Http3)
    } else if is(&["h2", "http/2", "http2", "spdy"]) {
        Some(Version::Http2)
    } else if is(&["http/1.0", "1.0"]) {
        Some(Version::Http10)
    } else {
        is(&["http/1.1", "1.1", "http/1"]).then_some(Version::Http11)
    }
}

/// A request head of these parts.
pub(super) fn request_head(
    method: &[u8],
    target: &[u8],
    version: Version,
    lines: &Lines,
) -> Option<(RequestHead, AnomalySet)> {
    let mut raw = Vec::with_capacity(1024);
    raw.extend(method.iter().filter(|byte| byte.is_ascii_graphic()));
    if raw.is_empty() {
        raw.extend_from_slice(b"GET");
    }
    raw.push(b' ');
    raw.extend_from_slice(target);
    raw.push(b' ');
    raw.extend_from_slice(on_the_wire(version).as_bytes());
    let cut = append(&mut raw, lines);
    let (head, mut anomalies) = http1::request_head(&raw)?;
    if cut {
        anomalies.insert(Anomaly::HeadTooLarge);
    }
    Some((head.with_version(version), anomalies))
}

/// A response head of these parts.
pub(super) fn response_head(
    status: u16,
    reason: &[u8],
    version: Version,
    lines: &Lines,
) -> Option<(ResponseHead, AnomalySet)> {
    let mut raw = Vec::with_capacity(1024);
    raw.extend_from_slice(format!("{} {status:03} ", on_the_wire(version)).as_bytes());
    clean(&mut raw, reason);
    let cut = append(&mut raw, lines);
    let (head, mut anomalies) = http1::response_head(&raw)?;
    if cut {
        anomalies.insert(Anomaly::HeadTooLarge);
    }
    Some((head.with_version(version), anomalies))
}

/// HTTP/2 and HTTP/3 have no text form; the head is written as HTTP/1.1 has it.
const fn on_the_wire(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 | Version::Http2 | Version::Http3 => "HTTP/1.1",
    }
}

/// Appends the field lines and the empty line; says whether some were left out. Pseudo-header fields are no fields.
fn append(raw: &mut Vec<u8>, lines: &Lines) -> bool {
    let mut cut = false;
    raw.extend_from_slice(b"\r\n");
    for (name, value) in lines {
        // White space before a name would make the line a part of the one before it.
        let is_blank = |byte: &u8| *byte <= b' ';
        let start = name.iter().position(|byte| !is_blank(byte)).unwrap_or(name.len());
        let name = name.get(start..).unwrap_or_default();
        if name.is_empty() || name.first() == Some(&b':') {
            continue;
        }
        if raw.len() + name.len() + value.len() > MAX_HEAD {
            cut = true;
            continue;
        }
        clean(raw, name);
        raw.extend_from_slice(b": ");
        clean(raw, value);
        raw.extend_from_slice(b"\r\n");
    }
    raw.extend_from_slice(b"\r\n");
    cut
}

/// A line break inside a value would begin a line of its own.
fn clean(raw: &mut Vec<u8>, text: &[u8]) {
    raw.extend(text.iter().map(|byte| if matches!(byte, b'\r' | b'\n' | 0) { b' ' } else { *byte }));
}

/// What a record has of a body.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// The first bytes.
    pub(super) kept: Vec<u8>,
    /// Bytes of the whole; `None` where the record does not say.
    pub(super) len: Option<u64>,
}

impl Content {
    /// The body of a message; `framed` says whether its fields announce content.
    pub(super) fn into_body(self, framed: bool) -> Body {
        let kept = self.kept.len() as u64;
        let len = self.len.unwrap_or(kept).max(kept);
        let end = match (self.len, len) {
            (None, 0) if framed => BodyEnd::Lost,
            (_, 0) if !framed => BodyEnd::None,
            _ => BodyEnd::Complete,
        };
        Body { kept: self.kept.into_boxed_slice(), len, end, rare: None }
    }
}

/// Whether fields announce content.
pub(super) fn announces_content(lines: &Lines) -> bool {
    value(lines, "transfer-encoding").is_some()
        || value(lines, "content-length").is_some_and(|length| length != b"0")
}

/// Whether the last of the codings in a Content-Encoding is one that can be undone here.
pub(super) fn is_known_coding(codings: &[u8]) -> bool {
    let last = codings.rsplit(|byte| *byte == b',').next().unwrap_or_default().trim_ascii();
    ["gzip", "x-gzip", "deflate", "br", "zstd"]
        .iter()
        .any(|known| last.eq_ignore_ascii_case(known.as_bytes()))
}

/// Whether `kept` is still coded as `fields` say. Recorders undo the coding of what they show and keep the field.
pub(super) fn is_coded(fields: &Fields, kept: &[u8], cut: bool) -> bool {
    let undone = coding::undo(fields, kept);
    let complete = matches!(undone.problem, None | Some(Problem::TooLarge(_)));
    !undone.undone.is_empty() && (complete || (cut && !undone.bytes.is_empty()))
}

/// Text of a record in the charset that its media type names, as it was on the wire.
pub(super) fn in_charset<'a>(media: Option<&[u8]>, text: Cow<'a, [u8]>) -> Cow<'a, [u8]> {
    let media = media.and_then(crate::features::MediaType::parse);
    let label = media.as_ref().and_then(crate::features::MediaType::charset);
    let encoding = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    let Some(encoding) = encoding.filter(|_| !text.is_ascii()) else { return text };
    let Ok(utf8) = std::str::from_utf8(&text) else { return text };
    match encoding.encode(utf8) {
        (coded, used, false) if used == encoding => Cow::Owned(coded.into_owned()),
        _ => text,
    }
}
