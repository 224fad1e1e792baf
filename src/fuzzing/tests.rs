//! Every target over its seeds and over random mutations of them.

use std::net::SocketAddr;

use crate::model::Timestamp;
use crate::synth::{Conversation, MadeFrame};

use super::input::Random;

/// `WHY403_FUZZ_ROUNDS=100` runs a hundred times as many.
fn rounds_of(few: u32) -> u32 {
    let factor = std::env::var("WHY403_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok());
    few.saturating_mul(factor.unwrap_or(1))
}

/// Runs a target over its seeds and over mutations of them.
fn mutate(target: fn(&[u8]), seeds: &[&[u8]], rounds: u32) {
    let mut random = Random::new(403);
    for seed in seeds {
        target(seed);
        for _ in 0..rounds_of(rounds) {
            let mut data = seed.to_vec();
            for _ in 0..=random.below(6) {
                random.change(&mut data, seeds);
            }
            target(&data);
        }
    }
}

const REQUEST: &[u8] =
    b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nX : y\r\n folded\r\n\r\nno";

/// Two heads with the same names.
const REQUESTS: &[u8] =
    b"GET /a HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\nPOST /b HTTP/1.1\r\nHost: y\r\nAccept: a, b\r\n\r\n";
const RESPONSES: &[u8] =
    b"HTTP/1.1 200 OK\r\nServer: x\r\nX-A:  y\r\n\r\nHTTP/1.1 403 No\r\nServer: z\r\nX-A:  z z\r\n\r\n";

#[test]
fn request_heads() {
    mutate(
        super::request_head,
        &[REQUEST, REQUESTS, b"GET / HTTP/1.0\n\n", b"GET/aHTTP/1.1\r\n\r\n", b": \r\n"],
        2000,
    );
}

#[test]
fn log_lines() {
    mutate(
        super::log_lines,
        &[
            b"10.0.0.7 - ada [22/Nov/2026:08:29:17 +0000] \"POST /a HTTP/1.1\" 403 448 \"-\" \"curl\"\n",
            b"2026/11/22 08:29:17 [error] 7#7: *1 access forbidden by rule, client: 10.0.0.7, request: \"POST /a HTTP/1.1\"\n",
            br#"{"time":1795336157.5,"req":{"method":"POST","url":"/a","id":"a1b2c3d4e5"},"res":{"statusCode":403}}"#,
            b"ForbiddenError: no\n    at csrf (/srv/a.js:1:2)\n\tinner\nlevel=warn path=/a \"unclosed request_id=a1b2c3d4e5\n",
            b"\x1b[31m[client 10.0.0.7:4711] ModSecurity: Access denied with code 403 [id \"942100\"]\x1b[0m\n",
        ],
        300,
    );
}

#[test]
fn response_heads() {
    mutate(
        super::response_head,
        &[RESPONSE, RESPONSES, b"HTTP/1.0 200\n\n", b"HTTP/1.1 0200 \r\n\r\n"],
        2000,
    );
}

#[test]
fn beginnings() {
    mutate(
        super::sniff,
        &[REQUEST, RESPONSE, b"SSH-2.0-x\r\n", b"\x16\x03\x01", b"GETHTTP/1.1\r\n", b"OPTIONS"],
        500,
    );
}

#[test]
fn chunked_bodies() {
    mutate(
        super::chunked,
        &[b"5;a=b\r\nhello\r\n0\r\n\r\n", b"0x1\nA\n0\n\n", b"1_0\r\n0123456789abcdef\r\n"],
        2000,
    );
}

#[test]
fn conversations() {
    let both = [&[3, 100, 0][..], REQUEST, b"5\r\nhello\r\n0\r\n\r\n", RESPONSE].concat();
    let twice =
        [&[3, 220, 0][..], REQUEST, b"5\r\nhello\r\n0\r\n\r\n", REQUEST, b"0\r\n\r\n", RESPONSE, RESPONSE]
            .concat();
    mutate(super::conversation, &[&both, &twice], 1000);
}

#[test]
fn content_codings() {
    let gzip = b"\0\x1f\x8b\x08\0\0\0\0\0\0\x03\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0";
    let zstd = b"\x03\x28\xb5\x2f\xfd\x04\x58\x29\0\0hello\x88\x2c\xd5\x7d";
    mutate(
        super::coding,
        &[gzip, zstd, b"\x01\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\0", b"\x02\x0b\x02\x80hello\x03"],
        500,
    );
}

#[test]
fn filters() {
    mutate(
        super::filter,
        &[b"method:POST status:403", b"(status:>=400 or not path:/v1/*) -host:x", b"/re.gex/ \"a b\""],
        1000,
    );
}

#[test]
fn texts_for_terminals() {
    mutate(super::sanitize, &[b"plain", "\u{202e}\u{1b}[31m\u{9b}x\r\n\0".as_bytes()], 1000);
}

#[test]
fn schedules() {
    let mut random = Random::new(7);
    for _ in 0..rounds_of(2000) {
        let len = random.below(400) as usize;
        let data: Vec<u8> = (0..len).map(|_| random.below(256) as u8).collect();
        let failed = std::panic::catch_unwind(|| super::schedule(&data)).is_err();
        assert!(!failed, "{data:?}");
    }
}

#[test]
fn frames() {
    let mut random = Random::new(8);
    let seeds: Vec<Vec<u8>> = frame_seeds();
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    mutate(super::frames, &seeds, 300);
    for _ in 0..300 {
        let data: Vec<u8> = (0..random.below(600)).map(|_| random.below(256) as u8).collect();
        super::frames(&data);
    }
}

#[test]
fn fragments_of_known_datagrams() {
    // Two datagrams in order, one backwards, one with overlaps, one cut by snaplen; IPv4 and IPv6.
    let whole = [[4, 1, 1, 0, 0xd8, 5], [4, 1, 1, 187, 0xd8, 5], [0, 1, 1, 255, 0xd8, 5]].concat();
    let back = [[1, 1, 2, 250, 0xd8, 5], [5, 1, 2, 125, 0xd8, 5], [5, 1, 2, 0, 0xd8, 5]].concat();
    let odd =
        [[0xf4, 1, 3, 0, 0xd8, 5], [9, 4, 1, 3, 0, 100], [6, 255, 4, 9, 3, 1], [2, 255, 4, 9, 3, 1]].concat();
    mutate(super::fragments, &[&whole, &back, &odd], 1000);
    let mut random = Random::new(9);
    for _ in 0..rounds_of(1000) {
        let data: Vec<u8> = (0..random.below(400)).map(|_| random.below(256) as u8).collect();
        super::fragments(&data);
    }
}

#[test]
fn savefiles() {
    let (plain, ng) = (capture(), next_generation());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(&plain[..], ruzstd::encoding::CompressionLevel::Fastest);
    mutate(
        super::savefile,
        &[
            &plain,
            &ng,
            &gzip,
            &zstd,
            b"\xa1\xb2\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff<\"M\0\x91M\0\0\0",
        ],
        60,
    );
}

#[test]
fn proxy_headers() {
    let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x9c\x40\x01\xbb\x16\x03\x01";
    let six = [&b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x27"[..], &[1; 39]].concat();
    let v1 = b"PROXY TCP4 10.0.0.1 10.0.0.2 40000 443\r\n\x16\x03\x01";
    mutate(super::proxy, &[v1, v2, &six, b"PROXY TCP6 ::1 ::2 1 65535\r\n", b"PROXY UNKNOWN\r\n"], 1000);
}

#[test]
fn tls_sessions() {
    // A client hello with TLS 1.3 and its key share, and the first bytes of a server's answer.
    let hello = b"\0\xff\x16\x03\x01\0\x6f\x01\0\0\x6b\x03\x03\0\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\
        \x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\0\0\x02\x13\x01\x01\0\0\x40\0\x2b\0\x03\x02\x03\x04\
        \0\x0d\0\x04\0\x02\x04\x03\0\x0a\0\x04\0\x02\0\x1d\0\x33\0\x26\0\x24\0\x1d\0\x20\x09\x09\x09\x09\x09\x09\x09\x09\x09\
        \x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09";
    let server = b"\x01\x10\x16\x03\x03\0\x2a\x02\0\0\x26\x03\x03aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\0\x13\x01\0\x15\x03\x03\0\x02\x02\x28";
    mutate(super::session, &[hello, server, b"\0\xffGET / HTTP/1.1\r\n\r\n"], 100);
}

/// A capture in the old format.
fn capture() -> Vec<u8> {
    crate::synth::pcap::to_bytes(&connection(false))
}

/// The same in pcapng: a section, an interface, packets of both kinds, a block that nobody knows.
fn next_generation() -> Vec<u8> {
    let block = |kind: u32, body: &[u8]| {
        let body = [body, &vec![0; body.len().next_multiple_of(4) - body.len()]].concat();
        let len = (12 + body.len()) as u32;
        [&kind.to_le_bytes()[..], &len.to_le_bytes(), &body, &len.to_le_bytes()].concat()
    };
    let section = [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255];
    let interface = [1, 0, 0, 0, 0, 0, 4, 0, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0];
    let mut out = [block(0x0a0d_0d0a, &section), block(1, &interface), block(99, b"unknown")].concat();
    for (n, made) in connection(false).iter().enumerate() {
        let len = (made.data.len() as u32).to_le_bytes();
        if n % 3 == 2 {
            out.extend(block(3, &[&len[..], &made.data].concat()));
        } else {
            let head = [0, 0, 0, 0, 1, 0, 0, 0, n as u8, 0, 0, 0];
            out.extend(block(6, &[&head[..], &len, &len, &made.data].concat()));
        }
    }
    out
}

/// A plain connection.
fn connection(raw: bool) -> Vec<MadeFrame> {
    let (client, server) = (SocketAddr::from(([10, 0, 0, 1], 40_000)), SocketAddr::from(([10, 0, 0, 2], 80)));
    let t = Timestamp(1);
    let talk = Conversation::new(client, server);
    let talk = if raw { talk.raw_ip() } else { talk };
    let talk = talk.handshake(t).client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", t);
    talk.server(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", t).fin(t).into_frames()
}

/// Frames of a plain connection as the `frames` target reads them.
fn frame_seeds() -> Vec<Vec<u8>> {
    let write = |raw: bool| {
        let mut bytes = Vec::new();
        for made in connection(raw) {
            bytes.extend_from_slice(&[u8::from(raw), 1, 0, 0]);
            bytes.extend_from_slice(&(made.data.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&made.data);
        }
        bytes
    };
    vec![write(false), write(true)]
}

const HAR: &[u8] = br#"{"log":{"creator":{"name":"x","version":"1"},"entries":[{"startedDateTime":"2026-11-22T07:52:01.123Z",
"connection":"7","request":{"method":"POST","url":"https://a.test/x?y","httpVersion":"h2","headers":[{"name":":authority","value":"a.test"},
{"name":"cookie","value":"a=1\nb=2"}],"bodySize":2,"postData":{"mimeType":"text/plain","text":"h\u00e9","params":[{"name":"a","value":"b"}]}},
"response":{"status":403,"statusText":"No","headers":[{"name":"Content-Encoding","value":"gzip"}],"content":{"size":3,"text":"aGk=",
"encoding":"base64"},"_error":"net::ERR_FAILED"},"timings":{"wait":1e3,"send":-1}}]}}"#;

#[test]
fn records() {
    let verbose = include_bytes!("../import/transcript/samples/verbose.txt");
    let trace = include_bytes!("../import/transcript/samples/trace.txt");
    let ascii = include_bytes!("../import/transcript/samples/ascii.txt");
    let wget = include_bytes!("../import/transcript/samples/wget.txt");
    let plain = include_bytes!("../import/transcript/samples/httpie.txt");
    mutate(super::record, &[HAR, verbose, trace, ascii, wget, plain], 500);
}
