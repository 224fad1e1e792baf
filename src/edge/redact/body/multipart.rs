//! Multipart bodies: the content of parts whose names announce a secret, and what is in the others.

use memchr::memmem;
use percent_encoding::percent_decode;

use super::{Secret, names, push, shift, structure, text};
use crate::edge::redact::text::Reading;
use crate::step_counter;

/// Longest part head that is read.
const HEAD: usize = 8 << 10;

/// Adds the secrets of the parts of `text`, which are separated by lines of `--boundary`. One pass.
pub(super) fn find(boundary: &[u8], text: &[u8], depth: u8, out: &mut Vec<Secret>) {
    let delimiter = [b"--", boundary].concat();
    let mut starts = memmem::find_iter(text, &delimiter).peekable();
    while let Some(at) = starts.next() {
        let start = at + delimiter.len();
        let end = starts.peek().copied().unwrap_or(text.len());
        part(text, start, end, depth, out);
    }
}

fn part(text: &[u8], start: usize, end: usize, depth: u8, out: &mut Vec<Secret>) {
    let whole = text.get(start..end).unwrap_or_default();
    let window = whole.get(..HEAD).unwrap_or(whole);
    step_counter::steps(window.len());
    let Some((head, content)) = head_end(window) else { return };
    let head = window.get(..head).unwrap_or_default();
    let content = start + content;
    let mut end = end;
    for line_end in [b'\n', b'\r'] {
        if end > content && text.get(end - 1) == Some(&line_end) {
            end -= 1;
        }
    }
    let inner = text.get(content..end).unwrap_or_default();
    match name(head) {
        Some(name) if names::is_secret_parameter(&name) => push(out, content..end, &[&name]),
        _ => {
            let before = out.len();
            let media = media_type(head);
            structure(media, inner, depth + 1, out);
            if is_settings(head) {
                text::find(inner, Reading { lines: true, binary: false }, out);
            }
            shift(out, before, content);
        }
    }
}

/// Length of the head, and where the content begins.
fn head_end(part: &[u8]) -> Option<(usize, usize)> {
    let crlf = memmem::find(part, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memmem::find(part, b"\n\n").map(|at| (at, at + 2));
    [crlf, lf].into_iter().flatten().min()
}

/// The name in Content-Disposition, decoded.
fn name(head: &[u8]) -> Option<Vec<u8>> {
    let lower = head.to_ascii_lowercase();
    // `filename=` ends with `name=` too.
    let begins = |at: &usize| {
        at.checked_sub(1).and_then(|at| lower.get(at)).is_none_or(|byte| b" ;\t\r\n".contains(byte))
    };
    let at = memmem::find_iter(&lower, b"name").find(begins)?;
    let rest = head.get(at + 4..)?.trim_ascii_start();
    // RFC 8187: `name*=UTF-8''…`
    let extended = rest.strip_prefix(b"*");
    let rest = extended.unwrap_or(rest).trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.get(..memchr::memchr(b'"', quoted).unwrap_or(quoted.len()))?,
        None => rest.get(..rest.iter().position(|byte| b";\r\n ".contains(byte)).unwrap_or(rest.len()))?,
    };
    let value = value.rsplit(|byte| extended.is_some() && *byte == b'\'').next()?;
    Some(percent_decode(value).collect())
}

fn media_type(head: &[u8]) -> &[u8] {
    let name = b"content-type:";
    head.split(|byte| *byte == b'\n')
        .find_map(|line| {
            let (field, value) = line.split_at_checked(name.len())?;
            field.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
        })
        .unwrap_or(b"text/plain")
}

/// Whether a part is a file of settings, each a line.
fn is_settings(head: &[u8]) -> bool {
    let lower = head.to_ascii_lowercase();
    [&b".env"[..], b".yaml", b".yml", b".ini", b".properties", b".toml", b".cfg", b".conf", b"yaml"]
        .iter()
        .any(|word| memmem::find(&lower, word).is_some())
}
