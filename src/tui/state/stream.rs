//! The list of matches: which exchanges match, which row is selected, what is visible.

use std::collections::VecDeque;

use crate::explain::inspector::Inspector;
use crate::filter::{Context, Filter};
use crate::history::store::columns::{Chunk, flag, ones};
use crate::history::{History, Record};
use crate::model::{Cause, EndpointId, ExchangeId, Timestamp};
use crate::tui::columns::Column;
use crate::tui::state::sorted::Sorted;

/// Filters that are remembered.
const MAX_PAST: usize = 100;

/// What matches of one endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Refusals among the matches.
    pub refusals: u64,
    /// The latest of them.
    pub last: ExchangeId,
}

/// The stream.
#[derive(Debug)]
pub struct Stream {
    /// The filter in effect.
    pub filter: Filter,
    /// Filters before this one, oldest first; bounded.
    pub past: Vec<String>,
    /// Matches, ascending. Evicted ones linger until they are pruned.
    matches: VecDeque<ExchangeId>,
    /// Everything below this id is still to be looked at.
    scan: ExchangeId,
    /// The selected exchange; `None` while following.
    selected: Option<ExchangeId>,
    /// The newest match when following ended: later ones are new.
    seen: ExchangeId,
    /// Later exchanges are not shown while paused.
    paused: Option<ExchangeId>,
    /// The first visible row.
    top: ExchangeId,
    /// Rows that are visible.
    height: usize,
    /// The last row that was visible while following: what the user saw as the newest.
    newest_shown: Option<ExchangeId>,
    /// Exchanges that were evicted when the matches were last pruned.
    pruned_at: u64,
    /// Marked for comparison; two at most.
    pub marked: Vec<ExchangeId>,
    /// Refusals among the matches, by endpoint.
    tallies: Vec<Tally>,
    /// The same in the order they are shown.
    refusing: Vec<(EndpointId, Tally)>,
    /// Another order than that of time.
    sorted: Option<Sorted>,
}

impl Stream {
    /// An empty list that follows.
    pub fn new(filter: Filter) -> Self {
        Self {
            filter,
            past: Vec::new(),
            matches: VecDeque::new(),
            scan: ExchangeId(0),
            selected: None,
            seen: ExchangeId(0),
            paused: None,
            top: ExchangeId(0),
            height: 1,
            newest_shown: None,
            pruned_at: 0,
            marked: Vec::new(),
            tallies: Vec::new(),
            refusing: Vec::new(),
            sorted: None,
        }
    }

    /// Takes note of a new exchange; returns whether it matches.
    pub fn push(&mut self, id: ExchangeId, inspector: &Inspector) -> bool {
        let matched = matches(&self.filter, id, inspector);
        if matched {
            self.matches.push_back(id);
            self.tally(id, inspector.history().row_of(id).map(|row| (row.flags, row.endpoint)));
        }
        matched
    }

    /// Counts a match with these flags and this endpoint.
    fn tally(&mut self, id: ExchangeId, row: Option<(u8, EndpointId)>) {
        let Some((_, endpoint)) = row.filter(|(flags, _)| flags & flag::REFUSAL != 0) else { return };
        let at = endpoint.0 as usize;
        if self.tallies.len() <= at {
            self.tallies.resize(at + 1, Tally::default());
        }
        if let Some(tally) = self.tallies.get_mut(at) {
            tally.refusals += 1;
            tally.last = tally.last.max(id);
        }
    }

    /// Endpoints with refusals among the matches, the most first, as of the last [`Stream::rank`].
    pub fn refusing(&self) -> &[(EndpointId, Tally)] {
        &self.refusing
    }

    /// Orders the endpoints that refuse.
    pub fn rank(&mut self, history: &History) {
        for at in 0..self.tallies.len() {
            let id = history.canonical(EndpointId(at as u32)).0 as usize;
            if id != at
                && let Some(merged) = self.tallies.get_mut(at).map(std::mem::take)
            {
                if self.tallies.len() <= id {
                    self.tallies.resize(id + 1, Tally::default());
                }
                if let Some(tally) = self.tallies.get_mut(id) {
                    tally.refusals += merged.refusals;
                    tally.last = tally.last.max(merged.last);
                }
            }
        }
        self.refusing.clear();
        let numbered = self.tallies.iter().enumerate().filter(|(_, tally)| tally.refusals > 0);
        self.refusing.extend(numbered.map(|(at, tally)| (EndpointId(at as u32), *tally)));
        self.refusing.sort_by_key(|(id, tally)| (std::cmp::Reverse((tally.refusals, tally.last)), *id));
    }

    /// Puts another filter in effect; older exchanges are looked at by [`Stream::scan`].
    pub fn set_filter(&mut self, filter: Filter, history: &History) {
        let before = std::mem::replace(&mut self.filter, filter).text().to_owned();
        if before != self.filter.text() {
            self.past.retain(|past| *past != before);
            self.past.push(before);
            if self.past.len() > MAX_PAST {
                self.past.remove(0);
            }
        }
        self.matches.clear();
        self.tallies.clear();
        self.sorted = None;
        self.scan = ExchangeId(history.last_id().0 + 1);
    }

    /// Whether older exchanges are still to be looked at.
    pub fn is_scanning(&self) -> bool {
        self.scan.0 > 0
    }

    /// Looks at some more older exchanges, newest first. Returns whether more are left.
    pub fn scan(&mut self, inspector: &Inspector) -> bool {
        let (filter, before) = (self.filter.clone(), self.scan);
        self.scan = scan_some(&filter, inspector, before, |chunk, row, id| {
            self.matches.push_front(id);
            let columns = chunk.columns();
            self.tally(id, columns.flags.get(row).copied().zip(columns.endpoint.get(row).copied()));
        });
        if !self.is_scanning() {
            self.keep_selection();
        }
        self.is_scanning()
    }

    /// After a filter has been applied to everything, the selection may be gone: its nearest neighbour takes its place.
    fn keep_selection(&mut self) {
        if let Some(selected) = self.selected
            && self.matches.binary_search(&selected).is_err()
        {
            let at = self.place(selected).min(self.matches.len().saturating_sub(1));
            self.selected = self.matches.get(at).copied();
        }
    }

    /// Drops evicted matches, when enough were evicted to make it worth the walk.
    pub fn prune(&mut self, history: &History) {
        let evicted = history.evicted();
        if evicted - self.pruned_at <= (self.matches.len() as u64 / 8).max(64) {
            return;
        }
        self.pruned_at = evicted;
        self.matches.retain(|id| history.row_of(*id).is_some());
        self.marked.retain(|id| history.row_of(*id).is_some());
        self.keep_selection();
    }

    /// Matches that may be shown.
    pub fn len(&self) -> usize {
        if let Some(sorted) = &self.sorted {
            return sorted.len();
        }
        match self.paused {
            Some(last) => self.matches.partition_point(|id| *id <= last),
            None => self.matches.len(),
        }
    }

    /// Whether nothing matches.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Matches, shown or not.
    pub fn total(&self) -> usize {
        self.matches.len()
    }

    /// The match at `index`.
    pub fn at(&self, index: usize) -> Option<ExchangeId> {
        if let Some(sorted) = &self.sorted {
            return sorted.at(index);
        }
        self.matches.get(index).copied().filter(|id| self.paused.is_none_or(|last| *id <= last))
    }

    /// The index of `id`, or where it would be.
    pub fn position(&self, id: ExchangeId) -> usize {
        self.sorted.as_ref().map_or_else(|| self.place(id), |sorted| sorted.position(id))
    }

    /// The index of `id` in the order of time, or where it would be.
    fn place(&self, id: ExchangeId) -> usize {
        self.matches.partition_point(|other| *other < id)
    }

    /// Another order than that of time, if there is one.
    pub fn sorted(&self) -> Option<&Sorted> {
        self.sorted.as_ref()
    }

    /// Puts what matches now into the order of `by`, the highest first; the other way round where it is in that order already.
    /// Whether that can be done.
    pub fn sort(&mut self, by: Column, history: &History) -> bool {
        let descending = self.sorted.as_ref().is_none_or(|sorted| sorted.by != by || !sorted.descending);
        self.hold();
        let Some(sorted) = Sorted::new(by, descending, self.matches.iter().copied(), history) else {
            return false;
        };
        self.selected = sorted.at(0).or(self.selected);
        self.sorted = Some(sorted);
        true
    }

    /// The first match that began at `at` or later.
    pub fn since(&self, at: Timestamp, history: &History) -> Option<ExchangeId> {
        let began = |id: &ExchangeId| history.row_of(*id).is_some_and(|row| row.started >= at);
        let from = self.matches.partition_point(|id| !began(id));
        self.matches.get(from).copied()
    }

    /// The match of `endpoint` that comes next after `from`, or before it. A chunk without that endpoint is
    /// passed over by its column.
    pub fn of_endpoint(
        &self,
        history: &History,
        endpoint: EndpointId,
        from: ExchangeId,
        forward: bool,
    ) -> Option<ExchangeId> {
        let len =
            self.paused.map_or(self.matches.len(), |last| self.matches.partition_point(|id| *id <= last));
        let start = self.place(from);
        let (low, high) =
            if forward { (self.place(ExchangeId(from.0 + 1)), len) } else { (0, start.min(len)) };
        let among = |chunk: &Chunk| {
            let columns = chunk.columns();
            let (first, last) = (*columns.id.first()?, *columns.id.last()?);
            let begin = self.place(ExchangeId(first)).max(low);
            let end = self.place(ExchangeId(last + 1)).min(high);
            if begin >= end || !columns.endpoint.contains(&endpoint) {
                return None;
            }
            let same = |at: &usize| {
                let row = self.matches.get(*at).and_then(|id| chunk.find(id.0));
                row.is_some_and(|row| columns.endpoint.get(row) == Some(&endpoint))
            };
            if forward { (begin..end).find(same) } else { (begin..end).rev().find(same) }
        };
        let index =
            if forward { history.chunks().find_map(among) } else { history.chunks().rev().find_map(among) };
        self.matches.get(index?).copied()
    }

    /// Whether the newest is shown as it comes.
    pub fn follows(&self) -> bool {
        self.selected.is_none()
    }

    /// The selected exchange; `None` while following.
    pub fn selected(&self) -> Option<ExchangeId> {
        self.selected
    }

    /// The exchange that commands act on.
    pub fn current(&self) -> Option<ExchangeId> {
        self.selected.or(self.newest_shown)
    }

    /// Shows the newest as it comes.
    pub fn follow(&mut self) {
        self.sorted = None;
        self.selected = None;
    }

    /// Stops following where the user sees the newest.
    pub fn hold(&mut self) {
        if self.selected.is_none() {
            self.selected = self.newest_shown.or_else(|| self.at(self.len().checked_sub(1)?));
            self.seen = self.matches.back().copied().unwrap_or_default();
        }
    }

    /// Selects the match at `index`, or the last.
    pub fn select(&mut self, index: usize) {
        self.hold();
        self.selected = self.at(index.min(self.len().saturating_sub(1))).or(self.selected);
    }

    /// Selects `id` if it matches.
    pub fn select_id(&mut self, id: ExchangeId) -> bool {
        let found = self.matches.binary_search(&id).is_ok();
        if found {
            self.hold();
            self.selected = Some(id);
        }
        found
    }

    /// Moves the selection by `rows`.
    pub fn step(&mut self, rows: i64) {
        self.hold();
        let Some(selected) = self.selected else { return };
        let at = self.position(selected) as i64 + rows;
        self.select(usize::try_from(at).unwrap_or(0));
    }

    /// Freezes the view, or lets it go on.
    pub fn toggle_pause(&mut self, history: &History) -> bool {
        self.paused = match self.paused {
            Some(_) => None,
            None => Some(history.last_id()),
        };
        self.paused.is_some()
    }

    /// Whether the view is frozen.
    pub fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Matches that came since following ended or the view was frozen.
    pub fn unseen(&self) -> usize {
        let since = match (self.paused, self.selected) {
            (Some(last), _) => last,
            (None, Some(_)) => self.seen,
            (None, None) => return 0,
        };
        self.matches.len() - self.matches.partition_point(|id| *id <= since)
    }

    /// Marks `id` for comparison, or takes the mark away; a third mark replaces the older one.
    pub fn toggle_mark(&mut self, id: ExchangeId) {
        if let Some(at) = self.marked.iter().position(|marked| *marked == id) {
            self.marked.remove(at);
        } else {
            if self.marked.len() == 2 {
                self.marked.remove(0);
            }
            self.marked.push(id);
        }
    }

    /// Decides what `height` rows show.
    pub fn prepare(&mut self, height: usize) {
        self.height = height.max(1);
        let last = self.len().saturating_sub(self.height);
        let top = match self.selected {
            None => last,
            Some(selected) => {
                let at = self.position(selected);
                let top = self.position(self.top);
                top.clamp((at + 1).saturating_sub(self.height), at).min(last)
            }
        };
        self.top = self.at(top).unwrap_or_default();
        if self.selected.is_none() {
            self.newest_shown = self.len().checked_sub(1).and_then(|at| self.at(at));
        }
    }

    /// Rows that were visible last.
    pub fn height(&self) -> usize {
        self.height
    }

    /// What the last [`Stream::prepare`] made visible, with the index of the first.
    pub fn visible(&self) -> (usize, impl Iterator<Item = ExchangeId> + '_) {
        let top = self.position(self.top);
        let end = (top + self.height).min(self.len());
        (top, (top.min(end)..end).filter_map(|at| self.at(at)))
    }
}

/// Whether `filter` matches `id`.
pub fn matches(filter: &Filter, id: ExchangeId, inspector: &Inspector) -> bool {
    let history = inspector.history();
    let cause = |record: &Record| top_cause(inspector, record);
    let context = Context { history, now: history.now(), cause: &cause };
    history.get(id).is_some_and(|record| filter.matches(record, &context))
}

fn top_cause(inspector: &Inspector, record: &Record) -> Option<Cause> {
    inspector.top_cause(record.exchange.id).map(|(cause, _)| cause)
}

/// Hands the matches in the newest chunks below `before` to `found`, newest first, each with its row; returns what is left:
/// everything below the result, nothing when that is 0.
pub fn scan_some(
    filter: &Filter,
    inspector: &Inspector,
    before: ExchangeId,
    mut found: impl FnMut(&Chunk, usize, ExchangeId),
) -> ExchangeId {
    let history = inspector.history();
    let cause = |record: &Record| top_cause(inspector, record);
    let context = Context { history, now: history.now(), cause: &cause };
    let first = |chunk: &Chunk| chunk.columns().id.first().copied().unwrap_or(u64::MAX);
    let below = history.chunks().rev().skip_while(|chunk| first(chunk) >= before.0);
    let chunks: Vec<&Chunk> = below.take(filter.stride()).collect();
    let rows = filter.rows(&chunks, &filter.prepare(&context), &context);
    for (chunk, rows) in chunks.iter().zip(&rows) {
        let ids = ones(rows).filter_map(|at| Some((at, *chunk.columns().id.get(at)?)));
        let ids: Vec<(usize, u64)> = ids.filter(|(_, id)| *id < before.0).collect();
        ids.into_iter().rev().for_each(|(at, id)| found(chunk, at, ExchangeId(id)));
    }
    ExchangeId(chunks.last().map_or(0, |chunk| first(chunk)))
}
