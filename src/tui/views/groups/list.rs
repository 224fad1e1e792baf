//! What the Groups view shows: one row a value of the property by which exchanges are grouped.

use std::cmp::Reverse;

use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::filter::{Context, Filter};
use crate::history::Record;
use crate::history::store::columns::{Chunk, ones};
use crate::incidents::{Group, GroupBy, Groups};
use crate::model::{Cause, ExchangeId};
use crate::tui::state::View;
use crate::tui::views::Rows;

/// Exchanges that are counted in one go, about; the others follow with the next.
const COUNTED: usize = 8192;

/// How the rows are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Most matches first.
    #[default]
    Matches,
    /// Highest share of refusals first.
    Share,
    /// The latest onset first.
    Onset,
    /// By value.
    Value,
}

impl Order {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Matches => Self::Share,
            Self::Share => Self::Onset,
            Self::Onset => Self::Value,
            Self::Value => Self::Matches,
        }
    }

    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matches => "matches",
            Self::Share => "share refused",
            Self::Onset => "onset",
            Self::Value => "value",
        }
    }
}

/// The rows, counted a part of the history at a time.
#[derive(Debug, Default)]
pub struct GroupList {
    /// Whose exchanges are counted, in words; empty for all.
    pub scope: String,
    /// The list from which it was opened.
    pub from: Option<View>,
    /// How the rows are ordered.
    pub order: Order,
    groups: Option<Groups>,
    /// Exchanges that are counted.
    base: Filter,
    /// Those of them that match.
    matching: Filter,
    /// Everything from here on is still to be counted.
    next: ExchangeId,
    /// Values in the order in which they are shown. As many as [`crate::incidents::MAX_GROUPS`] at most.
    shown: Vec<String>,
    /// What the order was made of.
    made: Option<(ExchangeId, Order)>,
    selected: Option<String>,
    top: usize,
    height: usize,
}

impl GroupList {
    /// Groups what `base` lets through, by `by`; `matching` says which of them match.
    pub fn start(&mut self, by: GroupBy, base: Filter, matching: Filter, scope: String) {
        let (from, order) = (self.from, self.order);
        *self = Self { scope, from, order, groups: Some(Groups::new(by)), base, matching, ..Self::default() };
    }

    /// The property.
    pub fn by(&self) -> Option<&GroupBy> {
        self.groups.as_ref().map(Groups::by)
    }

    /// The groups.
    pub fn groups(&self) -> Option<&Groups> {
        self.groups.as_ref()
    }

    /// The filter whose matches are counted.
    pub fn matching(&self) -> &Filter {
        &self.matching
    }

    /// The filter for what is counted at all.
    pub fn base(&self) -> &Filter {
        &self.base
    }

    /// Whether there are exchanges that are not counted yet.
    pub fn is_counting(&self, inspector: &Inspector) -> bool {
        self.groups.is_some() && self.next <= inspector.history().last_id()
    }

    /// Counts some more exchanges, oldest first.
    pub fn count(&mut self, inspector: &Inspector, redactor: &Redactor) {
        let Some(groups) = &mut self.groups else { return };
        let history = inspector.history();
        let cause =
            |record: &Record| -> Option<Cause> { inspector.top(record.exchange.id).map(|top| top.cause) };
        let context = Context { history, now: history.now(), cause: &cause };
        let last = |chunk: &&Chunk| chunk.columns().id.last().copied().unwrap_or_default();
        let due = history.chunks().skip_while(|chunk| last(chunk) < self.next.0);
        let stride = self.base.stride().min(self.matching.stride()).clamp(1, COUNTED / 4096);
        let chunks: Vec<&Chunk> = due.take(stride).collect();
        let counted = self.base.rows(&chunks, &self.base.prepare(&context), &context);
        let matched = self.matching.rows(&chunks, &self.matching.prepare(&context), &context);
        for (chunk, (counted, matched)) in chunks.iter().zip(counted.iter().zip(&matched)) {
            for row in ones(counted) {
                let Some(record) = chunk.record(row).filter(|record| record.exchange.id >= self.next) else {
                    continue;
                };
                groups.count(record, inspector, redactor);
                let is_match = matched.get(row / 64).is_some_and(|word| word & (1 << (row % 64)) != 0);
                if is_match {
                    groups.matched(record, inspector, redactor);
                }
            }
        }
        let end = chunks.last().map_or(history.last_id().0, last);
        self.next = ExchangeId(end.max(self.next.0) + 1);
        if chunks.is_empty() {
            self.next = ExchangeId(history.last_id().0 + 1);
        }
    }

    /// Orders the rows and decides what `height` of them are shown.
    pub fn prepare(&mut self, height: usize) {
        self.height = height.max(1);
        let made = (self.next, self.order);
        if self.made != Some(made) {
            self.made = Some(made);
            self.arrange();
        }
        let at = self.position();
        let last = self.shown.len().saturating_sub(self.height);
        self.top = self.top.clamp((at + 1).saturating_sub(self.height), at).min(last);
    }

    fn arrange(&mut self) {
        let Some(groups) = &self.groups else { return };
        let mut rows = groups.ranked();
        match self.order {
            Order::Matches => {}
            Order::Share => {
                rows.sort_by_key(|(_, group)| {
                    Reverse(((group.refused_share() * 1e6) as u64, group.refusals))
                });
            }
            Order::Onset => rows.sort_by_cached_key(|(_, group)| Reverse(groups.onset(group))),
            Order::Value => rows.sort_by_key(|(value, _)| *value),
        }
        self.shown = rows.into_iter().map(|(value, _)| value.to_owned()).collect();
    }

    /// The visible rows, with the index of the first.
    pub fn visible(&self) -> (usize, impl Iterator<Item = (&str, &Group)>) {
        let shown = self.shown.iter().skip(self.top).take(self.height);
        (self.top, shown.filter_map(|value| Some((value.as_str(), self.groups.as_ref()?.get(value)?))))
    }

    /// The value and the group of the selected row.
    pub fn selected(&self) -> Option<(&str, &Group)> {
        let value = self.shown.get(self.position())?;
        Some((value.as_str(), self.groups.as_ref()?.get(value)?))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// The index of the selected row: the first until one was chosen.
    pub fn position(&self) -> usize {
        let selected = self.selected.as_ref();
        self.shown.iter().position(|value| Some(value) == selected).unwrap_or_default()
    }
}

impl Rows for GroupList {
    fn len(&self) -> usize {
        self.shown.len()
    }

    fn position(&self) -> Option<usize> {
        (!self.shown.is_empty()).then(|| Self::position(self))
    }

    fn height(&self) -> usize {
        self.height
    }

    fn top(&self) -> usize {
        self.top
    }

    fn select(&mut self, index: usize) {
        self.selected = self.shown.get(index.min(self.shown.len().saturating_sub(1))).cloned();
    }
}
