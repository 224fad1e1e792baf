//! What was read from successes and is asked for again by refusals that are alike.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memo::Memo;
use crate::model::ExchangeId;

/// Values and counts remembered.
const REMEMBERED: usize = 1024;

/// How often a separation was broken.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// The latest success that was looked at.
    pub newest: ExchangeId,
    /// Successes that the place had then.
    pub all: u64,
    /// Successes that are as the refusal is.
    pub likewise: u32,
    /// Successes looked at.
    pub looked: u32,
}

/// The value that an exchange has for an attribute, as it may be shown; `None` where it has none.
type Values = Memo<(ExchangeId, u64), Option<String>, REMEMBERED>;

/// Remembers values of successes by exchange and attribute, and counts by separation.
#[derive(Debug, Default)]
pub struct Recall {
    values: Mutex<Values>,
    counts: Mutex<Memo<u64, Counted, REMEMBERED>>,
}

impl Recall {
    /// The value of the attribute `key` that `id` has, found by `find` when it is asked for first.
    pub fn value(&self, id: ExchangeId, key: u64, find: impl FnOnce() -> Option<String>) -> Option<String> {
        if let Some(known) = lock(&self.values).get(&(id, key)) {
            return known.clone();
        }
        let value = find();
        lock(&self.values).put((id, key), value.clone());
        value
    }
    /// What was counted for a separation.
    pub fn counted(&self, separation: u64) -> Option<Counted> {
        lock(&self.counts).get(&separation).copied()
    }
    /// Remembers what was counted.
    pub fn count(&self, separation: u64, counted: Counted) {
        lock(&self.counts).put(separation, counted);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
