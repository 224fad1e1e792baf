//! URLs and addresses as records write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a request went, as its URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Whether the scheme is `https` or `wss`.
    pub(super) is_secure: bool,
    /// Host with the port, as it is in the URL, without user information.
    pub(super) authority: Vec<u8>,
    /// The port, the scheme's own where the URL has none.
    pub(super) port: u16,
    /// Path and query as a request target; never empty.
    pub(super) target: Vec<u8>,
}

impl Url {
    /// Reads an absolute URL; `None` for schemes that are not HTTP.
    pub(super) fn parse(url: &[u8]) -> Option<Self> {
        let at = memchr::memmem::find(url, b"://")?;
        let is_secure = match url.get(..at)?.to_ascii_lowercase().as_slice() {
            b"http" | b"ws" => false,
            b"https" | b"wss" => true,
            _ => return None,
        };
        let rest = url.get(at + 3..)?;
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end)?;
        let authority = authority.rsplit(|byte| *byte == b'@').next().unwrap_or(authority);
        let authority: Vec<u8> = authority.iter().copied().filter(u8::is_ascii_graphic).collect();
        if authority.is_empty() {
            return None;
        }
        let port = port(&authority).unwrap_or(if is_secure { 443 } else { 80 });
        Some(Self { is_secure, authority, port, target: target(path) })
    }
}

/// The port that stands after a host.
fn port(authority: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(authority).ok()?;
    let after = text.rsplit_once(']').map_or(text, |(_, after)| after);
    after.rsplit_once(':')?.1.parse().ok()
}

/// A path with its query, without its fragment, as it stands in a request line.
fn target(path: &[u8]) -> Vec<u8> {
    let path = path.split(|byte| *byte == b'#').next().unwrap_or_default();
    let mut target = Vec::with_capacity(path.len() + 1);
    if path.first() != Some(&b'/') {
        target.push(b'/');
    }
    for byte in path {
        if *byte <= b' ' || *byte == 0x7f {
            target.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            target.push(*byte);
        }
    }
    target
}

/// An address that a record may write with brackets, a zone or a port; unspecified where it has none.
pub(super) fn socket(ip: &str, port: u16) -> SocketAddr {
    let ip = ip.trim();
    if let Ok(whole) = ip.parse::<SocketAddr>() {
        return whole;
    }
    let bare = ip.trim_start_matches('[').split([']', '%']).next().unwrap_or_default();
    let ip = bare.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    SocketAddr::new(ip, port)
}

#[cfg(test)]
mod tests {
    use super::{Url, socket};

    #[test]
    fn urls_give_authority_port_and_target() {
        for (url, expected) in [
            ("https://a.test/x?y=1#z", Some(("a.test", 443, "/x?y=1"))),
            ("http://u:p@a.test:81", Some(("a.test:81", 81, "/"))),
            ("HTTP://[::1]:8080/é b", Some(("[::1]:8080", 8080, "/é%20b"))),
            ("wss://[::1]?q", Some(("[::1]", 443, "/?q"))),
            ("http://a\r\nb/\r\nX: y", Some(("ab", 80, "/%0D%0AX:%20y"))),
            ("data:text/plain,x", None),
            ("blob:https://a.test/1", None),
            ("http:///x", None),
            ("", None),
        ] {
            let parsed = Url::parse(url.as_bytes());
            let parts = parsed.as_ref().map(|url| {
                (
                    std::str::from_utf8(&url.authority).unwrap(),
                    url.port,
                    std::str::from_utf8(&url.target).unwrap(),
                )
            });
            assert_eq!(parts, expected, "{url}");
        }
    }

    #[test]
    fn addresses_of_every_recorder() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1:443"),
            ("[2001:db8::1]", "[2001:db8::1]:443"),
            ("2001:db8::1", "[2001:db8::1]:443"),
            ("fe80::1%eth0", "[fe80::1]:443"),
            ("192.0.2.1:8443", "192.0.2.1:8443"),
            ("", "0.0.0.0:443"),
            ("a.test", "0.0.0.0:443"),
        ] {
            assert_eq!(socket(text, 443).to_string(), expected, "{text}");
        }
    }
}
