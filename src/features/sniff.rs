//! What a body's bytes look like, whatever its Content-Type says.

use crate::features::json;
use crate::features::{Json, JsonEnd, MediaType};

/// How many bytes are looked at.
const WINDOW: usize = 4096;

/// What content looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sniffed {
    /// No bytes.
    Empty,
    /// JSON object, array or literal.
    Json,
    /// An object or array that lenient parsers may read as JSON: with a trailing comma, NaN, comments, single quotes.
    InvalidJson,
    /// `a=1&b=2`.
    Form,
    /// Multipart with boundary lines.
    Multipart,
    /// HTML page.
    Html,
    /// XML document.
    Xml,
    /// Some other text in ASCII or UTF-8.
    Text,
    /// gzip (RFC 1952).
    Gzip,
    /// Anything else.
    Binary,
}

impl Sniffed {
    /// For people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Json => "JSON",
            Self::InvalidJson => "invalid JSON",
            Self::Form => "a URL-encoded form",
            Self::Multipart => "multipart",
            Self::Html => "HTML",
            Self::Xml => "XML",
            Self::Text => "text",
            Self::Gzip => "gzip",
            Self::Binary => "binary",
        }
    }

    /// Whether content that looks so contradicts `media`: JSON in a form, a form called JSON, … Only clear cases count.
    pub fn contradicts(self, media: &MediaType<'_>) -> bool {
        match self {
            Self::Json | Self::InvalidJson => media.is_form() || media.is_multipart() || media.is_xml(),
            Self::Form | Self::Text => media.is_json() || media.is_multipart() || media.is_xml(),
            Self::Multipart => media.is_json() || media.is_form() || media.is_xml(),
            Self::Xml | Self::Html => media.is_json() || media.is_form() || media.is_multipart(),
            Self::Gzip | Self::Binary => media.is_json() || media.is_form() || media.kind() == "text",
            Self::Empty => false,
        }
    }
}

/// Looks at the first 4 KiB of content from which content codings were undone.
pub fn sniff(body: &[u8]) -> Sniffed {
    look(body).0
}

/// The same with the leaves of what looks like JSON: those of all of it.
pub fn with_json(body: &[u8]) -> (Sniffed, Option<Json<'_>>) {
    match look(body) {
        (Sniffed::Json, _) if body.len() > WINDOW => (Sniffed::Json, Some(json::flatten(body))),
        seen => seen,
    }
}

/// What the window looks like, and its leaves where that is JSON.
fn look(body: &[u8]) -> (Sniffed, Option<Json<'_>>) {
    let window = body.get(..WINDOW).unwrap_or(body);
    let text = window.strip_prefix(b"\xef\xbb\xbf").unwrap_or(window).trim_ascii();
    let Some(first) = text.first() else { return (Sniffed::Empty, None) };
    if window.starts_with(b"\x1f\x8b") {
        return (Sniffed::Gzip, None);
    }
    if !is_text(window, body.len() > window.len()) {
        return (if is_multipart(text) { Sniffed::Multipart } else { Sniffed::Binary }, None);
    }
    if matches!(first, b'{' | b'[' | b'"' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n') {
        let json = json::flatten(window);
        if !matches!(json.end, JsonEnd::Invalid(_)) {
            return (Sniffed::Json, Some(json));
        }
    }
    let sniffed = match first {
        b'<' => markup(text),
        b'{' | b'[' if is_invalid_json(window) => Sniffed::InvalidJson,
        b'-' if is_multipart(text) => Sniffed::Multipart,
        _ if is_form(text) => Sniffed::Form,
        _ => Sniffed::Text,
    };
    (sniffed, None)
}

/// Whether what keeps `window` from being JSON is a habit of people and of lenient writers.
fn is_invalid_json(window: &[u8]) -> bool {
    let habit = |fault| !matches!(fault, "unexpected byte" | "unquoted text" | "text after the document");
    json::fault(window).is_some_and(|(fault, _)| habit(fault))
}

fn markup(text: &[u8]) -> Sniffed {
    let begins = |tag: &[u8]| text.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag));
    let html: [&[u8]; 6] = [b"<!doctype html", b"<html", b"<head", b"<body", b"<title", b"<h1"];
    if html.into_iter().any(begins) { Sniffed::Html } else { Sniffed::Xml }
}

fn is_multipart(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.len() > 2
        && line.starts_with(b"--")
        && memchr::memmem::find(text, b"\n").is_some_and(|at| {
            text.get(at + 1..)
                .is_some_and(|rest| rest.get(..8).is_some_and(|head| head.eq_ignore_ascii_case(b"content-")))
        })
}

/// Pairs with `=`, joined with `&`, of characters that a URL encoder lets through.
fn is_form(text: &[u8]) -> bool {
    let plain = text.iter().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'%' | b'+'
                    | b'-'
                    | b'.'
                    | b'_'
                    | b'*'
                    | b'~'
                    | b'='
                    | b'&'
                    | b'['
                    | b']'
                    | b'!'
                    | b'\''
                    | b'('
                    | b')'
                    | b'@'
                    | b':'
                    | b'/'
                    | b','
                    | b'$'
            )
    });
    plain
        && text
            .split(|byte| *byte == b'&')
            .all(|pair| pair.iter().skip(1).any(|byte| *byte == b'=') || text.len() >= WINDOW)
}

fn is_text(window: &[u8], cut: bool) -> bool {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c | 0x1b);
    if window.iter().any(control) {
        return false;
    }
    match std::str::from_utf8(window) {
        Ok(_) => true,
        Err(error) => cut && error.error_len().is_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Sniffed, sniff, with_json};
    use crate::features::MediaType;

    #[test]
    fn tells_kinds_apart() {
        let table: [(&[u8], Sniffed); 20] = [
            (b"", Sniffed::Empty),
            (b" \r\n", Sniffed::Empty),
            (b"{\"a\":1}", Sniffed::Json),
            (b"\xef\xbb\xbf[1,2]", Sniffed::Json),
            (b"{\"cut\":\"in the mid", Sniffed::Json),
            (b"42", Sniffed::Json),
            (b"{not json}", Sniffed::InvalidJson),
            (b"{\"a\":1,}", Sniffed::InvalidJson),
            (b"[1, NaN]", Sniffed::InvalidJson),
            (b"[denied] no key", Sniffed::Text),
            (b"a=1&b=%20x", Sniffed::Form),
            (b"name", Sniffed::Text),
            (b"hello = world", Sniffed::Text),
            (b"<!DOCTYPE html><p>", Sniffed::Html),
            (b"<?xml version='1.0'?><a/>", Sniffed::Xml),
            (b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--", Sniffed::Multipart),
            (b"--x1\r\nContent-Disposition: form-data; name=f\r\n\r\n\0\x01", Sniffed::Multipart),
            (b"\x1f\x8b\x08", Sniffed::Gzip),
            (b"\0\x01\x02", Sniffed::Binary),
            (b"\xff\xfe\xfa", Sniffed::Binary),
        ];
        for (body, expected) in table {
            assert_eq!(sniff(body), expected, "{}", String::from_utf8_lossy(body));
            let (sniffed, json) = with_json(body);
            assert_eq!((sniffed, json.is_some()), (expected, expected == Sniffed::Json));
        }
    }

    #[test]
    fn contradictions_are_only_the_clear_ones() {
        let json = MediaType::parse(b"application/json").unwrap();
        let text = MediaType::parse(b"text/plain").unwrap();
        let form = MediaType::parse(b"application/x-www-form-urlencoded").unwrap();
        assert!(sniff(b"a=1&b=2").contradicts(&json));
        assert!(sniff(b"{\"a\":1}").contradicts(&form));
        assert!(!sniff(b"{\"a\":1}").contradicts(&text));
        assert!(!sniff(b"{\"a\":1}").contradicts(&json));
        assert!(!sniff(b"").contradicts(&json));
    }
}
