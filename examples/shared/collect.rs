//! A capture file through the pipeline and nothing else, for the examples and the integration tests.

use std::ops::ControlFlow;
use std::path::Path;

use why403::model::{Counters, Exchange, Frame, SourceCounters, Timestamp};
use why403::source::{Origin, Sink, Source, SourceOptions, Stop};
use why403::wire::pipeline::{Limits, Pipeline};

/// Keeps every exchange. Nothing expires, because nobody says what time it is.
struct Collect {
    pipeline: Pipeline,
    exchanges: Vec<Exchange>,
}

impl Sink for Collect {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.pipeline.ingest(frame, &mut self.exchanges);
        ControlFlow::Continue(())
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, _counters: SourceCounters) {}
    #[allow(clippy::print_stderr, reason = "a tool for developers")]
    fn warning(&mut self, text: String) {
        eprintln!("{text}");
    }
}

/// The exchanges of the capture at `path`, and what the pipeline counted.
pub(crate) fn collect(path: &Path) -> anyhow::Result<(Vec<Exchange>, Counters)> {
    let stop = Stop::new()?;
    let source = Source::open(&Origin::File(path.to_owned()), &SourceOptions::default(), &stop)?;
    let mut collect = Collect { pipeline: Pipeline::new(Limits::default()), exchanges: Vec::new() };
    source.run(&mut collect, &stop)?;
    let Collect { mut pipeline, mut exchanges } = collect;
    pipeline.finish(&mut exchanges);
    Ok((exchanges, pipeline.counters()))
}
