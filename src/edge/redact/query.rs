//! URLs and forms: user information and parameters whose names announce a secret.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::{Secret, names, push, scan};
use crate::step_counter;

/// The secrets of a URL or request target.
pub(super) fn url(text: &[u8], out: &mut Vec<Secret>) {
    user_information(text, out);
    if let Some(at) = memchr::memchr2(b'?', b'#', text) {
        form(text, at + 1, out);
    }
}

/// The secrets of `a=b&c=d` from `from` on.
pub(super) fn form(text: &[u8], from: usize, out: &mut Vec<Secret>) {
    let mut start = from;
    // Fragments carry tokens too (`#access_token=…`), and some servers take `;` for `&`.
    for piece in text.get(from..).unwrap_or_default().split(|byte| matches!(byte, b'&' | b';' | b'#' | b'?'))
    {
        step_counter::steps(piece.len());
        if let Some(at) = memchr::memchr(b'=', piece) {
            let raw = piece.get(..at).unwrap_or_default();
            let name: Cow<'_, [u8]> = percent_decode(raw).into();
            if names::is_secret_parameter(&name) {
                push(out, start + at + 1..start + piece.len(), &[&name]);
            }
        }
        start += piece.len() + 1;
    }
}

/// The value of one parameter by itself.
pub(super) fn parameter(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    if names::is_secret_parameter(name) {
        push(out, 0..value.len(), &[name]);
    } else {
        scan::find(value, out);
    }
}

/// The password of `scheme://user:password@host`, or all of it when there is no colon.
fn user_information(text: &[u8], out: &mut Vec<Secret>) {
    let Some(scheme) = memchr::memmem::find(text, b"://") else { return };
    let start = scheme + 3;
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b' ')).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or_default();
    if let Some(at) = memchr::memrchr(b'@', authority) {
        let user = authority.get(..at).unwrap_or_default();
        let secret = memchr::memchr(b':', user).map_or(0, |colon| colon + 1);
        push(out, start + secret..start + at, &[b"url_password"]);
    }
}
