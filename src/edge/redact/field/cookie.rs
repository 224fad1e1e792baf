//! Cookies: names and attributes are shown, values are secrets unless they say a preference.

use std::ops::Range;

use crate::edge::redact::{Secret, names, push};

/// The values of a Cookie field.
pub(in crate::edge::redact) fn cookies(value: &[u8], out: &mut Vec<Secret>) {
    let mut start = 0;
    for piece in value.split(|byte| *byte == b';') {
        pair(value, start..start + piece.len(), out);
        start += piece.len() + 1;
    }
}

/// The value of a Set-Cookie field; what follows the first semicolon is public.
pub(in crate::edge::redact) fn set_cookie(value: &[u8], out: &mut Vec<Secret>) {
    let end = memchr::memchr(b';', value).unwrap_or(value.len());
    pair(value, 0..end, out);
}

/// The value of the cookie `name`, which is at `range` of `text`, without its quotes.
pub(in crate::edge::redact) fn value(name: &[u8], text: &[u8], range: Range<usize>, out: &mut Vec<Secret>) {
    if !names::is_public_cookie(name, text.get(range.clone()).unwrap_or_default()) {
        push(out, range, &[b"cookie", name]);
    }
}

fn pair(text: &[u8], range: Range<usize>, out: &mut Vec<Secret>) {
    let piece = text.get(range.clone()).unwrap_or_default();
    let (name, from) = match memchr::memchr(b'=', piece) {
        Some(at) => (piece.get(..at).unwrap_or_default().trim_ascii(), at + 1),
        None => (&b""[..], 0),
    };
    let hidden = piece.get(from..).unwrap_or_default();
    let around = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'"');
    let start = hidden.iter().take_while(around).count();
    let tail = hidden.get(start..).unwrap_or_default();
    let end = hidden.len() - tail.iter().rev().take_while(around).count();
    value(name, text, range.start + from + start..range.start + from + end, out);
}
