//! One connection: handshake, acknowledgements, the fast path of bytes that come in order.

use crate::model::{Anomaly, Segment, Timestamp};
use crate::step_counter;
use crate::wire::tcp::half::{End, Half};
use crate::wire::tcp::key::{Dir, Pair};
use crate::wire::tcp::store::{Piece, Store};
use crate::wire::tcp::{Arrival, Receiver};

/// An acknowledgement or a sequence number farther from what is known is not believed.
const PLAUSIBLE: u64 = 1 << 30;
/// A closed connection takes segments this near to its end for its own.
const STRAY: u64 = 1 << 20;

/// What a segment means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It belongs to it.
    Taken,
    /// It begins a new connection between the same ports.
    Restart,
    /// It goes on with a connection that a reset had not ended after all.
    Resume,
}

/// Sequence state of a connection.
#[derive(Debug, Default)]
pub(crate) struct Connection {
    /// Its directions.
    pub halves: Pair<Half>,
    /// Who opened it, if the handshake was seen.
    pub client: Option<Dir>,
    /// Whether it has ended: closed on both sides, or reset.
    pub ended: bool,
    /// Segments seen, for judging how long a hole has been open.
    pub segments: u32,
    /// A SYN with another sequence number, not yet answered.
    candidate: Option<u32>,
    /// Whether acknowledgements turned out to be made up.
    acks_void: bool,
    /// Who reset it.
    pub(super) reset_by: Option<Dir>,
}

impl Connection {
    /// Takes a segment; bytes whose turn has come go to `to`.
    pub(crate) fn segment<R: Receiver>(&mut self, segment: &Segment<'_>, dir: Dir, to: &mut R) -> Verdict {
        step_counter::steps(1);
        self.segments = self.segments.wrapping_add(1);
        let flags = segment.flags;
        if flags.syn() && self.syn(segment, dir, to) == Verdict::Restart {
            return Verdict::Restart;
        }
        let seq = segment.seq.wrapping_add(u32::from(flags.syn()));
        if self.ended {
            return self.stray(segment, seq, dir, to);
        }
        let has_data = segment.payload_len > 0 || flags.fin();
        if has_data && !self.locate(segment, seq, dir) {
            return Verdict::Restart;
        }
        self.halves[dir].seen = true;
        let ack = self.acknowledge(segment, dir);
        if flags.rst() {
            self.rst(segment, seq, ack, dir, to);
        } else if has_data {
            self.payload(segment, seq, ack, dir, to);
        }
        if self.halves[Dir::Low].waits() || self.halves[Dir::High].waits() {
            self.hand_on_due(segment.time, to);
        }
        Verdict::Taken
    }

    fn syn<R: Receiver>(&mut self, segment: &Segment<'_>, dir: Dir, to: &mut R) -> Verdict {
        let first = segment.seq.wrapping_add(1);
        if self.halves[dir].started_at(first) {
            return Verdict::Taken;
        }
        if self.ended {
            return Verdict::Restart;
        }
        let fresh = self.halves[Dir::Low].is_fresh() && self.halves[Dir::High].is_fresh();
        if segment.flags.ack() {
            if self.candidate.is_some_and(|seq| segment.ack == seq.wrapping_add(1)) {
                return Verdict::Restart;
            }
            if self.halves[dir].known && !fresh {
                to.notice(Anomaly::SynReplayed);
                return Verdict::Taken;
            }
            self.client = Some(dir.other());
            to.opened(dir.other());
            self.halves[dir].start(first);
            if !self.halves[dir.other()].known {
                self.halves[dir.other()].start(segment.ack);
            }
            return Verdict::Taken;
        }
        if fresh {
            if self.halves[dir].known && self.client.is_some() {
                to.notice(Anomaly::SynReplayed);
                self.halves[dir.other()] = Half::default();
            }
            self.client = Some(dir);
            to.opened(dir);
            self.halves[dir].start(first);
            return Verdict::Taken;
        }
        if segment.payload_len > 0 {
            return Verdict::Restart;
        }
        self.candidate = Some(segment.seq);
        to.notice(Anomaly::SynReplayed);
        Verdict::Taken
    }

    /// Makes sure that `seq` has a place in direction `dir`; `false` when it belongs to another connection.
    fn locate(&mut self, segment: &Segment<'_>, seq: u32, dir: Dir) -> bool {
        let other = dir.other();
        if segment.flags.ack() && !self.halves[other].known && !self.acks_void {
            self.halves[other].start(segment.ack);
        }
        let half = &mut self.halves[dir];
        if !half.known {
            half.start(seq);
            return true;
        }
        let distance = half.offset(seq).abs_diff(half.next);
        if self.candidate.is_some_and(|syn| seq == syn.wrapping_add(1)) && distance > 0 {
            return false;
        }
        if distance > STRAY && !half.seen {
            half.start(seq);
            self.acks_void = true;
        }
        true
    }

    /// Notes the acknowledgement; returns it as an offset of the other direction.
    fn acknowledge(&mut self, segment: &Segment<'_>, dir: Dir) -> Option<u64> {
        let half = &mut self.halves[dir.other()];
        if !segment.flags.ack() || !half.known || self.acks_void {
            return None;
        }
        let ack = half.offset(segment.ack);
        if ack.abs_diff(half.next) > PLAUSIBLE {
            return None;
        }
        half.acked = half.acked.max(ack);
        Some(ack)
    }

    fn rst<R: Receiver>(&mut self, segment: &Segment<'_>, seq: u32, ack: Option<u64>, dir: Dir, to: &mut R) {
        to.tally().skipped_bytes += segment.payload.len() as u64;
        let half = &mut self.halves[dir];
        if !half.known {
            // No segment of this side was seen: a refused SYN, or the other side is all we see.
            half.start(seq);
        }
        let offset = half.offset(seq);
        let lowest = half.acked.min(half.next).saturating_sub(1);
        let highest = half.next.max(half.acked).saturating_add(STRAY);
        if offset < lowest || offset > highest {
            return;
        }
        let arrival = Arrival { time: segment.time, offset, ack, starts_segment: true };
        half.end = Some(Box::new(End { arrival, reset: true }));
    }

    fn payload<R: Receiver>(
        &mut self,
        segment: &Segment<'_>,
        seq: u32,
        ack: Option<u64>,
        dir: Dir,
        to: &mut R,
    ) {
        let offset = self.halves[dir].offset(seq);
        let len = u64::from(segment.payload_len);
        if segment.flags.urg() && segment.urgent > 0 && u32::from(segment.urgent) <= segment.payload_len {
            self.halves[dir].urgent = offset + u64::from(segment.urgent) - 1;
            to.notice(Anomaly::UrgentData);
        }
        let arrival = Arrival { time: segment.time, offset, ack, starts_segment: true };
        if segment.flags.fin() && !self.halves[dir].finished && self.halves[dir].end.is_none() {
            let arrival = Arrival { offset: offset + len, ..arrival };
            self.halves[dir].end = Some(Box::new(End { arrival, reset: false }));
        }
        if len == 0 {
            return;
        }
        let in_order = offset == self.halves[dir].next && self.halves[dir].store.is_none();
        if in_order && self.is_due(ack, dir) {
            self.deliver(dir, segment.payload, len, arrival, to);
        } else {
            self.keep(dir, segment.payload, len, arrival, to);
        }
    }

    /// Whether all that `ack` acknowledges was handed on.
    pub(super) fn is_due(&self, ack: Option<u64>, dir: Dir) -> bool {
        let other = &self.halves[dir.other()];
        ack.is_none_or(|ack| ack <= other.next || other.finished)
    }

    /// Hands bytes on, which must be the next of `dir`.
    pub(super) fn deliver<R: Receiver>(
        &mut self,
        dir: Dir,
        data: &[u8],
        len: u64,
        arrival: Arrival,
        to: &mut R,
    ) {
        let half = &mut self.halves[dir];
        let end = arrival.offset + data.len() as u64;
        if std::mem::take(&mut half.unseen) {
            // Bytes follow, so it was no FIN.
            let offset = arrival.offset - 1;
            Self::lose(dir, 1, Arrival { offset, starts_segment: false, ..arrival }, to);
        }
        let half = &mut self.halves[dir];
        half.next = arrival.offset + len;
        half.hole = None;
        if half.urgent >= arrival.offset && half.urgent < end {
            let at = (half.urgent - arrival.offset) as usize;
            let (before, rest) = data.split_at_checked(at).unwrap_or((data, &[]));
            half.urgent = u64::MAX;
            if !before.is_empty() {
                to.data(dir, before, arrival);
            }
            to.tally().skipped_bytes += 1;
            let offset = arrival.offset + at as u64 + 1;
            if let Some(after) = rest.get(1..).filter(|after| !after.is_empty()) {
                to.data(dir, after, Arrival { offset, starts_segment: false, ..arrival });
            }
        } else if !data.is_empty() {
            to.data(dir, data, arrival);
        }
        let missing = len - data.len() as u64;
        if missing > 0 {
            to.notice(Anomaly::SnaplenCut);
            Self::lose(dir, missing, Arrival { offset: end, ..arrival }, to);
        }
    }

    /// Tells that `missing` bytes at `arrival.offset` are not in the capture.
    pub(super) fn lose<R: Receiver>(dir: Dir, missing: u64, arrival: Arrival, to: &mut R) {
        to.tally().gaps += 1;
        to.tally().gap_bytes += missing;
        to.gap(dir, missing, arrival);
    }

    /// Keeps what is not there yet, for later.
    fn keep<R: Receiver>(&mut self, dir: Dir, data: &[u8], len: u64, arrival: Arrival, to: &mut R) {
        let half = &mut self.halves[dir];
        let mut arrival = arrival;
        let (mut data, mut len) = (data, len);
        if arrival.offset < half.next {
            let old = half.next - arrival.offset;
            let (again, new) = data.split_at_checked(old as usize).unwrap_or((data, &[]));
            to.tally().duplicate_bytes += again.len() as u64;
            if to.repeated(dir, arrival.offset, again) {
                to.notice(Anomaly::ConflictingRetransmission);
            }
            if len <= old {
                return;
            }
            (data, len) = (new, len - old);
            arrival.offset = half.next;
            arrival.starts_segment = false;
        }
        if half.finished {
            to.tally().skipped_bytes += data.len() as u64;
            return;
        }
        let like = Piece {
            time: arrival.time,
            ack: arrival.ack,
            starts_segment: arrival.starts_segment,
            data: Box::default(),
            len,
        };
        let done =
            half.store.get_or_insert_with(|| Box::new(Store::default())).insert(arrival.offset, data, &like);
        to.tally().pending_bytes += done.stored;
        to.tally().duplicate_bytes += done.duplicate;
        if done.conflict {
            to.notice(Anomaly::ConflictingRetransmission);
        }
    }

    fn stray<R: Receiver>(&mut self, segment: &Segment<'_>, seq: u32, dir: Dir, to: &mut R) -> Verdict {
        let half = &self.halves[dir];
        if segment.payload.is_empty() {
            return Verdict::Taken;
        }
        let offset = half.offset(seq);
        if self.reset_by == Some(dir) && offset == half.next {
            (self.ended, self.reset_by) = (false, None);
            if !(self.halves[Dir::Low].is_fresh() && self.halves[Dir::High].is_fresh()) {
                self.client = None;
            }
            return Verdict::Resume;
        }
        if !half.known || offset > half.next + STRAY || offset + STRAY < START_FLOOR.min(half.next) {
            return Verdict::Restart;
        }
        if offset + u64::from(segment.payload_len) <= half.next {
            to.tally().duplicate_bytes += segment.payload.len() as u64;
        } else {
            to.tally().skipped_bytes += segment.payload.len() as u64;
        }
        Verdict::Taken
    }

    /// Bytes of memory that what waits takes.
    pub(crate) fn cost(&self) -> usize {
        self.halves[Dir::Low].cost() + self.halves[Dir::High].cost()
    }

    /// Whether segments of one direction only were seen.
    pub(crate) fn is_one_sided(&self) -> bool {
        !(self.halves[Dir::Low].seen && self.halves[Dir::High].seen)
    }

    /// Whether time must pass before something here can be decided.
    pub(crate) fn is_undecided(&self) -> bool {
        !self.ended && (self.halves[Dir::Low].waits() || self.halves[Dir::High].waits())
    }

    /// Time has passed.
    pub(crate) fn tick<R: Receiver>(&mut self, now: Timestamp, to: &mut R) {
        if self.is_undecided() {
            self.hand_on_due(now, to);
        }
    }
}

/// Offsets below are of bytes before anything that was seen.
const START_FLOOR: u64 = crate::wire::tcp::half::START;
