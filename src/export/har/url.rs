//! The URL of a request as every importer takes it: absolute, percent-encoded (RFC 3986), whatever stood in the request line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::model::RequestHead;

/// A URL, and what stood in the request line where that was something else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `http://host/path?query`.
    pub(super) text: String,
    /// For the comment of the request.
    pub(super) note: Option<&'static str>,
}

/// The URL of a request to `server`; `target` is what may be shown of its target.
pub(super) fn url(head: &RequestHead, target: &[u8], server: SocketAddr) -> Url {
    let host = head.fields().value("host").and_then(authority);
    let invalid = host.is_none() && head.fields().has("host");
    let base = format!("http://{}", host.map_or_else(|| server.to_string(), Cow::into_owned));
    let with = |path: &str, note| Url { text: format!("{base}{path}"), note };
    if head.method() == "CONNECT" {
        let named = authority(target).map_or_else(|| server.to_string(), Cow::into_owned);
        return Url { text: format!("http://{named}/"), note: Some("the request target is an authority") };
    }
    if target == b"*" {
        return with("/*", Some("the request target is *"));
    }
    if target.first() == Some(&b'/') {
        return with(
            &encoded(target),
            invalid.then_some("Host is not valid, the URL has the server's address"),
        );
    }
    match absolute(target) {
        Some(text) => Url { text, note: None },
        None => with(&format!("/{}", encoded(target)), Some("the request target is not valid")),
    }
}

/// The URL where there is no request.
pub(super) fn of_server(server: SocketAddr) -> String {
    format!("http://{server}/")
}

/// A target in absolute form.
fn absolute(target: &[u8]) -> Option<String> {
    let at = memchr::memmem::find(target, b"://")?;
    let scheme = target.get(..at)?.to_ascii_lowercase();
    let rest = target.get(at + 3..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (named, path) = rest.split_at_checked(end)?;
    let named = authority(named.rsplit(|byte| *byte == b'@').next().unwrap_or(named))?;
    let scheme = std::str::from_utf8(&scheme).ok().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let slash = if path.first() == Some(&b'/') { "" } else { "/" };
    Some(format!("{scheme}://{named}{slash}{}", encoded(path)))
}

/// `bytes` when they are a host, with or without a port, that every reader of URLs takes.
fn authority(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() < 255)?;
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err() || port.starts_with('+')) {
        return None;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let named = host.strip_suffix('.').unwrap_or(host).split('.').all(label);
    (named || host.parse::<IpAddr>().is_ok()).then_some(Cow::Borrowed(text))
}

/// What may not stand in a path or query as it is becomes `%XX`; a `%` that begins no escape as well.
fn encoded(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for (at, byte) in bytes.iter().enumerate() {
        let is_hex = |offset| bytes.get(at + offset).is_some_and(u8::is_ascii_hexdigit);
        match byte {
            b'%' if is_hex(1) && is_hex(2) => out.push('%'),
            byte if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(byte) => {
                out.push(char::from(*byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::url;
    use crate::export::sample;

    #[test]
    fn every_target_gives_an_absolute_url() {
        for (line, host, expected, noted) in [
            ("POST /a?b=c HTTP/1.1", "api.test", "http://api.test/a?b=c", false),
            ("OPTIONS * HTTP/1.1", "api.test", "http://api.test/*", true),
            ("CONNECT h.test:443 HTTP/1.1", "h.test:443", "http://h.test:443/", true),
            ("GET http://p.test:81/x?y HTTP/1.1", "other", "http://p.test:81/x?y", false),
            ("GET HTTP://u:p@p.test HTTP/1.1", "other", "http://p.test/", false),
            ("GET https://p.test?q=1 HTTP/1.1", "other", "https://p.test/?q=1", false),
            ("GET ftp://p.test/ HTTP/1.1", "api.test", "http://api.test/ftp://p.test/", true),
            ("GET admin HTTP/1.1", "api.test", "http://api.test/admin", true),
            (
                "GET /a b\"<>\\^`{|}#[é%zz%41 HTTP/1.1",
                "h",
                "http://h/a%20b%22%3C%3E%5C%5E%60%7B%7C%7D%23%5B%C3%A9%25zz%41",
                false,
            ),
            ("GET //x HTTP/1.1", "h", "http://h//x", false),
            ("GET / HTTP/1.1", "", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "a b", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "a..b", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "h:99999", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "user@h", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "h/../x", "http://192.0.2.1:80/", true),
            ("GET / HTTP/1.1", "[2001:db8::1]:8080", "http://[2001:db8::1]:8080/", false),
            ("CONNECT no-port\" HTTP/1.1", "h", "http://192.0.2.1:80/", true),
        ] {
            let request = format!("{line}\r\nHost: {host}\r\n\r\n");
            let server = "192.0.2.1:80".parse().unwrap();
            let exchange = sample::to(server, request.as_bytes());
            let head = &exchange.request.as_ref().unwrap().head;
            let url = url(head, head.target(), server);
            assert_eq!((url.text.as_str(), url.note.is_some()), (expected, noted), "{line} {host}");
        }
    }
}
