//! `--summary` of a whole capture: counts matches as they pass, and keeps almost none of them.
//!
//! Refusals that are alike share one answer, which is found at the end, when everything is known; the first of them is kept
//! for that. What else is kept are the latest refusals, because a diagnosis may look at them, and nothing of what succeeded.

use std::collections::{HashMap, VecDeque};

use ahash::RandomState;

use crate::app::signals::Headway;
use crate::app::summary::Summary;
use crate::explain::contrast::stats::MAX_RECENT;
use crate::explain::inspector::Inspector;
use crate::filter::{Context, Filter};
use crate::history::Record;
use crate::hops::Arrival;
use crate::model::{Cause, EndpointId, Exchange, ExchangeId};

/// Groups whose causes are found together: few, because a signal waits for them.
const TOGETHER: usize = 128;

/// Matches of a run by what they have in common. Bound: a kept exchange each, which the history's budget bounds, beside a
/// group for each endpoint and status.
#[derive(Debug, Default)]
pub(super) struct Tally {
    groups: HashMap<u64, Group, RandomState>,
    /// The exchange that stands for a group → the group.
    kept: HashMap<ExchangeId, u64, RandomState>,
    /// Refusals that are kept for a while, oldest first. Bound: [`MAX_RECENT`].
    passing: VecDeque<ExchangeId>,
    /// Matches so far.
    pub matched: u64,
}

/// Matches that are counted together.
#[derive(Debug)]
struct Group {
    endpoint: EndpointId,
    status: Option<u16>,
    /// The first of them; kept when it is a refusal.
    first: ExchangeId,
    count: u64,
}

impl Tally {
    /// Takes an exchange in; it counts if it matches and no more than `limit` did before. Gives back what is not needed any
    /// more: that one, or one before.
    pub(super) fn take(
        &mut self,
        arrival: Arrival,
        inspector: &mut Inspector,
        filter: &Filter,
        limit: Option<u64>,
    ) -> Option<Exchange> {
        let record = inspector.note_arrival(arrival);
        let history = inspector.history();
        let context = Context { history, now: history.now(), cause: &|_| None };
        let wanted = limit.is_none_or(|limit| self.matched < limit) && filter.matches(&record, &context);
        let refused = record.exchange.is_refusal();
        let stands_for_others = wanted && self.count(&record, inspector) && refused;
        if !refused {
            return Some(record.exchange);
        }
        let id = inspector.keep(record);
        if stands_for_others {
            return None;
        }
        self.passing.push_back(id);
        let gone = if self.passing.len() > MAX_RECENT { self.passing.pop_front() } else { None };
        gone.and_then(|gone| inspector.forget(gone))
    }

    /// Counts a match; says whether it is the first of its group.
    fn count(&mut self, record: &Record, inspector: &Inspector) -> bool {
        self.matched += 1;
        let (exchange, status) = (&record.exchange, record.exchange.status());
        let endpoint = inspector.history().canonical(record.endpoint);
        let like = exchange.is_refusal().then(|| inspector.likeness(record));
        let key = self.groups.hasher().hash_one((endpoint, status, like));
        let group =
            self.groups.entry(key).or_insert(Group { endpoint, status, first: exchange.id, count: 0 });
        group.count += 1;
        let is_first = group.count == 1;
        if is_first && like.is_some() {
            self.kept.insert(exchange.id, key);
        }
        is_first
    }

    /// `id` is about to be given up for want of memory: what it stands for is decided now.
    pub(super) fn leaves(&mut self, id: ExchangeId, inspector: &Inspector, summary: &mut Summary) {
        if let Some(group) = self.kept.remove(&id).and_then(|key| self.groups.remove(&key)) {
            summary.add(inspector, group.endpoint, group.status, inspector.top_cause(id), group.count);
        }
    }

    /// Everything was seen. The causes of what is not asked for before the time is up stay unknown.
    pub(super) fn finish(&mut self, inspector: &Inspector, summary: &mut Summary, headway: &Headway) {
        self.kept.clear();
        let mut groups: Vec<Group> = self.groups.drain().map(|(_, group)| group).collect();
        groups.sort_unstable_by_key(|group| group.first);
        let history = inspector.history();
        let (refused, others): (Vec<Group>, Vec<Group>) =
            groups.into_iter().partition(|group| history.get(group.first).is_some());
        let records: Vec<&Record> = refused.iter().filter_map(|group| history.get(group.first)).collect();
        for (groups, records) in refused.chunks(TOGETHER).zip(records.chunks(TOGETHER)) {
            let causes = if headway.is_overdue() {
                vec![(Cause::Unknown, 0.0); records.len()]
            } else {
                inspector.top_causes(records)
            };
            for (group, cause) in groups.iter().zip(causes) {
                summary.add(inspector, group.endpoint, group.status, Some(cause), group.count);
            }
        }
        for group in others {
            summary.add(inspector, group.endpoint, group.status, None, group.count);
        }
    }
}
