//! Twice the hostile input is twice the work, and no more memory than the bound. Work is counted in steps, never in seconds.

use std::fmt::Write as _;

use crate::model::{Exchange, Frame, InterfaceId, LinkType, TcpFlags, Timestamp};
use crate::step_counter;
use crate::wire::pipeline::cases::harness::{MS, Seg, Wire, get, reply};
use crate::wire::pipeline::{Limits, Pipeline};

/// Feeds an input of two halves of about equal size and compares the work that each takes.
struct Growth {
    pipeline: Pipeline,
    limits: Limits,
    out: Vec<Exchange>,
    exchanges: u64,
    began: u64,
    bytes: u64,
}

impl Growth {
    fn new(limits: Limits) -> Self {
        let (pipeline, out) = (Pipeline::new(limits), Vec::new());
        Self { pipeline, limits, out, exchanges: 0, began: step_counter::done(), bytes: 0 }
    }
    fn give(&mut self, seg: &Seg) {
        self.bytes += 54 + seg.data.len() as u64;
        seg.give(|segment| self.pipeline.segment(segment, &mut self.out));
        self.drop_finished();
    }
    fn give_all(&mut self, segs: &[Seg]) {
        for seg in segs {
            self.give(seg);
        }
    }
    fn frame(&mut self, time: i64, data: &[u8]) {
        self.bytes += data.len() as u64;
        let (link, interface, wire_len) = (LinkType::RAW, InterfaceId(0), data.len() as u32);
        self.pipeline
            .ingest(&Frame { time: Timestamp(time), link, interface, data, wire_len }, &mut self.out);
        self.drop_finished();
    }
    fn drop_finished(&mut self) {
        assert!(self.pipeline.memory() <= self.limits.memory, "memory {}", self.pipeline.memory());
        self.exchanges += self.out.len() as u64;
        self.out.clear();
    }
    fn work(&self) -> u64 {
        step_counter::done() - self.began
    }
}

/// Runs `count` and then as many items again; the second half may take a fifth more than the first.
#[track_caller]
fn is_linear(
    limits: Limits,
    per_byte: u64,
    mut items: impl FnMut(usize, &mut Growth),
    count: usize,
) -> Growth {
    let mut growth = Growth::new(limits);
    for n in 0..count {
        items(n, &mut growth);
    }
    let first = growth.work();
    for n in count..2 * count {
        items(n, &mut growth);
    }
    growth.pipeline.finish(&mut growth.out);
    growth.exchanges += growth.out.len() as u64;
    let both = growth.work();
    assert!(first > 0, "something is counted");
    assert!(both * 10 <= first * 22, "half the input took {first} steps, the whole {both}");
    assert!(both <= growth.bytes * per_byte, "{both} steps for {} bytes", growth.bytes);
    growth
}

/// One connection's segments, made in order: `make` says who sends what.
fn stream(make: impl Fn(usize) -> (bool, Vec<u8>)) -> impl FnMut(usize, &mut Growth) {
    let mut wire = Wire::new();
    let mut opened = false;
    move |n, growth| {
        if !std::mem::replace(&mut opened, true) {
            growth.give_all(&wire.segs);
        }
        wire.segs.clear();
        let (client, data) = make(n);
        wire.put(client, TcpFlags::ACK, &data);
        growth.give(&wire.segs[0]);
    }
}

fn small() -> Limits {
    Limits { memory: 4 << 20, ..Limits::default() }
}

#[test]
fn a_header_flood_is_linear() {
    let lines = |n: usize| {
        let mut text = if n == 0 { "POST /a HTTP/1.1\r\nHost: x\r\n".to_owned() } else { String::new() };
        for line in 0..20 {
            let _ = write!(text, "X-{n}-{line}: y\r\n");
        }
        (true, text.into_bytes())
    };
    is_linear(small(), 8, stream(lines), 5000);
}

#[test]
fn many_heads_full_of_fields_are_linear() {
    let mut fields = String::new();
    for n in 0..400 {
        let _ = write!(fields, "X-{n}: y\r\nContent-Length: 0\r\n");
    }
    let request = format!("POST /a HTTP/1.1\r\n{fields}\r\n").into_bytes();
    let growth = is_linear(small(), 8, stream(move |_| (true, request.clone())), 200);
    assert_eq!(growth.exchanges, 400);
}

#[test]
fn folding_is_linear() {
    let fold = |n: usize| {
        (true, if n == 0 { b"GET /a HTTP/1.1\r\nA: b\r\n".to_vec() } else { b" \t c\r\n".repeat(50) })
    };
    is_linear(small(), 8, stream(fold), 3000);
}

#[test]
fn one_byte_segments_are_linear() {
    let request =
        format!("POST /a HTTP/1.1\r\nX: {}\r\nContent-Length: 50\r\n\r\n{}", "y".repeat(400), "z".repeat(50));
    let request = request.into_bytes();
    is_linear(small(), 4, stream(move |n| (true, vec![request[n % request.len()]])), 50_000);
}

#[test]
fn one_byte_segments_of_cruft_are_linear() {
    let text = [get("/a"), "x HTTP/1.1 GET / nonsense\r ".repeat(2000)].concat().into_bytes();
    // The look-ahead of a request line is moved for every byte that comes: a constant, not a factor that grows.
    is_linear(small(), 1000, stream(move |n| (true, vec![text[n.min(text.len() - 1)]])), 20_000);
}

#[test]
fn one_byte_segments_backwards_are_linear() {
    let mut wire = Wire::new();
    let top = wire.next[0].wrapping_add(1 << 20);
    let opening = std::mem::take(&mut wire.segs);
    let items = move |n: usize, growth: &mut Growth| {
        if n == 0 {
            growth.give_all(&opening);
        }
        wire.segs.clear();
        wire.next[0] = top.wrapping_sub(2 * n as u32);
        wire.put(true, TcpFlags::ACK, b"x");
        growth.give(&wire.segs[0]);
    };
    is_linear(small(), 8, items, 30_000);
}

#[test]
fn overlapping_segments_are_linear() {
    let mut wire = Wire::new();
    let first = wire.next[0];
    let opening = std::mem::take(&mut wire.segs);
    let data = vec![b'x'; 1000];
    let items = move |n: usize, growth: &mut Growth| {
        if n == 0 {
            growth.give_all(&opening);
        }
        wire.segs.clear();
        wire.next[0] = first.wrapping_add(100 + (n as u32 * 7919) % 60_000);
        wire.put(true, TcpFlags::ACK, &data[..500 + n % 500]);
        growth.give(&wire.segs[0]);
    };
    is_linear(small(), 8, items, 10_000);
}

/// An IPv4 fragment of datagram `id`.
fn fragment(id: u16, from: u16, len: u16) -> Vec<u8> {
    let ([i0, i1], [l0, l1]) = (id.to_be_bytes(), (20 + len).to_be_bytes());
    let [f0, f1] = ((from / 8) | 0x2000).to_be_bytes();
    let mut packet = vec![0x45, 0, l0, l1, i0, i1, f0, f1, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    packet.resize(20 + usize::from(len), 7);
    packet
}

#[test]
fn overlapping_fragments_are_linear() {
    let items = |n: usize, growth: &mut Growth| {
        let from = (n * 7919 % 8000 / 8 * 8) as u16;
        growth.frame(n as i64 * 1000, &fragment((n / 2000) as u16, from, 64 + (n % 4 * 8) as u16));
    };
    is_linear(small(), 8, items, 20_000);
}

#[test]
fn fragments_of_datagrams_that_never_end_are_linear() {
    let items = |n: usize, growth: &mut Growth| {
        growth.frame(n as i64 * 1_000_000, &fragment(n as u16, 8, 800));
    };
    is_linear(small(), 8, items, 20_000);
}

#[test]
fn a_million_syns_are_linear() {
    let mut wire = Wire::mid();
    wire.put(true, TcpFlags::SYN, b"");
    let mut seg = wire.segs.remove(0);
    let items = move |n: usize, growth: &mut Growth| {
        (seg.port, seg.tag) = (n as u16, (n >> 16) as u32);
        seg.time += 1000;
        seg.seq = seg.seq.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        growth.give(&seg);
    };
    let growth = is_linear(Limits { memory: 8 << 20, ..Limits::default() }, 8, items, 500_000);
    let counters = growth.pipeline.counters();
    assert_eq!((counters.flows, growth.exchanges), (1_000_000, 0));
    assert!(counters.flows_evicted > 900_000, "what leaves is counted: {}", counters.flows_evicted);
}

#[test]
fn a_flood_of_pipelined_requests_is_linear() {
    let requests = get("/a").repeat(30).into_bytes();
    let growth = is_linear(small(), 8, stream(move |_| (true, requests.clone())), 3000);
    assert_eq!(growth.exchanges, growth.pipeline.counters().requests);
}

#[test]
fn a_flood_of_responses_to_pipelined_requests_is_linear() {
    let (requests, responses) = (get("/a").repeat(30).into_bytes(), reply(200, "").repeat(30).into_bytes());
    let turn = move |n: usize| if n < 100 { (true, requests.clone()) } else { (false, responses.clone()) };
    is_linear(small(), 16, stream(turn), 3000);
}

#[test]
fn a_flood_of_responses_after_a_loss_is_linear() {
    let (requests, responses) = (get("/a").repeat(30).into_bytes(), reply(200, "").repeat(30).into_bytes());
    let mut wire = Wire::new();
    let mut opening = true;
    let items = move |n: usize, growth: &mut Growth| {
        if n == 0 {
            let mut begin = wire.clone();
            for _ in 0..400 {
                begin.put(true, TcpFlags::ACK, &requests);
            }
            begin = begin.lost(false, 100);
            growth.give_all(&begin.segs);
            wire = begin;
        }
        wire.segs.clear();
        wire.put(false, TcpFlags::ACK, &responses);
        if std::mem::take(&mut opening) {
            wire.put(true, TcpFlags::ACK, b"");
        }
        growth.give_all(&wire.segs);
    };
    is_linear(Limits::default(), 16, items, 1000);
}

#[test]
fn a_flood_of_interim_responses_is_linear() {
    let interims = "HTTP/1.1 103 X\r\nA: b\r\n\r\n".repeat(30).into_bytes();
    let turn =
        move |n: usize| if n == 0 { (true, get("/a").into_bytes()) } else { (false, interims.clone()) };
    is_linear(small(), 8, stream(turn), 3000);
}

#[test]
fn a_flood_of_chunks_is_linear() {
    let chunks = b"1;a=b\r\nx\r\n".repeat(50);
    let turn = move |n: usize| match n {
        0 => (true, b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec()),
        _ => (true, chunks.clone()),
    };
    is_linear(small(), 8, stream(turn), 3000);
}

#[test]
fn waiting_flows_under_a_clock_that_runs_are_linear() {
    // Every flow has a hole that only time closes, and every segment is a second later than the last.
    let wire = Wire::new();
    let mut seg = wire.segs[2].clone();
    seg.data = b"x".to_vec();
    (seg.len, seg.seq) = (1, seg.seq.wrapping_add(100));
    let opening = wire.segs[..2].to_vec();
    let items = move |n: usize, growth: &mut Growth| {
        for one in opening.iter().chain([&seg]) {
            let time = 1_000 * MS + n as i64 * 1_000 * MS;
            growth.give(&Seg { port: n as u16, tag: (n >> 16) as u32, time, ..one.clone() });
        }
    };
    is_linear(small(), 8, items, 5000);
}

#[test]
fn torn_heads_are_linear() {
    let mut wire = Wire::new();
    let items = move |n: usize, growth: &mut Growth| {
        if n == 0 {
            growth.give_all(&wire.segs);
        }
        let mut next = wire.clone();
        next.segs.clear();
        next = if n.is_multiple_of(50) { next.c("POST /a HTTP/1.1\r\nA: b\r\nC: ") } else { next };
        next = next.lost(true, 10).c("cut\r\nD: e\r\nF: g");
        next = (0..33).fold(next, |wire, _| wire.ack(false)); // Enough to call the hole a loss.
        growth.give_all(&next.segs);
        wire = next;
    };
    is_linear(small(), 16, items, 3000);
}

#[test]
fn a_decompression_bomb_ends_at_the_limit_whatever_its_size() {
    use std::io::Write as _;

    use crate::features::coding;
    use crate::model::{FieldSpan, Fields, Span};

    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    for megabytes in [8, 16] {
        let bomb = gzip(&gzip(&vec![0; megabytes << 20]));
        let raw = b"Content-Encoding: gzip, gzip\r\n\r\n".to_vec();
        let field = FieldSpan { name: Span { start: 0, len: 16 }, value: Span { start: 18, len: 10 } };
        let fields = Fields::new(raw, [field]);
        let undone = coding::undo(&fields, &bomb);
        assert_eq!(undone.bytes.len(), coding::MAX_DECODED, "{} bytes hold {megabytes} MiB", bomb.len());
        assert!(undone.problem.is_some());
    }
}
