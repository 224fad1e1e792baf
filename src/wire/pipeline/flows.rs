//! All connections, and what they carry.

use std::mem;

use crate::model::{Anomaly, Connection as About, Counters, Exchange, FlowId, Segment, StreamId, Timestamp};
use crate::step_counter;
use crate::wire::limits::Limits;
use crate::wire::pipeline::carried::{Carried, Shared};
use crate::wire::pipeline::flow::Flow;
use crate::wire::protocol::{Ending, Ignored};
use crate::wire::tcp::{Dir, FlowKey, List, Receiver, Slot, Table, Verdict};

/// Nanoseconds by which a connection's segments may go back in time without a word.
const STEP_BACK: i64 = 1_000_000_000;

/// Seconds for which a closed connection is remembered, so that stray segments find it.
const LINGER: u32 = 30;

/// When a frame came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// Its number, from 1.
    pub frame: u64,
    /// Seconds since the first one, as far as they are believed.
    pub uptime: u32,
}

/// A segment that knows where it belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routed<'a> {
    key: FlowKey,
    dir: Dir,
    moment: Moment,
    segment: Segment<'a>,
}

impl<'a> Routed<'a> {
    pub(crate) fn new(segment: Segment<'a>, moment: Moment) -> Self {
        let (key, dir) = FlowKey::of(&segment);
        Self { key, dir, moment, segment }
    }
}

/// What all connections have in common.
#[derive(Debug)]
pub(crate) struct Common {
    /// The bounds.
    pub limits: Limits,
    /// What was seen, used and lost.
    pub counters: Counters,
    /// What their connections share.
    pub shared: Shared,
}

/// Connections and what they carry.
#[derive(Debug)]
pub(crate) struct Flows {
    table: Table<Flow>,
    /// Flows that wait for time to pass.
    waiting: Vec<(Slot, FlowId)>,
    /// Bytes of memory in use by all flows.
    used: u64,
}

impl Flows {
    pub(crate) fn new() -> Self {
        Self { table: Table::new(), waiting: Vec::new(), used: 0 }
    }

    /// Bytes of memory in use by all flows.
    pub(crate) const fn memory(&self) -> u64 {
        self.used
    }

    /// Takes one segment; exchanges that it finished are appended to `out`.
    pub(crate) fn segment(&mut self, routed: &Routed<'_>, common: &mut Common, out: &mut Vec<Exchange>) {
        common.counters.segments += 1;
        common.counters.payload_bytes += routed.segment.payload.len() as u64;
        let slot = match self.table.find(&routed.key) {
            Some(slot) => slot,
            None => match self.open(routed, common) {
                Some(slot) => slot,
                None => return,
            },
        };
        match self.take(slot, routed, common, out) {
            Verdict::Taken => {}
            Verdict::Resume => {
                self.table.move_to(slot, List::Open);
                self.take(slot, routed, common, out);
            }
            Verdict::Restart => {
                self.close(slot, Ending::Closed, common, out);
                if let Some(slot) = self.open(routed, common) {
                    self.take(slot, routed, common, out);
                }
            }
        }
        self.keep_bounds(common, out);
    }

    /// The capture has ended: everything unfinished leaves with its reason.
    pub(crate) fn finish(&mut self, common: &mut Common, out: &mut Vec<Exchange>) {
        for list in [List::Open, List::Closed] {
            while let Some((slot, _)) = self.table.oldest(list) {
                self.close(slot, Ending::Captured, common, out);
            }
        }
        self.waiting.clear();
    }

    /// Makes a flow for a segment of an unknown connection, unless the segment says nothing worth it.
    fn open(&mut self, routed: &Routed<'_>, common: &mut Common) -> Option<Slot> {
        let Routed { key, moment, ref segment, .. } = *routed;
        let flags = segment.flags;
        if (segment.payload_len == 0 || flags.rst()) && !flags.syn() {
            common.counters.skipped_bytes += segment.payload.len() as u64;
            return None;
        }
        common.counters.flows += 1;
        let about = About {
            flow: FlowId(moment.frame),
            interface: segment.interface,
            stream: StreamId::default(),
            index: 0,
            handshake: flags.syn(),
        };
        self.used += Table::<Flow>::entry_cost() as u64;
        Some(self.table.insert(key, Flow::new(about, segment.time), moment.uptime))
    }

    fn take(
        &mut self,
        slot: Slot,
        routed: &Routed<'_>,
        common: &mut Common,
        out: &mut Vec<Exchange>,
    ) -> Verdict {
        let Routed { key, dir, moment, ref segment } = *routed;
        self.table.touch(slot, moment.uptime);
        let Some(flow) = self.table.get_mut(slot) else { return Verdict::Taken };
        if let Some(ignored) = flow.ignored
            && !segment.flags.syn()
        {
            self.pass_by(slot, ignored, routed, common, out);
            return Verdict::Taken;
        }
        let was_ended = flow.tcp.ended;
        let went_back = flow.last.since(segment.time) >= STEP_BACK;
        flow.last = segment.time;
        let one_sided = !flow.tcp.halves[dir.other()].seen;
        let (tcp, mut port) = flow.split(common, out, key, one_sided);
        if went_back {
            port.notice(Anomaly::ClockWentBack);
        }
        let verdict = tcp.segment(segment, dir, &mut port);
        if tcp.ended && !was_ended {
            port.end(Ending::Closed, segment.time);
        }
        let ignored = flow.carried.as_ref().and_then(Carried::ignored);
        if ignored.is_some() {
            flow.ignored = ignored;
            let (tcp, mut port) = flow.split(common, out, key, one_sided);
            tcp.drop_waiting(&mut port);
        }
        let cost = flow.cost() as u64;
        self.used = self.used + cost - mem::replace(&mut flow.charged, cost);
        if !flow.in_waiting_list && flow.awaits_time() {
            flow.in_waiting_list = true;
            self.waiting.push((slot, flow.about.flow));
        }
        if flow.tcp.ended && !was_ended {
            self.table.move_to(slot, List::Closed);
        }
        let over = cost > common.limits.memory / 8;
        if over {
            common.counters.flows_evicted += 1;
            self.close(slot, Ending::Evicted, common, out);
        }
        verdict
    }

    /// A segment of a flow that carries nothing readable, or nothing any more: only its bytes and its end count.
    fn pass_by(
        &mut self,
        slot: Slot,
        ignored: Ignored,
        routed: &Routed<'_>,
        common: &mut Common,
        out: &mut Vec<Exchange>,
    ) {
        let Routed { key, ref segment, .. } = *routed;
        let account = match ignored {
            Ignored::Switched => &mut common.counters.skipped_bytes,
            Ignored::Foreign => &mut common.counters.unparsed_bytes,
        };
        *account += segment.payload.len() as u64;
        if let Some(flow) = self.table.get_mut(slot)
            && (segment.flags.fin() || segment.flags.rst())
            && !flow.tcp.ended
        {
            flow.tcp.ended = true;
            let (_, mut port) = flow.split(common, out, key, false);
            port.end(Ending::Closed, segment.time);
            self.used -= mem::take(&mut flow.charged);
            self.table.move_to(slot, List::Closed);
        }
    }

    /// Takes a flow out of the table; everything unfinished leaves.
    fn close(&mut self, slot: Slot, ending: Ending, common: &mut Common, out: &mut Vec<Exchange>) {
        if let Some((key, flow)) = self.table.remove(slot) {
            self.end(key, flow, ending, common, out);
        }
    }

    fn end(
        &mut self,
        key: FlowKey,
        mut flow: Flow,
        ending: Ending,
        common: &mut Common,
        out: &mut Vec<Exchange>,
    ) {
        self.used -= flow.charged + Table::<Flow>::entry_cost() as u64;
        let time = flow.last;
        let one_sided = flow.tcp.is_one_sided();
        let (tcp, mut port) = flow.split(common, out, key, one_sided);
        if ending == Ending::Evicted {
            tcp.drop_waiting(&mut port);
        } else {
            tcp.flush(time, &mut port);
        }
        port.end(ending, time);
    }

    /// Evicts until everything is within its bounds: closed connections first, then the least recently active.
    fn keep_bounds(&mut self, common: &mut Common, out: &mut Vec<Exchange>) {
        let (memory, flows) = common.limits.of_flows();
        while self.used > memory || self.table.len() > flows {
            if let Some((slot, _)) = self.table.oldest(List::Closed) {
                self.close(slot, Ending::Closed, common, out);
            } else if let Some((slot, _)) = self.table.oldest(List::Open) {
                common.counters.flows_evicted += 1;
                self.close(slot, Ending::Evicted, common, out);
            } else {
                return;
            }
        }
    }

    /// A second of capture time began: what waited long enough is decided, what was idle for too long leaves.
    pub(crate) fn second(
        &mut self,
        now: Timestamp,
        uptime: u32,
        common: &mut Common,
        out: &mut Vec<Exchange>,
    ) {
        for (slot, id) in mem::take(&mut self.waiting) {
            step_counter::steps(1);
            self.wake(slot, id, now, common, out);
        }
        let idle = u32::try_from(common.limits.idle / 1_000_000_000).unwrap_or(u32::MAX);
        for (list, after) in [(List::Closed, LINGER), (List::Open, idle)] {
            while let Some((slot, active)) = self.table.oldest(list)
                && uptime - active > after
            {
                self.close(slot, Ending::Expired, common, out);
            }
        }
    }

    fn wake(&mut self, slot: Slot, id: FlowId, now: Timestamp, common: &mut Common, out: &mut Vec<Exchange>) {
        let Some(key) = self.table.key(slot) else { return };
        let Some(flow) = self.table.get_mut(slot).filter(|flow| flow.about.flow == id) else { return };
        let was_ended = flow.tcp.ended;
        let one_sided = flow.tcp.is_one_sided();
        let (tcp, mut port) = flow.split(common, out, key, one_sided);
        tcp.tick(now, &mut port);
        port.tick(now);
        if tcp.ended && !was_ended {
            port.end(Ending::Closed, now);
        }
        let cost = flow.cost() as u64;
        self.used = self.used + cost - mem::replace(&mut flow.charged, cost);
        flow.in_waiting_list = flow.awaits_time();
        if flow.in_waiting_list {
            self.waiting.push((slot, id));
        }
        if flow.tcp.ended && !was_ended {
            self.table.move_to(slot, List::Closed);
        }
    }
}
