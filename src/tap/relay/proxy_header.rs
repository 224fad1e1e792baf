//! The PROXY protocol, versions 1 and 2: how a relay tells the next hop who the client is.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::ValueEnum;
use ipnet::IpNet;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end.
const MAX_V1: usize = 107;
/// The longest header of version 2 that is read; the addresses take 52 bytes, the rest are extensions.
pub(in crate::tap) const MAX_V2: usize = 2048;

/// A version of the PROXY protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProxyVersion {
    /// The line of text.
    V1,
    /// The binary header.
    V2,
}

/// The networks in which load balancers usually stand: loopback, private, shared and link-local ones.
pub(in crate::tap) const PRIVATE_NETWORKS: [&str; 9] = [
    "127.0.0.0/8",
    "::1",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// An address or a network.
pub(in crate::tap) fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(one).ok_or_else(|| "write 10.0.0.5 or 10.0.0.0/8".to_owned())
}

/// Whether a peer is among those whose header is believed.
pub(in crate::tap) fn is_trusted(trusted: &[IpNet], peer: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(&peer.to_canonical()))
}

/// Who talks to whom: source, destination.
pub(in crate::tap) type Addresses = (SocketAddr, SocketAddr);

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Header {
    /// More bytes are needed.
    Partial,
    /// No PROXY header.
    Invalid,
    /// A header of so many bytes; without addresses it is the balancer's own connection (a health check).
    Complete(usize, Option<Addresses>),
}

/// Reads a header of either version.
pub(in crate::tap) fn parse(bytes: &[u8]) -> Header {
    let starts = |prefix: &[u8]| bytes.iter().zip(prefix).all(|(a, b)| a == b);
    match bytes.first() {
        None => Header::Partial,
        Some(b'P') if starts(b"PROXY ") => parse_v1(bytes),
        Some(b'\r') if starts(SIGNATURE) => parse_v2(bytes),
        Some(_) => Header::Invalid,
    }
}

fn parse_v1(bytes: &[u8]) -> Header {
    let window = bytes.get(..MAX_V1).unwrap_or(bytes);
    let Some(end) = memchr::memmem::find(window, b"\r\n") else {
        return if bytes.len() < MAX_V1 { Header::Partial } else { Header::Invalid };
    };
    let line = window.get(..end).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
    let mut words = line.split(' ').skip(1);
    let addresses = match words.next() {
        Some("UNKNOWN") => return Header::Complete(end + 2, None),
        Some("TCP4" | "TCP6") => {
            let mut ip = || words.next().and_then(|word| word.parse::<IpAddr>().ok());
            let ips = (ip(), ip());
            let mut port = || words.next().and_then(|word| word.parse::<u16>().ok());
            (ips, (port(), port()), words.next())
        }
        _ => return Header::Invalid,
    };
    match addresses {
        ((Some(src), Some(dst)), (Some(from), Some(to)), None) if src.is_ipv4() == dst.is_ipv4() => {
            Header::Complete(end + 2, Some((SocketAddr::new(src, from), SocketAddr::new(dst, to))))
        }
        _ => Header::Invalid,
    }
}

fn parse_v2(bytes: &[u8]) -> Header {
    let Some(&[command, family, high, low]) = bytes.get(12..16).and_then(|four| four.first_chunk()) else {
        return Header::Partial;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if command >> 4 != 2 || command & 0xf > 1 || 16 + length > MAX_V2 {
        return Header::Invalid;
    }
    let Some(body) = bytes.get(16..16 + length) else { return Header::Partial };
    let addresses = match (command & 0xf, family) {
        (1, 0x11) => match body.first_chunk::<12>() {
            Some([src @ .., d0, d1, d2, d3, from0, from1, to0, to1]) => Some((
                (Ipv4Addr::from(*src), u16::from_be_bytes([*from0, *from1])).into(),
                (Ipv4Addr::from([*d0, *d1, *d2, *d3]), u16::from_be_bytes([*to0, *to1])).into(),
            )),
            None => return Header::Invalid,
        },
        (1, 0x21) => match body.split_first_chunk::<16>() {
            Some((src, rest)) => match (rest.first_chunk::<16>(), rest.get(16..20)) {
                (Some(dst), Some(&[p, q, r, s])) => Some((
                    (Ipv6Addr::from(*src), u16::from_be_bytes([p, q])).into(),
                    (Ipv6Addr::from(*dst), u16::from_be_bytes([r, s])).into(),
                )),
                _ => return Header::Invalid,
            },
            None => return Header::Invalid,
        },
        _ => None,
    };
    Header::Complete(16 + length, addresses)
}

/// Writes a header. Two addresses of different families are written as IPv6.
pub(in crate::tap) fn write(version: ProxyVersion, (src, dst): Addresses) -> Vec<u8> {
    match version {
        ProxyVersion::V1 => write_v1(src, dst),
        ProxyVersion::V2 => write_v2(src, dst),
    }
}

fn write_v1(src: SocketAddr, dst: SocketAddr) -> Vec<u8> {
    let mut line = String::with_capacity(MAX_V1);
    let _ = match (src.ip(), dst.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            write!(line, "PROXY TCP4 {a} {b} {} {}\r\n", src.port(), dst.port())
        }
        (a, b) => write!(line, "PROXY TCP6 {} {} {} {}\r\n", v6(a), v6(b), src.port(), dst.port()),
    };
    line.into_bytes()
}

fn write_v2(src: SocketAddr, dst: SocketAddr) -> Vec<u8> {
    let mut header = SIGNATURE.to_vec();
    header.push(0x21);
    match (src.ip(), dst.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            header.extend_from_slice(&[0x11, 0, 12]);
            header.extend_from_slice(&a.octets());
            header.extend_from_slice(&b.octets());
        }
        (a, b) => {
            header.extend_from_slice(&[0x21, 0, 36]);
            header.extend_from_slice(&v6(a).octets());
            header.extend_from_slice(&v6(b).octets());
        }
    }
    header.extend_from_slice(&src.port().to_be_bytes());
    header.extend_from_slice(&dst.port().to_be_bytes());
    header
}

const fn v6(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Vec<Addresses> {
        [("10.1.2.3:4", "10.5.6.7:443"), ("[fe80::1]:65535", "[::2]:1")]
            .map(|(a, b)| (a.parse().unwrap(), b.parse().unwrap()))
            .to_vec()
    }

    #[test]
    fn both_versions_survive_the_way_there_and_back_in_any_pieces() {
        for addresses in pairs() {
            for version in [ProxyVersion::V1, ProxyVersion::V2] {
                let mut bytes = write(version, addresses);
                let length = bytes.len();
                for cut in 0..length {
                    assert_eq!(parse(&bytes[..cut]), Header::Partial, "{version:?} cut at {cut}");
                }
                bytes.extend_from_slice(b"\x16\x03\x01");
                assert_eq!(parse(&bytes), Header::Complete(length, Some(addresses)));
            }
        }
    }

    #[test]
    fn mixed_families_become_ipv6() {
        let mixed = ("10.0.0.1:1".parse().unwrap(), "[::2]:2".parse().unwrap());
        assert_eq!(write(ProxyVersion::V1, mixed), b"PROXY TCP6 ::ffff:10.0.0.1 ::2 1 2\r\n");
        assert!(matches!(parse(&write(ProxyVersion::V2, mixed)), Header::Complete(52, Some(_))));
    }

    #[test]
    fn health_checks_have_no_address() {
        assert_eq!(parse(b"PROXY UNKNOWN\r\n"), Header::Complete(15, None));
        let mut local = SIGNATURE.to_vec();
        local.extend_from_slice(&[0x20, 0, 0, 0]);
        assert_eq!(parse(&local), Header::Complete(16, None));
    }

    #[test]
    fn everything_else_is_invalid() {
        let mut huge = SIGNATURE.to_vec();
        huge.extend_from_slice(&[0x21, 0x11, 0xff, 0xff]);
        let mut short = SIGNATURE.to_vec();
        short.extend_from_slice(&[0x21, 0x11, 0, 4, 1, 2, 3, 4]);
        let mut version3 = SIGNATURE.to_vec();
        version3.extend_from_slice(&[0x31, 0x11, 0, 0]);
        let long = [b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat();
        for bytes in [
            b"GET / HTTP/1.1\r\n".as_slice(),
            b"\x16\x03\x01",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n",
            b"PROXY TCP4 10.0.0.1 ::1 1 2\r\n",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 99999\r\n",
            b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2 3\r\n",
            b"PROXY UDP4 10.0.0.1 10.0.0.2 1 2\r\n",
            b"PRIXY",
            &long,
            &huge,
            &short,
            &version3,
        ] {
            assert_eq!(parse(bytes), Header::Invalid, "{bytes:?}");
        }
    }

    #[test]
    fn headers_are_believed_from_the_networks_that_are_named() {
        let named =
            |texts: &[&str]| texts.iter().map(|text| super::network(text).unwrap()).collect::<Vec<_>>();
        let usual = named(&super::PRIVATE_NETWORKS);
        for (peer, expected) in [
            ("127.0.0.1", true),
            ("::ffff:10.1.2.3", true),
            ("fd00::1", true),
            ("8.8.8.8", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(super::is_trusted(&usual, peer.parse().unwrap()), expected, "{peer}");
        }
        let one = named(&["203.0.113.9"]);
        assert!(super::is_trusted(&one, "203.0.113.9".parse().unwrap()));
        assert!(!super::is_trusted(&one, "127.0.0.1".parse().unwrap()));
        assert!(super::network("10.0.0").is_err());
    }
}
