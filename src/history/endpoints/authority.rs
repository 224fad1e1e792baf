//! The authority an endpoint belongs to: as the client named it, made comparable.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::SocketAddr;

/// Longest authority that is kept.
pub const MAX_AUTHORITY: usize = 255;

/// Lower case, without the default port 80, a trailing dot and user information; the server's address when nobody named it.
pub fn normalise<'a>(named: Option<&'a [u8]>, server: SocketAddr, scratch: &'a mut String) -> &'a str {
    scratch.clear();
    let named = named.map_or(Cow::Borrowed(""), |bytes| {
        String::from_utf8_lossy(bytes.get(..MAX_AUTHORITY).unwrap_or(bytes))
    });
    if named.is_empty() {
        let address = server.ip().to_canonical();
        let _ = match (server.port(), address.is_ipv6()) {
            (80, false) => write!(scratch, "{address}"),
            (80, true) => write!(scratch, "[{address}]"),
            (port, false) => write!(scratch, "{address}:{port}"),
            (port, true) => write!(scratch, "[{address}]:{port}"),
        };
        return scratch;
    }
    let (host, port) = split_port(&named);
    scratch.push_str(host.strip_suffix('.').unwrap_or(host));
    if !matches!(port, "" | "80") {
        scratch.push(':');
        scratch.push_str(port);
    }
    scratch.make_ascii_lowercase();
    scratch
}

/// Host and port; the port is empty when there is none.
pub fn split_port(authority: &str) -> (&str, &str) {
    match authority.rsplit_once(':') {
        Some((host, port))
            if port.bytes().all(|b| b.is_ascii_digit()) && (!host.contains(':') || host.ends_with(']')) =>
        {
            (host, port)
        }
        _ => (authority, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn makes_authorities_comparable() {
        let v4 = "10.0.0.1:80".parse().unwrap();
        let v6 = "[2001:db8::1]:8080".parse().unwrap();
        for (named, server, expected) in [
            (Some("API.Example.com"), v4, "api.example.com"),
            (Some("api.example.com:80"), v4, "api.example.com"),
            (Some("api.example.com:"), v4, "api.example.com"),
            (Some("api.example.com.:8080"), v4, "api.example.com:8080"),
            (Some("[2001:DB8::1]:80"), v4, "[2001:db8::1]"),
            (Some("[2001:DB8::1]"), v4, "[2001:db8::1]"),
            (Some("2001:db8::1"), v4, "2001:db8::1"),
            (Some("x:port"), v4, "x:port"),
            (None, v4, "10.0.0.1"),
            (None, v6, "[2001:db8::1]:8080"),
        ] {
            let mut scratch = String::new();
            assert_eq!(normalise(named.map(str::as_bytes), server, &mut scratch), expected);
        }
    }
}
