use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Demo;
use crate::model::{Frame, SourceCounters, Timestamp};
use crate::source::{Sink, Stop};
use crate::wire::pipeline::{Limits, Pipeline};

/// Runs the pipeline until enough was refused.
struct Collect {
    pipeline: Pipeline,
    exchanges: Vec<crate::model::Exchange>,
    wanted: usize,
}

impl Collect {
    fn refused(&self) -> usize {
        self.exchanges.iter().filter(|one| one.status() == Some(403)).count()
    }
}

impl Sink for Collect {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.pipeline.ingest(frame, &mut self.exchanges);
        if self.refused() < self.wanted { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, _counters: SourceCounters) {}
    fn warning(&mut self, text: String) {
        panic!("{text}");
    }
}

#[test]
fn every_endpoint_succeeds_first_and_is_refused_later() {
    let mut sink = Collect { pipeline: Pipeline::new(Limits::default()), exchanges: Vec::new(), wanted: 14 };
    Demo::open(1000).unwrap().run(&mut sink, &Stop::new().unwrap());
    let mut by_path: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for exchange in sink.exchanges.iter().filter(|one| one.method() == "POST") {
        let target = String::from_utf8_lossy(exchange.target()).replace(|c: char| c.is_ascii_digit(), "");
        by_path.entry(target).or_default().push(exchange.status().unwrap());
    }
    assert_eq!(by_path.len(), 8, "{by_path:?}");
    for (path, statuses) in &by_path {
        assert!(statuses[0] < 400, "{path}: {statuses:?}");
        assert!(statuses.contains(&403), "{path}: {statuses:?}");
        assert!(statuses.iter().all(|status| *status < 400 || *status == 403), "{path}: {statuses:?}");
    }
}
