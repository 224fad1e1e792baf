//! One direction of a connection.

use crate::wire::tcp::Arrival;
use crate::wire::tcp::store::Store;

/// The stream offset of the first byte that a direction is known to send; offsets below are of bytes never seen.
pub(crate) const START: u64 = 1 << 32;

/// The end of a direction: a FIN or a RST, and where it stands in the order of bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Where it stands and what it acknowledged.
    pub arrival: Arrival,
    /// Whether it is a RST.
    pub reset: bool,
}

/// When a hole was first known to be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hole {
    /// Segments of the connection seen by then.
    pub segments: u32,
    /// Capture time by then.
    pub time: crate::model::Timestamp,
    /// Whether the receiver acknowledged bytes beyond its start by then.
    pub acknowledged: bool,
}

/// Where one direction stands.
#[derive(Debug, Default)]
pub(crate) struct Half {
    /// Sequence number of offset [`START`]; meaningful when `known`.
    base: u32,
    /// Whether `base` and `next` mean something.
    pub known: bool,
    /// Whether a segment of this direction was seen.
    pub seen: bool,
    /// Whether the FIN was handed on.
    pub finished: bool,
    /// Whether the position before `next` was acknowledged and never seen: a FIN, or one lost byte.
    pub unseen: bool,
    /// Offset of the next byte to hand on.
    pub next: u64,
    /// The highest offset that the receiver acknowledged.
    pub acked: u64,
    /// Offset of an urgent byte that is still to come; `u64::MAX` when there is none.
    pub urgent: u64,
    /// FIN or RST, waiting for its turn.
    pub end: Option<Box<End>>,
    /// Segments that wait for their turn.
    pub store: Option<Box<Store>>,
    /// The hole at `next`, if there is one.
    pub hole: Option<Box<Hole>>,
}

impl Half {
    /// The next byte to come has sequence number `seq`.
    pub(crate) fn start(&mut self, seq: u32) {
        *self = Self {
            base: seq,
            known: true,
            seen: self.seen,
            next: START,
            acked: START,
            urgent: u64::MAX,
            ..Self::default()
        };
    }

    /// Whether nothing was handed on yet and nothing waits.
    pub(crate) fn is_fresh(&self) -> bool {
        !self.known || (self.next == START && self.store.is_none())
    }

    /// Whether the next byte handed on first had sequence number `seq`.
    pub(crate) fn started_at(&self, seq: u32) -> bool {
        self.known && self.base == seq
    }

    /// The stream offset of sequence number `seq`: the one nearest to `next` (RFC 9293 §3.4).
    pub(crate) fn offset(&self, seq: u32) -> u64 {
        let distance = seq.wrapping_sub(self.base.wrapping_add(self.next as u32)) as i32;
        self.next.wrapping_add_signed(i64::from(distance))
    }

    /// Whether something waits that cannot be handed on in passing.
    pub(crate) fn waits(&self) -> bool {
        self.store.is_some() || self.end.is_some() || self.acked > self.next
    }

    /// Bytes of memory that what waits takes.
    pub(crate) fn cost(&self) -> usize {
        self.store.as_ref().map_or(0, |store| store.cost())
    }
}

#[cfg(test)]
mod tests {
    use super::{Half, START};

    #[test]
    fn offsets_pass_the_wrap_of_sequence_numbers() {
        let mut half = Half::default();
        half.start(u32::MAX - 1);
        assert_eq!(half.offset(u32::MAX), START + 1);
        assert_eq!(half.offset(3), START + 5);
        half.next = START + 5;
        assert_eq!(half.offset(u32::MAX - 1), START);
        assert_eq!(half.offset(u32::MAX - 2), START - 1);
    }
}
