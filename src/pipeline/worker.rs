//! Some of the shards, on whatever thread has them.

use super::router::{Routed, Second, shard};
use super::shard::{Common, Shard};
use super::{Limits, SHARDS};
use crate::http::Models;
use crate::model::{Counters, Exchange};

/// Every `of`th shard.
#[derive(Debug)]
pub(crate) struct Worker {
    shards: Vec<Shard>,
    of: usize,
    common: Common,
}

impl Worker {
    /// The shards of worker `index` of `of`; `of` is at most [`SHARDS`].
    pub(crate) fn new(limits: Limits, index: usize, of: usize) -> Self {
        let shards = (index..SHARDS).step_by(of.max(1)).map(|_| Shard::new()).collect();
        let common = Common { limits, counters: Counters::default(), models: Models::default() };
        Self { shards, of: of.max(1), common }
    }

    /// Takes a segment of one of its shards; exchanges that it finished are appended to `out`.
    pub(crate) fn segment(&mut self, routed: &Routed<'_>, out: &mut Vec<Exchange>) {
        if let Some(shard) = self.shards.get_mut(shard(&routed.key) / self.of) {
            shard.segment(routed, &mut self.common, out);
        }
    }

    /// A second of capture time began; what leaves is in the order of connections.
    pub(crate) fn second(&mut self, second: Second, out: &mut Vec<Exchange>) {
        self.each(out, |shard, common, out| shard.second(second, common, out));
    }

    /// The capture has ended: everything unfinished leaves with its reason, oldest connection first.
    pub(crate) fn finish(&mut self, out: &mut Vec<Exchange>) {
        self.each(out, Shard::finish);
    }

    /// What was seen, used and lost here.
    pub(crate) const fn counters(&self) -> &Counters {
        &self.common.counters
    }

    /// Bytes of memory in use by everything unfinished.
    pub(crate) fn memory(&self) -> u64 {
        self.shards.iter().map(Shard::memory).sum()
    }

    fn each(&mut self, out: &mut Vec<Exchange>, take: impl Fn(&mut Shard, &mut Common, &mut Vec<Exchange>)) {
        let before = out.len();
        self.shards.iter_mut().for_each(|shard| take(shard, &mut self.common, out));
        if let Some(left) = out.get_mut(before..) {
            left.sort_by_key(|exchange| exchange.connection.flow);
        }
    }
}
