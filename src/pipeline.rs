//! The sans-IO pipeline: frames in, exchanges out. No thread, no clock, no channel.

#[cfg(test)]
mod cases;
mod clock;
mod flow;
mod router;
mod shard;
mod worker;

use crate::model::{Counters, Exchange, Frame, Segment, Timestamp};
use router::{Routed, Router};
use worker::Worker;

/// Connections are shared out over this many tables, whether one thread has all of them or several have some each: so what
/// comes out does not depend on the number of threads.
pub(crate) const SHARDS: usize = 4;

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
    /// One connection may take an eighth of it.
    pub memory: u64,
    /// Nanoseconds of capture time after which an idle connection is given up.
    pub idle: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 64 << 10, head: 256 << 10, flows: 1 << 18, memory: 24 << 20, idle: 300 * 1_000_000_000 }
    }
}

impl Limits {
    /// Bytes that fragments may take.
    const fn of_fragments(&self) -> u64 {
        self.memory / 16
    }

    /// A shard's part of the memory and of the connections; at least one connection each.
    const fn of_a_shard(&self) -> (u64, usize) {
        ((self.memory - self.of_fragments()) / SHARDS as u64, self.flows.div_ceil(SHARDS as u32) as usize)
    }
}

/// Frames in, exchanges out, all on one thread.
#[derive(Debug)]
pub struct Pipeline {
    router: Router,
    worker: Worker,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self { router: Router::new(limits), worker: Worker::new(limits, 0, 1) }
    }

    /// Takes one frame; exchanges that it finished are appended to `out`.
    pub fn ingest(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) {
        self.router.count(frame);
        self.tick(frame.time, out);
        if let Some(routed) = self.router.decode(frame) {
            self.worker.segment(&routed, out);
        }
    }

    /// Takes one segment in place of a frame.
    pub fn segment(&mut self, segment: &Segment<'_>, out: &mut Vec<Exchange>) {
        self.router.count_segment();
        self.tick(segment.time, out);
        self.worker.segment(&Routed::new(*segment, self.router.moment()), out);
    }

    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        if let Some(second) = self.router.tick(now) {
            self.worker.second(second, out);
        }
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    pub fn finish(&mut self, out: &mut Vec<Exchange>) {
        self.worker.finish(out);
    }

    /// What was seen, used and lost.
    pub fn counters(&self) -> Counters {
        Counters::sum([&self.router.counters(), self.worker.counters()])
    }

    /// Bytes of memory in use by everything unfinished. Bound: [`Limits::memory`].
    pub fn memory(&self) -> u64 {
        self.worker.memory() + self.router.memory()
    }
}
