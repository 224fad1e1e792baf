//! Whether bytes can begin an HTTP/1.1 message, and the name of what they are otherwise.

use crate::wire::http1::heads::lenient::is_token;
use crate::wire::http1::heads::preface;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sniff {
    /// They begin a message.
    Http,
    /// Too few to say.
    More,
    /// They begin something else.
    Other(&'static str),
}

/// The longest method that is believed without a version in the line.
const LONGEST_METHOD: usize = 32;

/// Methods that are HTTP's and of no other line protocol that is common.
pub(in crate::wire::http1) const METHODS: [&[u8]; 12] = [
    b"GET",
    b"POST",
    b"PUT",
    b"DELETE",
    b"HEAD",
    b"PATCH",
    b"OPTIONS",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"MKCOL",
    b"REPORT",
];

/// Whether `data` begins a request. Says `More` at most until the first line is whole.
pub(crate) fn request(data: &[u8]) -> Sniff {
    let Some(first) = data.first() else { return Sniff::More };
    if !is_token(*first) {
        return binary(data);
    }
    let method = data.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_token(**byte)).count();
    match data.get(method) {
        None if method <= LONGEST_METHOD => return Sniff::More,
        Some(b' ' | b'\t') if method <= LONGEST_METHOD => {}
        _ => return odd_line(data),
    }
    let Some(end) = memchr::memchr(b'\n', data) else { return Sniff::More };
    request_line(data.get(..=end).unwrap_or_default(), data.get(..method).unwrap_or_default())
}

/// Whether `data`, which follows an earlier request, begins another one. What stands directly before a well known method is the
/// rest of content whose length was announced too short, and so no part of a method.
pub(crate) fn later_request(data: &[u8]) -> Sniff {
    let token = data.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_token(**byte)).count();
    let is_later = match data.get(token) {
        None => true,
        Some(b' ' | b'\t') => !hides_method(data.get(..token).unwrap_or_default()),
        Some(_) => METHODS.iter().any(|method| data.starts_with(method)),
    };
    if is_later { request(data) } else { Sniff::Other("content") }
}

/// Whether `name` ends with a well known method and begins with what no method begins with.
pub(crate) fn hides_method(name: &[u8]) -> bool {
    if name.iter().all(u8::is_ascii_uppercase) {
        return false;
    }
    let before =
        METHODS.iter().filter_map(|method| name.strip_suffix(*method)).min_by_key(|before| before.len());
    before.is_some_and(|before| {
        before.starts_with(b"-") || before.iter().any(|byte| !byte.is_ascii_uppercase() && *byte != b'-')
    })
}

/// Whether `data`, directly behind the content of a request, may begin another one as far as it goes.
pub(crate) fn may_follow(data: &[u8]) -> bool {
    match later_request(data) {
        Sniff::Http => true,
        Sniff::Other(_) => false,
        Sniff::More => data.first().is_some_and(u8::is_ascii_uppercase),
    }
}

/// Whether `data` is the beginning of a request line: a well known method and a blank.
pub(crate) fn begun_request(data: &[u8]) -> bool {
    let method = data.iter().take(LONGEST_METHOD).take_while(|byte| is_token(**byte)).count();
    let is_known = METHODS.contains(&data.get(..method).unwrap_or_default());
    is_known && matches!(data.get(method), Some(b' ' | b'\t'))
}

/// Whether `data`, the first bytes inside a CONNECT tunnel, begins a request: anything may be there, so the line has to be whole
/// and right.
pub(crate) fn request_in_tunnel(data: &[u8]) -> Sniff {
    match request(data) {
        Sniff::Http if !surely_request(data) => Sniff::Other("other"),
        other => other,
    }
}

/// Whether `data` begins a request with a method that is well known.
pub(crate) fn known_request(data: &[u8]) -> Sniff {
    let begins = |method: &&[u8]| {
        let both = data.len().min(method.len());
        data.get(..both) == method.get(..both) && data.get(method.len()).is_none_or(|byte| *byte == b' ')
    };
    if METHODS.iter().any(begins) { request(data) } else { Sniff::Other("content") }
}

/// Whether a whole first line is a request line.
fn request_line(data: &[u8], method: &[u8]) -> Sniff {
    let line = data.trim_ascii_end();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    if line == b"PRI * HTTP/2.0" {
        Sniff::Other("http/2")
    } else if version.starts_with(b"HTTP/1.") {
        Sniff::Http
    } else if version.starts_with(b"RTSP/") {
        Sniff::Other("rtsp")
    } else if version.starts_with(b"SIP/") {
        Sniff::Other("sip")
    } else if METHODS.contains(&method) {
        let target = line.get(method.len()..).unwrap_or_default().trim_ascii_start();
        if target.is_empty() { text(line) } else { Sniff::Http }
    } else {
        odd_line(data)
    }
}

/// Whether a first line that is no request line was surely meant to be one: it names the protocol before any control
/// character but the tab.
fn odd_line(data: &[u8]) -> Sniff {
    const LONGEST: usize = 1024;
    match text(data) {
        Sniff::Other("other") => {}
        known => return known,
    }
    let data = data.get(..LONGEST).unwrap_or(data);
    let is_text = |byte: &&u8| **byte >= b' ' && **byte != 0x7F || **byte == b'\t';
    let printable = data.iter().take_while(is_text).count();
    let line = data.get(..printable).unwrap_or_default();
    if memchr::memmem::find(line, b"HTTP/1.").is_some() {
        Sniff::Http
    } else if printable == data.len() && printable < LONGEST {
        Sniff::More
    } else {
        Sniff::Other("other")
    }
}

/// Whether `byte` may be in a method.
pub(in crate::wire::http1) fn is_method_byte(byte: u8) -> bool {
    is_token(byte)
}

/// Whether `data` begins a response.
pub(crate) fn response(data: &[u8]) -> Sniff {
    const NAME: &[u8] = b"HTTP/";
    let known = data.len().min(NAME.len());
    if data.get(..known) == NAME.get(..known) {
        return match data.get(NAME.len()) {
            None => Sniff::More,
            Some(b'0'..=b'9') => Sniff::Http,
            Some(_) => Sniff::Other("other"),
        };
    }
    match data.first() {
        None => Sniff::More,
        Some(first) if *first < b' ' || *first >= 0x7F => binary(data),
        Some(_) => text(data),
    }
}

/// Whether `data`, which begins at a segment's start, is surely the beginning of a request.
pub(crate) fn surely_request(data: &[u8]) -> bool {
    let method = data.iter().take(LONGEST_METHOD + 1).take_while(|byte| is_token(**byte)).count();
    if method == 0 || data.get(method) != Some(&b' ') {
        return false;
    }
    let Some(end) = memchr::memchr(b'\n', data) else {
        // The line goes on in the next segment: a known method and a target must do.
        let name = data.get(..method).unwrap_or_default();
        return METHODS.contains(&name) && matches!(data.get(method + 1), Some(b'/' | b'h' | b'*'));
    };
    let line = data.get(..end).unwrap_or_default();
    let version = memchr::memrchr(b' ', line).filter(|space| *space > method + 1);
    version.and_then(|space| line.get(space + 1..)).is_some_and(|version| version.starts_with(b"HTTP/1."))
}

/// Whether `data`, which begins at a segment's start, is surely the beginning of a response.
pub(crate) fn surely_response(data: &[u8]) -> bool {
    data.starts_with(b"HTTP/1.")
        && data.get(8) == Some(&b' ')
        && data.get(9..12).is_some_and(|code| code.iter().all(u8::is_ascii_digit))
}

/// What follows the line ends and the zero that version 2 of the PROXY protocol begins with.
const PROXY_2: &[u8] = b"\r\nQUIT\n";

/// Whether two pieces are alike as far as both go.
fn begins(data: &[u8], with: &[u8]) -> bool {
    data.iter().zip(with).all(|(a, b)| a == b)
}

/// The name of a protocol whose first bytes are no text.
#[expect(clippy::unnested_or_patterns, reason = "one prefix of a handshake a line")]
fn binary(data: &[u8]) -> Sniff {
    match data {
        // Too short for TLS, AJP or FastCGI.
        [0x14..=0x17]
        | [0x14..=0x17, 3]
        | [1]
        | [0x12]
        | [0x12, 0x34]
        | [0x12, 0x34, _]
        | [0x12, 0x34, _, _] => Sniff::More,
        [0x14..=0x17, 3, 0..=4, ..] | [0x80..=0xFF, _, 1, 0 | 3, ..] => Sniff::Other("tls"),
        [5, 1..=9, ..] | [4, 1 | 2, ..] => Sniff::Other("socks"),
        [0, rest @ ..] if begins(rest, PROXY_2) => match preface::proxy_2_len(data) {
            Some(_) => Sniff::Other("proxy protocol"),
            None => Sniff::More,
        },
        [0x80..=0xFF, ..] => odd_line(data),
        [0x12, 0x34, _, _, 1..=10, ..] => Sniff::Other("ajp"),
        // Version, the type of the first record, its number, length and padding, and a zero.
        [1, 1 | 9, _, _, _, _, _, 0, ..] => Sniff::Other("fastcgi"),
        [1, 1 | 9, rest @ ..] if rest.len() < 6 => Sniff::More,
        _ => uwsgi(data),
    }
}

/// A uwsgi packet: a modifier, the length of its variables in little-endian order, another modifier, and the first variable.
fn uwsgi(data: &[u8]) -> Sniff {
    let length = data.get(1..3).map_or(1, |length| length.iter().map(|byte| usize::from(*byte)).sum());
    let may_be =
        matches!(data.first(), Some(0 | 5 | 7)) && length > 0 && data.get(3).is_none_or(|byte| *byte == 0);
    if may_be && data.len() < 7 {
        return Sniff::More;
    }
    let &[0 | 5 | 7, low, high, 0, name_low, name_high, first, ..] = data else {
        return Sniff::Other("binary");
    };
    let (all, name) = (u16::from_le_bytes([low, high]), u16::from_le_bytes([name_low, name_high]));
    let is_variable = name > 0 && name < 256 && all > name + 2 && first.is_ascii_uppercase();
    Sniff::Other(if is_variable { "uwsgi" } else { "binary" })
}

/// SCGI: a netstring whose first field is the length of the content.
fn is_scgi(data: &[u8]) -> bool {
    let digits = data.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && data.get(digits..).is_some_and(|rest| rest.starts_with(b":CONTENT_LENGTH\0"))
}

/// Whether a segment of a connection whose beginning was not seen starts with a record of TLS, whose length is possible.
pub(crate) fn tls_record(data: &[u8]) -> bool {
    matches!(data, [0x14..=0x17, 3, 0..=4, 0..=0x48, _, ..])
}

/// The name of a protocol whose first bytes are text.
fn text(data: &[u8]) -> Sniff {
    const NAMES: [(&[u8], &str); 14] = [
        (b"SSH-", "ssh"),
        (b"RTSP/", "rtsp"),
        (b"SIP/", "sip"),
        (b"220", "smtp or ftp"),
        (b"EHLO", "smtp or ftp"),
        (b"HELO", "smtp or ftp"),
        (b"USER ", "smtp or ftp"),
        (b"+OK", "pop3"),
        (b"* OK", "imap"),
        (b"ICY ", "icy"),
        (b"PROXY ", "proxy protocol"),
        (b"RFB 0", "vnc"),
        (b"*", "redis"),
        (b"NICK ", "irc"),
    ];
    if is_scgi(data) {
        return Sniff::Other("scgi");
    }
    let name = NAMES.iter().find(|(start, _)| data.starts_with(start)).map_or("other", |(_, name)| *name);
    Sniff::Other(name)
}

#[cfg(test)]
mod tests {
    use super::{Sniff, begun_request, later_request, may_follow, request, response, surely_request};

    #[test]
    fn requests_and_what_looks_like_them() {
        for (data, expected) in [
            (&b"GET / HTTP/1.1\r\n"[..], Sniff::Http),
            (b"VERSION-CONTROL /a HTTP/1.0\n", Sniff::Http),
            (b"GET /a b HTTP/1.1\r\n", Sniff::Http),
            (b"GET / HTTP/1.1", Sniff::More),
            (b"POS", Sniff::More),
            (b"GET /\r\n", Sniff::Http),
            (b"GET/ HTTP/1.1\r\n", Sniff::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Sniff::Other("http/2")),
            (b"\x16\x03\x01\x02\x00", Sniff::Other("tls")),
            (b"SSH-2.0-OpenSSH_9.2\r\n", Sniff::Other("ssh")),
            (b"OPTIONS rtsp://a/ RTSP/1.0\r\n", Sniff::Other("rtsp")),
            (b"INVITE sip:a@b SIP/2.0\r\n", Sniff::Other("sip")),
            (b"EHLO a\r\n", Sniff::Other("smtp or ftp")),
            (b"POST\t/a\tHTTP/1.1\r\n", Sniff::Http),
            (b"PURGE\t/a\tHTTP/1.1\r\n", Sniff::Http),
            (b"P\xd6ST /a HTTP/1.1\r\n", Sniff::Http),
            (b"\xef\xbb\xbfPOST /a HTTP/1.1\r\n", Sniff::Http),
            (b"\xef\xbb\xbf", Sniff::More),
            (b"\xd0\x01\x02\x03\x04", Sniff::Other("other")),
            (b"\x00\x01", Sniff::More),
            (b"\x00\x01\x02\x03\x04\x05\x06", Sniff::Other("binary")),
        ] {
            assert_eq!(request(data), expected, "{data:?}");
        }
    }

    #[test]
    fn the_rest_of_a_body_is_no_method() {
        for (data, expected) in [
            (&b"k1=v&k2=v"[..], Sniff::Other("content")),
            (b"abc", Sniff::More),
            (b"abcGET /b HTTP/1.1\r\n", Sniff::Other("content")),
            (b"1POST /b HTTP/1.1\r\n", Sniff::Other("content")),
            (b"}", Sniff::Other("content")),
            (b"ORDERPATCH /b HTTP/1.1\r\n", Sniff::Http),
            (b"X-GET /b HTTP/1.1\r\n", Sniff::Http),
            (b"get /b HTTP/1.1\r\n", Sniff::Http),
            (b"GET/b HTTP/1.1\r\n", Sniff::Http),
        ] {
            assert_eq!(later_request(data), expected, "{data:?}");
        }
        assert!(
            begun_request(b"POST ")
                && begun_request(b"GET\t/a")
                && !begun_request(b"POST")
                && !begun_request(b"a b")
        );
        assert!(may_follow(b"GE") && !may_follow(b"ge") && !may_follow(b"{"));
    }

    #[test]
    fn responses_and_what_looks_like_them() {
        assert_eq!(response(b"HTTP/1.1 200 OK\r\n"), Sniff::Http);
        assert_eq!(response(b"HTT"), Sniff::More);
        assert_eq!(response(b"SSH-2.0-x\r\n"), Sniff::Other("ssh"));
        assert_eq!(response(b"\x16\x03\x03"), Sniff::Other("tls"));
    }

    #[test]
    fn a_body_is_no_request() {
        assert!(surely_request(b"GET /a HTTP/1.1\r\nHost: x\r\n"));
        assert!(!surely_request(b"name value\n"));
        assert!(!surely_request(b"{\"a\": 1}"));
        assert!(!surely_request(b"HTTP/1.1 200 OK\r\n"));
    }
}
