//! Writes a capture of made-up HTTP traffic for the benchmarks: the same arguments give the same bytes.
//!
//! `gen_capture posts 713294 >posts.pcap` is 840 MB of small JSON POSTs over 64 kept-alive connections, one in ten refused.
//! `downloads` has 4 MiB answers, `connections` a connection of its own for every exchange, `small` frames of 64 bytes only.
#![expect(clippy::print_stderr, reason = "a tool for developers that speaks to its terminal")]

mod messages;
mod small;

use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use messages::{Chance, Messages};
use why403::model::{LinkType, Timestamp};
use why403::synth::pcap::{Precision, Writer};
use why403::synth::{FlowWriter, Side};

const USAGE: &str = "usage: gen_capture posts|downloads|connections|small EXCHANGES >FILE";

/// 2026-11-22T08:00:00Z.
const START: Timestamp = Timestamp(1_795_334_400 * 1_000_000_000);

/// Nanoseconds from one exchange to the next, on the whole wire.
const PACE: i64 = 20_000;

/// Connections of `posts` and `downloads`, taken in turn.
const KEPT_ALIVE: u64 = 64;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Posts,
    Downloads,
    Connections,
    Small,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((shape, exchanges)) = parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match Generator::new(shape, io::stdout().lock()).and_then(|generator| generator.write(exchanges)) {
        Ok(frames) => {
            eprintln!("{exchanges} exchanges in {frames} frames");
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write the capture: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<(Shape, u64)> {
    let [shape, exchanges] = arguments else { return None };
    let shape = match shape.as_str() {
        "posts" => Shape::Posts,
        "downloads" => Shape::Downloads,
        "connections" => Shape::Connections,
        "small" => Shape::Small,
        _ => return None,
    };
    Some((shape, exchanges.parse().ok()?))
}

struct Generator<W: Write> {
    shape: Shape,
    out: Frames<W>,
    chance: Chance,
    messages: Messages,
}

impl<W: Write> Generator<W> {
    fn new(shape: Shape, out: W) -> io::Result<Self> {
        let writer =
            Writer::new(BufWriter::with_capacity(1 << 20, out), Precision::Micros, LinkType::ETHERNET)?;
        let out = Frames { writer, now: START, count: 0, result: Ok(()) };
        Ok(Self { shape, out, chance: Chance::new(403), messages: Messages::default() })
    }

    fn write(mut self, exchanges: u64) -> io::Result<u64> {
        match self.shape {
            Shape::Connections => self.short_connections(exchanges)?,
            Shape::Small => self.small_frames(exchanges)?,
            Shape::Posts | Shape::Downloads => self.kept_alive(exchanges)?,
        }
        self.out.writer.flush()?;
        Ok(self.out.count)
    }

    fn kept_alive(&mut self, exchanges: u64) -> io::Result<()> {
        let mut flows: Vec<FlowWriter> = (0..KEPT_ALIVE.min(exchanges)).map(flow).collect();
        for flow in &mut flows {
            flow.handshake(|frame| self.out.emit(frame));
        }
        for number in 0..exchanges {
            let turn = (number % KEPT_ALIVE) as usize;
            if let Some(flow) = flows.get_mut(turn) {
                Self::exchange(
                    self.shape,
                    &mut self.out,
                    &mut self.messages,
                    &mut self.chance,
                    flow,
                    number,
                )?;
            }
        }
        for flow in &mut flows {
            close(flow, &mut self.out);
        }
        self.out.check()
    }

    fn short_connections(&mut self, exchanges: u64) -> io::Result<()> {
        for number in 0..exchanges {
            let mut flow = flow(number);
            flow.handshake(|frame| self.out.emit(frame));
            Self::exchange(
                self.shape,
                &mut self.out,
                &mut self.messages,
                &mut self.chance,
                &mut flow,
                number,
            )?;
            close(&mut flow, &mut self.out);
        }
        self.out.check()
    }

    fn small_frames(&mut self, exchanges: u64) -> io::Result<()> {
        for first in (0..exchanges).step_by(small::EXCHANGES as usize) {
            let numbers = first..exchanges.min(first + small::EXCHANGES);
            small::connection(flow(first / small::EXCHANGES), numbers, |frame| self.out.emit(frame));
            self.out.check()?;
        }
        Ok(())
    }

    fn exchange(
        shape: Shape,
        out: &mut Frames<W>,
        messages: &mut Messages,
        chance: &mut Chance,
        flow: &mut FlowWriter,
        number: u64,
    ) -> io::Result<()> {
        let refused = number % 10 == 9;
        messages.make(number, refused, shape == Shape::Downloads, chance);
        flow.send(Side::Client, &messages.request, |frame| out.emit(frame));
        out.now = out.now.plus(PACE / 2);
        flow.send(Side::Server, &messages.response, |frame| out.emit(frame));
        out.now = out.now.plus(PACE / 2);
        out.check()
    }
}

fn flow(number: u64) -> FlowWriter {
    let host = 2 + (number / 50_000) % 200;
    let port = 10_000 + number % 50_000;
    let client = SocketAddr::from(([10, 0, 3, host as u8], port as u16));
    FlowWriter::new(client, SocketAddr::from(([10, 0, 0, 1], 80)))
        .with_initial_sequence(number as u32 ^ 0x5eed_1234, !(number as u32))
}

fn close<W: Write>(flow: &mut FlowWriter, out: &mut Frames<W>) {
    flow.fin(Side::Server, |frame| out.emit(frame));
    flow.ack(Side::Client, |frame| out.emit(frame));
    flow.fin(Side::Client, |frame| out.emit(frame));
    flow.ack(Side::Server, |frame| out.emit(frame));
}

/// Stamps the frames, writes them and remembers the first failure.
struct Frames<W: Write> {
    writer: Writer<BufWriter<W>>,
    now: Timestamp,
    count: u64,
    result: io::Result<()>,
}

impl<W: Write> Frames<W> {
    fn emit(&mut self, frame: &[u8]) {
        self.count += 1;
        self.now = self.now.plus(1_000);
        if self.result.is_ok() {
            self.result = self.writer.write(self.now, frame);
        }
    }

    fn check(&mut self) -> io::Result<()> {
        std::mem::replace(&mut self.result, Ok(()))
    }
}
