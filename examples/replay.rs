//! Reads a capture through the pipeline and nothing else, for profiles: `replay FILE` prints the counters.

#![allow(clippy::print_stdout, reason = "a report")]

use std::ops::ControlFlow;

use anyhow::{Context, Result};
use why403::model::{Exchange, Frame, SourceCounters, Timestamp};
use why403::source::{Origin, Sink, Source, SourceOptions, Stop};
use why403::wire::pipeline::{Limits, Pipeline};

/// Exchanges are counted and dropped.
struct Run {
    pipeline: Pipeline,
    out: Vec<Exchange>,
    exchanges: u64,
}

impl Run {
    fn clear(&mut self, least: usize) {
        if self.out.len() >= least {
            self.exchanges += self.out.len() as u64;
            self.out.clear();
        }
    }
}

impl Sink for Run {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.pipeline.ingest(frame, &mut self.out);
        self.clear(256);
        ControlFlow::Continue(())
    }
    fn tick(&mut self, now: Timestamp) -> ControlFlow<()> {
        self.pipeline.tick(now, &mut self.out);
        ControlFlow::Continue(())
    }
    fn counters(&mut self, _counters: SourceCounters) {}
    fn warning(&mut self, _text: String) {}
}

fn main() -> Result<()> {
    let file = std::env::args().nth(1).context("usage: replay FILE")?;
    let stop = Stop::new()?;
    let source = Source::open(&Origin::File(file.into()), &SourceOptions::default(), &stop)?;
    let mut run = Run { pipeline: Pipeline::new(Limits::default()), out: Vec::new(), exchanges: 0 };
    source.run(&mut run, &stop)?;
    run.pipeline.finish(&mut run.out);
    run.clear(0);
    println!("{} exchanges, {:?}", run.exchanges, run.pipeline.counters());
    Ok(())
}
