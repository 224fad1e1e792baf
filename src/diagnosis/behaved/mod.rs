//! What the traffic did around the refusal.

pub mod rules;

use super::case::Case;
use super::stats::Brief;

const SECOND: i64 = 1_000_000_000;
/// Spans over which requests are counted, in nanoseconds.
const WINDOWS: [i64; 5] = [1_000_000_000, 3_000_000_000, 10_000_000_000, 60_000_000_000, 3_600_000_000_000];

/// How the requests of one client or credential went before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Successes before this refusal.
    pub ok_before: u32,
    /// Successes after it.
    pub ok_after: u32,
    /// Refusals, this one included.
    pub no: u32,
    /// Shortest window in which more requests came before this one than before any success; 0 when there is none.
    pub window: i64,
    /// Requests in that window before this one.
    pub count: u32,
    /// Most requests in that window before any success.
    pub accepted: u32,
    /// Requests of the same kind still unanswered when this one came.
    pub open: u32,
    /// Most unanswered ones when a success came.
    pub open_accepted: u32,
    /// How often success and refusal take turns.
    pub turns: u32,
    /// Time of the first refusal.
    pub first_no: i64,
    /// Whether a success followed a refusal.
    pub recovered: bool,
    /// Share of the refusals that had more requests before them in `window` than any success, in percent.
    pub dense: u32,
    /// Most requests in `window` before a success of somebody else.
    pub others: u32,
    /// Whether this request came much sooner after the one before than any success did.
    pub hasty: bool,
    /// Whether the first refusal ended a burst: many requests within a second, far more than before, more than others had.
    pub burst: bool,
}

/// What the traffic did.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// Of the same client.
    pub client: Course,
    /// Of the same credential; default without one.
    pub credential: Course,
    /// Of everybody.
    pub all: Course,
    /// Median nanoseconds to the first byte of successes here; 0 without any.
    pub usual: i64,
    /// Nanoseconds to the first byte of this refusal.
    pub took: i64,
    /// Successes of other clients after this client's first refusal.
    pub others_after: u32,
    /// Successes with other credentials after this credential's first refusal.
    pub other_credentials_after: u32,
}

impl Behaviour {
    /// Looks at the times kept of the case's place.
    pub fn of(case: &Case<'_>) -> Self {
        let Some(place) = case.place else { return Self::default() };
        let now = case.exchange().started().0;
        let mut briefs: Vec<Brief> = place.briefs.iter().copied().collect();
        briefs.sort_by_key(|brief| brief.from);
        let mut latencies: Vec<i64> = case.own_good().iter().map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        let after = |from: i64, keep: &dyn Fn(&Brief) -> bool| {
            briefs.iter().filter(|brief| brief.ok && brief.from > from && keep(brief)).count() as u32
        };
        let onset = case.group.iter().map(|sample| sample.at).min().unwrap_or(now);
        let credential = |brief: &Brief| brief.credential;
        let client = Course::of(&briefs, &|brief| brief.client, case.client, now);
        let credential = match case.credential {
            0 => Course::default(),
            own => Course::of(&briefs, &credential, own, now),
        };
        Self {
            others_after: after(client.first_no, &|brief| brief.client != case.client),
            other_credentials_after: after(credential.first_no, &|brief| brief.credential != case.credential),
            client,
            credential,
            all: Course::of(&briefs, &|_| 0, 0, onset),
            usual: latencies.get(latencies.len() / 2).copied().unwrap_or(0),
            took: case.exchange().latency().unwrap_or(0),
        }
    }
}

/// Requests of one client or credential in the order in which they began, as columns.
#[derive(Default)]
struct Line {
    from: Vec<i64>,
    to: Vec<i64>,
    ok: Vec<bool>,
}

impl Line {
    fn of<'a>(briefs: impl Iterator<Item = &'a Brief>) -> Self {
        let mut line = Self::default();
        for brief in briefs {
            line.from.push(brief.from);
            line.to.push(brief.to);
            line.ok.push(brief.ok);
        }
        line
    }

    fn briefs(&self) -> impl Iterator<Item = (i64, bool)> + Clone + '_ {
        self.from.iter().copied().zip(self.ok.iter().copied())
    }

    fn count(&self, keep: impl Fn(i64, bool) -> bool) -> u32 {
        self.briefs().filter(|(from, ok)| keep(*from, *ok)).count() as u32
    }

    /// Requests in the `window` before `at`.
    fn before(&self, at: i64, window: i64) -> u32 {
        let end = self.from.partition_point(|from| *from < at);
        let start = self.from.partition_point(|from| *from < at.saturating_sub(window));
        end.saturating_sub(start) as u32
    }

    /// The same for each of the requests, with whether it was a success.
    fn before_each(&self, window: i64) -> impl Iterator<Item = (u32, bool)> + Clone + '_ {
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

    /// Requests under way at `at`.
    fn open(&self, at: i64) -> u32 {
        let end = self.from.partition_point(|from| *from < at);
        let late = self.to.get(end.saturating_sub(64)..end).unwrap_or_default();
        late.iter().map(|to| u32::from(*to > at)).sum()
    }
}

impl Course {
    fn of(briefs: &[Brief], who: &dyn Fn(&Brief) -> u64, me: u64, now: i64) -> Self {
        let own = Line::of(briefs.iter().filter(|brief| who(brief) == me));
        let first_no = own.briefs().find(|(_, ok)| !ok).map_or(i64::MAX, |(from, _)| from);
        let mut course = Self {
            ok_before: own.count(|from, ok| ok && from < now),
            ok_after: own.count(|from, ok| ok && from > now),
            no: own.count(|_, ok| !ok),
            turns: own.ok.windows(2).filter(|pair| matches!(pair, [a, b] if a != b)).count() as u32,
            first_no,
            recovered: own.briefs().any(|(from, ok)| ok && from > first_no),
            open: own.open(now),
            open_accepted: own
                .briefs()
                .filter(|(_, ok)| *ok)
                .map(|(from, _)| own.open(from))
                .max()
                .unwrap_or(0),
            ..Self::default()
        };
        course.rate(&own, now);
        course.burst = ends_burst(&own, first_no) && {
            let count = own.before(first_no, SECOND);
            most_of_others(briefs, who, me, SECOND) < count
        };
        if course.window != 0 {
            course.others = most_of_others(briefs, who, me, course.window);
        }
        course
    }

    /// Finds the window that sets the refusals apart best.
    fn rate(&mut self, own: &Line, now: i64) {
        for window in WINDOWS {
            let count = own.before(now, window);
            let each = own.before_each(window);
            let accepted = each.clone().filter(|(_, ok)| *ok).map(|(count, _)| count).max().unwrap_or(0);
            if count <= accepted || count < 2 {
                continue;
            }
            let dense = each.filter(|(count, ok)| !ok && *count > accepted).count() as u32;
            let dense = 100 * dense / self.no.max(1);
            if dense > self.dense {
                (self.window, self.count, self.accepted, self.dense) = (window, count, accepted, dense);
            }
        }
        let pairs = own.from.windows(2).zip(own.briefs().skip(1));
        let gaps = pairs.filter_map(|(pair, (from, ok))| Some((pair.last()? - pair.first()?, from, ok)));
        let this = gaps.clone().filter(|(_, from, ok)| *from == now && !ok).map(|(gap, ..)| gap).min();
        let usual = gaps.filter(|(.., ok)| *ok).map(|(gap, ..)| gap).min();
        self.hasty = this.zip(usual).is_some_and(|(this, usual)| this * 2 < usual);
    }
}

/// Whether the second before `at` held many requests, four times as many as there were a second until then.
fn ends_burst(own: &Line, at: i64) -> bool {
    let (count, earlier) = (own.before(at, SECOND), own.from.partition_point(|from| *from < at - SECOND));
    let calm = own.from.first().map_or(0, |first| (at - SECOND - first).max(0) / SECOND);
    count >= 5 && calm > 0 && i64::from(count) * calm > 4 * earlier as i64
}

/// Most requests of one other client (or credential) within `window` before one of its successes.
fn most_of_others(briefs: &[Brief], who: &dyn Fn(&Brief) -> u64, me: u64, window: i64) -> u32 {
    let mut others: Vec<(u64, i64, bool)> =
        briefs.iter().map(|brief| (who(brief), brief.from, brief.ok)).collect();
    others.retain(|(key, _, _)| *key != me);
    others.sort_unstable();
    let count = |key: u64, at: i64| {
        let end = others.partition_point(|(other, from, _)| (*other, *from) < (key, at));
        let start =
            others.partition_point(|(other, from, _)| (*other, *from) < (key, at.saturating_sub(window)));
        end.saturating_sub(start) as u32
    };
    others.iter().filter(|(_, _, ok)| *ok).map(|(key, at, _)| count(*key, *at)).max().unwrap_or(0)
}
