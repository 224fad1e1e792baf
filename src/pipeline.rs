//! The sans-IO pipeline: frames in, exchanges out. No thread, no clock, no channel.

#[cfg(test)]
mod cases;
mod clock;
mod flow;

use std::mem;

use crate::decode::{DecodeLimits, Decoded, Decoder};
use crate::http::{Ending, Models};
use crate::model::{Anomaly, Connection as About, Counters, Exchange, FlowId, Frame, Segment, Timestamp};
use crate::tcp::{Dir, FlowKey, List, Receiver, Slot, Table, Verdict};
use crate::work;
use clock::Clock;
use flow::{Flow, Ignored};

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

/// Nanoseconds by which a connection's segments may go back in time without a word.
const STEP_BACK: i64 = 1_000_000_000;

/// Seconds for which a closed connection is remembered, so that stray segments find it.
const LINGER: u32 = 30;

/// Frames in, exchanges out.
#[derive(Debug)]
pub struct Pipeline {
    decoder: Decoder,
    flows: Flows,
}

impl Pipeline {
    /// A pipeline that has seen nothing.
    pub fn new(limits: Limits) -> Self {
        let fragment_bytes = (limits.memory / 16) as usize;
        let decoder = Decoder::new(DecodeLimits { fragment_bytes, ..DecodeLimits::default() });
        Self { decoder, flows: Flows::new(limits) }
    }

    /// Takes one frame; exchanges that it finished are appended to `out`.
    pub fn ingest(&mut self, frame: &Frame<'_>, out: &mut Vec<Exchange>) {
        let counters = &mut self.flows.counters;
        counters.frames += 1;
        counters.frame_bytes += frame.data.len() as u64;
        counters.frames_cut += u64::from(frame.wire_len as usize > frame.data.len());
        self.flows.tick(frame.time, out);
        if let Decoded::Segment(segment) = self.decoder.decode(frame) {
            self.flows.segment(&segment, out);
        }
    }

    /// Takes one segment in place of a frame.
    pub fn segment(&mut self, segment: &Segment<'_>, out: &mut Vec<Exchange>) {
        self.flows.counters.frames += 1;
        self.flows.tick(segment.time, out);
        self.flows.segment(segment, out);
    }

    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire.
    pub fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        self.flows.tick(now, out);
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    pub fn finish(&mut self, out: &mut Vec<Exchange>) {
        self.flows.finish(out);
    }

    /// What was seen, used and lost.
    pub fn counters(&self) -> Counters {
        let mut counters = self.flows.counters.clone();
        counters.frames_skipped = self.decoder.skipped().named();
        counters
    }

    /// Bytes of memory in use by everything unfinished. Bound: [`Limits::memory`].
    pub fn memory(&self) -> u64 {
        self.flows.used + self.decoder.memory() as u64
    }
}

/// Connections and what they carry.
#[derive(Debug)]
struct Flows {
    limits: Limits,
    counters: Counters,
    table: Table<Flow>,
    /// What heads look like here.
    models: Models,
    clock: Clock,
    /// Flows that wait for time to pass.
    waiting: Vec<(Slot, FlowId)>,
    /// Bytes of memory in use by all flows.
    used: u64,
}

impl Flows {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            counters: Counters::default(),
            table: Table::new(),
            models: Models::default(),
            clock: Clock::default(),
            waiting: Vec::new(),
            used: 0,
        }
    }

    /// Takes one segment; exchanges that it finished are appended to `out`.
    fn segment(&mut self, segment: &Segment<'_>, out: &mut Vec<Exchange>) {
        self.counters.segments += 1;
        self.counters.payload_bytes += segment.payload.len() as u64;
        let (key, dir) = FlowKey::of(segment);
        let slot = match self.table.find(&key) {
            Some(slot) => slot,
            None => match self.open(key, segment) {
                Some(slot) => slot,
                None => return,
            },
        };
        match self.take(slot, key, dir, segment, out) {
            Verdict::Taken => {}
            Verdict::Resume => {
                self.table.move_to(slot, List::Open);
                self.take(slot, key, dir, segment, out);
            }
            Verdict::Restart => {
                self.close(slot, Ending::Closed, out);
                if let Some(slot) = self.open(key, segment) {
                    self.take(slot, key, dir, segment, out);
                }
            }
        }
        self.keep_bounds(out);
    }

    /// Tells that it is `now` in capture time although no frame came (live captures), so that idle flows expire.
    fn tick(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        if self.clock.advance(now) {
            self.second(now, out);
        }
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    fn finish(&mut self, out: &mut Vec<Exchange>) {
        for list in [List::Open, List::Closed] {
            let mut slots = Vec::new();
            while let Some((slot, _)) = self.table.oldest(list) {
                slots.extend(self.table.remove(slot));
            }
            slots.sort_by_key(|(_, flow)| flow.about.flow);
            for (key, flow) in slots {
                self.end(key, flow, Ending::Captured, out);
            }
        }
        self.waiting.clear();
    }

    /// Makes a flow for a segment of an unknown connection, unless the segment says nothing worth it.
    fn open(&mut self, key: FlowKey, segment: &Segment<'_>) -> Option<Slot> {
        let flags = segment.flags;
        if (segment.payload_len == 0 || flags.rst()) && !flags.syn() {
            self.counters.skipped_bytes += segment.payload.len() as u64;
            return None;
        }
        self.counters.flows += 1;
        let about = About {
            flow: FlowId(self.counters.frames),
            interface: segment.interface,
            index: 0,
            handshake: flags.syn(),
        };
        self.used += Table::<Flow>::entry_cost() as u64;
        Some(self.table.insert(key, Flow::new(about, segment.time), self.clock.uptime()))
    }

    fn take(
        &mut self,
        slot: Slot,
        key: FlowKey,
        dir: Dir,
        segment: &Segment<'_>,
        out: &mut Vec<Exchange>,
    ) -> Verdict {
        self.table.touch(slot, self.clock.uptime());
        let Some(flow) = self.table.get_mut(slot) else { return Verdict::Taken };
        if let Some(ignored) = flow.ignored
            && !segment.flags.syn()
        {
            self.pass_by(slot, key, ignored, segment, out);
            return Verdict::Taken;
        }
        let was_ended = flow.tcp.ended;
        let went_back = flow.last.since(segment.time) >= STEP_BACK;
        flow.last = segment.time;
        let one_sided = !flow.tcp.halves[dir.other()].seen;
        let (tcp, mut port) =
            flow.split(&self.limits, &mut self.counters, &mut self.models, out, key, one_sided);
        if went_back {
            port.notice(Anomaly::ClockWentBack);
        }
        let verdict = tcp.segment(segment, dir, &mut port);
        if tcp.ended && !was_ended {
            port.end(Ending::Closed, segment.time);
        }
        if let Some(http) = &flow.http
            && http.is_foreign()
        {
            flow.ignored = Some(if http.is_switched() { Ignored::Switched } else { Ignored::Foreign });
            let (tcp, mut port) =
                flow.split(&self.limits, &mut self.counters, &mut self.models, out, key, one_sided);
            tcp.drop_waiting(&mut port);
        }
        let cost = flow.cost() as u64;
        self.used = self.used + cost - mem::replace(&mut flow.charged, cost);
        if !flow.listed && flow.awaits_time() {
            flow.listed = true;
            self.waiting.push((slot, flow.about.flow));
        }
        if flow.tcp.ended && !was_ended {
            self.table.move_to(slot, List::Closed);
        }
        let over = cost > self.limits.memory / 8;
        if over {
            self.counters.flows_evicted += 1;
            self.close(slot, Ending::Evicted, out);
        }
        verdict
    }

    /// A segment of a flow that is no HTTP, or none any more: only its bytes and its end count.
    fn pass_by(
        &mut self,
        slot: Slot,
        key: FlowKey,
        ignored: Ignored,
        segment: &Segment<'_>,
        out: &mut Vec<Exchange>,
    ) {
        let account = match ignored {
            Ignored::Switched => &mut self.counters.skipped_bytes,
            Ignored::Foreign => &mut self.counters.unparsed_bytes,
        };
        *account += segment.payload.len() as u64;
        if let Some(flow) = self.table.get_mut(slot)
            && (segment.flags.fin() || segment.flags.rst())
            && !flow.tcp.ended
        {
            flow.tcp.ended = true;
            let (_, mut port) =
                flow.split(&self.limits, &mut self.counters, &mut self.models, out, key, false);
            port.end(Ending::Closed, segment.time);
            self.used -= mem::take(&mut flow.charged);
            self.table.move_to(slot, List::Closed);
        }
    }

    /// Takes a flow out of the table; everything unfinished leaves.
    fn close(&mut self, slot: Slot, ending: Ending, out: &mut Vec<Exchange>) {
        if let Some((key, flow)) = self.table.remove(slot) {
            self.end(key, flow, ending, out);
        }
    }

    fn end(&mut self, key: FlowKey, mut flow: Flow, ending: Ending, out: &mut Vec<Exchange>) {
        self.used -= flow.charged + Table::<Flow>::entry_cost() as u64;
        let time = flow.last;
        let one_sided = flow.tcp.is_one_sided();
        let (tcp, mut port) =
            flow.split(&self.limits, &mut self.counters, &mut self.models, out, key, one_sided);
        if ending == Ending::Evicted {
            tcp.drop_waiting(&mut port);
        } else {
            tcp.flush(time, &mut port);
        }
        port.end(ending, time);
    }

    /// Evicts until everything is within its bounds: closed connections first, then the least recently active.
    fn keep_bounds(&mut self, out: &mut Vec<Exchange>) {
        while self.used > self.limits.memory || self.table.len() > self.limits.flows as usize {
            if let Some((slot, _)) = self.table.oldest(List::Closed) {
                self.close(slot, Ending::Closed, out);
            } else if let Some((slot, _)) = self.table.oldest(List::Open) {
                self.counters.flows_evicted += 1;
                self.close(slot, Ending::Evicted, out);
            } else {
                return;
            }
        }
    }

    /// A second of capture time began: what waited long enough is decided, what was idle for too long leaves.
    fn second(&mut self, now: Timestamp, out: &mut Vec<Exchange>) {
        for (slot, id) in mem::take(&mut self.waiting) {
            work::steps(1);
            self.wake(slot, id, now, out);
        }
        let idle = u32::try_from(self.limits.idle / 1_000_000_000).unwrap_or(u32::MAX);
        self.expire(List::Closed, LINGER, out);
        self.expire(List::Open, idle, out);
    }

    fn expire(&mut self, list: List, after: u32, out: &mut Vec<Exchange>) {
        let mut gone = Vec::new();
        while let Some((slot, active)) = self.table.oldest(list) {
            if self.clock.uptime() - active <= after {
                break;
            }
            gone.extend(self.table.remove(slot));
        }
        gone.sort_by_key(|(_, flow)| flow.about.flow);
        for (key, flow) in gone {
            self.end(key, flow, Ending::Expired, out);
        }
    }

    fn wake(&mut self, slot: Slot, id: FlowId, now: Timestamp, out: &mut Vec<Exchange>) {
        let Some(key) = self.table.key(slot) else { return };
        let Some(flow) = self.table.get_mut(slot).filter(|flow| flow.about.flow == id) else { return };
        let was_ended = flow.tcp.ended;
        let one_sided = flow.tcp.is_one_sided();
        let (tcp, mut port) =
            flow.split(&self.limits, &mut self.counters, &mut self.models, out, key, one_sided);
        tcp.tick(now, &mut port);
        port.tick(now);
        if tcp.ended && !was_ended {
            port.end(Ending::Closed, now);
        }
        let cost = flow.cost() as u64;
        self.used = self.used + cost - mem::replace(&mut flow.charged, cost);
        flow.listed = flow.awaits_time();
        if flow.listed {
            self.waiting.push((slot, id));
        }
        if flow.tcp.ended && !was_ended {
            self.table.move_to(slot, List::Closed);
        }
    }
}
