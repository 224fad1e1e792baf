//! What the traffic did around the refusal.

pub mod rules;

use super::case::Case;
use super::stats::Brief;

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
    /// Successes of other clients after this refusal.
    pub others_after: u32,
    /// Successes with other credentials after this refusal.
    pub other_credentials_after: u32,
}

impl Behaviour {
    /// Looks at the times kept of the case's place.
    pub fn of(case: &Case<'_>) -> Self {
        let Some(place) = case.place else { return Self::default() };
        let now = case.exchange().started().0;
        let course = |keep: &dyn Fn(&Brief) -> bool| {
            let mut own: Vec<&Brief> = place.briefs.iter().filter(|brief| keep(brief)).collect();
            own.sort_by_key(|brief| brief.from);
            Course::of(&own, now)
        };
        let mut latencies: Vec<i64> = case.own_good().iter().map(|sample| sample.latency).collect();
        latencies.sort_unstable();
        let after = |keep: &dyn Fn(&Brief) -> bool| {
            place.briefs.iter().filter(|brief| brief.ok && brief.from > now && keep(brief)).count() as u32
        };
        Self {
            client: course(&|brief| brief.client == case.client),
            credential: if case.credential == 0 {
                Course::default()
            } else {
                course(&|brief| brief.credential == case.credential)
            },
            all: course(&|_| true),
            usual: latencies.get(latencies.len() / 2).copied().unwrap_or(0),
            took: case.exchange().latency().unwrap_or(0),
            others_after: after(&|brief| brief.client != case.client),
            other_credentials_after: after(&|brief| brief.credential != case.credential),
        }
    }
}

impl Course {
    fn of(own: &[&Brief], now: i64) -> Self {
        let mut course = Self {
            ok_before: own.iter().filter(|brief| brief.ok && brief.from < now).count() as u32,
            ok_after: own.iter().filter(|brief| brief.ok && brief.from > now).count() as u32,
            no: own.iter().filter(|brief| !brief.ok).count() as u32,
            ..Self::default()
        };
        course.turns = own.windows(2).filter(|pair| matches!(pair, [a, b] if a.ok != b.ok)).count() as u32;
        for window in WINDOWS {
            let count = before(own, now, window);
            let accepted = own
                .iter()
                .filter(|brief| brief.ok)
                .map(|brief| before(own, brief.from, window))
                .max()
                .unwrap_or(0);
            if count > accepted && count >= 2 {
                (course.window, course.count, course.accepted) = (window, count, accepted);
                break;
            }
        }
        course.open = open(own, now);
        course.open_accepted =
            own.iter().filter(|brief| brief.ok).map(|brief| open(own, brief.from)).max().unwrap_or(0);
        course
    }
}

/// Requests in the `window` before `at`.
fn before(own: &[&Brief], at: i64, window: i64) -> u32 {
    let end = own.partition_point(|brief| brief.from < at);
    let start = own.partition_point(|brief| brief.from < at.saturating_sub(window));
    end.saturating_sub(start) as u32
}

/// Requests under way at `at`.
fn open(own: &[&Brief], at: i64) -> u32 {
    let end = own.partition_point(|brief| brief.from < at);
    own.get(end.saturating_sub(64)..end).unwrap_or_default().iter().filter(|brief| brief.to > at).count()
        as u32
}
