//! Where the command goes: URL, Host, and the address when the two are not the same.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::RequestHead;

/// Ports on which plaintext in a capture means that TLS was taken off (by a tap).
const TLS_PORTS: [u16; 2] = [443, 8443];

/// How to reach the server so that the request line and Host are those of the exchange.
#[derive(Debug)]
pub(in crate::export) struct Target<'a> {
    /// `http://api.example.com:8080`, of characters that need no quoting.
    pub(in crate::export) base: String,
    /// Path and query to append to `base`; `None` when they need `--request-target`.
    pub(in crate::export) path: Option<&'a [u8]>,
    /// The target as on the wire.
    pub(in crate::export) raw: &'a [u8],
    /// `--resolve …` or `--connect-to …`.
    pub(in crate::export) route: Option<String>,
    /// Whether Host must be given, because curl would write another one.
    pub(in crate::export) explicit_host: bool,
}

impl<'a> Target<'a> {
    pub(in crate::export) fn new(head: &'a RequestHead, server: SocketAddr) -> Self {
        let tls = is_tls(server);
        let scheme = if tls { "https" } else { "http" };
        let default_port = if tls { 443 } else { 80 };
        let mut hosts = head.fields().values("host");
        let host =
            hosts.next().and_then(|host| Host::parse(host, default_port)).filter(|_| hosts.next().is_none());
        let raw = head.target();
        let path = Some(raw).filter(|raw| is_simple_path(raw) && head.method() != "CONNECT");
        let Some(host) = host else {
            let base = format!("{scheme}://{}", authority(server, default_port));
            return Self { base, path, raw, route: None, explicit_host: true };
        };
        let base = format!("{scheme}://{}", host.text);
        Self { base, path, raw, route: route(&host, server), explicit_host: false }
    }
}

/// Whether the exchange was under TLS before it was captured.
pub(in crate::export) fn is_tls(server: SocketAddr) -> bool {
    TLS_PORTS.contains(&server.port())
}

/// The name that the request asks for, of characters that need no quoting; none for an address.
pub(in crate::export) fn name(head: &RequestHead) -> Option<&str> {
    let host = Host::parse(head.fields().value("host")?, 443)?;
    host.name.parse::<IpAddr>().is_err().then_some(host.name)
}

/// A Host value that curl sends as it is when it stands in a URL.
struct Host<'a> {
    text: &'a str,
    name: &'a str,
    port: u16,
}

impl<'a> Host<'a> {
    fn parse(value: &'a [u8], default_port: u16) -> Option<Self> {
        let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= 255)?;
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (inner, after) = rest.split_once(']')?;
                let address: Ipv6Addr = inner.parse().ok()?;
                // curl writes addresses in their shortest form.
                (address.to_string() == inner).then_some(())?;
                (inner, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
            }
            None => match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        let port = match port {
            None => default_port,
            // curl leaves the default port out of Host, and writes numbers without leading zeros.
            Some(port) => {
                port.parse().ok().filter(|n: &u16| *n != default_port && *n > 0 && n.to_string() == port)?
            }
        };
        (text.starts_with('[') || is_simple_name(name)).then_some(Self { text, name, port })
    }
}

/// A name in lower case that cannot be taken for an odd spelling of an IPv4 address, or such an address.
fn is_simple_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let named = last.starts_with(|c: char| c.is_ascii_lowercase()) && name.split('.').all(label);
    named || name.parse::<Ipv4Addr>().is_ok_and(|address| address.to_string() == name)
}

/// Characters that a URL may hold and that curl passes on unchanged. Newer ones (8.14) leave out the `?` of an empty query.
fn is_simple_path(path: &[u8]) -> bool {
    let simple = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/?[]{}|".contains(byte);
    let empty_query = memchr::memchr(b'?', path) == path.len().checked_sub(1);
    path.first() == Some(&b'/') && path.iter().all(simple) && !empty_query
}

/// What leads a URL of `host` to `server`; `None` when it goes there anyway.
fn route(host: &Host<'_>, server: SocketAddr) -> Option<String> {
    let literal = host.name.parse::<IpAddr>().ok();
    if literal == Some(server.ip()) && host.port == server.port() {
        return None;
    }
    let address = bracketed(server.ip());
    let name = literal.map_or_else(|| host.name.to_owned(), bracketed);
    if host.port == server.port() && literal.is_none() {
        return Some(format!("--resolve '{name}:{}:{address}'", host.port));
    }
    Some(format!("--connect-to '{name}:{}:{address}:{}'", host.port, server.port()))
}

fn authority(server: SocketAddr, default_port: u16) -> String {
    let mut text = bracketed(server.ip());
    if server.port() != default_port {
        let _ = write!(text, ":{}", server.port());
    }
    text
}

/// An IPv6 address in brackets.
pub(in crate::export) fn bracketed(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}
