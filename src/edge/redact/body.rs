//! Bodies, by what they look like: a wrong Content-Type is a common reason for a 403 and no reason to show a password.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{Secret, json, markup, multipart, names, push, query};
use crate::features::MediaType;
use crate::step_counter;

/// `password=…`, `token: …` in text of no known syntax (logs, GraphQL, YAML, INI).
static ASSIGNMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?-u)(?P<name>[A-Za-z_][A-Za-z0-9_.-]{1,63})\\?["']?\s{0,4}[=:]\s{0,4}\\?["']?(?P<value>[^\s"'\\&,;<>(){}\[\]]+)"#)
        .ok()
});

/// Adds the secrets that names announce.
pub(super) fn find(media_type: &[u8], body: &[u8], out: &mut Vec<Secret>) {
    let media = MediaType::parse(media_type);
    let declared = media.filter(MediaType::is_multipart).and_then(|media| media.boundary());
    let found = |boundary: &&str| memchr::memmem::find(body, boundary.as_bytes()).is_some();
    let declared = declared.filter(|boundary| !boundary.is_empty()).filter(found);
    match declared.or_else(|| sniffed_boundary(body)) {
        Some(boundary) => multipart::find(boundary, body, out),
        None => simple(media_type, body, out),
    }
}

/// The secrets of a body without parts. A part is taken for such: nesting has no end.
pub(super) fn simple(media_type: &[u8], body: &[u8], out: &mut Vec<Secret>) {
    let media = MediaType::parse(media_type);
    let first = body.iter().position(|byte| !byte.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(byte));
    let start = first.unwrap_or(body.len());
    step_counter::steps(start);
    match body.get(start) {
        Some(b'{' | b'[') => json::find(body, start, out),
        Some(b'<') => markup::find(body, out),
        Some(_) if media.is_some_and(|media| media.is_form()) || looks_like_form(body) => {
            query::form(body, 0, out);
        }
        Some(_) => text(body, out),
        None => {}
    }
    if media.is_some_and(|media| media.is_json()) && !matches!(body.get(start), Some(b'{' | b'[')) {
        json::find(body, 0, out);
    }
}

/// The boundary of a body that is multipart whatever its Content-Type says.
fn sniffed_boundary(body: &[u8]) -> Option<&str> {
    let line = body.split(|byte| *byte == b'\n').next()?;
    let boundary = std::str::from_utf8(line.strip_prefix(b"--")?.trim_ascii_end()).ok()?;
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// `name=` at the start, and no white space in the first few hundred bytes.
fn looks_like_form(body: &[u8]) -> bool {
    let window = body.get(..256).unwrap_or(body);
    let Some(equals) = memchr::memchr(b'=', window) else { return false };
    equals > 0 && !window.trim_ascii_end().iter().any(u8::is_ascii_whitespace)
}

/// Adds what is assigned to a name that announces a secret.
pub(super) fn text(body: &[u8], out: &mut Vec<Secret>) {
    let Some(pattern) = ASSIGNMENT.as_ref() else { return };
    for found in pattern.captures_iter(body) {
        if let (Some(name), Some(value)) = (found.name("name"), found.name("value"))
            && names::is_secret_name(name.as_bytes())
        {
            push(out, value.range(), &[name.as_bytes()]);
        }
    }
}
