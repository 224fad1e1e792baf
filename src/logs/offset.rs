//! How far the clock of a log is ahead of the capture's: a time zone that the log does not name, a clock that is wrong.

use std::collections::HashMap;

use super::exchanges::Exchanges;
use super::journal::LogRecord;

/// Nanoseconds.
pub(super) const SECOND: i64 = 1_000_000_000;
/// Exchanges that one record is compared with, at most; a record that fits more tells little.
const MAX_CANDIDATES: usize = 200;
/// Records that are looked at in one file.
const MAX_RECORDS: usize = 5_000;
/// Largest offset that is believed, in seconds: the widest time zones are 14 hours apart from UTC.
const MAX_OFFSET: i64 = 15 * 3600;

/// Records that must agree on an offset before it replaces another one.
const ENOUGH: usize = 3;

/// Nanoseconds that the clock of each file is ahead, with how many records agreed on it.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    known: HashMap<usize, (i64, usize)>,
}

impl Offsets {
    /// What most certain records of each file agree on; what was known before where they are few.
    pub(super) fn learn(&mut self, records: &[&LogRecord], exchanges: &Exchanges) -> HashMap<usize, i64> {
        for (file, (ahead, agreeing)) in learn(records, exchanges) {
            let known = self.known.entry(file).or_insert((ahead, agreeing));
            if agreeing >= ENOUGH || agreeing >= known.1 {
                *known = (ahead, agreeing);
            }
        }
        self.known.iter().map(|(file, (ahead, _))| (*file, *ahead)).collect()
    }
}

/// Nanoseconds that the clock of each file is ahead: what most of its certain records agree on, and how many do.
fn learn(records: &[&LogRecord], exchanges: &Exchanges) -> HashMap<usize, (i64, usize)> {
    let mut votes: HashMap<usize, HashMap<i64, Vec<i64>>> = HashMap::new();
    let mut looked: HashMap<usize, usize> = HashMap::new();
    for record in records {
        let facts = &record.facts;
        let (Some(time), true) = (facts.time, facts.is_anchored() || facts.path.is_some()) else { continue };
        let looked = looked.entry(record.file).or_default();
        *looked += 1;
        if *looked > MAX_RECORDS {
            continue;
        }
        let found = match (facts.client, facts.port, &facts.path) {
            (Some(client), Some(port), _) => exchanges.with_port(client, port),
            (_, _, Some(path)) => exchanges.with_path(path),
            _ => continue,
        };
        let agreeing =
            exchanges.agreeing(found.get(..found.len().min(MAX_CANDIDATES * 4)).unwrap_or_default(), facts);
        let candidates = exchanges.narrowed(agreeing, facts);
        if candidates.len() > MAX_CANDIDATES {
            continue;
        }
        let bins = votes.entry(record.file).or_default();
        for known in candidates.iter().filter_map(|one| exchanges.all.get(*one)) {
            let ahead = time.nanos - known.window.1;
            if ahead.abs() <= MAX_OFFSET * SECOND {
                bins.entry(ahead.div_euclid(SECOND)).or_default().push(ahead);
            }
        }
    }
    votes.into_iter().map(|(file, bins)| (file, best(&bins))).collect()
}

/// The middle of the fullest two seconds; none where that is about now.
fn best(bins: &HashMap<i64, Vec<i64>>) -> (i64, usize) {
    let count = |bin: i64| bins.get(&bin).map_or(0, Vec::len);
    let full = |bin: i64| count(bin) + count(bin + 1);
    let Some(fullest) = bins.keys().copied().max_by_key(|bin| (full(*bin), -bin.abs())) else {
        return (0, 0);
    };
    let now = (-2..=1).map(full).max().unwrap_or_default();
    if now * 5 >= full(fullest) * 4 {
        return (0, now);
    }
    let mut all: Vec<i64> =
        [fullest, fullest + 1].iter().filter_map(|bin| bins.get(bin)).flatten().copied().collect();
    all.sort_unstable();
    (all.get(all.len() / 2).copied().unwrap_or_default(), all.len())
}
