//! The front of the pipeline: frames become segments, and every segment goes to the shard of its connection.

use super::clock::Clock;
use super::{Limits, SHARDS};
use crate::decode::{DecodeLimits, Decoded, Decoder};
use crate::model::{Counters, Exchange, Frame, Segment, Timestamp};
use crate::tcp::{Dir, FlowKey};

/// When something came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The number of the frame, from 1.
    pub frame: u64,
    /// Seconds since the first frame, as far as they are believed.
    pub uptime: u32,
}

/// A second of capture time began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second {
    pub now: Timestamp,
    pub moment: Moment,
}

/// A segment that knows where it belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routed<'a> {
    pub key: FlowKey,
    pub dir: Dir,
    pub moment: Moment,
    pub segment: Segment<'a>,
}

/// The shard of a connection, less than [`SHARDS`]. The same in every run: what is given up when memory is short depends on it.
pub(crate) const fn shard(key: &FlowKey) -> usize {
    key.mix() as usize % SHARDS
}

/// The shard that an exchange comes from.
pub(crate) fn shard_of(exchange: &Exchange) -> usize {
    shard(&FlowKey::between(exchange.client, exchange.server, 0).0)
}

/// Decodes, and tells the time.
#[derive(Debug)]
pub(crate) struct Router {
    decoder: Decoder,
    clock: Clock,
    frames: u64,
    frame_bytes: u64,
    frames_cut: u64,
}

impl Router {
    pub(crate) fn new(limits: Limits) -> Self {
        let fragment_bytes = limits.of_fragments() as usize;
        let decoder = Decoder::new(DecodeLimits { fragment_bytes, ..DecodeLimits::default() });
        Self { decoder, clock: Clock::default(), frames: 0, frame_bytes: 0, frames_cut: 0 }
    }

    /// A frame came, or at least it is `now`; says when a second began with that. To be asked before the frame is decoded.
    pub(crate) fn tick(&mut self, now: Timestamp) -> Option<Second> {
        self.clock.advance(now).then(|| Second { now, moment: self.moment() })
    }

    /// Counts a frame.
    pub(crate) fn count(&mut self, frame: &Frame<'_>) {
        self.frames += 1;
        self.frame_bytes += frame.data.len() as u64;
        self.frames_cut += u64::from(frame.wire_len as usize > frame.data.len());
    }

    /// Counts a segment that comes in place of a frame.
    pub(crate) fn count_segment(&mut self) {
        self.frames += 1;
    }

    /// The segment in the frame counted last, if there is one.
    pub(crate) fn decode<'a>(&'a mut self, frame: &Frame<'a>) -> Option<Routed<'a>> {
        let moment = self.moment();
        match self.decoder.decode(frame) {
            Decoded::Segment(segment) => Some(Routed::new(segment, moment)),
            Decoded::Skip(_) => None,
        }
    }

    /// Now.
    pub(crate) fn moment(&self) -> Moment {
        Moment { frame: self.frames, uptime: self.clock.uptime() }
    }

    /// What was seen before segments went to their shards.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            frames: self.frames,
            frame_bytes: self.frame_bytes,
            frames_cut: self.frames_cut,
            frames_skipped: self.decoder.skipped().named(),
            ..Counters::default()
        }
    }

    /// Bytes of memory in use by fragments.
    pub(crate) const fn memory(&self) -> u64 {
        self.decoder.memory() as u64
    }
}

impl<'a> Routed<'a> {
    pub(crate) fn new(segment: Segment<'a>, moment: Moment) -> Self {
        let (key, dir) = FlowKey::of(&segment);
        Self { key, dir, moment, segment }
    }
}
