//! Fields of a head, by their names and by what they hold.

pub(super) mod auth;
pub(super) mod cookie;

use super::text::{self, Reading, random};
use super::{Secret, names, push};

/// Adds the secrets of the value of a field called `name`.
pub(super) fn find(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    let lower = name.trim_ascii().to_ascii_lowercase();
    match lower.as_slice() {
        b"cookie" | b"cookie2" => cookie::cookies(value, out),
        b"set-cookie" | b"set-cookie2" => cookie::set_cookie(value, out),
        b"host" | b"x-forwarded-host" | b"x-original-host" | b"x-host" | b"forwarded" => {
            text::user_information(value, 0, out);
        }
        b"www-authenticate" | b"proxy-authenticate" => auth::challenge(&lower, value, out),
        b"sec-websocket-protocol" => protocols(value, out),
        b"content-security-policy" | b"content-security-policy-report-only" => script_nonces(value, out),
        // The server proves that it knows the key, which anybody may see; the rest is found by name.
        b"sec-websocket-accept" | b"authentication-info" | b"proxy-authentication-info" => {}
        _ if names::is_secret_name(&lower) && text::is_secret_value(&lower, value) => {
            auth::credentials(&lower, value, out);
        }
        _ if names::ends_in_key(&lower) && random::looks_like_key(value) => {
            push(out, 0..value.len(), &[&lower]);
        }
        _ => {}
    }
    text::find(value, Reading::default(), out);
}

/// Tokens among the names of protocols: browsers cannot send them in another field.
fn protocols(value: &[u8], out: &mut Vec<Secret>) {
    let mut start = 0;
    for item in value.split(|byte| *byte == b',') {
        let lead = item.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let name = item.trim_ascii();
        let token = memchr::memrchr(b'.', name).map_or(0, |dot| dot + 1);
        let begin = start + lead;
        if random::looks_random(name.get(token..).unwrap_or_default()) {
            push(out, begin + token..begin + name.len(), &[b"protocol"]);
        } else if random::looks_random(name) {
            push(out, begin..begin + name.len(), &[b"protocol"]);
        }
        start += item.len() + 1;
    }
}

/// `'nonce-…'` of a policy.
fn script_nonces(value: &[u8], out: &mut Vec<Secret>) {
    for at in memchr::memmem::find_iter(value, b"'nonce-") {
        let start = at + b"'nonce-".len();
        let rest = value.get(start..).unwrap_or_default();
        let len = memchr::memchr2(b'\'', b' ', rest).unwrap_or(rest.len());
        push(out, start..start + len, &[b"nonce"]);
    }
}
