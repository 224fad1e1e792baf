//! The join while logs and exchanges still come: refusals wait for their record for a bounded time, and only what came about the
//! time of a refusal is compared with it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use super::facts::Facts;
use super::join::{self, NEIGHBOURS};
use super::journal::{Journal, LogRecord};
use super::offset::Offsets;
use super::patterns::Patterns;
use crate::history::{History, Record};
use crate::model::{ExchangeId, LogMatch};

/// How long a refusal is held back for its record. A server writes its access line when the response has left, and its log is
/// looked at ten times a second; what comes later (a log that is buffered) is shown on the screen only.
pub const WAIT: Duration = Duration::from_secs(1);
/// How long it is held back at least, for a record that says more than the first one: an error log beside an access log.
pub const GRACE: Duration = Duration::from_millis(250);
/// How long a refusal without a record is looked at again with what comes.
const KEPT: Duration = Duration::from_secs(30);
/// The same with a record.
const KEPT_TIED: Duration = Duration::from_secs(3);
/// How much earlier than the request a record may come.
const EARLY: Duration = Duration::from_secs(3);
/// Refusals that are looked at again, at most; the oldest leave.
const MAX_PENDING: usize = 1024;
/// Records that are looked through for one join, newest first.
const MAX_SCANNED: usize = 100_000;
/// Records that are compared in one join, at most.
const MAX_RECORDS: usize = 4096;
/// Exchanges that are compared in one join, at most.
const MAX_EXCHANGES: usize = 4096;
/// Between two joins at least, and for each record or exchange that the last one compared.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_micros(50));

/// Which refusals still wait for their record. Times are those of any clock that does not go back.
#[derive(Debug, Default)]
pub struct LiveJoin {
    /// In the order in which they came; at most [`MAX_PENDING`].
    pending: VecDeque<Pending>,
    /// How far each log's clock is ahead, as learnt so far.
    offsets: Offsets,
    /// Whether a record or a refusal came since the last join.
    fresh: bool,
    /// No join before.
    next: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    id: ExchangeId,
    /// When it came.
    came: Duration,
    /// Records of it do not come before.
    from: Duration,
    is_tied: bool,
}

impl LiveJoin {
    /// A refusal came.
    pub fn refused(&mut self, record: &Record, now: Duration) {
        let latency = record.exchange.latency().and_then(|nanos| u64::try_from(nanos).ok());
        let latency = Duration::from_nanos(latency.unwrap_or_default());
        let from = now.saturating_sub(EARLY).saturating_sub(latency);
        if self.pending.len() >= MAX_PENDING {
            self.pending.pop_front();
        }
        self.pending.push_back(Pending { id: record.exchange.id, came: now, from, is_tied: false });
        self.fresh = true;
    }

    /// Log records came.
    pub fn logged(&mut self) {
        self.fresh = true;
    }

    /// The first refusal that is held back at `now`.
    pub fn first_held(&self, now: Duration) -> Option<ExchangeId> {
        self.pending.iter().find(|one| one.is_held(now)).map(|one| one.id)
    }

    /// How long until a refusal that is held back now is not any more, should nothing come.
    pub fn held_for(&self, now: Duration) -> Option<Duration> {
        let first = self.pending.iter().find(|one| one.is_held(now))?;
        let end = first.came + if first.is_tied { GRACE } else { WAIT };
        Some(end.saturating_sub(now))
    }

    /// Ties what came about the time of the refusals; the matches of those that have some. `None` where nothing new came or the
    /// last join was a moment ago.
    pub fn join(
        &mut self,
        journal: &Journal,
        history: &History,
        patterns: &Patterns,
        now: Duration,
    ) -> Option<HashMap<ExchangeId, Vec<LogMatch>>> {
        self.pending.retain(|one| !one.is_over(now));
        if !self.fresh || now < self.next || self.pending.is_empty() {
            return None;
        }
        self.fresh = false;
        let from = self.pending.iter().map(|one| one.from).min()?;
        let records = selected(journal, from);
        let exchanges = self.exchanges(history);
        self.next = now + PAUSE.0 + PAUSE.1 * (records.len() + exchanges.len()) as u32;
        let mut found =
            join::join_these(records, exchanges.into_iter(), &mut self.offsets, journal, patterns);
        for one in &mut self.pending {
            one.is_tied |= found.contains_key(&one.id);
        }
        let pending: HashSet<ExchangeId> = self.pending.iter().map(|one| one.id).collect();
        found.retain(|id, _| pending.contains(id));
        Some(found)
    }

    /// The refusals that wait, and what ended since shortly before the first of them began.
    fn exchanges<'a>(&self, history: &'a History) -> Vec<&'a Record> {
        let waiting: Vec<&Record> = self.pending.iter().filter_map(|one| history.get(one.id)).collect();
        let early = i64::try_from(EARLY.as_nanos()).unwrap_or(i64::MAX);
        let first = waiting.iter().map(|record| record.exchange.started().0).min().unwrap_or(i64::MAX);
        let is_near = |record: &&Record| {
            let ended = record.exchange.response.as_ref().map(|response| response.ended.0);
            ended.is_none_or(|ended| ended >= first.saturating_sub(early))
        };
        let mut found: Vec<&Record> = history.iter().rev().take(MAX_EXCHANGES).take_while(is_near).collect();
        let oldest = found.last().map_or(ExchangeId(u64::MAX), |record| record.exchange.id);
        found.extend(waiting.into_iter().filter(|record| record.exchange.id < oldest));
        found
    }
}

impl Pending {
    fn is_held(&self, now: Duration) -> bool {
        now < self.came + if self.is_tied { GRACE } else { WAIT }
    }
    fn is_over(&self, now: Duration) -> bool {
        now >= self.came + if self.is_tied { KEPT_TIED } else { KEPT }
    }
}

/// The records since `from`, oldest first; where they are too many, those that can be about a refusal or say where one belongs.
fn selected(journal: &Journal, from: Duration) -> Vec<&LogRecord> {
    let recent = || journal.records().rev().take(MAX_SCANNED).take_while(|record| record.arrived >= from);
    let mut found: Vec<&LogRecord> = recent().take(MAX_RECORDS + 1).collect();
    if found.len() > MAX_RECORDS {
        found.clear();
        // Newest first: the access lines behind a record have been seen when it comes.
        let mut last: VecDeque<&LogRecord> = VecDeque::with_capacity(NEIGHBOURS);
        for record in recent() {
            if found.len() >= MAX_RECORDS {
                break;
            }
            if is_accepted(&record.facts) {
                last.truncate(NEIGHBOURS - 1);
                last.push_front(record);
                continue;
            }
            found.extend(last.drain(..).rev());
            found.push(record);
        }
    }
    found.reverse();
    found
}

/// Whether it is the access line of a request that was accepted.
fn is_accepted(facts: &Facts) -> bool {
    facts.path.is_some() && facts.status.is_some_and(|status| status < 400)
}
