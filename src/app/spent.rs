//! Exchanges that nobody needs any more go back to the thread that made them, and end there.
//!
//! A block of memory that another thread frees costs both of them a miss of the cache; freed where it was allocated, it is the
//! block that the next exchange gets, while it is still in the cache. See BENCHMARKS.md.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::feed::CAPACITY;
use crate::model::{Body, Exchange};

/// Exchanges that go back together.
const BATCH: usize = 64;
/// Bytes of exchanges that go back together, about; with the channel's capacity this bounds what is under way.
const BYTES: usize = 128 << 10;

/// Takes back what was made.
pub(super) type Spent = Receiver<Vec<Exchange>>;

/// Gives exchanges back in batches. Where nobody takes them, they end here.
#[derive(Debug)]
pub(super) struct Returns {
    home: SyncSender<Vec<Exchange>>,
    batch: Vec<Exchange>,
    bytes: usize,
}

/// A way back with room for as many batches as the way there.
pub(super) fn way_back() -> (Returns, Spent) {
    let (home, spent) = sync_channel(CAPACITY);
    (Returns { home, batch: Vec::new(), bytes: 0 }, spent)
}

impl Returns {
    /// Gives an exchange back, together with others.
    pub(super) fn extend(&mut self, gone: Option<Exchange>) {
        let Some(exchange) = gone else { return };
        self.bytes += size_of_exchange(&exchange);
        self.batch.push(exchange);
        if self.batch.len() >= BATCH || self.bytes >= BYTES {
            self.bytes = 0;
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
            let _ = self.home.try_send(batch);
        }
    }
}

/// Bytes that an exchange takes up, about.
pub(super) fn size_of_exchange(exchange: &Exchange) -> usize {
    let body = |body: &Body| body.kept.len();
    let request = exchange.request.as_ref().map_or(0, |one| one.head.fields().heap_bytes() + body(&one.body));
    let response =
        exchange.response.as_ref().map_or(0, |one| one.head.fields().heap_bytes() + body(&one.body));
    size_of::<Exchange>() + request + response
}
