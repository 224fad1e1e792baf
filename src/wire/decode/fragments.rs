//! Datagrams that came in pieces (RFC 791 §3.2, RFC 8200 §4.5).
//!
//! Where pieces overlap, what came first stays. A datagram that stays incomplete is given up after its time in the capture's
//! clock, or earlier when there is no room; each is counted. A finished datagram is remembered for a moment, so that a second
//! copy of the same fragments (a bridge, `-i any`) does not wait for ever.

use std::collections::VecDeque;
use std::collections::hash_map::Entry;
use std::net::IpAddr;

use ahash::{HashMap, HashMapExt};

use crate::model::Timestamp;
use crate::step_counter;

use crate::wire::decode::layer::{Fragment, Layer, Step, Upper, Walk};
use crate::wire::decode::{DecodeLimits, Skip};

/// The largest datagram (the length field has 16 bits).
const MAX_DATAGRAM: usize = 65_535;
/// Pieces of one datagram: 64 KiB at the smallest IPv4 path MTU make 120.
const MAX_PIECES: usize = 128;
/// How long a second copy of a finished datagram's fragments is known as such.
const MEMORY_OF_DONE: i64 = 100_000_000;
/// What a piece costs beside its bytes.
const PIECE_OVERHEAD: usize = 32;

/// What became of fragmented datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FragmentCounters {
    /// Put together.
    pub completed: u64,
    /// Given up because pieces stayed missing.
    pub expired: u64,
    /// Given up for want of room.
    pub evicted: u64,
    /// Fragments that overlapped others with bytes of their own; the first bytes stayed.
    pub overlapped: u64,
}

/// Datagrams in the making. Bounded in bytes and in number.
#[derive(Debug)]
pub(super) struct FragmentStore {
    limits: DecodeLimits,
    datagrams: HashMap<Key, Datagram>,
    /// In order of arrival; an item whose serial is not the datagram's any more is stale.
    order: VecDeque<(Key, u64)>,
    bytes: usize,
    serial: u64,
    counters: FragmentCounters,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    src: IpAddr,
    dst: IpAddr,
    id: u32,
    /// 0 for IPv6, where only the first fragment tells the protocol.
    protocol: u8,
    tag: u32,
}

#[derive(Debug)]
struct Datagram {
    serial: u64,
    since: Timestamp,
    done: Option<Timestamp>,
    /// Sorted by start, never overlapping.
    pieces: Vec<Piece>,
    have: usize,
    end: Option<usize>,
    upper_protocol: Option<u8>,
}

#[derive(Debug)]
struct Piece {
    start: usize,
    bytes: Box<[u8]>,
}

impl FragmentStore {
    pub(super) fn new(limits: DecodeLimits) -> Self {
        Self {
            limits,
            datagrams: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            serial: 0,
            counters: FragmentCounters::default(),
        }
    }
    pub(super) const fn counters(&self) -> FragmentCounters {
        self.counters
    }
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes a fragment in. When it completes its datagram, that is written to `whole` and is the next step.
    pub(super) fn insert<'a>(
        &mut self,
        fragment: Fragment<'_>,
        walk: &Walk,
        whole: &'a mut Vec<u8>,
    ) -> Result<Step<'a>, Skip> {
        self.expire(walk.time);
        let layer = fragment.upper.layer;
        let start = fragment.offset as usize;
        let end = start + layer.wire;
        let ragged = fragment.more && !layer.wire.is_multiple_of(8);
        if !layer.is_whole() || layer.wire == 0 || ragged || end > MAX_DATAGRAM {
            return Err(Skip::FragmentRefused);
        }
        let key = Key::of(&fragment, walk.tag);
        let datagram = self.datagram(key, walk.time);
        if datagram.done.is_some() {
            return Err(Skip::FragmentRepeated);
        }
        let before = datagram.memory();
        let taken = datagram.take(&fragment, start, end);
        let (after, complete) = (datagram.memory(), datagram.is_complete());
        self.bytes = self.bytes + after - before;
        let fresh = match taken {
            Some(Taken { fresh, overlapped }) => {
                self.counters.overlapped += u64::from(overlapped);
                fresh
            }
            None => return Err(Skip::FragmentRefused),
        };
        if complete {
            let protocol = self.finish(key, walk.time, whole);
            let upper =
                Upper { protocol: protocol.into(), layer: Layer::whole(whole), ..fragment.upper.addresses() };
            return Ok(Step::Upper(upper));
        }
        self.make_room();
        Err(if fresh { Skip::FragmentWaiting } else { Skip::FragmentRepeated })
    }

    /// The datagram of `key`, a new one if there is none or if the one there was finished a while ago.
    fn datagram(&mut self, key: Key, now: Timestamp) -> &mut Datagram {
        let serial = self.serial + 1;
        let fresh = || Datagram::new(serial, now);
        let entry = self.datagrams.entry(key);
        let is_stale = |datagram: &Datagram| {
            datagram.done.is_some_and(|done| !(0..MEMORY_OF_DONE).contains(&now.since(done)))
        };
        let datagram = match entry {
            Entry::Vacant(place) => place.insert(fresh()),
            Entry::Occupied(place) => {
                let datagram = place.into_mut();
                if is_stale(datagram) {
                    *datagram = fresh();
                }
                datagram
            }
        };
        if datagram.serial == serial {
            self.serial = serial;
            self.order.push_back((key, serial));
        }
        datagram
    }

    /// Writes a complete datagram out and leaves a note that it was there.
    fn finish(&mut self, key: Key, now: Timestamp, whole: &mut Vec<u8>) -> u8 {
        whole.clear();
        self.counters.completed += 1;
        let Some(datagram) = self.datagrams.get_mut(&key) else { return key.protocol };
        self.bytes -= datagram.memory();
        for piece in std::mem::take(&mut datagram.pieces) {
            whole.extend_from_slice(&piece.bytes);
        }
        datagram.have = 0;
        datagram.done = Some(now);
        datagram.upper_protocol.unwrap_or(key.protocol)
    }

    /// Gives up what has waited too long. Constant work for each datagram, once.
    fn expire(&mut self, now: Timestamp) {
        while let Some((key, serial)) = self.order.front() {
            let outdated = match self.datagrams.get(key) {
                Some(datagram) if datagram.serial == *serial => {
                    now.since(datagram.since) > self.limits.fragment_timeout
                }
                _ => true,
            };
            if !outdated {
                break;
            }
            self.counters.expired += self.drop_oldest();
        }
    }

    /// Gives up the oldest until the bounds hold.
    fn make_room(&mut self) {
        while self.bytes > self.limits.fragment_bytes || self.order.len() > self.limits.fragment_datagrams {
            self.counters.evicted += self.drop_oldest();
        }
    }

    /// Removes the oldest; 1 if it was still waiting.
    fn drop_oldest(&mut self) -> u64 {
        step_counter::steps(1);
        let Some((key, serial)) = self.order.pop_front() else { return 0 };
        match self.datagrams.entry(key) {
            Entry::Occupied(place) if place.get().serial == serial => {
                let datagram = place.remove();
                self.bytes -= datagram.memory();
                u64::from(datagram.done.is_none())
            }
            _ => 0,
        }
    }
}

impl Key {
    fn of(fragment: &Fragment<'_>, tag: u32) -> Self {
        let Upper { src, dst, protocol, .. } = fragment.upper;
        let protocol = if src.is_ipv4() { protocol.0 } else { 0 };
        Self { src, dst, id: fragment.id, protocol, tag }
    }
}

/// What a fragment added.
struct Taken {
    fresh: bool,
    overlapped: bool,
}

impl Datagram {
    const fn new(serial: u64, since: Timestamp) -> Self {
        Self { serial, since, done: None, pieces: Vec::new(), have: 0, end: None, upper_protocol: None }
    }
    fn memory(&self) -> usize {
        self.have + self.pieces.len() * PIECE_OVERHEAD
    }
    fn is_complete(&self) -> bool {
        self.done.is_none() && self.end == Some(self.have)
    }

    /// Copies what is new of `start..end`. `None` when the fragment contradicts what is known of the datagram's end, or
    /// when there are too many pieces.
    fn take(&mut self, fragment: &Fragment<'_>, start: usize, end: usize) -> Option<Taken> {
        let beyond = self.pieces.last().is_some_and(|piece| !fragment.more && piece.end() > end);
        if beyond || self.end.is_some_and(|known| end > known || (!fragment.more && end != known)) {
            return None;
        }
        step_counter::steps(self.pieces.len() + end - start);
        let mut holes = [(0, 0); MAX_PIECES + 1];
        let count = self.holes(start, end, &mut holes);
        if self.pieces.len() + count > MAX_PIECES {
            return None;
        }
        if !fragment.more {
            self.end = Some(end);
        }
        if start == 0 && self.upper_protocol.is_none() {
            self.upper_protocol = Some(fragment.upper.protocol.0);
        }
        let mut fresh = 0;
        for &(from, to) in holes.iter().take(count) {
            let bytes = fragment.upper.layer.bytes.get(from - start..to - start)?;
            let place = self.pieces.partition_point(|piece| piece.start < from);
            self.pieces.insert(place, Piece { start: from, bytes: bytes.into() });
            fresh += to - from;
        }
        self.have += fresh;
        Some(Taken { fresh: fresh > 0, overlapped: fresh > 0 && fresh < end - start })
    }

    /// The parts of `start..end` that no piece covers.
    fn holes(&self, start: usize, end: usize, holes: &mut [(usize, usize)]) -> usize {
        let mut at = start;
        let mut places = holes.iter_mut();
        let mut count = 0;
        let ends = self.pieces.iter().map(|piece| (piece.start, piece.end())).chain([(end, end)]);
        for (piece_start, piece_end) in ends {
            let hole_end = piece_start.min(end);
            if hole_end > at
                && let Some(place) = places.next()
            {
                *place = (at, hole_end);
                count += 1;
            }
            at = at.max(piece_end);
        }
        count
    }
}

impl Piece {
    const fn end(&self) -> usize {
        self.start + self.bytes.len()
    }
}
