//! What the Endpoints view shows: one row an endpoint, kept up to date as exchanges come.

use std::cmp::Reverse;

use super::traffic::{Scale, Timeline};
use crate::history::{History, Record};
use crate::model::{EndpointId, ExchangeId, Timestamp};

/// How the rows are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Most refusals first.
    #[default]
    Refusals,
    /// Highest share of refusals first.
    Ratio,
    /// The latest refusal first.
    Newest,
    /// By name.
    Name,
}

impl Order {
    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Refusals => Self::Ratio,
            Self::Ratio => Self::Newest,
            Self::Newest => Self::Name,
            Self::Name => Self::Refusals,
        }
    }
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refusals => "refusals",
            Self::Ratio => "ratio",
            Self::Newest => "newest",
            Self::Name => "name",
        }
    }
}

/// What was seen of one endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointRow {
    /// Exchanges.
    pub exchanges: u64,
    /// Successes.
    pub successes: u64,
    /// Refusals (4xx).
    pub refusals: u64,
    /// When the last success began.
    pub last_success: Option<Timestamp>,
    /// When the refusals began that no success has followed; the first refusal of all when others still succeed.
    pub onset: Option<Timestamp>,
    /// The latest refusal.
    pub last_refusal: Option<ExchangeId>,
    /// When that began.
    pub refused: Option<Timestamp>,
    /// Refusals since the last success.
    pub refused_since: u64,
    /// Successes since the last refusal.
    pub succeeded_since: u64,
    /// Successes since the onset that a refusal has followed.
    pub between: u64,
    /// Over time.
    pub timeline: Timeline,
}

/// Refusals in a row, without a success among them, after which others do not "still" succeed.
const ROW: u64 = 5;

/// Whether requests to an endpoint that refuses are still accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    /// No success was seen.
    NeverSucceeded,
    /// Every request since the last refusal succeeded.
    LastSucceeded,
    /// Successes came between the refusals.
    OthersSucceed,
    /// The last success was then, and refusals have followed.
    Stopped(Timestamp),
}

impl EndpointRow {
    /// Whether requests are still accepted.
    pub fn trend(&self) -> Trend {
        match self.last_success {
            None => Trend::NeverSucceeded,
            Some(_) if self.between == 0 && self.succeeded_since > 0 => Trend::LastSucceeded,
            Some(_) if self.between > 0 && self.refused_since < ROW => Trend::OthersSucceed,
            Some(at) => Trend::Stopped(at),
        }
    }

    /// Share of refusals among successes and refusals, 0.0–1.0.
    pub fn ratio(&self) -> f64 {
        self.refusals as f64 / (self.successes + self.refusals).max(1) as f64
    }

    fn add(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.successes += other.successes;
        self.refusals += other.refusals;
        self.last_success = self.last_success.max(other.last_success);
        self.onset = match (self.onset, other.onset) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.last_refusal = self.last_refusal.max(other.last_refusal);
        self.refused = self.refused.max(other.refused);
        self.refused_since = self.refused_since.min(other.refused_since);
        self.succeeded_since = self.succeeded_since.min(other.succeeded_since);
        self.between += other.between;
        self.timeline.add(&other.timeline);
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct EndpointList {
    rows: Vec<EndpointRow>,
    /// The buckets' scale.
    pub scale: Scale,
    /// How they are ordered.
    pub order: Order,
    /// Endpoints in the order they are shown.
    shown: Vec<EndpointId>,
    selected: Option<EndpointId>,
    top: usize,
    height: usize,
    /// The highest bucket of all shown endpoints: successes, refusals. Sparklines of a column have it as their scale.
    pub peaks: (u32, u32),
}

impl EndpointList {
    /// Counts an exchange.
    pub fn count(&mut self, record: &Record, history: &History) {
        let id = history.canonical(record.endpoint);
        let exchange = &record.exchange;
        let at = exchange.started();
        let (bucket, halvings) = self.scale.bucket(at);
        if halvings > 0 {
            for row in &mut self.rows {
                row.timeline.halve(halvings);
            }
        }
        if self.rows.len() <= id.0 as usize {
            self.rows.resize_with(id.0 as usize + 1, EndpointRow::default);
        }
        let Some(row) = self.rows.get_mut(id.0 as usize) else { return };
        row.exchanges += 1;
        let slot = if exchange.is_success() {
            row.successes += 1;
            row.succeeded_since += 1;
            row.refused_since = 0;
            row.last_success = row.last_success.max(Some(at));
            &mut row.timeline.successes
        } else if exchange.is_refusal() {
            row.refusals += 1;
            let fresh = row.refused.is_none_or(|refused| row.last_success > Some(refused));
            if row.onset.is_none() || (fresh && row.ratio() > 0.5) {
                row.onset = Some(at);
                row.between = 0;
            } else {
                row.between += row.succeeded_since;
            }
            row.succeeded_since = 0;
            row.refused_since += 1;
            row.last_refusal = Some(exchange.id);
            row.refused = row.refused.max(Some(at));
            &mut row.timeline.refusals
        } else {
            return;
        };
        if let Some(count) = slot.get_mut(bucket) {
            *count += 1;
        }
    }

    /// What was seen of `id`.
    pub fn row(&self, id: EndpointId) -> Option<&EndpointRow> {
        self.rows.get(id.0 as usize)
    }

    /// Orders the rows and decides what `height` of them are shown.
    pub fn prepare(&mut self, history: &History, height: usize) {
        self.height = height.max(1);
        self.merge(history);
        self.shown.clear();
        let seen = self.rows.iter().enumerate().filter(|(_, row)| row.exchanges > 0);
        self.shown.extend(seen.map(|(at, _)| EndpointId(at as u32)));
        let (rows, order) = (&self.rows, self.order);
        let row = |id: &EndpointId| rows.get(id.0 as usize);
        match order {
            Order::Refusals => {
                self.shown.sort_by_key(|id| Reverse(row(id).map(|row| (row.refusals, row.exchanges))));
            }
            Order::Ratio => self
                .shown
                .sort_by_key(|id| Reverse(row(id).map(|row| ((row.ratio() * 1000.0) as u32, row.refusals)))),
            Order::Newest => self.shown.sort_by_key(|id| Reverse(row(id).map(|row| row.refused))),
            Order::Name => self.shown.sort_by_cached_key(|id| history.endpoint(*id).map(ToString::to_string)),
        }
        self.peaks = self.shown.iter().filter_map(row).fold((0, 0), |peaks, row| {
            let highest = |counts: &[u32]| counts.iter().copied().max().unwrap_or_default();
            let Timeline { successes, refusals } = &row.timeline;
            (peaks.0.max(highest(successes)), peaks.1.max(highest(refusals)))
        });
        self.selected = self.selected.map(|id| history.canonical(id));
        let at = self.position();
        let last = self.shown.len().saturating_sub(self.height);
        self.top = self.top.clamp((at + 1).saturating_sub(self.height), at).min(last);
    }

    /// Counts of endpoints that were merged go to what they have become.
    fn merge(&mut self, history: &History) {
        for at in 0..self.rows.len() {
            let id = history.canonical(EndpointId(at as u32));
            if id.0 as usize != at
                && let Some(row) = self.rows.get_mut(at)
                && row.exchanges > 0
            {
                let row = std::mem::take(row);
                if self.rows.len() <= id.0 as usize {
                    self.rows.resize_with(id.0 as usize + 1, EndpointRow::default);
                }
                if let Some(target) = self.rows.get_mut(id.0 as usize) {
                    target.add(&row);
                }
            }
        }
    }

    /// The visible rows, with the index of the first.
    pub fn visible(&self) -> (usize, impl Iterator<Item = (EndpointId, &EndpointRow)>) {
        let shown = self.shown.iter().skip(self.top).take(self.height);
        (self.top, shown.filter_map(|id| Some((*id, self.row(*id)?))))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.shown.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Rows that were visible last.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The selected endpoint: the first until one was chosen.
    pub fn selected_id(&self) -> Option<EndpointId> {
        self.selected.filter(|id| self.shown.contains(id)).or_else(|| self.shown.first().copied())
    }

    /// What was seen of the selected endpoint.
    pub fn selected(&self) -> Option<&EndpointRow> {
        self.row(self.selected_id()?)
    }

    /// The index of the selected endpoint.
    pub fn position(&self) -> usize {
        let selected = self.selected_id();
        self.shown.iter().position(|id| Some(*id) == selected).unwrap_or_default()
    }

    /// Selects the row at `index`, or the last.
    pub fn select(&mut self, index: usize) {
        self.selected = self.shown.get(index.min(self.shown.len().saturating_sub(1))).copied();
    }
}

#[cfg(test)]
mod tests {
    use super::{EndpointRow, Trend};
    use crate::model::Timestamp;

    #[test]
    fn the_trend_says_what_was_seen_and_no_more() {
        let at = Timestamp::from_parts(7, 0);
        let row = |refused_since, succeeded_since, between| EndpointRow {
            last_success: Some(at),
            refused_since,
            succeeded_since,
            between,
            ..EndpointRow::default()
        };
        assert_eq!(EndpointRow::default().trend(), Trend::NeverSucceeded);
        assert_eq!(row(0, 1, 0).trend(), Trend::LastSucceeded, "one refusal, then one success");
        assert_eq!(row(1, 0, 3).trend(), Trend::OthersSucceed);
        assert_eq!(row(0, 2, 3).trend(), Trend::OthersSucceed);
        assert_eq!(row(1, 0, 0).trend(), Trend::Stopped(at), "successes only before the onset");
        assert_eq!(row(9, 0, 3).trend(), Trend::Stopped(at), "nine refusals in a row");
    }
}
