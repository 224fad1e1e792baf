//! What came, how fast, and what was lost.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub use crate::incidents::{BUCKETS, Scale, Timeline};

use crate::feed::{Ended, Progress};
use crate::model::{Counters, Exchange, SourceCounters};

/// Warnings that are kept.
const MAX_WARNINGS: usize = 20;

/// Seconds over which the rate is taken.
const WINDOW: u64 = 3;

/// Counts, rates, losses.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Exchanges that came.
    pub exchanges: u64,
    /// POST requests among them.
    pub posts: u64,
    /// POST requests that got 403.
    pub posts_forbidden: u64,
    /// Exchanges that got 403.
    pub forbidden: u64,
    /// By status; 0 stands for no response. At most 1000 entries, as statuses have three digits.
    pub statuses: BTreeMap<u16, u64>,
    /// The pipeline's counters, as last told.
    pub counters: Counters,
    /// The source's counters, as last told.
    pub source: SourceCounters,
    /// How far a file was read.
    pub progress: Option<Progress>,
    /// Why nothing more will come.
    pub ended: Option<Ended>,
    /// Warnings, newest last; bounded.
    pub warnings: VecDeque<String>,
    recent: VecDeque<(u64, u64)>,
}

impl Traffic {
    /// Counts an exchange that came at `clock`.
    pub fn count(&mut self, exchange: &Exchange, clock: Duration) {
        let status = exchange.status();
        let forbidden = u64::from(status == Some(403));
        self.exchanges += 1;
        self.forbidden += forbidden;
        if exchange.method() == "POST" {
            self.posts += 1;
            self.posts_forbidden += forbidden;
        }
        *self.statuses.entry(status.unwrap_or(0)).or_default() += 1;
        match self.recent.back_mut() {
            Some((second, count)) if *second == clock.as_secs() => *count += 1,
            _ => self.recent.push_back((clock.as_secs(), 1)),
        }
        self.forget(clock);
    }

    /// Lets time pass; returns whether that changed the rate.
    pub fn forget(&mut self, clock: Duration) -> bool {
        let before = self.recent.len();
        while self.recent.front().is_some_and(|(second, _)| second + WINDOW < clock.as_secs()) {
            self.recent.pop_front();
        }
        before != self.recent.len()
    }

    /// Exchanges a second, over the last whole seconds.
    pub fn rate(&self, clock: Duration) -> u64 {
        let whole = self.recent.iter().filter(|(second, _)| *second < clock.as_secs());
        let sum: u64 = whole.map(|(_, count)| count).sum();
        let seconds = clock.as_secs().clamp(1, WINDOW);
        if clock.as_secs() == 0 {
            self.recent.iter().map(|(_, count)| count).sum()
        } else {
            sum.div_ceil(seconds)
        }
    }

    /// Whether the rate may still change without anything coming.
    pub fn is_recent(&self) -> bool {
        !self.recent.is_empty()
    }

    /// Notes a warning, once.
    pub fn warn(&mut self, text: String) {
        if !self.warnings.contains(&text) {
            self.warnings.push_back(text);
            if self.warnings.len() > MAX_WARNINGS {
                self.warnings.pop_front();
            }
        }
    }

    /// Everything that was lost on the way here, in frames, gaps, connections and exchanges taken together.
    pub fn lost(&self) -> u64 {
        self.source.kernel_dropped
            + self.source.interface_dropped
            + self.source.queue_dropped
            + self.counters.gaps
            + self.counters.flows_evicted
    }

    /// Connections that are not HTTP/1.1, of the kind `name`.
    pub fn unparsed(&self, name: &str) -> u64 {
        let kinds = self.counters.flows_unparsed.iter();
        kinds.filter(|(kind, _)| kind.eq_ignore_ascii_case(name)).map(|(_, count)| count).sum()
    }
}
