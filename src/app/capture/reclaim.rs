//! Exchanges that nobody needs any more go back to the thread that made them, and end there.
//!
//! A block of memory that another thread frees costs both of them a miss of the cache; freed where it was allocated, it is the
//! block that the next exchange gets, while it is still in the cache. See BENCHMARKS.md.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::app::outbox::{ENOUGH, MESSAGE};
use crate::feed::CAPACITY;
use crate::model::Exchange;

/// Takes back what was made.
pub(crate) type Spent = Receiver<Vec<Exchange>>;

/// Gives exchanges back in batches as large as those that they came in. Where nobody takes them, they end here.
#[derive(Debug)]
pub(crate) struct Returns {
    way: SyncSender<Vec<Exchange>>,
    batch: Vec<Exchange>,
    bytes: usize,
}

/// The way back to the capture thread, with room for as many batches as the way there.
pub(crate) fn way_back() -> (Returns, Spent) {
    let (way, spent) = sync_channel(CAPACITY);
    (Returns { way, batch: Vec::new(), bytes: 0 }, spent)
}

impl Returns {
    /// Gives an exchange back, together with others.
    pub(crate) fn extend(&mut self, gone: Option<Exchange>) {
        let Some(exchange) = gone else { return };
        self.bytes += size_of_exchange(&exchange);
        self.batch.push(exchange);
        if self.batch.len() >= ENOUGH || self.bytes >= MESSAGE {
            self.bytes = 0;
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(ENOUGH));
            let _ = self.way.try_send(batch);
        }
    }
}

/// Bytes that an exchange takes up, about.
pub(crate) fn size_of_exchange(exchange: &Exchange) -> usize {
    let request =
        exchange.request.as_ref().map_or(0, |one| one.head.fields().heap_bytes() + one.body.kept.len());
    let response =
        exchange.response.as_ref().map_or(0, |one| one.head.fields().heap_bytes() + one.body.kept.len());
    size_of::<Exchange>() + request + response
}
