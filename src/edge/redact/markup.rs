//! HTML and XML: attributes and elements whose names announce a secret.
//!
//! `<input name="csrf_token" value="…">`, `<meta name="csrf-token" content="…">`, `<wsse:Password>…</wsse:Password>`.

use super::{Secret, names, push};
use crate::step_counter;

/// Attributes of one tag that are looked at.
const ATTRIBUTES: usize = 1024;

/// Adds the secrets of `text`. One pass.
pub(super) fn find(text: &[u8], out: &mut Vec<Secret>) {
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', text.get(at..).unwrap_or_default()) {
        let start = at + open + 1;
        let rest = text.get(start..).unwrap_or_default();
        let len = memchr::memchr2(b'>', b'<', rest).unwrap_or(rest.len());
        step_counter::steps(open + len);
        let tag = rest.get(..len).unwrap_or_default();
        attributes(tag, start, out);
        at = start + len;
        if rest.get(len) == Some(&b'>') {
            at += 1;
            element(tag, text, at, out);
        }
    }
}

/// The text after `<name>` up to the next tag.
fn element(tag: &[u8], text: &[u8], from: usize, out: &mut Vec<Secret>) {
    let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'/').unwrap_or(tag.len());
    let name = tag.get(..end).unwrap_or_default();
    let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
    if !local.is_empty() && names::is_secret_name(local) {
        let rest = text.get(from..).unwrap_or_default();
        let len = memchr::memchr(b'<', rest).unwrap_or(rest.len());
        step_counter::steps(len);
        push(out, from..from + len, &[local]);
    }
}

/// The value of a tag whose `name` or `id` announces a secret, and of attributes that do so themselves.
fn attributes(tag: &[u8], offset: usize, out: &mut Vec<Secret>) {
    let mut named: Option<&[u8]> = None;
    let mut value = None;
    let mut at = 0;
    for _ in 0..ATTRIBUTES {
        let rest = tag.get(at..).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', rest) else { break };
        let before = rest.get(..equals).unwrap_or_default().trim_ascii_end();
        let name = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
        let (start, end, next) = quoted(tag, at + equals + 1);
        step_counter::steps(next - at);
        let content = tag.get(start..end).unwrap_or_default();
        match name.to_ascii_lowercase().as_slice() {
            b"name" | b"id" | b"property" if names::is_secret_name(content) => named = Some(content),
            b"value" | b"content" => value = Some(start..end),
            name if names::is_secret_name(name) => push(out, offset + start..offset + end, &[name]),
            _ => {}
        }
        at = next;
    }
    if let (Some(name), Some(value)) = (named, value) {
        push(out, offset + value.start..offset + value.end, &[name]);
    }
}

fn quoted(tag: &[u8], from: usize) -> (usize, usize, usize) {
    let rest = tag.get(from..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let from = from + space;
    let rest = tag.get(from..).unwrap_or_default();
    if let Some(quote @ (b'"' | b'\'')) = rest.first() {
        let inner = rest.get(1..).unwrap_or_default();
        let len = memchr::memchr(*quote, inner).unwrap_or(inner.len());
        (from + 1, from + 1 + len, (from + 2 + len).min(tag.len()))
    } else {
        let len = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        (from, from + len, from + len)
    }
}
