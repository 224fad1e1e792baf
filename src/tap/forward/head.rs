//! The head that names the server: of a CONNECT, or of a request in absolute form. No other HTTP is parsed here.

/// The longest head that is read.
pub(in crate::tap) const MAX_HEAD: usize = 64 << 10;
/// The longest host name.
const MAX_HOST: usize = 255;

/// What the first bytes of a connection to the proxy are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Head {
    /// More bytes are needed.
    Partial,
    /// No request for a proxy; says why.
    Invalid(&'static str),
    /// A head of so many bytes.
    Complete(usize, Wanted),
}

/// Which server a client wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tap) struct Wanted {
    /// Name or address, without brackets, in lower case.
    pub(in crate::tap) host: String,
    /// The port.
    pub(in crate::tap) port: u16,
    /// What to send to the server in place of the head; nothing of a CONNECT.
    pub(in crate::tap) head: Vec<u8>,
    /// Whether it is a CONNECT.
    pub(in crate::tap) connect: bool,
}

/// Reads a head.
pub(in crate::tap) fn parse(bytes: &[u8]) -> Head {
    let window = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    if window.first().is_some_and(|byte| !byte.is_ascii_uppercase()) {
        return Head::Invalid("the client does not speak HTTP to the proxy: use http:// in the proxy's URL");
    }
    let Some(end) = memchr::memmem::find(window, b"\r\n\r\n") else {
        return if bytes.len() < MAX_HEAD {
            Head::Partial
        } else {
            Head::Invalid("the head has more than 64 KiB")
        };
    };
    let head = window.get(..end + 2).unwrap_or_default();
    let Some(line_end) = memchr::memmem::find(head, b"\r\n") else { return Head::Invalid("no request line") };
    let (line, fields) = head.split_at(line_end + 2);
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let words: Vec<&[u8]> = line.splitn(4, |byte| *byte == b' ').collect();
    let [method, target, version] = words.as_slice() else { return Head::Invalid("no request line") };
    if !version.starts_with(b"HTTP/1.") {
        return Head::Invalid("the proxy speaks HTTP/1.1");
    }
    let wanted =
        if *method == b"CONNECT" { connect(target) } else { absolute(method, target, version, fields) };
    wanted.map_or(
        Head::Invalid("this is a proxy: it takes CONNECT and requests with an absolute http:// URL"),
        |wanted| Head::Complete(end + 4, wanted),
    )
}

fn connect(target: &[u8]) -> Option<Wanted> {
    let (host, port) = authority(target, None)?;
    Some(Wanted { host, port, head: Vec::new(), connect: true })
}

fn absolute(method: &[u8], target: &[u8], version: &[u8], fields: &[u8]) -> Option<Wanted> {
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"http://"))?;
    let rest = target.get(scheme.len()..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
    let (named, path) = rest.split_at_checked(end)?;
    let (host, port) = authority(named.rsplit(|byte| *byte == b'@').next()?, Some(80))?;
    let mut head = Vec::with_capacity(fields.len() + path.len() + 64);
    let slash: &[u8] = if path.first() == Some(&b'/') { b"" } else { b"/" };
    for part in [method, b" ", slash, path, b" ", version, b"\r\n"] {
        head.extend_from_slice(part);
    }
    let upgrades = lines(fields).any(|line| is(line, b"upgrade"));
    for line in lines(fields) {
        let is_own =
            is(line, b"proxy-connection") || is(line, b"proxy-authorization") || is(line, b"keep-alive");
        if !is_own && (upgrades || !is(line, b"connection")) {
            head.extend_from_slice(line);
        }
    }
    // The next request on this connection may be for another server, so there is none.
    head.extend_from_slice(if upgrades { b"\r\n" } else { b"Connection: close\r\n\r\n" });
    Some(Wanted { host, port, head, connect: false })
}

/// The lines of a head, each with its line break.
fn lines(fields: &[u8]) -> impl Iterator<Item = &[u8]> {
    fields.split_inclusive(|byte| *byte == b'\n')
}

fn is(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        && line.get(name.len()) == Some(&b':')
}

/// Host and port of an authority.
fn authority(bytes: &[u8], default: Option<u16>) -> Option<(String, u16)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<std::net::Ipv6Addr>().ok()?;
            (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
        }
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.parse().ok()?,
        Some(_) => return None,
        None => default?,
    };
    let is_host = !host.is_empty()
        && host.len() <= MAX_HOST
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':'));
    (is_host && port != 0).then(|| (host.to_ascii_lowercase(), port))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Head, MAX_HEAD, parse};

    fn wanted(text: &str) -> Option<(usize, String, u16, bool, String)> {
        match parse(text.as_bytes()) {
            Head::Complete(used, one) => {
                Some((used, one.host, one.port, one.connect, String::from_utf8(one.head).unwrap()))
            }
            _ => None,
        }
    }

    #[test]
    fn connect_and_absolute_requests_name_the_server() {
        let text = "CONNECT Api.Test:8443 HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03";
        assert_eq!(wanted(text), Some((text.len() - 2, "api.test".into(), 8443, true, String::new())));
        let text = "POST http://u:p@a.test/x?y=1 HTTP/1.1\r\nHost: a.test\r\nProxy-Connection: keep-alive\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n";
        let sent = "POST /x?y=1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\n";
        assert_eq!(
            wanted(&format!("{text}{{}}")),
            Some((text.len(), "a.test".into(), 80, false, sent.into()))
        );
        assert_eq!(wanted("CONNECT [::1]:443 HTTP/1.0\r\n\r\n").unwrap().1, "::1");
        assert_eq!(
            wanted("GET http://a.test:81?q HTTP/1.1\r\n\r\n").unwrap().4,
            "GET /?q HTTP/1.1\r\nConnection: close\r\n\r\n"
        );
        let upgrade = "GET http://a.test/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        assert!(wanted(upgrade).unwrap().4.contains("Connection: Upgrade\r\n"));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT a.test HTTP/1.1\r\n\r\n",
            "CONNECT a.test:0 HTTP/1.1\r\n\r\n",
            "CONNECT a.test:+1 HTTP/1.1\r\n\r\n",
            "CONNECT a b:1 HTTP/1.1\r\n\r\n",
            "CONNECT a/b:1 HTTP/1.1\r\n\r\n",
            "GET https://a.test/ HTTP/1.1\r\n\r\n",
            "GET http://a.test/ HTTP/2\r\n\r\n",
            "\x16\x03\x01",
        ] {
            assert!(matches!(parse(text.as_bytes()), Head::Invalid(_)), "{text:?}");
        }
        assert!(matches!(parse(&vec![b'A'; MAX_HEAD]), Head::Invalid(_)));
    }

    proptest! {
        #[test]
        fn a_head_ends_where_it_ends_however_it_is_cut(
            start in prop_oneof![Just("CONNECT a.test:443 HTTP/1.1\r\n"), Just("POST http://a.test/ HTTP/1.1\r\n")],
            fields in "([A-Za-z-]{1,12}: [ -~]{0,20}\r\n){0,6}",
            rest in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let head = format!("{start}{fields}\r\n");
            let whole = [head.as_bytes(), &rest].concat();
            let Head::Complete(used, one) = parse(&whole) else { panic!("complete") };
            prop_assert_eq!(used, head.len());
            prop_assert!(one.connect || one.head.ends_with(b"\r\n\r\n"));
            for cut in 1..head.len() {
                prop_assert_eq!(parse(&whole[..cut]), Head::Partial);
            }
        }

        #[test]
        fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
