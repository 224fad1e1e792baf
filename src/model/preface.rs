//! What stood on a connection before its first HTTP message, and what it says about the connection's ends.

use std::net::SocketAddr;

/// Who speaks before HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PrefaceKind {
    /// PROXY protocol, version 1: a line of text.
    Proxy1,
    /// PROXY protocol, version 2: a binary header.
    Proxy2,
    /// SOCKS version 4 or 4a.
    Socks4,
    /// SOCKS version 5 (RFC 1928).
    Socks5,
    /// An HTTP CONNECT request on the same connection.
    Connect,
}

impl PrefaceKind {
    /// As in the NDJSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proxy1 => "proxy-v1",
            Self::Proxy2 => "proxy-v2",
            Self::Socks4 => "socks4",
            Self::Socks5 => "socks5",
            Self::Connect => "connect",
        }
    }
}

/// A preface of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preface {
    /// Its protocol.
    pub kind: PrefaceKind,
    /// Who opened the TCP connection: the proxy or load balancer, where the preface names another client.
    pub peer: SocketAddr,
    /// The client that the preface names; it is the exchange's client then.
    pub client: Option<SocketAddr>,
    /// Where the client wanted to go, as it was written: `host:port`. At most 300 bytes.
    pub destination: Option<Box<str>>,
    /// The host name that the client asked for in TLS, from a PROXY header. At most 255 bytes.
    pub authority: Option<Box<str>>,
}
