//! The sans-IO pipeline: frames in, exchanges out. No thread, no clock, no channel.

use crate::model::{Counters, Exchange, Frame, Timestamp};

/// What bounds the pipeline. Every field is a hard bound.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes kept of each body (`--body-limit`).
    pub body: u32,
    /// Bytes of a head; what is longer is cut and marked.
    pub head: u32,
    /// Connections tracked at once.
    pub flows: u32,
    /// Bytes of everything unfinished together: out-of-order data, fragments, heads and bodies in the making.
    pub memory: u64,
    /// Nanoseconds of capture time after which an idle connection is given up.
    pub idle: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 << 10, head: 256 << 10, flows: 1 << 18, memory: 64 << 20, idle: 300 * 1_000_000_000 }
    }
}

/// Frames in, exchanges out.
#[derive(Debug)]
pub struct Pipeline {
    counters: Counters,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(_limits: Limits) -> Self {
        Self { counters: Counters::default() }
    }
    /// Takes one frame; exchanges that it finished are appended to `out`.
    pub fn ingest(&mut self, _frame: &Frame<'_>, _out: &mut Vec<Exchange>) {
        self.counters.frames += 1;
    }
    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire.
    pub fn tick(&mut self, _now: Timestamp, _out: &mut Vec<Exchange>) {}
    /// The capture has ended: everything unfinished leaves with its reason.
    pub fn finish(&mut self, _out: &mut Vec<Exchange>) {}
    /// What was seen, used and lost.
    pub fn counters(&self) -> Counters {
        self.counters.clone()
    }
}
