//! Exchanges in the order of their ids, in chunks; any of them can be taken out.

pub mod columns;
pub mod shapes;
pub(super) mod size;
pub mod texts;

use std::collections::VecDeque;

use crate::history::Record;
use crate::history::store::columns::{Chunk, Row, flag};
use crate::history::store::shapes::ShapeId;
use crate::model::EndpointId;
use crate::step_counter;

/// Where a row is: chunk and row in it. Valid until the next change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct At {
    chunk: usize,
    row: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Store {
    chunks: VecDeque<Chunk>,
    living: usize,
    /// Bytes of the chunks besides the exchanges.
    bytes: u64,
}

impl Store {
    pub(crate) fn chunks(&self) -> &VecDeque<Chunk> {
        &self.chunks
    }
    pub(crate) fn len(&self) -> usize {
        self.living
    }
    /// Bytes of the columns and texts, used or not.
    pub(crate) const fn memory(&self) -> u64 {
        self.bytes
    }
    /// `row.id` is greater than every id before.
    pub(crate) fn push(&mut self, row: Row, shapes: [ShapeId; 2], record: Box<Record>) {
        if self.chunks.back().is_none_or(Chunk::is_full) {
            let chunk = Chunk::new();
            self.bytes += chunk.memory();
            self.chunks.push_back(chunk);
        }
        if let Some(chunk) = self.chunks.back_mut() {
            let before = chunk.memory();
            chunk.push(row, shapes, record);
            self.bytes = self.bytes + chunk.memory() - before;
            self.living += 1;
        }
    }
    /// Constant time where nothing was evicted in the chunk, else a binary search.
    pub(crate) fn find(&self, id: u64) -> Option<At> {
        let begins_after = |chunk: &Chunk| chunk.columns().id.first().is_some_and(|first| *first > id);
        let last = self.chunks.len().checked_sub(1)?;
        let chunk = if self.chunks.get(last).is_some_and(begins_after) {
            self.chunks.partition_point(|chunk| !begins_after(chunk)).checked_sub(1)?
        } else {
            last
        };
        let row = self.chunks.get(chunk)?.find(id)?;
        Some(At { chunk, row })
    }
    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        let at = self.find(id)?;
        self.chunks.get(at.chunk)?.record(at.row)
    }
    /// The row of `id`, unless evicted.
    pub(crate) fn row(&self, id: u64) -> Option<Row> {
        let at = self.find(id)?;
        let chunk = self.chunks.get(at.chunk)?;
        chunk.record(at.row)?;
        chunk.columns().row(at.row)
    }
    pub(crate) fn flags_mut(&mut self, id: u64) -> Option<&mut u8> {
        let at = self.find(id)?;
        self.chunks.get_mut(at.chunk)?.flags_mut(at.row)
    }
    pub(crate) fn move_endpoints(&mut self, moved: impl Fn(EndpointId) -> EndpointId) {
        for chunk in &mut self.chunks {
            chunk.move_endpoints(&moved);
        }
    }
    /// Takes `id` out, with its row.
    pub(crate) fn remove(&mut self, id: u64) -> Option<(Row, Record)> {
        let at = self.find(id)?;
        let chunk = self.chunks.get_mut(at.chunk)?;
        let row = chunk.columns().row(at.row)?;
        let record = chunk.remove(at.row)?;
        self.living -= 1;
        self.tidy(at.chunk);
        Some((row, *record))
    }
    /// The first row from `from` on for which `wanted` holds, among rows that are alive.
    pub(crate) fn next(&self, from: u64, wanted: impl Fn(u8) -> bool) -> Option<u64> {
        let first =
            self.chunks.partition_point(|chunk| chunk.columns().id.last().is_some_and(|last| *last < from));
        self.chunks.range(first..).find_map(|chunk| {
            let columns = chunk.columns();
            let start = columns.id.partition_point(|id| *id < from);
            (start..chunk.len()).find_map(|at| {
                step_counter::steps(1);
                let flags = *columns.flags.get(at)?;
                (wanted(flags) && chunk.record(at).is_some()).then(|| columns.id.get(at).copied()).flatten()
            })
        })
    }
    /// Drops an empty chunk, closes the holes of one that is half empty, and joins it with its neighbours if they fit.
    fn tidy(&mut self, at: usize) {
        let last = self.chunks.len().saturating_sub(1);
        let Some(chunk) = self.chunks.get_mut(at).filter(|chunk| at < last || chunk.is_full()) else {
            return;
        };
        if chunk.living() == 0 {
            self.bytes -= chunk.memory();
            self.chunks.remove(at);
            return;
        }
        if chunk.living() * 2 > chunk.len() {
            return;
        }
        let before = chunk.memory();
        step_counter::steps(chunk.len());
        chunk.compact();
        self.bytes = self.bytes + chunk.memory() - before;
        let len = chunk.len();
        let fits = |other: Option<&Chunk>| {
            other.is_some_and(|other| other.len() + len <= crate::history::store::columns::CHUNK)
        };
        if at > 0 && fits(self.chunks.get(at - 1)) {
            self.join(at - 1);
        } else if at + 1 < last && fits(self.chunks.get(at + 1)) {
            self.join(at);
        }
    }
    /// Joins the chunk `at` with the next one.
    fn join(&mut self, at: usize) {
        if let Some(next) = self.chunks.remove(at + 1)
            && let Some(chunk) = self.chunks.get_mut(at)
        {
            let before = chunk.memory() + next.memory();
            step_counter::steps(chunk.len() + next.len());
            chunk.append(next);
            self.bytes = self.bytes + chunk.memory() - before;
        }
    }
}

/// Whether a row may be evicted before the baselines are.
pub(crate) const fn is_free(flags: u8) -> bool {
    flags & flag::KEPT == 0
}
