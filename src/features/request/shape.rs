//! What values that differ every time still have in common: the host of an address, the domain of a mailbox, quotes.

/// Longest value that is looked at, in bytes.
const LIMIT: usize = 512;

/// What a value is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Form<'a> {
    /// `(host)` or `(domain)`.
    pub kind: &'static str,
    /// The host of an address, or the domain of a mailbox.
    pub place: Option<&'a [u8]>,
    /// Whether it holds quotes, which rule sets take for an attack.
    pub quoted: bool,
}

/// What `value` is like. One pass.
pub fn form(value: &[u8]) -> Form<'_> {
    let value = value.get(..LIMIT.min(value.len())).unwrap_or_default();
    let bare = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    let quoted = memchr::memchr2(b'"', b'\'', bare).is_some();
    let (kind, place) = match memchr::memchr2(b':', b'@', bare) {
        Some(at) if bare.get(at..).is_some_and(|rest| rest.starts_with(b"://")) && at >= 2 => {
            ("(host)", host(bare.get(at + 3..).unwrap_or_default()))
        }
        Some(at) if bare.get(at) == Some(&b'@') && at > 0 => {
            ("(domain)", domain(bare.get(at + 1..).unwrap_or_default()))
        }
        _ => ("", None),
    };
    Form { kind, place, quoted }
}

fn host(rest: &[u8]) -> Option<&[u8]> {
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#' | b'\\')).unwrap_or(rest.len());
    rest.get(..end).filter(|host| !host.is_empty() && host.iter().all(u8::is_ascii_graphic))
}

fn domain(rest: &[u8]) -> Option<&[u8]> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    (rest.contains(&b'.') && rest.iter().all(plain)).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn hosts_domains_and_quotes() {
        let place = |value: &str| {
            form(value.as_bytes()).place.map(|place| String::from_utf8_lossy(place).into_owned())
        };
        assert_eq!(place("\"https://a.example/x?y\"").as_deref(), Some("a.example"));
        assert_eq!(place("\"u7@corp.example\"").as_deref(), Some("corp.example"));
        for value in ["", "12:30", "a@b", "hello @ you.all", "://", "\"x\"", "https://"] {
            assert_eq!(place(value), None, "{value}");
        }
        assert!(form(b"it's").quoted && form(b"a\"b").quoted && !form(b"\"ab\"").quoted);
    }
}
