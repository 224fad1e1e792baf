//! Runs every capture of a directory through the program: whole, cut off at 100 places, and with 1,000 random mutations.
//!
//! `cargo run --profile profiling --example robustness -- DIR [--from N] [--every N] [part of a path]` takes every `N`th file
//! from the given one on, so that several runs share the work. Every file has its own seed, made from its path: the same
//! mutations every time. Of a large file fewer mutations are tried, so that all of them together are 256 MiB at most, but
//! never fewer than 50; the last lines say how many were left out. A variant is over when its frames went through the
//! pipeline, the history and the diagnosis, and its exchanges were written as NDJSON.
//!
//! It fails when something panics, when a variant takes more than ten seconds, when the pipeline goes over its memory, or when
//! the accounts of the payload do not add up.

#![allow(clippy::print_stdout, reason = "a report")]

use std::io::Cursor;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use why403::edge::redact::Redactor;
use why403::explain::diagnoser::Diagnoser;
use why403::explain::inspector::Inspector;
use why403::export::{ndjson, with_item};
use why403::history::History;
use why403::model::{Counters, Exchange};
use why403::source::savefile::BlockReader;
use why403::wire::pipeline::{Limits, Pipeline};

const CUTS: usize = 100;
const MUTATIONS: usize = 1000;
const FEWEST: usize = 50;
/// Bytes of all mutations of one file together.
const BYTES: usize = 256 << 20;
/// What no variant may take, on a busy machine.
const SLOW: Duration = Duration::from_secs(10);
/// Bytes of a compressed capture that are walked at most.
const UNPACKED: usize = 256 << 20;
const LIMITS: Limits =
    Limits { body: 4096, head: 64 << 10, flows: 4096, memory: 8 << 20, idle: 300_000_000_000 };

/// What was tried.
#[derive(Debug, Default)]
struct Totals {
    files: u64,
    whole: u64,
    cut: u64,
    mutated: u64,
    left_out: u64,
    frames: u64,
    exchanges: u64,
    bytes: u64,
    slowest: (Duration, String),
    most_memory: u64,
}

/// Numbers that look random and are the same every time (xorshift).
struct Random(u64);

impl Random {
    fn of(text: &str) -> Self {
        let mix = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(text.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    /// Changes one to eight places: bits, bytes, numbers, pieces taken out, doubled or exchanged.
    fn mutate(&mut self, bytes: &[u8]) -> Vec<u8> {
        const ODD: [u32; 8] = [0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, u32::MAX, 0x0000_1000];
        let mut out = bytes.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(out.len());
            let len = 1 + self.below(64);
            let piece: Vec<u8> = out.iter().skip(at).take(len).copied().collect();
            match self.below(7) {
                0 => out.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << self.below(8)),
                1 => out.iter_mut().skip(at).take(1).for_each(|byte| *byte = self.below(256) as u8),
                2 => {
                    let odd = ODD[self.below(ODD.len())];
                    let word = if self.below(2) == 0 { odd.to_le_bytes() } else { odd.to_be_bytes() };
                    out.iter_mut().skip(at).zip(word).for_each(|(place, byte)| *place = byte);
                }
                3 => drop(out.drain(at..at + piece.len())),
                4 => drop(out.splice(at..at, piece)),
                5 => {
                    let to = self.below(out.len());
                    out.iter_mut().skip(to).zip(piece).for_each(|(place, byte)| *place = byte);
                }
                _ => out.iter_mut().skip(at).take(len).for_each(|byte| *byte = self.below(256) as u8),
            }
        }
        out
    }
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let dir =
        PathBuf::from(args.next().context("usage: robustness DIR [--from N] [--every N] [part of a path]")?);
    let (mut from, mut every, mut only) = (0, 1, String::new());
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--from" => from = args.next().context("--from needs a number")?.parse()?,
            "--every" => every = args.next().context("--every needs a number")?.parse()?,
            _ => only = arg,
        }
    }
    let mut files = Vec::new();
    list(&dir, &mut files)?;
    files.sort();
    files.retain(|path| path.to_string_lossy().contains(&only));
    let mut totals = Totals::default();
    let mut failures = 0;
    for path in files.iter().skip(from).step_by(every) {
        failures += file(path, &dir, &mut totals)?;
        if totals.files % 100 == 0 {
            println!("{totals:?}");
        }
    }
    println!("{totals:?}");
    println!("{failures} failures; peak memory of the process: {}", peak());
    ensure!(failures == 0, "{failures} variants failed");
    Ok(())
}

/// Every file under `dir`.
fn list(dir: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// All variants of one file; says how many failed.
fn file(path: &Path, dir: &Path, totals: &mut Totals) -> Result<u64> {
    let bytes = std::fs::read(path)?;
    let name = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().into_owned();
    let mut random = Random::of(&name);
    let mut buffer = Vec::new();
    let mut failures = 0;
    totals.files += 1;
    let mut one = |what: String, variant: Vec<u8>, totals: &mut Totals| {
        totals.bytes += variant.len() as u64;
        let (started, spare) = (Instant::now(), std::mem::take(&mut buffer));
        let result = catch_unwind(AssertUnwindSafe(|| run(variant, spare, totals)));
        let took = started.elapsed();
        let problem = match result {
            Ok(Ok(spare)) => {
                buffer = spare;
                (took > SLOW).then(|| format!("took {took:?}"))
            }
            Ok(Err(error)) => Some(format!("{error:#}")),
            Err(_) => Some("panicked".to_owned()),
        };
        if took > totals.slowest.0 {
            totals.slowest = (took, format!("{name} {what}"));
        }
        if let Some(problem) = problem {
            println!("FAILED\t{name}\t{what}\t{problem}");
            failures += 1;
        }
    };
    one("whole".to_owned(), bytes.clone(), totals);
    totals.whole += 1;
    for cut in 0..CUTS.min(bytes.len()) {
        let at = bytes.len() * cut / CUTS.min(bytes.len());
        one(format!("cut at {at}"), bytes.iter().take(at).copied().collect(), totals);
        totals.cut += 1;
    }
    let count = if bytes.is_empty() { 0 } else { (BYTES / bytes.len()).clamp(FEWEST, MUTATIONS) };
    totals.left_out += (MUTATIONS - count) as u64;
    for number in 0..count {
        one(format!("mutation {number}"), random.mutate(&bytes), totals);
        totals.mutated += 1;
    }
    Ok(failures)
}

/// One capture through everything; returns the buffer for the next.
fn run(capture: Vec<u8>, mut buffer: Vec<u8>, totals: &mut Totals) -> Result<Vec<u8>> {
    let Ok(mut blocks) = BlockReader::of(Cursor::new(capture)) else { return Ok(buffer) };
    let mut pipeline = Pipeline::new(LIMITS);
    let mut out = Vec::new();
    let mut walked = 0;
    while let Ok(Some(block)) = blocks.next(std::mem::take(&mut buffer)) {
        let flow = block.try_for_each(|frame| {
            pipeline.ingest(frame, &mut out);
            totals.frames += 1;
            totals.most_memory = totals.most_memory.max(pipeline.memory());
            if pipeline.memory() <= LIMITS.memory {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        });
        if flow.is_break() {
            bail!("{} bytes of memory", pipeline.memory());
        }
        buffer = block.into_buffer();
        walked += buffer.len();
        if walked > UNPACKED {
            break;
        }
    }
    pipeline.finish(&mut out);
    check(&pipeline.counters(), &out)?;
    totals.exchanges += out.len() as u64;
    explain(out)?;
    Ok(buffer)
}

/// The sums of the counters.
fn check(counters: &Counters, out: &[Exchange]) -> Result<()> {
    ensure!(
        counters.payload_bytes == counters.accounted_bytes(),
        "the payload does not add up: {counters:?}"
    );
    ensure!(counters.pending_bytes == 0, "bytes are left: {counters:?}");
    let requests = out.iter().filter(|exchange| exchange.request.is_some()).count() as u64;
    let responses = out.iter().filter(|exchange| exchange.response.is_some()).count() as u64;
    ensure!(
        (counters.requests, counters.responses) == (requests, responses),
        "messages were lost: {counters:?}"
    );
    Ok(())
}

/// History, difference, diagnosis and output of every exchange.
fn explain(exchanges: Vec<Exchange>) -> Result<()> {
    let mut inspector = Inspector::new(History::new(8 << 20), Diagnoser::new());
    let redactor = Redactor::new(false);
    let ids: Vec<_> = exchanges.into_iter().map(|exchange| inspector.push(exchange)).collect();
    let mut line = Vec::new();
    for id in ids {
        with_item(&inspector, id, |item| ndjson::write(&mut line, item, &redactor)).transpose()?;
        line.clear();
    }
    Ok(())
}

/// The most memory that the process had, as the kernel says.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.replace("VmHWM:", "").trim().to_owned())
}
