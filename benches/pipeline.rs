//! What the capture's half costs, stage by stage: decode, reassembly, heads, pairing, all of it together, and then the template
//! of a path. The exchanges are those of `examples/gen_capture`.
//!
//! `cargo bench --bench pipeline [-- FILTER]`

#![expect(missing_docs, reason = "a benchmark")]

#[path = "../examples/gen_capture/messages.rs"]
mod messages;

use std::hint::black_box;
use std::net::SocketAddr;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use messages::{Chance, Messages};
use why403::heads;
use why403::history::History;
use why403::history::endpoints::path_templates::Trie;
use why403::model::{Exchange, Frame, InterfaceId, LinkType, Segment, TcpFlags, Timestamp};
use why403::synth::{FlowWriter, Side};
use why403::wire::decode::{Decoded, Decoder};
use why403::wire::pipeline::{Limits, Pipeline};

/// As the program has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections, taken in turn.
const FLOWS: u64 = 64;
/// Exchanges of one run of a benchmark.
const EXCHANGES: u64 = 6_400;
const SERVER: ([u8; 4], u16) = ([10, 0, 0, 1], 80);

/// A segment that owns its payload.
struct Made {
    from_client: bool,
    flow: u64,
    seq: u32,
    ack: u32,
    flags: u8,
    payload: Vec<u8>,
}

impl Made {
    fn segment(&self, number: usize) -> Segment<'_> {
        let ends = (client(self.flow), SocketAddr::from(SERVER));
        let (src, dst) = if self.from_client { ends } else { (ends.1, ends.0) };
        Segment {
            time: Timestamp(1_795_334_400_000_000_000 + number as i64 * 10_000),
            interface: InterfaceId(0),
            src,
            dst,
            tag: 0,
            seq: self.seq,
            ack: self.ack,
            flags: TcpFlags(self.flags),
            urgent: 0,
            payload: &self.payload,
            payload_len: self.payload.len() as u32,
        }
    }
}

fn client(flow: u64) -> SocketAddr {
    SocketAddr::from(([10, 0, 3, 2], 10_000 + flow as u16))
}

/// Both messages of exchange `number`.
fn exchange(number: u64, messages: &mut Messages, chance: &mut Chance) -> [Vec<u8>; 2] {
    messages.make(number, number % 10 == 9, false, chance);
    [messages.request.clone(), messages.response.clone()]
}

/// A conversation on each of the connections; `cut` says what becomes of a message.
fn talk(cut: impl Fn(Vec<u8>) -> Vec<u8>) -> Vec<Made> {
    let (mut messages, mut chance) = (Messages::default(), Chance::new(403));
    let mut next = vec![[1_001_u32, 5_001]; FLOWS as usize];
    let mut made = Vec::new();
    for flow in 0..FLOWS {
        let syn =
            |from_client, seq, ack, flags| Made { from_client, flow, seq, ack, flags, payload: Vec::new() };
        made.extend([syn(true, 1_000, 0, 0x02), syn(false, 5_000, 1_001, 0x12)]);
    }
    for number in 0..EXCHANGES {
        let flow = number % FLOWS;
        let Some(at) = next.get_mut(flow as usize) else { continue };
        for (side, message) in exchange(number, &mut messages, &mut chance).into_iter().enumerate() {
            let payload = cut(message);
            let (seq, ack) = (at[side], at[1 - side]);
            at[side] = seq.wrapping_add(payload.len() as u32);
            made.push(Made { from_client: side == 0, flow, seq, ack, flags: 0x18, payload });
        }
    }
    made
}

/// Messages that never end: bytes in the middle of them are put in order, counted and skipped.
fn endless() -> Vec<Made> {
    let mut made = talk(|message| message);
    let messages = made.iter_mut().skip(2 * FLOWS as usize);
    for (number, made) in messages.enumerate().filter(|(number, _)| *number < 2 * FLOWS as usize) {
        let start = ["POST / HTTP/1.1\r\nHost: h", "HTTP/1.1 200 OK"][number % 2];
        let len = made.payload.len();
        let mut head = format!("{start}\r\nContent-Length: 1000000000\r\n\r\n").into_bytes();
        head.resize(len, b'.');
        made.payload = head;
    }
    made
}

/// The head alone, without content.
fn head_only(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(message).into_owned();
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").map(|line| {
        if line.starts_with("Content-Length") { "Content-Length: 0".to_owned() } else { line.to_owned() }
    });
    let mut head = lines.collect::<Vec<_>>().join("\r\n");
    head.push_str("\r\n\r\n");
    head.into_bytes()
}

/// Heads of requests, or of responses, as they are on the wire.
fn heads_of(side: usize) -> Vec<Vec<u8>> {
    let (mut messages, mut chance) = (Messages::default(), Chance::new(403));
    let message = |number| exchange(number, &mut messages, &mut chance)[side].clone();
    let cut = |message: Vec<u8>| message.split(|byte| *byte == b'{').next().unwrap_or_default().to_vec();
    (0..1_000).filter(|number| number % 10 != 9).map(message).map(cut).collect()
}

/// The same heads by each of the three readers, without what is before.
fn heads(c: &mut Criterion) {
    type Reader<'a> = &'a dyn Fn(&[u8]) -> Option<usize>;
    let [requests, responses] = [0, 1].map(heads_of);
    let [like_request, like_response] = [&requests, &responses]
        .map(|heads| heads::Like::learned_from(heads.first().map_or(&[], Vec::as_slice)));
    let readers: [(&str, &[Vec<u8>], Reader<'_>); 6] = [
        ("request/like-an-earlier-one", &requests, &|head| like_request.request(head)),
        ("request/httparse", &requests, &heads::request),
        ("request/lenient", &requests, &heads::lenient_request),
        ("response/like-an-earlier-one", &responses, &|head| like_response.response(head)),
        ("response/httparse", &responses, &heads::response),
        ("response/lenient", &responses, &heads::lenient_response),
    ];
    let mut group = c.benchmark_group("head");
    group.throughput(Throughput::Elements(requests.len() as u64));
    for (name, heads, reader) in readers {
        assert!(heads.iter().all(|head| reader(head) == Some(head.len())), "{name} takes all of them");
        group.bench_function(name, |b| {
            b.iter(|| heads.iter().filter_map(|head| reader(black_box(head))).sum::<usize>());
        });
    }
    group.finish();
}

fn run(made: &[Made], limits: Limits) -> (Pipeline, Vec<Exchange>) {
    let (mut pipeline, mut out) = (Pipeline::new(limits), Vec::with_capacity(EXCHANGES as usize));
    for (number, made) in made.iter().enumerate() {
        pipeline.segment(&made.segment(number), &mut out);
    }
    (pipeline, out)
}

fn decode(c: &mut Criterion) {
    let frames = frames();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(frames.len() as u64));
    group.bench_function("frame", |b| {
        let mut decoder = Decoder::default();
        b.iter(|| {
            let bytes = |frame: &Vec<u8>| match decoder.decode(&whole(frame, 0)) {
                Decoded::Segment(segment) => segment.payload.len(),
                Decoded::Skip(_) => 0,
            };
            black_box(frames.iter().map(bytes).sum::<usize>())
        });
    });
    group.finish();
}

fn stages(c: &mut Criterion) {
    let mut group = c.benchmark_group("exchange");
    group.throughput(Throughput::Elements(EXCHANGES));
    // No new message begins: what remains is to find the connection and to put the bytes in order.
    let none = Limits { body: 0, ..Limits::default() };
    let endless = endless();
    group.bench_function("reassembly", |b| b.iter_with_large_drop(|| run(&endless, none)));
    // Two rounds of all connections in reverse order: three segments of four wait for others.
    let mut late = self::endless();
    late.get_mut(2 * FLOWS as usize..)
        .unwrap_or_default()
        .chunks_mut(4 * FLOWS as usize)
        .for_each(<[Made]>::reverse);
    group.bench_function("reassembly/out-of-order", |b| b.iter_with_large_drop(|| run(&late, none)));
    let heads = talk(|message| head_only(&message));
    group.bench_function("heads", |b| b.iter_with_large_drop(|| run(&heads, Limits::default())));
    let whole = talk(|message| message);
    group.bench_function("pairing", |b| b.iter_with_large_drop(|| run(&whole, Limits::default())));
    let frames = frames();
    group.bench_function("from-frames", |b| {
        b.iter_with_large_drop(|| {
            let (mut pipeline, mut out) = (Pipeline::new(Limits::default()), Vec::new());
            for (number, frame) in frames.iter().enumerate() {
                pipeline.ingest(&self::whole(frame, number), &mut out);
            }
            (pipeline, out)
        });
    });
    group.finish();
}

fn templating(c: &mut Criterion) {
    let paths: Vec<String> = (0..1_000)
        .map(|number: u64| match number % 4 {
            0 => format!("/v1/users/{number}/profile"),
            1 => format!("/v1/orders/{:08x}-0000-4000-8000-{number:012x}", number * 7919),
            2 => "/v1/login".to_owned(),
            _ => format!("/api/2/files/{number}.json/versions/INV-{number:05}"),
        })
        .collect();
    let mut group = c.benchmark_group("template");
    group.throughput(Throughput::Elements(paths.len() as u64));
    group.bench_function("walk", |b| {
        let mut trie = Trie::default();
        let Some(root) = trie.root() else { return };
        let mut template = String::new();
        b.iter(|| {
            for path in &paths {
                black_box(trie.walk(root, path.as_bytes(), &mut template));
            }
        });
    });
    group.throughput(Throughput::Elements(EXCHANGES));
    let (_, exchanges) = run(&talk(|message| message), Limits::default());
    group.bench_function("of-an-exchange", |b| {
        let mut history = History::new(64 << 20);
        b.iter_batched(
            || exchanges.clone(),
            |exchanges| exchanges.into_iter().map(|exchange| history.note(exchange)).collect::<Vec<_>>(),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// The frames of the same conversations.
fn frames() -> Vec<Vec<u8>> {
    let (mut messages, mut chance) = (Messages::default(), Chance::new(403));
    let mut flows: Vec<FlowWriter> =
        (0..FLOWS).map(|flow| FlowWriter::new(client(flow), SocketAddr::from(SERVER))).collect();
    let mut frames = Vec::new();
    for flow in &mut flows {
        flow.handshake(|frame| frames.push(frame.to_vec()));
    }
    for number in 0..EXCHANGES {
        let [request, response] = exchange(number, &mut messages, &mut chance);
        if let Some(flow) = flows.get_mut((number % FLOWS) as usize) {
            flow.send(Side::Client, &request, |frame| frames.push(frame.to_vec()));
            flow.send(Side::Server, &response, |frame| frames.push(frame.to_vec()));
        }
    }
    frames
}

fn whole(data: &[u8], number: usize) -> Frame<'_> {
    Frame {
        time: Timestamp(1_795_334_400_000_000_000 + number as i64 * 10_000),
        link: LinkType::ETHERNET,
        interface: InterfaceId(0),
        data,
        wire_len: data.len() as u32,
    }
}

criterion_group!(benches, decode, heads, stages, templating);
criterion_main!(benches);
