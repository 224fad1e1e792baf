//! Exchanges counted by the value of one property.

use std::cmp::Reverse;
use std::collections::HashMap;

use ahash::RandomState;

use super::GroupBy;
use super::onset::rise;
use super::timeline::{Scale, Timeline};
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::history::Record;
use crate::model::{Cause, ExchangeId, Timestamp};

/// Values that are told apart; exchanges with further ones are counted together.
pub const MAX_GROUPS: usize = 10_000;
/// Values whose group is remembered by their hash; the texts of others are made each time.
const MAX_HASHES: usize = 4 * MAX_GROUPS;

/// Exchanges that share a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Exchanges.
    pub exchanges: u64,
    /// Refusals (4xx) among them.
    pub refusals: u64,
    /// Exchanges among them that match the filter.
    pub matched: u64,
    /// When the first match began.
    pub since: Option<Timestamp>,
    /// The latest match.
    pub last: Option<ExchangeId>,
    /// Successes and refusals over time.
    pub timeline: Timeline,
    /// Matches by top cause; at most one entry a cause.
    causes: Vec<(Cause, u64)>,
}

impl Group {
    /// Share of refusals among the exchanges, 0.0–1.0.
    pub fn refused_share(&self) -> f64 {
        self.refusals as f64 / self.exchanges.max(1) as f64
    }

    /// The most frequent top cause of the matches with its count.
    pub fn top_cause(&self) -> Option<(Cause, u64)> {
        self.causes.iter().max_by_key(|(cause, count)| (*count, Reverse(cause.id()))).copied()
    }

    fn matches(&mut self, (id, at): (ExchangeId, Timestamp), cause: Option<Cause>) {
        self.matched += 1;
        self.last = self.last.max(Some(id));
        self.since = Some(self.since.map_or(at, |since| since.min(at)));
        if let Some(cause) = cause {
            match self.causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, count)) => *count += 1,
                None => self.causes.push((cause, 1)),
            }
        }
    }
}

/// Groups by value.
#[derive(Debug)]
pub struct Groups {
    by: GroupBy,
    /// Values with their groups, in the order in which they came; the first is for those beyond [`MAX_GROUPS`].
    rows: Vec<(String, Group)>,
    by_value: HashMap<String, usize, RandomState>,
    /// By [`GroupBy::hash`]. Bound: [`MAX_HASHES`].
    by_hash: HashMap<u64, usize, RandomState>,
    hasher: RandomState,
    scale: Scale,
    /// The limit on values; [`MAX_GROUPS`] but for tests.
    limit: usize,
}

impl Groups {
    /// None yet.
    pub fn new(by: GroupBy) -> Self {
        Self {
            by,
            rows: vec![(String::new(), Group::default())],
            by_value: HashMap::default(),
            by_hash: HashMap::default(),
            hasher: RandomState::default(),
            scale: Scale::default(),
            limit: MAX_GROUPS,
        }
    }

    /// The property.
    pub fn by(&self) -> &GroupBy {
        &self.by
    }

    /// Counts an exchange, whether it matches or not.
    pub fn count(&mut self, record: &Record, inspector: &Inspector, redactor: &Redactor) {
        if !self.by.is_of_refusals() {
            let at = self.group(record, inspector, redactor);
            self.see(at, record);
        }
    }

    /// Counts a match, with the top cause where it is a refusal.
    pub fn matched(&mut self, record: &Record, inspector: &Inspector, redactor: &Redactor) {
        let exchange = &record.exchange;
        let cause = inspector.top(exchange.id).map(|top| top.cause);
        let at = self.group(record, inspector, redactor);
        if self.by.is_of_refusals() {
            self.see(at, record);
        }
        if let Some((_, group)) = self.rows.get_mut(at) {
            group.matches((exchange.id, exchange.started()), cause);
        }
    }

    fn see(&mut self, at: usize, record: &Record) {
        let (success, refusal) = (record.exchange.is_success(), record.exchange.is_refusal());
        let (bucket, halvings) = self.scale.bucket(record.exchange.started());
        if halvings > 0 {
            self.rows.iter_mut().for_each(|(_, group)| group.timeline.halve(halvings));
        }
        let Some((_, group)) = self.rows.get_mut(at) else { return };
        group.exchanges += 1;
        group.refusals += u64::from(refusal);
        group.timeline.count(bucket, success, refusal);
    }

    /// The index of the group of `record`; 0 for values beyond the limit.
    fn group(&mut self, record: &Record, inspector: &Inspector, redactor: &Redactor) -> usize {
        let hash = self.by.hash(record, inspector, &self.hasher);
        if let Some(at) = self.by_hash.get(&hash) {
            return *at;
        }
        let value = self.by.value(record, inspector, redactor);
        let at = match self.by_value.get(&value) {
            Some(at) => *at,
            None if self.by_value.len() >= self.limit => 0,
            None => {
                self.rows.push((value.clone(), Group::default()));
                self.by_value.insert(value, self.rows.len() - 1);
                self.rows.len() - 1
            }
        };
        if self.by_hash.len() < MAX_HASHES {
            self.by_hash.insert(hash, at);
        }
        at
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.rows.iter().skip(1).map(|(value, group)| (value.as_str(), group))
    }

    /// Every group: those with refusals first, the most matches first.
    pub fn ranked(&self) -> Vec<(&str, &Group)> {
        let mut rows: Vec<_> = self.all().collect();
        rows.sort_by_key(|(value, group)| {
            let refuses = group.refusals > 0;
            (!refuses, Reverse(group.matched), Reverse(group.refusals), Reverse(group.exchanges), *value)
        });
        rows
    }

    /// Groups with a match, the most matches first.
    pub fn sorted(&self) -> Vec<(&str, &Group)> {
        let mut rows: Vec<_> = self.all().filter(|(_, group)| group.matched > 0).collect();
        rows.sort_by_key(|(value, group)| (Reverse(group.matched), Reverse(group.refusals), *value));
        rows
    }

    /// The group of `value`.
    pub fn get(&self, value: &str) -> Option<&Group> {
        self.rows.get(*self.by_value.get(value)?).map(|(_, group)| group)
    }

    /// When the refused share of `group` rose, else when its first match began.
    pub fn onset(&self, group: &Group) -> Option<Timestamp> {
        let Timeline { successes, refusals } = &group.timeline;
        let buckets: Vec<_> = refusals.iter().copied().zip(successes.iter().copied()).collect();
        let rise = rise(&buckets).and_then(|change| self.scale.begin(change.bucket));
        rise.map(|at| group.since.map_or(at, |since| at.max(since))).or(group.since)
    }

    /// Values without a match, and the exchanges with them.
    pub fn without_match(&self) -> (u64, u64) {
        let without = self.all().filter(|(_, group)| group.matched == 0);
        without.fold((0, 0), |(values, exchanges), (_, group)| (values + 1, exchanges + group.exchanges))
    }

    /// Exchanges with values beyond the bound.
    pub fn other(&self) -> &Group {
        self.rows.first().map_or(&NO_GROUP, |(_, group)| group)
    }
}

static NO_GROUP: Group = Group {
    exchanges: 0,
    refusals: 0,
    matched: 0,
    since: None,
    last: None,
    timeline: Timeline { successes: [0; super::BUCKETS], refusals: [0; super::BUCKETS] },
    causes: Vec::new(),
};

#[cfg(test)]
mod tests {
    use super::{GroupBy, Groups};
    use crate::edge::redact::Redactor;
    use crate::explain::diagnoser::Diagnoser;
    use crate::explain::inspector::Inspector;
    use crate::features::tests::{exchange, request, response};
    use crate::history::History;

    fn counted(by: &str, limit: usize, traffic: &[(&str, &str, u16)]) -> Groups {
        let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
        let mut groups = Groups { limit, ..Groups::new(by.parse().unwrap()) };
        let redactor = Redactor::for_tests(false);
        for (second, (client, version, status)) in traffic.iter().enumerate() {
            let fields = [("Host", "api.example"), ("X-App-Version", *version)];
            let asked = request("POST", "/v1/orders?v=2", &fields, b"{}");
            let id = inspector.push(exchange(client, second as i64, asked, response(*status, &[], b"no")));
            let record = inspector.history().get(id).unwrap();
            groups.count(record, &inspector, &redactor);
            if *status == 403 {
                groups.matched(record, &inspector, &redactor);
            }
        }
        groups
    }

    const TRAFFIC: [(&str, &str, u16); 6] = [
        ("10.0.0.1", "8.0", 201),
        ("10.0.0.2", "8.1", 403),
        ("10.0.0.3", "8.1", 403),
        ("10.0.0.2", "8.0", 201),
        ("10.0.0.2", "8.1", 403),
        ("10.0.0.4", "7.9", 201),
    ];

    fn rows(groups: &Groups) -> Vec<(String, u64, u64, u64)> {
        let row = |(value, group): (&str, &super::Group)| {
            (value.to_owned(), group.matched, group.refusals, group.exchanges)
        };
        groups.sorted().into_iter().map(row).collect()
    }

    #[test]
    fn refusals_are_counted_by_any_property_beside_everything_else_that_shares_it() {
        let version = counted("header:x-app-version", 100, &TRAFFIC);
        assert_eq!(rows(&version), [("8.1".to_owned(), 3, 3, 3)]);
        assert_eq!(version.without_match(), (2, 3));
        let client = counted("client", 100, &TRAFFIC);
        assert_eq!(rows(&client), [("10.0.0.2".to_owned(), 2, 2, 3), ("10.0.0.3".to_owned(), 1, 1, 1)]);
        assert_eq!(client.sorted()[0].1.since.map(crate::model::Timestamp::seconds), Some(1));
        assert_eq!(rows(&counted("query:v", 100, &TRAFFIC)), [("2".to_owned(), 3, 3, 6)]);
        assert_eq!(rows(&counted("claim:sub", 100, &TRAFFIC)), [("(none)".to_owned(), 3, 3, 6)]);
        let cause = counted("cause", 100, &TRAFFIC);
        assert_eq!(cause.sorted().iter().map(|(_, group)| group.matched).sum::<u64>(), 3);
        assert_eq!(cause.sorted()[0].1.exchanges, cause.sorted()[0].1.matched);
    }

    #[test]
    fn values_beyond_the_bound_are_counted_together() {
        let groups = counted("client", 1, &TRAFFIC);
        assert!(groups.sorted().is_empty(), "the first value has no match");
        assert_eq!((groups.other().matched, groups.other().exchanges), (3, 5));
    }

    #[test]
    fn secrets_in_values_are_masked() {
        let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
        let fields = [
            ("Host", "api.example"),
            ("Authorization", "Bearer s3cr3t-token-of-anna"),
            ("User-Agent", "client s3cr3t-token-of-anna"),
        ];
        let asked = request("POST", "/", &fields, b"");
        let id = inspector.push(exchange("10.0.0.1", 0, asked, response(403, &[], b"")));
        let record = inspector.history().get(id).unwrap();
        for by in [GroupBy::Identity, GroupBy::Header("Authorization".into()), GroupBy::UserAgent] {
            let value = by.value(record, &inspector, &Redactor::for_tests(false));
            assert!(value.contains("redacted") && !value.contains("s3cr3t"), "{by}: {value}");
        }
    }
}
