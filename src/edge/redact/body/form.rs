//! URLs and forms: parameters whose names announce a secret.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{Secret, names, nested, push};
use crate::edge::redact::text::{self, Reading};
use crate::step_counter;

/// The secrets of a URL or request target.
pub(in crate::edge::redact) fn url(text: &[u8], out: &mut Vec<Secret>) {
    if let Some(at) = memchr::memchr2(b'?', b'#', text) {
        find(text, at + 1, 0, out);
    }
    text::find(text, Reading::default(), out);
}

/// The secrets of `a=b&c=d` from `from` on.
pub(super) fn find(text: &[u8], from: usize, depth: u8, out: &mut Vec<Secret>) {
    let mut start = from;
    // Fragments carry tokens too (`#access_token=…`).
    for piece in text.get(from..).unwrap_or_default().split(|byte| matches!(byte, b'&' | b'#' | b'?')) {
        step_counter::steps(piece.len());
        let mut at = 0;
        while let Some(pair) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            let len = pair_end(pair);
            self::pair(pair.get(..len).unwrap_or_default(), start + at, depth, out);
            at += len + 1;
        }
        start += piece.len() + 1;
    }
}

/// Some servers take `;` for `&`: it ends a pair when another name and `=` follow.
fn pair_end(piece: &[u8]) -> usize {
    for at in memchr::memchr_iter(b';', piece) {
        let rest = piece.get(at + 1..).unwrap_or_default();
        let name = rest
            .iter()
            .take(64)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.%[]".contains(byte))
            .count();
        step_counter::steps(name);
        if name > 0 && rest.get(name) == Some(&b'=') {
            return at;
        }
    }
    piece.len()
}

fn pair(pair: &[u8], start: usize, depth: u8, out: &mut Vec<Secret>) {
    let Some(equals) = memchr::memchr(b'=', pair) else { return };
    let name = decoded(pair.get(..equals).unwrap_or_default());
    let value = pair.get(equals + 1..).unwrap_or_default();
    let begin = start + equals + 1;
    if names::is_secret_parameter(&name) {
        let is_known = names::is_secret_name(&name);
        let is_secret = text::is_secret_value(&name, value) || !is_known && !names::is_harmless(value);
        if is_secret && (is_known || !is_path(value)) {
            push(out, begin..begin + value.len(), &[&name]);
        }
    } else if is_document(value) {
        nested(value, begin, depth, out);
    }
}

/// Whether a value is the name of a file or an object: `uploads/2024/report.pdf`.
pub(in crate::edge::redact) fn is_path(value: &[u8]) -> bool {
    let value = decoded(value);
    let mut parts = value.split(|byte| *byte == b'/');
    let plain = |part: &[u8]| part.len() <= 64 && !text::random::looks_random(part);
    value.contains(&b'/') && value.len() <= 256 && parts.all(plain)
}

/// Whether a value is a document of its own: JSON or XML, encoded or not.
fn is_document(value: &[u8]) -> bool {
    let begins =
        |start: &&[u8]| value.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
    value.len() > 8
        && [&b"{"[..], b"[", b"<", b"%7b", b"%5b", b"%3c", b"%20%7b", b"+%7b", b"%257b"].iter().any(begins)
}

/// Without percent-encoding, twice.
fn decoded(name: &[u8]) -> Cow<'_, [u8]> {
    let once: Cow<'_, [u8]> = percent_decode(name).into();
    if once.contains(&b'%') { Cow::Owned(percent_decode(&once).collect()) } else { once }
}

/// The value of one parameter by itself.
pub(in crate::edge::redact) fn parameter(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    if names::is_secret_parameter(name) {
        if !names::is_harmless(value) && (names::is_secret_name(name) || !is_path(value)) {
            push(out, 0..value.len(), &[name]);
        }
    } else {
        if is_document(value) {
            nested(value, 0, 0, out);
        }
        text::find(value, Reading::default(), out);
    }
}
