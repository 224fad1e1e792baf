//! Sources against the real world: files that other programs wrote, live interfaces, ssh.

mod corpus;
mod hostile;
mod live;
mod records;
mod ssh;
mod streams;
mod tools;

use std::ops::ControlFlow;

use why403::model::{Frame, SourceCounters, Timestamp};
use why403::source::{Origin, Sink, Source, SourceError, SourceOptions, Stop};

/// Notes what a source says, and ends it after so many frames.
#[derive(Default)]
struct Notes {
    frames: Vec<(i64, u16, u32, Vec<u8>, u32)>,
    count: u64,
    /// Count frames only.
    only_count: bool,
    warnings: Vec<String>,
    counters: SourceCounters,
    ticks: u64,
    enough: Option<u64>,
}

impl Sink for Notes {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.count += 1;
        if !self.only_count {
            let Frame { time, link, interface, data, wire_len } = *frame;
            self.frames.push((time.0, link.0, interface.0, data.to_vec(), wire_len));
        }
        if self.enough == Some(self.count) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        self.ticks += 1;
        ControlFlow::Continue(())
    }
    fn counters(&mut self, counters: SourceCounters) {
        self.counters = counters;
    }
    fn warning(&mut self, text: String) {
        self.warnings.push(text);
    }
}

fn open(origin: &Origin, filter: Option<&str>) -> Result<Source, SourceError> {
    let options = SourceOptions { filter: filter.map(str::to_owned), ..SourceOptions::default() };
    Source::open(origin, &options, &Stop::new().unwrap())
}

/// Runs a source to its end.
fn read(origin: &Origin, filter: Option<&str>, only_count: bool) -> Result<Notes, SourceError> {
    let mut notes = Notes { only_count, ..Notes::default() };
    open(origin, filter)?.run(&mut notes, &Stop::new().unwrap())?;
    Ok(notes)
}
