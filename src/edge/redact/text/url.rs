//! Passwords in the authority of a URL and secrets in its path.

use super::random::{looks_like_key, looks_random};
use crate::edge::redact::{Secret, push};
use crate::step_counter;

/// Longest user information that may hold `/`, `?` or `#` as they are.
const ODD: usize = 128;
/// Segments after a word such as `hooks` that are looked at.
const SEGMENTS: usize = 6;

/// The user information after `://` at `at`: the password, or all of it when there is no colon.
#[expect(clippy::unnecessary_wraps, reason = "one of several readers that may give nothing")]
pub(super) fn authority(text: &[u8], at: usize, out: &mut Vec<Secret>) -> Option<usize> {
    let start = at + 3;
    user_information(text, start, out);
    Some(start)
}

/// The user information at `start`, with the authority behind it.
pub(in crate::edge::redact) fn user_information(text: &[u8], start: usize, out: &mut Vec<Secret>) {
    let rest = text.get(start..).unwrap_or_default();
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>\\`".contains(byte);
    let len = rest.iter().position(|byte| ends(byte) || b"/?#".contains(byte)).unwrap_or(rest.len());
    step_counter::steps(len);
    let mut found = rest.get(..len).and_then(|authority| memchr::memrchr(b'@', authority));
    if found.is_none() {
        // An unescaped slash in a password: a port would be digits only.
        let window = rest.get(..ODD).unwrap_or(rest);
        let window = window.get(..window.iter().position(ends).unwrap_or(window.len())).unwrap_or_default();
        let colon = memchr::memchr(b':', rest.get(..len).unwrap_or_default());
        let port = colon.is_none_or(|colon| rest.get(colon + 1).is_none_or(u8::is_ascii_digit));
        found = memchr::memchr(b'@', window).filter(|_| !port);
    }
    let Some(end) = found else { return };
    let user = rest.get(..end).unwrap_or_default();
    match memchr::memchr(b':', user) {
        // `https://key:@host` has the key for a name.
        Some(colon) if colon + 1 == end => push(out, start..start + colon, &[b"url_user"]),
        Some(colon) => push(out, start + colon + 1..start + end, &[b"url_password"]),
        // A short word is a name: `ssh://git@host`.
        None if user.len() < 12 && user.iter().all(u8::is_ascii_alphabetic) => {}
        None => push(out, start..start + end, &[b"url_password"]),
    }
}

/// The segments of a path from the slash at `at` on that look like secrets. `one_use` takes identifiers as well.
#[expect(clippy::unnecessary_wraps, reason = "one of several readers that may give nothing")]
pub(super) fn path(text: &[u8], at: usize, one_use: bool, out: &mut Vec<Secret>) -> Option<usize> {
    let mut start = at + 1;
    for _ in 0..SEGMENTS {
        let rest = text.get(start..).unwrap_or_default();
        let of_segment = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~%:+=@".contains(byte);
        let len = rest.iter().take_while(|byte| of_segment(byte)).count();
        step_counter::steps(len);
        let segment = rest.get(..len).unwrap_or_default();
        if (one_use && looks_random(segment)) || looks_like_key(segment) {
            push(out, start..start + len, &[b"path_token"]);
            return Some(start + len);
        }
        if rest.get(len) != Some(&b'/') {
            break;
        }
        start += len + 1;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use crate::edge::redact::text::{Reading, find};

    fn found(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        find(text.as_bytes(), Reading::default(), &mut out);
        out.into_iter().map(|secret| &text[secret.range]).collect()
    }

    #[test]
    fn passwords_and_tokens_of_urls() {
        assert_eq!(found("see postgres://u:s3cr3t@db/x and ftp://b:p@ss@h"), ["s3cr3t", "p@ss"]);
        assert_eq!(found("redis://u:ab/cd@h"), ["ab/cd"]);
        assert_eq!(found("/proxy/http://a/http://b:pw1@c/"), ["pw1"]);
        assert_eq!(found("ssh://git@host/a@b https://h:80/@x"), [""; 0]);
        assert_eq!(
            found("/reset/550e8400-e29b-41d4-a716-446655440000"),
            ["550e8400-e29b-41d4-a716-446655440000"]
        );
        assert_eq!(found("/services/T00000000/B00000000/zQ7Kp097BXw9TmR4vB2qL"), ["zQ7Kp097BXw9TmR4vB2qL"]);
        assert_eq!(found("/users/550e8400-e29b-41d4-a716-446655440000/keys/17"), [""; 0]);
    }
}
