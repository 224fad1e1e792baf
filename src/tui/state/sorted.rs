//! The stream in another order than that of time: what matched when it was sorted.

use std::collections::HashMap;

use ahash::RandomState;

use crate::history::History;
use crate::model::ExchangeId;
use crate::tui::columns::Column;

/// Matches in the order of a column.
#[derive(Debug)]
pub struct Sorted {
    /// By which.
    pub by: Column,
    /// Whether the highest come first.
    pub descending: bool,
    ids: Vec<ExchangeId>,
    index: HashMap<ExchangeId, usize, RandomState>,
}

impl Sorted {
    /// Sorts `matches`; `None` where nothing can be sorted by `by`.
    pub fn new(
        by: Column,
        descending: bool,
        matches: impl Iterator<Item = ExchangeId>,
        history: &History,
    ) -> Option<Self> {
        let mut keyed = Vec::new();
        for id in matches {
            if let Some(row) = history.row_of(id) {
                keyed.push((by.sort_key(&row)?, id));
            }
        }
        keyed.sort_unstable();
        if descending {
            keyed.reverse();
        }
        let ids: Vec<ExchangeId> = keyed.into_iter().map(|(_, id)| id).collect();
        let index = ids.iter().enumerate().map(|(at, id)| (*id, at)).collect();
        Some(Self { by, descending, ids, index })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The exchange at `index`.
    pub fn at(&self, index: usize) -> Option<ExchangeId> {
        self.ids.get(index).copied()
    }

    /// The index of `id`; 0 for one that is not there.
    pub fn position(&self, id: ExchangeId) -> usize {
        self.index.get(&id).copied().unwrap_or_default()
    }
}
