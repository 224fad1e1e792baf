//! Tells a path segment that names a thing (`users`, `v1`, `oauth2`) from one that holds a value (`7`, a UUID, a token).

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Longest segment that is kept as a word; longer ones are `{text}`.
pub const MAX_WORD: usize = 64;

/// What a segment is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of the route.
    Word,
    /// Part of the route as far as can be told, but it has digits, dots or capitals as values do.
    Slug,
    /// A value of this kind, written `{id}`, `{uuid}`, ….
    Value(&'static str),
}

/// A segment as it stands in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// `users`, `{id}`, `{id}.json`, `INV-{id}`.
    pub text: Cow<'a, str>,
    /// What it is taken for.
    pub kind: Kind,
}

/// Reads one segment (between slashes, still percent-encoded); `after` is the text of the segment before it.
pub fn read<'a>(raw: &'a [u8], after: &str) -> Segment<'a> {
    let raw = memchr::memchr(b';', raw).filter(|at| *at > 0).and_then(|at| raw.get(..at)).unwrap_or(raw);
    if raw.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-')) && raw.len() < 16 {
        return Segment {
            text: Cow::Borrowed(std::str::from_utf8(raw).unwrap_or_default()),
            kind: Kind::Word,
        };
    }
    let decoded: Cow<'_, [u8]> = percent_decode(raw).into();
    if let Some(name) = value_kind(&decoded, after) {
        return Segment { text: braces(name), kind: Kind::Value(name) };
    }
    if let Some(text) = affixed(&decoded, after) {
        return Segment { text: Cow::Owned(text), kind: Kind::Value("id") };
    }
    if decoded.len() > MAX_WORD {
        return Segment { text: Cow::Borrowed("{text}"), kind: Kind::Value("text") };
    }
    let kind = if is_wordy(&decoded) { Kind::Word } else { Kind::Slug };
    Segment { text: literal(raw), kind }
}

/// `{name}` without allocation for the names we use.
fn braces(name: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(match name {
        "id" => "{id}",
        "uuid" => "{uuid}",
        "ulid" => "{ulid}",
        "hex" => "{hex}",
        "token" => "{token}",
        "date" => "{date}",
        "email" => "{email}",
        "ip" => "{ip}",
        _ => "{text}",
    })
}

/// The segment as a word of a template: braces escaped, bytes that are no printable ASCII percent-encoded.
fn literal(raw: &[u8]) -> Cow<'_, str> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'{' | b'}' | b'%');
    if raw.iter().all(plain) {
        return Cow::Borrowed(std::str::from_utf8(raw).unwrap_or_default());
    }
    let decoded: Vec<u8> = percent_decode(raw).collect();
    let mut text = String::with_capacity(decoded.len() * 3);
    for byte in decoded {
        if plain(&byte) && !matches!(byte, b'/' | b'?' | b'#' | b';') {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
            }
        }
    }
    Cow::Owned(text)
}

/// The kind of value that the whole of `text` is.
fn value_kind(text: &[u8], after: &str) -> Option<&'static str> {
    let text = text.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(text);
    let (mut digits, mut lower, mut upper, mut hex, mut other) = (0_usize, 0, 0, 0, 0);
    for byte in text {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' => lower += 1,
            b'A'..=b'Z' => upper += 1,
            _ => other += 1,
        }
        hex += usize::from(byte.is_ascii_hexdigit());
    }
    let len = text.len();
    if len == 0 {
        return None;
    }
    if digits == len {
        let version = len <= 2 && matches!(after, "api" | "rest" | "version" | "versions");
        return (!version).then_some("id");
    }
    if digits + 1 == len && text.first() == Some(&b'-') {
        return Some("id");
    }
    if len == 36 && other == 4 && hex == 32 && is_uuid(text) {
        return Some("uuid");
    }
    if len == 26 && other == 0 && digits > 0 && is_ulid(text) {
        return Some("ulid");
    }
    if hex == len && len >= 8 && digits > 0 && (upper == 0 || lower == 0) {
        return Some("hex");
    }
    if other > 0
        && let Some(kind) = punctuated(text)
    {
        return Some(kind);
    }
    is_token(text, digits, upper, lower, other).then_some("token")
}

fn punctuated(text: &[u8]) -> Option<&'static str> {
    if is_date(text) {
        return Some("date");
    }
    if let Some(at) = memchr::memchr(b'@', text) {
        let domain = text.get(at + 1..).unwrap_or_default();
        let mail = at > 0 && memchr::memchr(b'.', domain).is_some() && memchr::memchr(b'@', domain).is_none();
        return mail.then_some("email");
    }
    let address =
        text.len() >= 7 && std::str::from_utf8(text).is_ok_and(|t| t.parse::<std::net::IpAddr>().is_ok());
    address.then_some("ip")
}

fn is_uuid(text: &[u8]) -> bool {
    [8, 13, 18, 23].into_iter().all(|at| text.get(at) == Some(&b'-'))
}

/// Crockford's base32, 128 bits: the first digit is 0–7.
fn is_ulid(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'0'..=b'7'))
        && text.iter().all(|byte| {
            byte.is_ascii_alphanumeric() && !matches!(byte.to_ascii_uppercase(), b'I' | b'L' | b'O' | b'U')
        })
}

/// `2026-11-22`, `2026-11`, and either date followed by a time.
fn is_date(text: &[u8]) -> bool {
    let number = |from: usize, to: usize| -> Option<u32> {
        let part = text.get(from..to)?;
        part.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let dash = |at: usize| text.get(at) == Some(&b'-');
    let month = dash(4)
        && number(0, 4).is_some_and(|year| (1900..2200).contains(&year))
        && number(5, 7).is_some_and(|month| (1..=12).contains(&month));
    let day = || dash(7) && number(8, 10).is_some_and(|day| (1..=31).contains(&day));
    let time = || {
        matches!(text.get(10), Some(b'T' | b't' | b' ' | b'_'))
            && text
                .iter()
                .skip(11)
                .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'+' | b'-' | b'Z' | b'z'))
    };
    month && (text.len() == 7 || (day() && (text.len() == 10 || time())))
}

/// Random letters and digits, not words that were joined: the character class changes often, or it is base64 with padding.
fn is_token(text: &[u8], digits: usize, upper: usize, lower: usize, other: usize) -> bool {
    let len = text.len();
    let alphabet =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'+' | b'~' | b'.');
    if len < 16 || other * 5 > len || !text.iter().all(alphabet) || digits + upper + lower == 0 {
        return false;
    }
    let class = |byte: u8| match byte {
        b'0'..=b'9' => 0_u8,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let changes =
        text.iter().zip(text.iter().skip(1)).filter(|(one, next)| class(**one) != class(**next)).count();
    if upper > 0 && lower > 0 {
        return changes * 20 >= len * 9 && (digits > 0 || len >= 20);
    }
    digits >= 4 && changes * 4 >= len
}

/// A value with a fixed part around it: `7.json`, `INV-20394`.
fn affixed(text: &[u8], after: &str) -> Option<String> {
    if let Some(dot) = memchr::memrchr(b'.', text) {
        let (stem, extension) = text.split_at(dot);
        let extension_like = (2..=6).contains(&extension.len())
            && extension.iter().skip(1).all(u8::is_ascii_alphanumeric)
            && extension.iter().any(u8::is_ascii_alphabetic);
        if let Some(kind) = extension_like.then(|| value_kind(stem, after)).flatten() {
            return Some(format!("{}{}", braces(kind), String::from_utf8_lossy(extension)));
        }
    }
    let at = text.iter().position(|byte| matches!(byte, b'_' | b'-' | b':'))?;
    let (prefix, rest) = (text.get(..=at)?, text.get(at + 1..)?);
    let word = (2..=12).contains(&at) && prefix.get(..at)?.iter().all(u8::is_ascii_alphabetic);
    let kind = word.then(|| value_kind(rest, "")).flatten()?;
    let long_enough = kind != "id" || rest.len() >= 3;
    long_enough.then(|| format!("{}{}", String::from_utf8_lossy(prefix), braces(kind)))
}

/// Whether it looks like a name that somebody gave a route.
fn is_wordy(text: &[u8]) -> bool {
    let letters = text.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters + text.iter().filter(|byte| matches!(byte, b'-' | b'_' | b'.')).count() + digits == text.len()
        && digits <= 2
        && letters > 0
}

#[cfg(test)]
mod tests {
    use super::{Kind, read};

    fn text(raw: &str) -> String {
        read(raw.as_bytes(), "").text.into_owned()
    }

    #[test]
    fn values_become_parameters() {
        for (raw, expected) in [
            ("7", "{id}"),
            ("00012345678901234567890", "{id}"),
            ("-1", "{id}"),
            ("6f1c1a9e-8c1d-4b52-9f0e-2f6f1d2e3c4b", "{uuid}"),
            ("%7B6F1C1A9E-8C1D-4B52-9F0E-2F6F1D2E3C4B%7D", "{uuid}"),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", "{ulid}"),
            ("507f1f77bcf86cd799439011", "{hex}"),
            ("DEADBEEF01", "{hex}"),
            ("2026-11-22", "{date}"),
            ("2026-11", "{date}"),
            ("2026-11-22T07%3A52%3A01Z", "{date}"),
            ("a.b%40example.com", "{email}"),
            ("a@b.c", "{email}"),
            ("10.0.0.1", "{ip}"),
            ("dQw4w9WgXcQ8sLp2ZkVt", "{token}"),
            ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0.c2lnbmF0dXJl", "{token}"),
            ("ckx8h3z9q0001qz1t5v7w2b4n", "{token}"),
            ("7.json", "{id}.json"),
            ("INV-20394", "INV-{id}"),
            ("cus_dQw4w9WgXcQ8sLp2ZkVt", "{token}"),
        ] {
            assert_eq!(text(raw), expected, "{raw}");
        }
        assert_eq!(text(&"long-text-with-words-".repeat(6)), "{text}");
    }

    #[test]
    fn words_stay() {
        for raw in [
            "v1",
            "v2beta1",
            "oauth2",
            "s3",
            "ipv4",
            "users",
            "utf-8",
            "iso-8859-1",
            "index.html",
            "api.php",
            "getUserProfileInformation2",
            "createOrderForCustomerAccount",
            "p12",
            "sha256",
            "2.0",
            "1.1",
            "base64",
            "web3",
            "log4j",
            "h2-console",
            "cafe",
            "facade",
            "well-known",
            ".well-known",
            "x509",
            "md5",
            "covid-19",
            "top-10",
            "actuator",
            "jquery-3.7.1.min.js",
            "wp-json",
            "a1",
            "",
            "application-configuration-2",
            "ec2-instance-connect",
            "i18n",
            "authentication_tokens",
        ] {
            assert_eq!(text(raw), raw, "{raw}");
        }
        assert_eq!(read(b"2", "api").text, "2");
        assert_eq!(text("path;jsessionid=8A7B"), "path");
        assert_eq!(text("A%3B"), "A%3B");
        assert_eq!(text("caf%c3%a9"), "caf%C3%A9");
        assert_eq!(text("%75sers"), "users");
        assert_eq!(text("{x}"), "%7Bx%7D");
    }

    #[test]
    fn slugs_are_told_from_words() {
        assert_eq!(read(b"users", "").kind, Kind::Word);
        assert_eq!(read(b"GetUser", "").kind, Kind::Word);
        assert_eq!(read(b"alice1987", "").kind, Kind::Slug);
        assert_eq!(read(b"my%20file", "").kind, Kind::Slug);
    }

    proptest::proptest! {
        #[test]
        fn templates_are_idempotent(raw in "[ -$&-~]{0,90}") {
            let once = text(&raw);
            if !once.contains('{') {
                assert_eq!(text(&once), once);
            }
        }

        #[test]
        fn never_panics(raw: Vec<u8>) {
            let _ = read(&raw, "");
        }
    }
}
