//! Multipart bodies: the content of parts whose names announce a secret.

use memchr::memmem;

use super::{Secret, body, names, push};
use crate::step_counter;

/// Longest part head that is read.
const HEAD: usize = 8 << 10;

/// Adds the secrets of the parts of `text`, which are separated by lines of `--boundary`. One pass.
pub(super) fn find(boundary: &str, text: &[u8], out: &mut Vec<Secret>) {
    let delimiter = format!("--{boundary}");
    let mut starts = memmem::find_iter(text, delimiter.as_bytes()).peekable();
    while let Some(at) = starts.next() {
        let start = at + delimiter.len();
        let end = starts.peek().copied().unwrap_or(text.len());
        part(text, start, end, out);
    }
}

fn part(text: &[u8], start: usize, end: usize, out: &mut Vec<Secret>) {
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
    match parameter(head, b"name=") {
        Some(name) if names::is_secret_parameter(name) => push(out, content..end, &[name]),
        _ => {
            let before = out.len();
            body::simple(media_type(head), text.get(content..end).unwrap_or_default(), out);
            for secret in out.iter_mut().skip(before) {
                secret.range = secret.range.start + content..secret.range.end + content;
            }
        }
    }
}

/// Length of the head, and where the content begins.
fn head_end(part: &[u8]) -> Option<(usize, usize)> {
    let crlf = memmem::find(part, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memmem::find(part, b"\n\n").map(|at| (at, at + 2));
    [crlf, lf].into_iter().flatten().min()
}

/// The value of a parameter of Content-Disposition.
fn parameter<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    // `filename=` ends with `name=` too.
    let at = memmem::find_iter(head, name).find(|at| {
        at.checked_sub(1).and_then(|at| head.get(at)).is_none_or(|byte| matches!(byte, b' ' | b';' | b'\t'))
    })?;
    let rest = head.get(at + name.len()..)?;
    match rest.strip_prefix(b"\"") {
        Some(quoted) => quoted.get(..memchr::memchr(b'"', quoted).unwrap_or(quoted.len())),
        None => rest.get(..rest.iter().position(|byte| b";\r\n ".contains(byte)).unwrap_or(rest.len())),
    }
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
