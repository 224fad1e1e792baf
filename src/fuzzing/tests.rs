//! Every target over its seeds and over random mutations of them.

use std::net::SocketAddr;

use crate::model::Timestamp;
use crate::synth::Conversation;

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

#[test]
fn request_heads() {
    mutate(super::request_head, &[REQUEST, b"GET / HTTP/1.0\n\n", b"GET/aHTTP/1.1\r\n\r\n", b": \r\n"], 2000);
}

#[test]
fn response_heads() {
    mutate(super::response_head, &[RESPONSE, b"HTTP/1.0 200\n\n", b"HTTP/1.1 0200 \r\n\r\n"], 2000);
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

/// Frames of a plain connection as the `frames` target reads them.
fn frame_seeds() -> Vec<Vec<u8>> {
    let (client, server) = (SocketAddr::from(([10, 0, 0, 1], 40_000)), SocketAddr::from(([10, 0, 0, 2], 80)));
    let t = Timestamp(1);
    let talk = |raw: bool| {
        let talk = Conversation::new(client, server);
        let talk = if raw { talk.raw_ip() } else { talk };
        let talk = talk.handshake(t).client(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", t);
        talk.server(b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", t).fin(t).into_frames()
    };
    let write = |raw: bool| {
        let mut bytes = Vec::new();
        for made in talk(raw) {
            bytes.extend_from_slice(&[u8::from(raw), 1, 0, 0]);
            bytes.extend_from_slice(&(made.data.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&made.data);
        }
        bytes
    };
    vec![write(false), write(true)]
}
