//! What the fuzz targets run: one function a target, from bytes alone. The tests of this module run the same functions over
//! random mutations of their seeds, so that every target is tried on every change.

#![expect(clippy::missing_panics_doc, reason = "to panic is how a target says that something is wrong")]

mod fragments;
mod input;
mod links;
mod logs;
mod schedule;
#[cfg(test)]
mod tests;

pub use fragments::fragments;
pub use logs::log_lines;
pub use schedule::schedule;

use std::net::SocketAddr;

use crate::model::{Counters, Exchange, FieldSpan, Fields, Frame, InterfaceId, Span, Timestamp};
use crate::synth::{Conversation, MadeFrame};
use crate::wire::decode::{DecodeLimits, Decoded, Decoder};
use crate::wire::http1::targets;
use crate::wire::pipeline::{Limits, Pipeline};
use input::Input;
use links::LINKS;

/// Frames cut out of `data`, each through both of the decoder's paths and then through the pipeline.
pub fn frames(data: &[u8]) {
    let mut input = Input::new(data);
    let limits = DecodeLimits { fragment_bytes: 1 << 16, fragment_datagrams: 16, ..DecodeLimits::default() };
    let mut decoder = Decoder::new(limits);
    let mut apart = Decoder::new(DecodeLimits { separate_networks: true, ..limits });
    let mut pipeline = Pipeline::new(small());
    let mut out = Vec::new();
    let mut time = 0;
    while !input.is_empty() {
        let link = *input.pick(&LINKS);
        time += i64::from(input.u16()) * 1_000_000;
        let more = u32::from(input.u8() >> 6) * 100;
        let len = usize::from(input.u16()) % 2048;
        let data = input.bytes(len);
        let frame = Frame {
            time: Timestamp(time),
            link,
            interface: InterfaceId(0),
            data,
            wire_len: data.len() as u32 + more,
        };
        for decoder in [&mut decoder, &mut apart] {
            if let Decoded::Segment(segment) = decoder.decode(&frame) {
                assert!(segment.payload.len() <= segment.payload_len as usize);
            }
            assert!(decoder.memory() <= limits.fragment_bytes + (1 << 17));
        }
        pipeline.ingest(&frame, &mut out);
        check(&pipeline, &small());
    }
    pipeline.finish(&mut out);
    check_end(&pipeline, &out, &small());
}

/// A connection that says `data`, request first: the first byte says where the response begins.
pub fn conversation(data: &[u8]) {
    let mut input = Input::new(data);
    let mss = usize::from(input.u8()) + 1;
    let split = usize::from(input.u16());
    let request = input.bytes(split);
    let response = input.rest();
    let (client, server) = (SocketAddr::from(([10, 0, 0, 1], 40_000)), SocketAddr::from(([10, 0, 0, 2], 80)));
    let talk = |mss: usize| {
        let t = Timestamp(1);
        let talk = Conversation::new(client, server).mss(mss).handshake(t);
        talk.client(request, t).server(response, t).fin(t).into_frames()
    };
    let (small, odd) = run(&talk(mss));
    let (large, whole_odd) = run(&talk(60_000));
    // Where HTTP begins after something else, the beginning of a segment is the only hint.
    if !odd && !whole_odd {
        assert_eq!(small, large, "segmentation changes nothing");
    }
}

/// What a sequence of frames gives, checked; and whether some of it was no HTTP or belonged to no message.
fn run(frames: &[MadeFrame]) -> (Vec<Exchange>, bool) {
    let limits = Limits::default();
    let mut pipeline = Pipeline::new(limits);
    let mut out = Vec::new();
    for made in frames {
        pipeline.ingest(&made.frame(), &mut out);
        check(&pipeline, &limits);
    }
    pipeline.finish(&mut out);
    check_end(&pipeline, &out, &limits);
    let counters = pipeline.counters();
    (out, counters.unparsed_bytes + counters.skipped_bytes > 0)
}

/// A request head: both readers agree about what both can read.
pub fn request_head(data: &[u8]) {
    targets::request_head(data);
}

/// A response head.
pub fn response_head(data: &[u8]) {
    targets::response_head(data);
}

/// The beginning of a stream, byte by byte.
pub fn sniff(data: &[u8]) {
    targets::sniff(data);
}

/// A chunked body, whole and cut in two.
pub fn chunked(data: &[u8]) {
    targets::chunked(data);
}

/// Content codings; the first byte says which.
pub fn coding(data: &[u8]) {
    const NAMES: [&str; 6] = ["gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate"];
    let mut input = Input::new(data);
    let name = input.pick(&NAMES);
    let raw = format!("Content-Encoding: {name}\r\n\r\n");
    let span = |start: usize, len: usize| Span { start: start as u32, len: len as u32 };
    let field = FieldSpan { name: span(0, 16), value: span(18, name.len()) };
    let fields = Fields::new(raw.into_bytes(), [field]);
    let undone = crate::features::coding::undo(&fields, input.rest());
    assert!(undone.bytes.len() <= crate::features::coding::MAX_DECODED.max(data.len()));
}

/// The filter language: what is read explains itself in words that read the same.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(filter) = crate::filter::Filter::parse(&text) {
        assert!(crate::filter::Filter::parse(filter.text()).is_ok());
        let _ = filter.explain();
    }
}

/// What leaves for a terminal holds no control character.
pub fn sanitize(data: &[u8]) {
    let line = crate::edge::sanitize::line(data);
    assert!(!line.chars().any(char::is_control), "{line:?}");
}

/// A capture file of any dialect, whole and in pieces.
pub fn savefile(data: &[u8]) {
    crate::source::savefile::targets::savefile(data);
}

/// A record of another program: an HTTP archive or a transcript.
pub fn record(data: &[u8]) {
    crate::import::targets::record(data);
}

/// A PROXY header, as the tap reads it.
pub fn proxy(data: &[u8]) {
    crate::tap::targets::proxy(data);
}

/// A TLS session of the tap, on either side.
pub fn session(data: &[u8]) {
    crate::tap::targets::session(data);
}

/// Bounds small enough to be met.
fn small() -> Limits {
    Limits { body: 64, head: 1024, flows: 8, memory: 64 << 10, idle: 10_000_000_000 }
}

/// What holds at every moment.
fn check(pipeline: &Pipeline, limits: &Limits) {
    assert!(pipeline.memory() <= limits.memory, "memory {} of {}", pipeline.memory(), limits.memory);
    adds_up(&pipeline.counters());
}

/// What holds at the end.
fn check_end(pipeline: &Pipeline, out: &[Exchange], limits: &Limits) {
    let counters = pipeline.counters();
    adds_up(&counters);
    assert_eq!(counters.pending_bytes, 0);
    let requests = out.iter().filter(|exchange| exchange.request.is_some()).count() as u64;
    assert_eq!((counters.exchanges, counters.requests), (requests, requests), "every request leaves once");
    let responses = out.iter().filter(|exchange| exchange.response.is_some()).count() as u64;
    assert_eq!(counters.responses, responses, "every response leaves once");
    for exchange in out {
        assert!(exchange.interim.len() <= 16);
        let bodies =
            [exchange.request.as_ref().map(|r| &r.body), exchange.response.as_ref().map(|r| &r.body)];
        for body in bodies.into_iter().flatten() {
            assert!(body.kept.len() <= limits.body as usize);
            assert!(body.len >= body.kept.len() as u64);
        }
    }
}

/// The accounts of [`Counters`] add up.
fn adds_up(counters: &Counters) {
    assert_eq!(counters.payload_bytes, counters.accounted_bytes(), "{counters:?}");
}
