//! Bodies, by what they look like: a wrong Content-Type is a common reason for a 403 and no reason to show a password.

pub(super) mod form;
pub(super) mod json;
mod markup;
mod multipart;

use super::layers::Decoded;
use super::text::{self, Reading};
use super::{Secret, names, push, shift};
use crate::features::MediaType;
use crate::step_counter;

/// How deep one format within another is looked into. What lies deeper is text.
const DEPTH: u8 = 4;
/// Bytes in which the first boundary of a multipart body is looked for.
const PREAMBLE: usize = 4096;

/// Adds the secrets of `body`.
pub(super) fn find(media_type: &[u8], body: &[u8], out: &mut Vec<Secret>) {
    structure(media_type, body, 0, out);
    text::find(body, reading(media_type, body), out);
}

/// The secrets that the structure of `body` tells: names far from their values, parts and members.
fn structure(media_type: &[u8], body: &[u8], depth: u8, out: &mut Vec<Secret>) {
    if depth >= DEPTH {
        return;
    }
    let media = MediaType::parse(media_type);
    let declared = media.filter(MediaType::is_multipart).and_then(|media| media.boundary());
    let found = |boundary: &&str| memchr::memmem::find(body, boundary.as_bytes()).is_some();
    let declared = declared.filter(|boundary| !boundary.is_empty()).filter(found);
    if let Some(boundary) = declared.map(str::as_bytes).or_else(|| sniffed_boundary(body)) {
        multipart::find(boundary, body, depth, out);
        return;
    }
    let first = body.iter().position(|byte| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte));
    let start = first.unwrap_or(body.len());
    step_counter::steps(start);
    match body.get(start) {
        Some(b'{' | b'[' | b'"') => json::find(body, start, depth, out),
        Some(b'<') => markup::find(body, out),
        Some(_) if media.is_some_and(|media| media.is_form()) || looks_like_form(body) => {
            form::find(body, 0, depth, out);
        }
        Some(_) if media.is_some_and(|media| media.is_json()) => json::find(body, 0, depth, out),
        _ => {}
    }
}

/// The structure of a value that stands encoded in another, at `start` of it.
fn nested(source: &[u8], start: usize, depth: u8, out: &mut Vec<Secret>) {
    let before = out.len();
    match Decoded::of(source) {
        Some(decoded) => {
            structure(b"", &decoded.text, depth + 1, out);
            decoded.map_back(out, before);
        }
        None => structure(b"", source, depth + 1, out),
    }
    shift(out, before, start);
}

/// How the text of a body of `media_type` is read.
fn reading(media_type: &[u8], body: &[u8]) -> Reading {
    let lower = media_type.get(..64).unwrap_or(media_type).to_ascii_lowercase();
    let is = |word: &&[u8]| memchr::memmem::find(&lower, word).is_some();
    Reading {
        binary: [
            &b"msgpack"[..],
            b"messagepack",
            b"cbor",
            b"protobuf",
            b"bson",
            b"octet-stream",
            b"avro",
            b"thrift",
        ]
        .iter()
        .any(is)
            || has_control_characters(body),
        lines: [&b"yaml"[..], b"properties", b"/ini", b"toml"].iter().any(is),
    }
}

/// Whether `body` holds what text does not: control characters (those of C1 too, which are tags and lengths that were written as
/// UTF-8), or bytes that are no UTF-8.
fn has_control_characters(body: &[u8]) -> bool {
    step_counter::steps(body.len());
    match std::str::from_utf8(body) {
        Ok(text) => {
            text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace() && c != '\u{1b}' && c != '\u{85}')
        }
        Err(_) => true,
    }
}

/// The boundary of a body that is multipart whatever its Content-Type says: a line of two dashes before a line of a part's head.
fn sniffed_boundary(body: &[u8]) -> Option<&[u8]> {
    let window = body.get(..PREAMBLE).unwrap_or(body);
    memchr::memmem::find(window, b"--")?;
    step_counter::steps(window.len());
    let mut lines = window.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let boundary = line.strip_prefix(b"--").map_or(&b""[..], <[u8]>::trim_ascii_end);
        let head = lines
            .peek()
            .and_then(|next| next.get(..8))
            .is_some_and(|next| next.eq_ignore_ascii_case(b"content-"));
        if head && (1..=70).contains(&boundary.len()) {
            return Some(boundary);
        }
    }
    None
}

/// `name=` at the start, and no white space in the first few hundred bytes.
fn looks_like_form(body: &[u8]) -> bool {
    let window = body.get(..256).unwrap_or(body);
    let Some(equals) = memchr::memchr(b'=', window) else { return false };
    equals > 0 && !window.trim_ascii_end().iter().any(u8::is_ascii_whitespace)
}
