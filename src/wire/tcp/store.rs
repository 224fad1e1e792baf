//! Segments that came before their turn. Bound: [`Store::cost`] is kept under a limit by whoever inserts.

use std::collections::BTreeMap;

use crate::model::Timestamp;
use crate::step_counter;

/// Bytes an entry costs beyond its payload.
const ENTRY: usize = 96;

/// A piece of a segment, waiting.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// When it was captured.
    pub time: Timestamp,
    /// What its sender had received of the other direction, if that is known.
    pub ack: Option<u64>,
    /// Whether its first byte is the first of a segment.
    pub starts_segment: bool,
    /// Captured bytes.
    pub data: Box<[u8]>,
    /// Bytes on the wire; more than `data` when snaplen cut the frame.
    pub len: u64,
}

/// What became of the bytes of an insertion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inserted {
    /// Captured bytes that are stored now.
    pub stored: u64,
    /// Captured bytes that were there already.
    pub duplicate: u64,
    /// Whether bytes that were there already differ.
    pub conflict: bool,
}

/// Pieces by stream offset; they never overlap.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pieces: BTreeMap<u64, Piece>,
    cost: usize,
    /// Captured bytes in the store.
    bytes: u64,
}

impl Store {
    /// Bytes of memory in use.
    pub(crate) fn cost(&self) -> usize {
        self.cost
    }
    /// Captured payload bytes held.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
    /// The first piece.
    pub(crate) fn first(&self) -> Option<(u64, &Piece)> {
        self.pieces.first_key_value().map(|(offset, piece)| (*offset, piece))
    }
    /// Forgets what the first piece acknowledges.
    pub(crate) fn doubt_first(&mut self) {
        if let Some(mut first) = self.pieces.first_entry() {
            first.get_mut().ack = None;
        }
    }
    /// Takes the first piece out.
    pub(crate) fn pop(&mut self) -> Option<(u64, Piece)> {
        let (offset, piece) = self.pieces.pop_first()?;
        self.cost -= piece.data.len() + ENTRY;
        self.bytes -= piece.data.len() as u64;
        Some((offset, piece))
    }

    /// Keeps what is new of `data` (`len` bytes on the wire) at `offset`; bytes already here win.
    pub(crate) fn insert(&mut self, offset: u64, data: &[u8], like: &Piece) -> Inserted {
        let mut done = Inserted::default();
        let end = offset + like.len;
        let mut at = offset;
        while at < end {
            step_counter::steps(1);
            let before = self.pieces.range(..=at).next_back().map(|(start, piece)| (*start, piece));
            if let Some((start, piece)) = before
                && start + piece.len > at
            {
                let stop = (start + piece.len).min(end);
                let (new, old) =
                    (cut(data, at - offset, stop - offset), cut(&piece.data, at - start, stop - start));
                let both = new.len().min(old.len());
                done.conflict |= new.get(..both) != old.get(..both);
                done.duplicate += new.len() as u64;
                at = stop;
                continue;
            }
            let stop = self.pieces.range(at..end).next().map_or(end, |(start, _)| *start);
            let kept = cut(data, at - offset, stop - offset);
            step_counter::steps(kept.len());
            done.stored += kept.len() as u64;
            self.cost += kept.len() + ENTRY;
            self.bytes += kept.len() as u64;
            let starts_segment = like.starts_segment && at == offset;
            let piece = Piece { starts_segment, data: kept.into(), len: stop - at, ..like.clone() };
            self.pieces.insert(at, piece);
            at = stop;
        }
        done
    }
}

/// `data[from..to]` as far as it goes.
fn cut(data: &[u8], from: u64, to: u64) -> &[u8] {
    let end = data.len().min(to as usize);
    data.get((from as usize).min(end)..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Inserted, Piece, Store};
    use crate::model::Timestamp;

    fn put(store: &mut Store, offset: u64, data: &[u8]) -> Inserted {
        let like = Piece {
            time: Timestamp(0),
            ack: None,
            starts_segment: true,
            data: Box::default(),
            len: data.len() as u64,
        };
        store.insert(offset, data, &like)
    }

    #[test]
    fn the_first_version_of_a_byte_wins() {
        let mut store = Store::default();
        put(&mut store, 2, b"cd");
        put(&mut store, 6, b"gh");
        let done = put(&mut store, 0, b"abXdefgXi");
        assert_eq!(done, Inserted { stored: 5, duplicate: 4, conflict: true });
        let mut all = Vec::new();
        while let Some((offset, piece)) = store.pop() {
            assert_eq!(offset, all.len() as u64);
            all.extend_from_slice(&piece.data);
        }
        assert_eq!(all, b"abcdefghi");
        assert_eq!((store.cost(), store.bytes()), (0, 0));
    }

    #[test]
    fn equal_repetitions_are_no_conflict() {
        let mut store = Store::default();
        put(&mut store, 0, b"abc");
        assert_eq!(put(&mut store, 1, b"bc"), Inserted { stored: 0, duplicate: 2, conflict: false });
    }
}
