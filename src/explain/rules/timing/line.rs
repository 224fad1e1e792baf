//! Requests of one client or credential in the order in which they began, as columns, with all that does not depend on
//! which of them is asked about.

use std::sync::OnceLock;

use crate::explain::contrast::stats::Event;

/// Spans over which requests are counted, in nanoseconds.
const WINDOWS: [i64; 5] = [1_000_000_000, 3_000_000_000, 10_000_000_000, 60_000_000_000, 3_600_000_000_000];
/// Requests before one that are looked at for whether they were still under way.
const LATE: usize = 64;

/// Requests of one client or credential.
#[derive(Debug, Default)]
pub struct Line {
    /// When each began.
    from: Box<[i64]>,
    /// When each was answered.
    to: Box<[i64]>,
    /// The latest answer up to each.
    latest: Box<[i64]>,
    /// Whether each was a success.
    ok: Box<[bool]>,
    /// Successes among the first 0, 1, 2, ….
    goods: Box<[u32]>,
    /// Refusals.
    pub no: u32,
    /// How often success and refusal take turns.
    pub turns: u32,
    /// Time of the first refusal.
    pub first_no: i64,
    /// Whether a success followed a refusal.
    pub recovered: bool,
    /// Shortest time between a request and a success after it.
    pub gap: Option<i64>,
    /// For each of [`WINDOWS`] the most requests in it before any success, and how many refusals had more.
    windows: OnceLock<[(u32, u32); 5]>,
}

impl Line {
    /// Of requests in the order of time.
    pub fn of<'a>(briefs: impl Iterator<Item = &'a Event> + Clone) -> Self {
        let from: Box<[i64]> = briefs.clone().map(|brief| brief.from).collect();
        let ok: Box<[bool]> = briefs.clone().map(|brief| brief.ok).collect();
        let to: Box<[i64]> = briefs.map(|brief| brief.to).collect();
        let mut latest = i64::MIN;
        let up_to = |to: &i64| {
            latest = latest.max(*to);
            latest
        };
        let mut sum = 0;
        let goods = std::iter::once(0).chain(ok.iter().map(|ok| {
            sum += u32::from(*ok);
            sum
        }));
        let mut line = Self {
            latest: to.iter().map(up_to).collect(),
            goods: goods.collect(),
            turns: ok.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count() as u32,
            ..Self::default()
        };
        (line.from, line.to, line.ok) = (from, to, ok);
        line.no = line.ok.len() as u32 - line.goods.last().copied().unwrap_or(0);
        let first_no = line.briefs().find(|(_, ok)| !ok).map_or(i64::MAX, |(from, _)| from);
        line.first_no = first_no;
        line.recovered = line.ok_after(line.first_no) > 0;
        let gaps = line.from.windows(2).zip(line.ok.iter().skip(1)).filter(|(_, ok)| **ok);
        line.gap = gaps.filter_map(|(pair, _)| Some(pair.last()? - pair.first()?)).min();
        line
    }
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.from.len()
    }
    /// When the first began.
    pub fn first(&self) -> Option<i64> {
        self.from.first().copied()
    }
    /// How many began before `at`.
    pub fn earlier(&self, at: i64) -> usize {
        self.from.partition_point(|from| *from < at)
    }
    /// Successes that began before `at`.
    pub fn ok_before(&self, at: i64) -> u32 {
        self.goods.get(self.earlier(at)).copied().unwrap_or(0)
    }
    /// Successes that began after `at`.
    pub fn ok_after(&self, at: i64) -> u32 {
        let until = self.from.partition_point(|from| *from <= at);
        let all = self.goods.last().copied().unwrap_or(0);
        all - self.goods.get(until).copied().unwrap_or(0)
    }
    /// Requests in the `window` before `at`.
    pub fn before(&self, at: i64, window: i64) -> u32 {
        self.earlier(at).saturating_sub(self.earlier(at.saturating_sub(window))) as u32
    }
    /// Each of [`WINDOWS`] with the most requests in it before any success, and how many refusals had more.
    pub fn windows(&self) -> impl Iterator<Item = (i64, u32, u32)> {
        let windows = self.windows.get_or_init(|| WINDOWS.map(|window| self.dense(window)));
        WINDOWS.into_iter().zip(windows).map(|(window, (accepted, dense))| (window, *accepted, *dense))
    }
    /// Requests under way at `at`.
    pub fn open(&self, at: i64) -> u32 {
        self.under_way(self.earlier(at), at)
    }
    /// The same when successes began: the most, or `enough` of them.
    pub fn open_accepted(&self, enough: u32) -> u32 {
        let mut most = 0;
        let mut end = 0;
        for (at, _) in self.briefs().filter(|(_, ok)| *ok) {
            while self.from.get(end).is_some_and(|from| *from < at) {
                end += 1;
            }
            most = most.max(self.under_way(end, at));
            if most >= enough {
                break;
            }
        }
        most
    }
    /// Shortest time between a request and a refused one that began at `at`.
    pub fn gap_before(&self, at: i64) -> Option<i64> {
        let start = self.earlier(at).saturating_sub(1);
        let (from, ok) = (self.from.get(start..)?, self.ok.get(start + 1..)?);
        let pairs = from.windows(2).zip(ok);
        let this = pairs.take_while(|(pair, _)| pair.last().is_some_and(|from| *from <= at));
        let refused = this.filter(|(pair, ok)| !**ok && pair.last() == Some(&at));
        refused.filter_map(|(pair, _)| Some(pair.last()? - pair.first()?)).min()
    }

    fn briefs(&self) -> impl Iterator<Item = (i64, bool)> + Clone + '_ {
        self.from.iter().copied().zip(self.ok.iter().copied())
    }

    fn under_way(&self, end: usize, at: i64) -> u32 {
        if end.checked_sub(1).and_then(|last| self.latest.get(last)).is_none_or(|latest| *latest <= at) {
            return 0;
        }
        let late = self.to.get(end.saturating_sub(LATE)..end).unwrap_or_default();
        late.iter().map(|to| u32::from(*to > at)).sum()
    }

    fn dense(&self, window: i64) -> (u32, u32) {
        let accepted = self.before_each(window).filter(|(_, ok)| *ok).map(|(count, _)| count).max();
        let accepted = accepted.unwrap_or(0);
        if self.no == 0 || self.len() <= accepted as usize + 1 {
            return (accepted, 0);
        }
        (accepted, self.before_each(window).filter(|(count, ok)| !ok && *count > accepted).count() as u32)
    }

    /// For each of the requests those in the `window` before it, with whether it was a success.
    fn before_each(&self, window: i64) -> impl Iterator<Item = (u32, bool)> + '_ {
        let (mut start, mut end) = (0, 0);
        self.briefs().map(move |(at, ok)| {
            let earlier = |from: Option<&i64>, than: i64| from.is_some_and(|from| *from < than);
            while earlier(self.from.get(end), at) {
                end += 1;
            }
            while earlier(self.from.get(start), at.saturating_sub(window)) {
                start += 1;
            }
            (end.saturating_sub(start) as u32, ok)
        })
    }
}
