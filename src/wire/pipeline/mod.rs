//! The sans-IO pipeline: frames in, exchanges out. No thread, no clock, no channel.

mod carried;
#[cfg(test)]
mod cases;
mod clock;
mod finished;
mod flow;
mod shard;

use crate::model::{Counters, Exchange, Frame, Segment, Timestamp};
use crate::wire::decode::{DecodeLimits, Decoded, Decoder};
use crate::wire::pipeline::carried::Shared;
use crate::wire::pipeline::clock::Clock;
use crate::wire::pipeline::shard::{Common, Moment, Routed, Shard};

pub use crate::wire::limits::Limits;
pub(crate) use crate::wire::pipeline::finished::{Finished, Merged};
pub(crate) use crate::wire::pipeline::shard::shard_of;

/// Connections are shared out over this many tables, whether one thread has all of them or several have some each: so what
/// comes out does not depend on the number of threads.
pub(crate) const SHARDS: usize = 4;

/// Frames in, exchanges out.
///
/// Several pipelines on threads of their own may have some of the connections each (`Pipeline::part`). All of them must get
/// all frames, in the same order; `Finished` and `Merged` put what they finish in the order that one pipeline would have.
#[derive(Debug)]
pub struct Pipeline {
    decoder: Decoder,
    clock: Clock,
    /// Frames, and beginnings of seconds of capture time.
    events: u64,
    /// Absent are those of other parts.
    shards: [Option<Shard>; SHARDS],
    common: Common,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        Self::part(limits, 0, 1)
    }

    /// The pipeline of every `of`th shard from `index` on. Only the one with the first shard counts frames.
    pub(crate) fn part(limits: Limits, index: usize, of: usize) -> Self {
        let fragment_bytes = limits.of_fragments() as usize;
        let decoder = Decoder::new(DecodeLimits { fragment_bytes, ..DecodeLimits::default() });
        let shards = std::array::from_fn(|shard| (shard % of.max(1) == index).then(Shard::new));
        let common = Common { limits, counters: Counters::default(), shared: Shared::default() };
        Self { decoder, clock: Clock::default(), events: 0, shards, common }
    }

    /// Takes one frame; exchanges that it finished are appended to `out`.
    pub fn ingest(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) {
        self.tick(frame.time, out);
        self.take(frame, out);
    }

    /// Takes one frame whose time the clock has seen.
    fn take(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) {
        let counters = &mut self.common.counters;
        counters.frames += 1;
        counters.frame_bytes += frame.data.len() as u64;
        counters.frames_cut += u64::from(frame.wire_len as usize > frame.data.len());
        self.events += 1;
        let moment = self.moment();
        if let Decoded::Segment(segment) = self.decoder.decode(frame) {
            route(&mut self.shards, &Routed::new(segment, moment), &mut self.common, out);
        }
    }

    /// Takes one segment in place of a frame.
    pub fn segment(&mut self, segment: &Segment<'_>, out: &mut Vec<Exchange>) {
        self.tick(segment.time, out);
        self.common.counters.frames += 1;
        self.events += 1;
        let routed = Routed::new(*segment, self.moment());
        route(&mut self.shards, &routed, &mut self.common, out);
    }

    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire. What leaves
    /// is in the order of connections.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        if self.clock.advance(now) {
            self.events += 1;
            let uptime = self.clock.uptime();
            self.each(out, |shard, common, out| shard.second(now, uptime, common, out));
        }
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    pub fn finish(&mut self, out: &mut Vec<Exchange>) {
        self.events += 1;
        self.each(out, Shard::finish);
    }

    /// What was seen, used and lost.
    pub fn counters(&self) -> Counters {
        let mut counters = self.common.counters.clone();
        if self.shards[0].is_some() {
            counters.frames_skipped = self.decoder.skipped().named();
        } else {
            (counters.frames, counters.frame_bytes, counters.frames_cut) = (0, 0, 0);
        }
        counters
    }

    /// Bytes of memory in use by everything unfinished. Bound: [`Limits::memory`].
    pub fn memory(&self) -> u64 {
        let flows: u64 = self.shards.iter().flatten().map(Shard::memory).sum();
        flows + self.decoder.memory() as u64
    }

    fn moment(&self) -> Moment {
        Moment { frame: self.common.counters.frames, uptime: self.clock.uptime() }
    }

    fn each(&mut self, out: &mut Vec<Exchange>, leave: impl Fn(&mut Shard, &mut Common, &mut Vec<Exchange>)) {
        let before = out.len();
        self.shards.iter_mut().flatten().for_each(|shard| leave(shard, &mut self.common, out));
        if let Some(left) = out.get_mut(before..) {
            left.sort_by_key(|exchange| exchange.connection.flow);
        }
    }
}

/// Hands a segment to its shard, if that is one of these.
fn route(
    shards: &mut [Option<Shard>; SHARDS],
    routed: &Routed<'_>,
    common: &mut Common,
    out: &mut Vec<Exchange>,
) {
    if let Some(shard) = &mut shards[routed.shard()] {
        shard.segment(routed, common, out);
    }
}
