//! Headers that stand before HTTP: the PROXY protocol of load balancers, and what a SOCKS client sends.
//!
//! <https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt>; RFC 1928, RFC 1929; <https://www.openssh.com/txt/socks4.protocol>.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::PrefaceKind;

/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;
/// What version 2 begins with, without the four line ends before it, which the reader has taken already.
const SIGNATURE: &[u8] = b"\0\r\nQUIT\n";
/// The fixed part of version 2 without those line ends.
const FIXED: usize = 12;
/// The longest host name that is kept.
const LONGEST_NAME: usize = 255;

/// What a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::wire::http1) struct ProxyHeader {
    pub(in crate::wire::http1) kind: PrefaceKind,
    /// Its length.
    pub(in crate::wire::http1) len: usize,
    /// The client's address and the one that it connected to, where the header has them.
    pub(in crate::wire::http1) ends: Option<(SocketAddr, SocketAddr)>,
    /// The host name that the client asked for in TLS.
    pub(in crate::wire::http1) authority: Option<Box<str>>,
}

/// The length of a header of version 2 that `data` begins with, once it is whole.
pub(super) fn proxy_2_len(data: &[u8]) -> Option<usize> {
    let &[high, low] = data.get(FIXED - 2..FIXED)?.first_chunk()?;
    let len = FIXED + usize::from(u16::from_be_bytes([high, low]));
    (data.len() >= len).then_some(len)
}

/// The whole PROXY header that `data` begins with.
pub(in crate::wire::http1) fn proxy(data: &[u8]) -> Option<ProxyHeader> {
    if data.starts_with(SIGNATURE) {
        let len = proxy_2_len(data)?;
        let body = data.get(FIXED..len)?;
        let (command, family) = (*data.get(8)?, *data.get(9)?);
        let (ends, tlvs) = version_2(command, family, body);
        return Some(ProxyHeader { kind: PrefaceKind::Proxy2, len, ends, authority: authority(tlvs) });
    }
    if !data.starts_with(b"PROXY ") {
        return None;
    }
    let len = memchr::memchr(b'\n', data.get(..data.len().min(LONGEST_LINE))?)? + 1;
    let ends = std::str::from_utf8(data.get(..len)?).ok().and_then(version_1);
    Some(ProxyHeader { kind: PrefaceKind::Proxy1, len, ends, authority: None })
}

/// `PROXY TCP4 client server client-port server-port`.
fn version_1(line: &str) -> Option<(SocketAddr, SocketAddr)> {
    let mut words = line.trim_end().split(' ').skip(1);
    let is_six = match words.next()? {
        "TCP4" => false,
        "TCP6" => true,
        _ => return None,
    };
    let mut address = || words.next()?.parse::<IpAddr>().ok().filter(|address| address.is_ipv6() == is_six);
    let (client, server) = (address()?, address()?);
    let mut port = || words.next()?.parse::<u16>().ok();
    let (client_port, server_port) = (port()?, port()?);
    Some((SocketAddr::new(client, client_port), SocketAddr::new(server, server_port)))
}

/// The addresses of version 2 and what follows them. A health check of the proxy's own (LOCAL) and Unix sockets name none.
#[expect(clippy::many_single_char_names, clippy::similar_names, reason = "bytes of two addresses")]
fn version_2(command: u8, family: u8, body: &[u8]) -> (Option<(SocketAddr, SocketAddr)>, &[u8]) {
    const PROXY: u8 = 1;
    let ports = |bytes: [u8; 4]| {
        let [a, b, c, d] = bytes;
        (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
    };
    let (client, server, (from, to), rest) = match (command & 0x0f, family >> 4) {
        (PROXY, 1) => {
            let Some((&[a, b, c, d, e, f, g, h, p @ ..], rest)) = body.split_first_chunk::<12>() else {
                return (None, &[]);
            };
            let (client, server) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
            (IpAddr::V4(client), IpAddr::V4(server), ports(p), rest)
        }
        (PROXY, 2) => {
            let parts = body.split_first_chunk::<16>().and_then(|(client, rest)| {
                let (server, rest) = rest.split_first_chunk::<16>()?;
                let (p, rest) = rest.split_first_chunk::<4>()?;
                Some((*client, *server, *p, rest))
            });
            let Some((client, server, p, rest)) = parts else { return (None, &[]) };
            (IpAddr::V6(Ipv6Addr::from(client)), IpAddr::V6(Ipv6Addr::from(server)), ports(p), rest)
        }
        (_, 3) => return (None, body.get(216..).unwrap_or_default()),
        (PROXY, _) => return (None, body),
        _ => return (None, &[]),
    };
    (Some((SocketAddr::new(client, from), SocketAddr::new(server, to))), rest)
}

/// The host name among the fields after the addresses, each of a type, a length and a value.
fn authority(mut fields: &[u8]) -> Option<Box<str>> {
    const AUTHORITY: u8 = 2;
    while let Some((&[kind, high, low], rest)) = fields.split_first_chunk::<3>() {
        let (value, after) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
        if kind == AUTHORITY && value.len() <= LONGEST_NAME {
            return std::str::from_utf8(value).ok().map(Into::into);
        }
        fields = after;
    }
    None
}

/// What a SOCKS client asked for: the version and `host:port`. `None` where the dialogue is not whole.
pub(in crate::wire::http1) fn socks(dialogue: &[u8]) -> Option<(PrefaceKind, Box<str>)> {
    match dialogue.first()? {
        4 => socks_4(dialogue),
        5 => socks_5(dialogue),
        _ => None,
    }
}

/// Version, command, port, address, user, and in 4a a host name where the address is 0.0.0.x.
fn socks_4(dialogue: &[u8]) -> Option<(PrefaceKind, Box<str>)> {
    let (&[_, _, p, q, address @ ..], rest) = dialogue.split_first_chunk::<8>()?;
    let port = u16::from_be_bytes([p, q]);
    let user = memchr::memchr(0, rest)?;
    let host = match address {
        [0, 0, 0, last] if last != 0 => {
            let name = rest.get(user + 1..)?;
            host_name(name.get(..memchr::memchr(0, name)?)?)?
        }
        address => Ipv4Addr::from(address).to_string(),
    };
    Some((PrefaceKind::Socks4, format!("{host}:{port}").into()))
}

/// Methods, perhaps a user and a password, then the request.
fn socks_5(dialogue: &[u8]) -> Option<(PrefaceKind, Box<str>)> {
    const PASSWORD: u8 = 1;
    let methods = usize::from(*dialogue.get(1)?);
    let mut rest = dialogue.get(2 + methods..)?;
    if rest.first() == Some(&PASSWORD) {
        let user = usize::from(*rest.get(1)?);
        let password = usize::from(*rest.get(2 + user)?);
        rest = rest.get(3 + user + password..)?;
    }
    let (&[5, _, _, kind], rest) = rest.split_first_chunk::<4>()? else { return None };
    let (host, rest) = match kind {
        1 => {
            let (address, rest) = rest.split_first_chunk::<4>()?;
            (Ipv4Addr::from(*address).to_string(), rest)
        }
        4 => {
            let (address, rest) = rest.split_first_chunk::<16>()?;
            (format!("[{}]", Ipv6Addr::from(*address)), rest)
        }
        3 => {
            let (length, rest) = rest.split_first()?;
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            (host_name(name)?, rest)
        }
        _ => return None,
    };
    let port = u16::from_be_bytes(*rest.first_chunk()?);
    Some((PrefaceKind::Socks5, format!("{host}:{port}").into()))
}

fn host_name(bytes: &[u8]) -> Option<String> {
    (bytes.len() <= LONGEST_NAME).then(|| String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{PrefaceKind, proxy, socks};

    fn ends(data: &[u8]) -> Option<(String, String)> {
        proxy(data).unwrap().ends.map(|(client, server)| (client.to_string(), server.to_string()))
    }

    #[test]
    fn version_1_lines() {
        let named = |client: &str, server: &str| Some((client.to_owned(), server.to_owned()));
        for (line, expected) in [
            ("PROXY TCP4 203.0.113.9 10.0.0.1 5555 80\r\n", named("203.0.113.9:5555", "10.0.0.1:80")),
            ("PROXY TCP6 2001:db8::9 ::1 5555 80\r\n", named("[2001:db8::9]:5555", "[::1]:80")),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 5555 80\n", named("203.0.113.9:5555", "10.0.0.1:80")),
            ("PROXY UNKNOWN\r\n", None),
            ("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
            ("PROXY TCP4 2001:db8::9 10.0.0.1 5555 80\r\n", None),
            ("PROXY TCP4 203.0.113.9 10.0.0.1 99999 80\r\n", None),
            ("PROXY TCP4 203.0.113.9\r\n", None),
        ] {
            assert_eq!(ends(line.as_bytes()), expected, "{line}");
            assert_eq!(proxy(line.as_bytes()).unwrap().len, line.len());
            assert_eq!(proxy(&line.as_bytes()[..line.len() - 1]), None, "{line}");
        }
    }

    fn version_2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u16).to_be_bytes();
        [b"\0\r\nQUIT\n", &[command, family][..], &length, body].concat()
    }

    #[test]
    fn version_2_with_and_without_fields() {
        let four = [203, 0, 113, 9, 10, 0, 0, 1, 0x15, 0xb3, 0, 80];
        let tlvs = b"\x01\0\x02h2\x02\0\x07foo.bar\x20\0\x08\x01\0\0\0\0\x21\0\0";
        let with = version_2(0x21, 0x11, &[&four[..], tlvs].concat());
        let header = proxy(&with).unwrap();
        assert_eq!((header.kind, header.len), (PrefaceKind::Proxy2, with.len()));
        assert_eq!(header.authority.as_deref(), Some("foo.bar"));
        assert_eq!(ends(&with).unwrap().0, "203.0.113.9:5555");
        for cut in 0..with.len() {
            assert_eq!(proxy(&with[..cut]), None, "{cut}");
        }
        let six = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[9], &[0; 15], &[1, 0x15, 0xb3, 0, 80]].concat();
        assert_eq!(ends(&version_2(0x21, 0x21, &six)).unwrap().0, "[2001:db8::9]:5555");
        assert_eq!(ends(&version_2(0x20, 0x11, &four)), None, "LOCAL");
        assert_eq!(ends(&version_2(0x21, 0x11, &four[..11])), None, "too short for its family");
        assert_eq!(ends(&version_2(0x21, 0x31, &[0; 216])), None, "Unix sockets");
        let broken = version_2(0x21, 0x11, &[&four[..], b"\x02\xff\xffx"].concat());
        assert_eq!(proxy(&broken).unwrap().authority, None);
    }

    #[test]
    fn socks_destinations() {
        let four = b"\x04\x01\x00\x50\x0a\x00\x00\x05root\0";
        let four_a = b"\x04\x01\x00\x50\x00\x00\x00\x01root\0api.test\0";
        let five = b"\x05\x01\x00\x05\x01\x00\x01\x0a\x00\x00\x05\x00\x50";
        let password = b"\x05\x02\x00\x02\x01\x02me\x03pwd\x05\x01\x00\x03\x08api.test\x01\xbb";
        let six = [b"\x05\x01\x00\x05\x01\x00\x04", &[0; 15][..], b"\x01\x00\x50"].concat();
        for (dialogue, expected) in [
            (&four[..], "10.0.0.5:80"),
            (four_a, "api.test:80"),
            (five, "10.0.0.5:80"),
            (password, "api.test:443"),
            (&six, "[::1]:80"),
        ] {
            assert_eq!(socks(dialogue).unwrap().1.as_ref(), expected);
            for cut in 0..dialogue.len() {
                assert_eq!(socks(&dialogue[..cut]), None, "{expected} {cut}");
            }
        }
    }
}
