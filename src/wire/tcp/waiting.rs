//! What to do when bytes wait: hand on what is due, and decide when a hole is a loss of the capture.
//!
//! A hole becomes a gap when the receiver acknowledged bytes beyond it and the capture had a fair chance to show them
//! late ([`PATIENCE_SEGMENTS`], [`PATIENCE_TIME`]), when too much waits behind it, when it has been open for
//! [`PATIENCE_UNACKNOWLEDGED`], or when the connection ends. Data seen in one direction alone proves no loss in the other.

use crate::model::Timestamp;
use crate::step_counter;
use crate::wire::tcp::half::{End, Hole};
use crate::wire::tcp::key::Dir;
use crate::wire::tcp::{Arrival, Connection, Receiver};

/// Segments of the connection after which an acknowledged hole is a gap.
const PATIENCE_SEGMENTS: u32 = 32;
/// Nanoseconds of capture time after which an acknowledged hole is a gap.
const PATIENCE_TIME: i64 = 1_000_000_000;
/// Nanoseconds of capture time after which a hole is a gap although nobody acknowledged it.
const PATIENCE_UNACKNOWLEDGED: i64 = 10_000_000_000;
/// Bytes of memory that may wait in one direction.
const WAITING: usize = 2 << 20;

impl Connection {
    /// Hands on all that is due and declares gaps.
    pub(super) fn hand_on_due<R: Receiver>(&mut self, now: Timestamp, to: &mut R) {
        loop {
            step_counter::steps(1);
            while self.hand_on_stored(Dir::Low, to) | self.hand_on_stored(Dir::High, to) {}
            if self.ended
                || !(self.declare_overdue_gap(Dir::Low, now, to)
                    || self.declare_overdue_gap(Dir::High, now, to))
            {
                return;
            }
        }
    }

    /// The connection is over: hands on everything, with gaps where bytes are missing.
    pub(crate) fn flush<R: Receiver>(&mut self, now: Timestamp, to: &mut R) {
        while !self.ended {
            step_counter::steps(1);
            while self.hand_on_stored(Dir::Low, to) | self.hand_on_stored(Dir::High, to) {}
            if self.ended || !(self.declare_gap(Dir::Low, now, to) || self.declare_gap(Dir::High, now, to)) {
                break;
            }
        }
        self.drop_waiting(to);
    }

    /// Forgets what still waits.
    pub(crate) fn drop_waiting<R: Receiver>(&mut self, to: &mut R) {
        for dir in [Dir::Low, Dir::High] {
            self.halves[dir].end = None;
            if let Some(store) = self.halves[dir].store.take() {
                to.tally().pending_bytes -= store.bytes();
                to.tally().dropped_bytes += store.bytes();
            }
        }
    }

    /// Hands on what is due in `dir`; says whether there was any.
    fn hand_on_stored<R: Receiver>(&mut self, dir: Dir, to: &mut R) -> bool {
        let mut progress = false;
        while let Some((offset, ack)) = self.halves[dir]
            .store
            .as_ref()
            .and_then(|store| store.first().map(|(offset, piece)| (offset, piece.ack)))
        {
            if self.ended || offset > self.halves[dir].next || !self.is_due(ack, dir) {
                break;
            }
            let Some((offset, piece)) = self.halves[dir].store.as_mut().and_then(|store| store.pop()) else {
                break;
            };
            step_counter::steps(1 + piece.data.len());
            to.tally().pending_bytes -= piece.data.len() as u64;
            let old = self.halves[dir].next - offset;
            let arrival = Arrival {
                time: piece.time,
                offset: offset + old,
                ack: piece.ack,
                starts_segment: piece.starts_segment && old == 0,
            };
            let new = piece.data.get(old as usize..).unwrap_or_default();
            to.tally().duplicate_bytes += (piece.data.len() - new.len()) as u64;
            if piece.len > old {
                self.deliver(dir, new, piece.len - old, arrival, to);
            }
            progress = true;
        }
        if self.halves[dir].store.as_ref().is_some_and(|store| store.first().is_none()) {
            self.halves[dir].store = None;
        }
        progress | self.hand_on_end(dir, to)
    }

    /// Hands on the FIN or the RST of `dir` if it is due.
    fn hand_on_end<R: Receiver>(&mut self, dir: Dir, to: &mut R) -> bool {
        let Some(End { arrival, reset }) = self.halves[dir].end.as_deref().copied() else { return false };
        let due = arrival.offset <= self.halves[dir].next && self.is_due(arrival.ack, dir);
        if self.ended || !due {
            return false;
        }
        self.halves[dir].end = None;
        if !reset && arrival.offset < self.halves[dir].next {
            return true;
        }
        if reset {
            to.reset(dir, arrival);
            (self.ended, self.reset_by) = (true, Some(dir));
            self.drop_waiting(to);
        } else {
            self.halves[dir].next = self.halves[dir].next.max(arrival.offset + 1);
            self.halves[dir].finished = true;
            to.fin(dir, arrival);
            self.ended = self.halves[dir.other()].finished;
            if self.ended {
                self.drop_waiting(to);
            }
        }
        true
    }

    /// Declares the hole of `dir` a gap if it is time; says whether it did.
    fn declare_overdue_gap<R: Receiver>(&mut self, dir: Dir, now: Timestamp, to: &mut R) -> bool {
        let half = &self.halves[dir];
        let waiting = half.store.as_ref().and_then(|store| store.first()).map(|(offset, _)| offset);
        let acknowledged = half.acked > half.next;
        if !acknowledged && waiting.is_none_or(|offset| offset <= half.next) {
            self.halves[dir].hole = None;
            return false;
        }
        let segments = self.segments;
        let fresh = Hole { segments, time: now, acknowledged };
        let hole = **self.halves[dir].hole.get_or_insert_with(|| Box::new(fresh));
        if acknowledged && !hole.acknowledged {
            self.halves[dir].hole = Some(Box::new(fresh));
        }
        let age = now.since(hole.time);
        let overfull = self.cost() > WAITING;
        let patient = if acknowledged && hole.acknowledged {
            segments.wrapping_sub(hole.segments) < PATIENCE_SEGMENTS && age < PATIENCE_TIME
        } else {
            age < PATIENCE_UNACKNOWLEDGED
        };
        if patient && !overfull {
            return false;
        }
        self.declare_gap(dir, now, to)
    }

    /// Whether a piece or an end of the other direction acknowledges more of `dir` than was handed on.
    fn is_waited_for(&self, dir: Dir) -> bool {
        let other = &self.halves[dir.other()];
        let piece = other.store.as_ref().and_then(|store| store.first()).and_then(|(_, piece)| piece.ack);
        let end = other.end.as_ref().and_then(|end| end.arrival.ack);
        piece.max(end).is_some_and(|ack| ack > self.halves[dir].next)
    }

    /// Each direction's next bytes acknowledge bytes of the other that were not handed on: one acknowledgement is wrong. Hands on
    /// what was captured first, without its acknowledgement; says whether it did.
    fn hand_on_one_of_both<R: Receiver>(&mut self, to: &mut R) -> bool {
        let waiting = |dir: Dir| {
            let half = &self.halves[dir];
            let (offset, piece) = half.store.as_ref()?.first()?;
            (offset <= half.next && !self.is_due(piece.ack, dir)).then_some(piece.time)
        };
        let (Some(low), Some(high)) = (waiting(Dir::Low), waiting(Dir::High)) else { return false };
        let dir = if low <= high { Dir::Low } else { Dir::High };
        if let Some(store) = &mut self.halves[dir].store {
            store.doubt_first();
        }
        self.hand_on_stored(dir, to)
    }

    /// Declares a gap from the next byte of `dir` to the first that is known to be there, or was.
    fn declare_gap<R: Receiver>(&mut self, dir: Dir, now: Timestamp, to: &mut R) -> bool {
        let half = &mut self.halves[dir];
        let stored = half.store.as_ref().and_then(|store| store.first()).map(|(offset, _)| offset);
        let ended = half.end.as_ref().map(|end| end.arrival.offset);
        let next = half.next;
        if stored.is_some_and(|offset| offset <= next) {
            return self.hand_on_one_of_both(to); // It waits for the other direction.
        }
        // One acknowledged position with nothing behind it is the FIN that the capture missed.
        let acked = Some(half.acked).filter(|acked| *acked > next + 1 && !half.finished);
        let known = [stored, ended, stored.is_none().then_some(acked).flatten()];
        let Some(target) = known.into_iter().flatten().filter(|offset| *offset > next).min() else {
            // What acknowledges that FIN is waiting for it.
            let waited_for = half.acked == next + 1 && !half.finished && self.is_waited_for(dir);
            if waited_for {
                self.halves[dir].next += 1;
                self.halves[dir].unseen = true;
            }
            return waited_for;
        };
        half.next = target;
        half.hole = None;
        let arrival = Arrival { time: now, offset: next, ack: None, starts_segment: false };
        Self::lose(dir, target - next, arrival, to);
        true
    }
}
