//! Connections written by hand, segment by segment, and what the pipeline makes of them.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::model::{
    Anomaly, BodyEnd, Counters, Exchange, InterfaceId, Outcome, Segment, TcpFlags, Timestamp,
};
use crate::wire::pipeline::{Limits, Pipeline};

/// One segment, owned.
#[derive(Clone, Debug)]
pub(super) struct Seg {
    pub time: i64,
    pub client: bool,
    pub port: u16,
    pub tag: u32,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub urgent: u16,
    pub data: Vec<u8>,
    pub len: u32,
}

impl Seg {
    pub(super) fn give<R>(&self, take: impl FnOnce(&Segment<'_>) -> R) -> R {
        let client = SocketAddr::from(([10, 0, 0, 1], self.port));
        let server = SocketAddr::from(([10, 0, 0, 2], 80));
        let (src, dst) = if self.client { (client, server) } else { (server, client) };
        take(&Segment {
            time: Timestamp(self.time),
            interface: InterfaceId(0),
            src,
            dst,
            tag: self.tag,
            seq: self.seq,
            ack: self.ack,
            flags: TcpFlags(self.flags),
            urgent: self.urgent,
            payload: &self.data,
            payload_len: self.len,
        })
    }
}

/// Writes one connection; times go up by a millisecond a segment.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub segs: Vec<Seg>,
    pub next: [u32; 2],
    pub time: i64,
    pub port: u16,
    pub mss: usize,
}

pub(super) const MS: i64 = 1_000_000;

impl Wire {
    /// A connection whose handshake is in the capture.
    pub(super) fn new() -> Self {
        let mut wire = Self::mid();
        wire.put(true, TcpFlags::SYN, b"");
        wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
        wire.put(true, TcpFlags::ACK, b"");
        wire
    }
    /// A connection that began before the capture.
    pub(super) fn mid() -> Self {
        Self { segs: Vec::new(), next: [u32::MAX - 100, 700], time: 1_000 * MS, port: 40_000, mss: 100_000 }
    }
    pub(super) fn put(&mut self, client: bool, flags: u8, data: &[u8]) {
        let (me, peer) = (usize::from(!client), usize::from(client));
        self.time += MS;
        self.segs.push(Seg {
            time: self.time,
            client,
            port: self.port,
            tag: 0,
            seq: self.next[me],
            ack: if flags & TcpFlags::ACK != 0 { self.next[peer] } else { 0 },
            flags,
            urgent: 0,
            data: data.to_vec(),
            len: data.len() as u32,
        });
        let more = u32::from(flags & (TcpFlags::SYN | TcpFlags::FIN) != 0);
        self.next[me] = self.next[me].wrapping_add(data.len() as u32 + more);
    }
    fn say(mut self, client: bool, data: &[u8]) -> Self {
        for piece in data.chunks(self.mss) {
            self.put(client, TcpFlags::ACK, piece);
        }
        self
    }
    /// The client sends.
    pub(super) fn c(self, data: impl AsRef<[u8]>) -> Self {
        self.say(true, data.as_ref())
    }
    /// The server sends.
    pub(super) fn s(self, data: impl AsRef<[u8]>) -> Self {
        self.say(false, data.as_ref())
    }
    /// Segments of at most this many bytes from here on.
    pub(super) fn mss(mut self, mss: usize) -> Self {
        self.mss = mss;
        self
    }
    /// A bare acknowledgement.
    pub(super) fn ack(mut self, client: bool) -> Self {
        self.put(client, TcpFlags::ACK, b"");
        self
    }
    pub(super) fn fin(mut self, client: bool) -> Self {
        self.put(client, TcpFlags::ACK | TcpFlags::FIN, b"");
        self
    }
    pub(super) fn rst(mut self, client: bool) -> Self {
        self.put(client, TcpFlags::ACK | TcpFlags::RST, b"");
        self
    }
    /// Both sides close, the server first.
    pub(super) fn close(self) -> Self {
        self.fin(false).fin(true).ack(false)
    }
    /// `bytes` bytes that the capture does not have.
    pub(super) fn lost(mut self, client: bool, bytes: u32) -> Self {
        let me = usize::from(!client);
        self.next[me] = self.next[me].wrapping_add(bytes);
        self
    }
    /// Time passes.
    pub(super) fn wait(mut self, nanos: i64) -> Self {
        self.time += nanos;
        self
    }
    pub(super) fn run(&self) -> Seen {
        Seen::of(&self.segs, Limits::default())
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub exchanges: Vec<Exchange>,
    pub counters: Counters,
}

impl Seen {
    pub(super) fn of(segs: &[Seg], limits: Limits) -> Self {
        let mut pipeline = Pipeline::new(limits);
        let mut exchanges = Vec::new();
        for seg in segs {
            seg.give(|segment| pipeline.segment(segment, &mut exchanges));
            assert!(pipeline.memory() <= limits.memory, "memory");
            adds_up(&pipeline.counters());
        }
        pipeline.finish(&mut exchanges);
        let counters = pipeline.counters();
        adds_up(&counters);
        assert_eq!((pipeline.memory(), counters.pending_bytes), (0, 0));
        assert_eq!(counters.exchanges, exchanges.iter().filter(|e| e.request.is_some()).count() as u64);
        assert_eq!(counters.exchanges, counters.requests, "every request leaves once");
        let with_response = exchanges.iter().filter(|e| e.response.is_some()).count() as u64;
        assert_eq!(with_response, counters.responses, "every response leaves once");
        Self { exchanges, counters }
    }

    /// Each exchange on a line: `METHOD target status outcome requestbody/responsebody anomalies`.
    pub(super) fn lines(&self) -> Vec<String> {
        self.exchanges.iter().map(line).collect()
    }
    #[track_caller]
    pub(super) fn expect(&self, lines: &[&str]) {
        assert_eq!(self.lines(), lines);
    }
}

/// The accounts of [`Counters`] add up.
#[track_caller]
pub(super) fn adds_up(counters: &Counters) {
    assert_eq!(counters.payload_bytes, counters.accounted_bytes(), "{counters:?}");
}

fn line(exchange: &Exchange) -> String {
    let body = |body: Option<&crate::model::Body>| match body {
        None => "-".to_owned(),
        Some(body) if body.end == BodyEnd::None => ".".to_owned(),
        Some(body) => {
            let end = if body.end == BodyEnd::Complete { String::new() } else { format!("({:?})", body.end) };
            format!("{}{end}", body.len)
        }
    };
    let mut line = format!(
        "{} {} {} {} {}/{}",
        if exchange.request.is_some() { exchange.method() } else { "-" },
        String::from_utf8_lossy(exchange.target()),
        exchange.status().map_or_else(|| "-".to_owned(), |status| status.to_string()),
        if exchange.outcome == Outcome::Complete { "ok" } else { exchange.outcome.as_str() },
        body(exchange.request.as_ref().map(|request| &request.body)),
        body(exchange.response.as_ref().map(|response| &response.body)),
    );
    for interim in &exchange.interim {
        let _ = write!(line, " +{}", interim.status());
    }
    for anomaly in exchange.anomalies.iter().filter(|anomaly| *anomaly != Anomaly::MissingHost) {
        let _ = write!(line, " {}", anomaly.name());
    }
    line
}

/// A POST with a body.
pub(super) fn post(target: &str, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
/// A GET.
pub(super) fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n")
}
/// A response with a body.
pub(super) fn reply(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
