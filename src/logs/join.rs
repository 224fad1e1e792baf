//! Ties log records to exchanges.
//!
//! First the records that say which request they are about (access lines), in their order; they also teach how far the log's
//! clock is off. Then the others: by id, by client and port, by path or client with the time, by the access line that follows
//! them in the same file, and where a record has nothing but its words, by order. What is tied by less is less certain.

use std::collections::{HashMap, HashSet};

use super::exchanges::{Exchanges, Known};
use super::facts::Facts;
use super::journal::{Journal, LogRecord};
use super::offset::{Offsets, SECOND};
use super::patterns::Patterns;
use crate::history::{History, Record};
use crate::model::{ExchangeId, LogMatch, LogMatchKind, Timestamp};

/// Matches that are kept for one exchange.
const MAX_MATCHES: usize = 5;
/// Matches below this probability are dropped.
const FLOOR: f32 = 0.3;
/// Records after a line without anything to go by, in which the access line of its request is looked for.
pub(super) const NEIGHBOURS: usize = 8;
/// Exchanges that one record is compared with, at most: where more have its path, only those near its time are.
const MAX_CANDIDATES: usize = 2_000;

/// The log records of every refused exchange, best first.
pub fn join(journal: &Journal, history: &History, patterns: &Patterns) -> HashMap<ExchangeId, Vec<LogMatch>> {
    join_these(journal.records().collect(), history.iter(), &mut Offsets::default(), journal, patterns)
}

/// The same for some of the records and some of the exchanges; `offsets` is what is known of the clocks, and learns.
pub(super) fn join_these<'a>(
    records: Vec<&LogRecord>,
    exchanges: impl Iterator<Item = &'a Record>,
    offsets: &mut Offsets,
    journal: &Journal,
    patterns: &Patterns,
) -> HashMap<ExchangeId, Vec<LogMatch>> {
    let wanted: HashSet<&str> =
        records.iter().flat_map(|record| record.facts.ids.iter().map(String::as_str)).collect();
    let exchanges = Exchanges::of(exchanges, &wanted);
    let offsets = offsets.learn(&records, &exchanges);
    let mut join = Join { records, exchanges, offsets, tied: Vec::new(), used: HashMap::new() };
    join.run();
    join.collect(journal, patterns)
}

/// What a record was tied to.
#[derive(Clone, Copy, Debug)]
struct Tie {
    exchange: usize,
    kind: LogMatchKind,
    confidence: f32,
}

struct Join<'a> {
    records: Vec<&'a LogRecord>,
    exchanges: Exchanges,
    /// Nanoseconds that each file's clock is ahead.
    offsets: HashMap<usize, i64>,
    /// For each record.
    tied: Vec<Option<Tie>>,
    /// How far the exchanges of each kind of record are used up.
    used: HashMap<u64, HashSet<usize>>,
}

impl Join<'_> {
    fn run(&mut self) {
        self.tied = vec![None; self.records.len()];
        let counts = self.counts();
        for access in [true, false] {
            for number in 0..self.records.len() {
                let Some(record) = self.records.get(number).copied() else { continue };
                if is_access_line(&record.facts) == access {
                    let tie =
                        self.by_facts(number, record, &counts).or_else(|| self.by_neighbour(number, record));
                    if let Some(slot) = self.tied.get_mut(number) {
                        *slot = tie;
                    }
                }
            }
        }
        self.by_order();
    }

    /// How many records there are of each kind, see [`kind`].
    fn counts(&self) -> HashMap<u64, usize> {
        let mut counts = HashMap::new();
        for record in &self.records {
            *counts.entry(kind(record)).or_default() += 1;
        }
        counts
    }

    fn by_facts(&mut self, number: usize, record: &LogRecord, counts: &HashMap<u64, usize>) -> Option<Tie> {
        let facts = &record.facts;
        let by_id = facts.ids.iter().map(|id| self.exchanges.with_id(id)).find(|found| !found.is_empty());
        if let Some(exchange) = by_id.and_then(|found| self.exchanges.agreeing(found, facts).first().copied())
        {
            return Some(Tie { exchange, kind: LogMatchKind::RequestId, confidence: 0.99 });
        }
        let (candidates, kind_of_tie, sure) = self.candidates(record)?;
        let timely = self.timely(&candidates, record);
        if timely.is_empty() {
            return None;
        }
        if let [exchange] = timely.as_slice() {
            let confidence = if facts.time.is_some() || candidates.len() == 1 { sure } else { sure - 0.1 };
            return Some(Tie { exchange: *exchange, kind: kind_of_tie, confidence });
        }
        if let Some(exchange) = self.next_tied(number).filter(|exchange| timely.contains(exchange)) {
            return Some(Tie { exchange, kind: kind_of_tie, confidence: sure - 0.02 });
        }
        if facts.time.is_some_and(|time| time.step <= 1_000_000) && !is_access_line(facts) {
            return self.nearest(&timely, record, kind_of_tie, sure);
        }
        let signature = kind(record);
        let used = self.used.entry(signature).or_default();
        let exchange = timely.iter().copied().find(|exchange| !used.contains(exchange))?;
        used.insert(exchange);
        let relevant = candidates.len();
        let even = counts.get(&signature).is_some_and(|count| *count == relevant);
        Some(Tie { exchange, kind: kind_of_tie, confidence: if even { sure - 0.05 } else { sure - 0.35 } })
    }

    /// The exchanges that a record may be about by what identifies them, how it is tied then, and how sure a single one is.
    fn candidates(&self, record: &LogRecord) -> Option<(Vec<usize>, LogMatchKind, f32)> {
        let facts = &record.facts;
        if let (Some(client), Some(port)) = (facts.client, facts.port) {
            let found = self.near(self.exchanges.with_port(client, port), record);
            let found = self.exchanges.agreeing(found, facts);
            if !found.is_empty() {
                return Some((self.exchanges.narrowed(found, facts), LogMatchKind::ClientPort, 0.97));
            }
        }
        let timed = |kind| if facts.time.is_some() { kind } else { LogMatchKind::Order };
        if let Some(path) = &facts.path {
            let found = self.exchanges.agreeing(self.near(self.exchanges.with_path(path), record), facts);
            if !found.is_empty() {
                return Some((self.exchanges.narrowed(found, facts), timed(LogMatchKind::TimeAndPath), 0.93));
            }
            if facts.method.is_some() {
                return None;
            }
        }
        let client = facts.client.filter(|_| facts.time.is_some())?;
        let found = self.exchanges.agreeing(self.near(self.exchanges.with_client(client), record), facts);
        let found = self.exchanges.narrowed(found, facts);
        (!found.is_empty()).then_some((found, LogMatchKind::TimeAndPath, 0.85))
    }

    /// `exchanges`, or where they are too many those that ended soonest after the record; none where it has no time.
    fn near<'a>(&self, exchanges: &'a [usize], record: &LogRecord) -> &'a [usize] {
        if exchanges.len() <= MAX_CANDIDATES {
            return exchanges;
        }
        let Some((at, slack)) = self.instant(record) else { return &[] };
        let end = |exchange: &usize| self.known(*exchange).map_or(i64::MAX, |known| known.window.1);
        let first = exchanges.partition_point(|exchange| end(exchange) < at - slack);
        let rest = exchanges.get(first..).unwrap_or_default();
        rest.get(..rest.len().min(MAX_CANDIDATES)).unwrap_or_default()
    }

    /// The time of a record by the capture's clock, and how far off it may be.
    fn instant(&self, record: &LogRecord) -> Option<(i64, i64)> {
        let time = record.facts.time?;
        let at = time.nanos - self.offsets.get(&record.file).copied().unwrap_or_default();
        Some((at, time.step + SECOND * 3 / 2))
    }

    fn known(&self, exchange: usize) -> Option<&Known> {
        self.exchanges.all.get(exchange)
    }

    /// Those whose time agrees with the record's.
    fn timely(&self, candidates: &[usize], record: &LogRecord) -> Vec<usize> {
        let Some((at, slack)) = self.instant(record) else { return candidates.to_vec() };
        let end = |exchange: &usize| self.known(*exchange).map_or(i64::MAX, |known| known.window.1);
        let first = candidates.partition_point(|exchange| end(exchange) < at - slack);
        let rest = candidates.get(first..).unwrap_or_default().iter();
        rest.take_while(|exchange| end(exchange) <= at + slack + 60 * SECOND)
            .filter(|exchange| self.known(**exchange).is_some_and(|known| known.window.0 <= at + slack))
            .take(MAX_CANDIDATES)
            .copied()
            .collect()
    }

    /// The candidate whose time is nearest to that of a precise clock.
    fn nearest(
        &self,
        candidates: &[usize],
        record: &LogRecord,
        kind: LogMatchKind,
        sure: f32,
    ) -> Option<Tie> {
        let at = record.facts.time?.nanos - self.offsets.get(&record.file).copied().unwrap_or_default();
        let distance = |exchange: usize| {
            self.known(exchange)
                .map_or(i64::MAX, |known| (known.window.0 - at).max(at - known.window.1).max(0))
        };
        let mut ranked: Vec<(i64, usize)> =
            candidates.iter().map(|exchange| (distance(*exchange), *exchange)).collect();
        ranked.sort_unstable();
        let (best, exchange) = *ranked.first()?;
        let clear = ranked
            .get(1)
            .is_none_or(|(second, _)| *second > best.saturating_mul(4).saturating_add(2_000_000));
        Some(Tie { exchange, kind, confidence: if clear { sure - 0.03 } else { sure - 0.2 } })
    }

    /// The exchange of the next access line in the same file.
    fn next_tied(&self, number: usize) -> Option<usize> {
        self.neighbours(number).next().map(|(_, exchange)| exchange)
    }

    /// Access lines after `number` in the same file, with how many records away they are.
    fn neighbours(&self, number: usize) -> impl Iterator<Item = (usize, usize)> {
        let file = self.records.get(number).map(|record| record.file);
        let after = self.records.iter().zip(&self.tied).skip(number + 1).take(NEIGHBOURS);
        after.enumerate().filter_map(move |(away, (record, tie))| {
            let tie = tie.as_ref().filter(|_| Some(record.file) == file && is_access_line(&record.facts))?;
            Some((away, tie.exchange))
        })
    }

    /// A record that names no request, before or behind the access line of a refusal.
    fn by_neighbour(&self, number: usize, record: &LogRecord) -> Option<Tie> {
        let facts = &record.facts;
        if !facts.complains || facts.status.is_some() || facts.port.is_some() || facts.method.is_some() {
            return None;
        }
        let refused = |exchange: usize| self.known(exchange).is_some_and(|known| known.is_refusal);
        let kind = LogMatchKind::Order;
        match self.neighbours(number).next() {
            Some((away, exchange)) if refused(exchange) => {
                return Some(Tie { exchange, kind, confidence: if away == 0 { 0.9 } else { 0.78 } });
            }
            _ => {}
        }
        let before = self.records.get(number.checked_sub(1)?).zip(self.tied.get(number - 1))?;
        let tie =
            before.1.as_ref().filter(|_| before.0.file == record.file && refused_line(&before.0.facts))?;
        refused(tie.exchange).then_some(Tie { exchange: tie.exchange, kind, confidence: 0.6 })
    }

    /// Complaints of files without access lines, in the order of the refusals; those of one moment by their time.
    fn by_order(&mut self) {
        let files: HashSet<usize> = self.records.iter().map(|record| record.file).collect();
        for file in files {
            let loose: Vec<usize> = (0..self.records.len())
                .filter(|number| {
                    let record = self.records.get(*number).filter(|record| record.file == file);
                    record.is_some_and(|record| is_loose(&record.facts))
                        && self.tied.get(*number).is_some_and(Option::is_none)
                })
                .collect();
            let refusals: Vec<usize> = self
                .exchanges
                .refusals
                .iter()
                .copied()
                .filter(|one| self.known(*one).is_some_and(|k| k.status == Some(403)))
                .collect();
            let even = loose.len() == refusals.len();
            for (position, number) in loose.iter().enumerate() {
                let Some(record) = self.records.get(*number).copied() else { continue };
                let tie = if even {
                    refusals.get(position).map(|exchange| Tie {
                        exchange: *exchange,
                        kind: LogMatchKind::Order,
                        confidence: 0.75,
                    })
                } else if record.facts.time.is_some() {
                    match self.timely(&refusals, record).as_slice() {
                        [exchange] => {
                            Some(Tie { exchange: *exchange, kind: LogMatchKind::Time, confidence: 0.65 })
                        }
                        several => self.nearest(several, record, LogMatchKind::Time, 0.6),
                    }
                } else {
                    None
                };
                if let Some(slot) = self.tied.get_mut(*number) {
                    *slot = tie;
                }
            }
        }
    }

    fn collect(&self, journal: &Journal, patterns: &Patterns) -> HashMap<ExchangeId, Vec<LogMatch>> {
        let mut found: HashMap<ExchangeId, Vec<(f32, LogMatch)>> = HashMap::new();
        for (record, tie) in self.records.iter().zip(&self.tied) {
            let Some(tie) = tie.filter(|tie| tie.confidence >= FLOOR) else { continue };
            let Some(known) = self.known(tie.exchange).filter(|known| known.is_refusal) else { continue };
            let says = patterns.says(&record.text);
            let tells = if says.as_ref().is_some_and(|says| says.cause.is_some()) { 0.2 } else { 0.0 };
            let complains = if record.facts.complains && !is_access_line(&record.facts) { 0.15 } else { 0.0 };
            let offset = self.offsets.get(&record.file).copied().unwrap_or_default();
            let one = LogMatch {
                file: journal.file(record.file).to_owned(),
                line: record.line,
                at: record.facts.time.map(|time| Timestamp(time.nanos - offset)),
                text: record.text.clone(),
                kind: tie.kind,
                confidence: tie.confidence,
                says,
            };
            found.entry(known.id).or_default().push((tie.confidence + tells + complains, one));
        }
        let best = |mut all: Vec<(f32, LogMatch)>| {
            all.sort_by(|a, b| b.0.total_cmp(&a.0));
            all.into_iter().take(MAX_MATCHES).map(|(_, one)| one).collect()
        };
        found.into_iter().map(|(id, all)| (id, best(all))).collect()
    }
}

/// Whether it is the line that a server writes for every request.
fn is_access_line(facts: &Facts) -> bool {
    facts.status.is_some() && facts.path.is_some()
}

fn refused_line(facts: &Facts) -> bool {
    facts.status.is_some_and(|status| (400..500).contains(&status))
}

/// Whether nothing in it tells which request it is about, and it complains.
fn is_loose(facts: &Facts) -> bool {
    facts.complains && facts.status.is_none() && facts.port.is_none() && facts.method.is_none()
}

/// Equal for records that can only be told apart by their order: same file, request and words, numbers aside.
fn kind(record: &LogRecord) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = ahash::AHasher::default();
    let facts = &record.facts;
    (record.file, facts.client, facts.port, &facts.method, &facts.path, facts.status).hash(&mut hasher);
    if !is_access_line(facts) {
        for byte in record.text.bytes().take(200).filter(|byte| !byte.is_ascii_digit()) {
            hasher.write_u8(byte);
        }
    }
    hasher.finish()
}
