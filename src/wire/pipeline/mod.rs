//! The sans-IO pipeline: frames in, exchanges out. No thread, no clock, no channel.

mod carried;
#[cfg(test)]
mod cases;
mod clock;
mod flow;
mod flows;

use crate::model::{Counters, Exchange, Frame, Segment, Timestamp};
use crate::wire::decode::{DecodeLimits, Decoded, Decoder};
use crate::wire::pipeline::carried::Shared;
use crate::wire::pipeline::clock::Clock;
use crate::wire::pipeline::flows::{Common, Flows, Moment, Routed};

pub use crate::wire::limits::Limits;

/// Frames in, exchanges out.
#[derive(Debug)]
pub struct Pipeline {
    decoder: Decoder,
    clock: Clock,
    flows: Flows,
    common: Common,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        let fragment_bytes = limits.of_fragments() as usize;
        let decoder = Decoder::new(DecodeLimits { fragment_bytes, ..DecodeLimits::default() });
        let common = Common { limits, counters: Counters::default(), shared: Shared::default() };
        Self { decoder, clock: Clock::default(), flows: Flows::new(), common }
    }

    /// Takes one frame; exchanges that it finished are appended to `out`.
    pub fn ingest(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) {
        self.tick(frame.time, out);
        let counters = &mut self.common.counters;
        counters.frames += 1;
        counters.frame_bytes += frame.data.len() as u64;
        counters.frames_cut += u64::from(frame.wire_len as usize > frame.data.len());
        let moment = self.moment();
        if let Decoded::Segment(segment) = self.decoder.decode(frame) {
            self.flows.segment(&Routed::new(segment, moment), &mut self.common, out);
        }
    }

    /// Takes one segment in place of a frame.
    pub fn segment(&mut self, segment: &Segment<'_>, out: &mut Vec<Exchange>) {
        self.tick(segment.time, out);
        self.common.counters.frames += 1;
        let routed = Routed::new(*segment, self.moment());
        self.flows.segment(&routed, &mut self.common, out);
    }

    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire. What leaves
    /// is in the order of connections.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        if self.clock.advance(now) {
            let (before, uptime) = (out.len(), self.clock.uptime());
            self.flows.second(now, uptime, &mut self.common, out);
            sort_from(out, before);
        }
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    pub fn finish(&mut self, out: &mut Vec<Exchange>) {
        let before = out.len();
        self.flows.finish(&mut self.common, out);
        sort_from(out, before);
    }

    /// What was seen, used and lost.
    pub fn counters(&self) -> Counters {
        let mut counters = self.common.counters.clone();
        counters.frames_skipped = self.decoder.skipped().named();
        counters
    }

    /// Bytes of memory in use by everything unfinished. Bound: [`Limits::memory`].
    pub fn memory(&self) -> u64 {
        self.flows.memory() + self.decoder.memory() as u64
    }

    fn moment(&self) -> Moment {
        Moment { frame: self.common.counters.frames, uptime: self.clock.uptime() }
    }
}

/// Sorts what came after the first `before` exchanges by connection.
fn sort_from(out: &mut [Exchange], before: usize) {
    if let Some(left) = out.get_mut(before..) {
        left.sort_by_key(|exchange| exchange.connection.flow);
    }
}
