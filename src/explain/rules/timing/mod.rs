//! What the traffic did around the refusal.

pub mod course;
pub mod deploy;
mod line;
pub mod rules;
mod timeline;

use crate::explain::case::Case;
use crate::explain::rules::timing::course::Course;
use crate::explain::rules::timing::line::Line;
use crate::explain::rules::timing::timeline::By;
pub use crate::explain::rules::timing::timeline::Timeline;

const SECOND: i64 = 1_000_000_000;

/// How the requests of one client or credential went before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateProfile {
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
    /// Most unanswered ones when a success came, as far as they are fewer than `open`.
    pub open_accepted: u32,
    /// How often success and refusal take turns.
    pub turns: u32,
    /// Time of the first refusal.
    pub first_no: i64,
    /// Whether a success followed a refusal.
    pub recovered: bool,
    /// Share of the refusals that had more requests before them in `window` than any success, in percent.
    pub dense: u32,
    /// Whether as many requests in `window` came before a success of somebody else.
    pub others: bool,
    /// Whether this request came much sooner after the one before than any success did.
    pub hasty: bool,
    /// Whether the first refusal ended a burst: many requests within a second, far more than before, more than others had.
    pub burst: bool,
}

/// What the traffic did.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// Of the same client.
    pub client: RateProfile,
    /// Of the same credential; default without one.
    pub credential: RateProfile,
    /// Of everybody.
    pub all: RateProfile,
    /// What this client was answered before it was refused.
    pub course: Course,
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
        let mut latencies: Vec<i64> = case.own_good().iter().map(|sample| sample.latency).collect();
        let middle = latencies.len() / 2;
        let usual = if latencies.is_empty() { 0 } else { *latencies.select_nth_unstable(middle).1 };
        let onset = case.group().map(|sample| sample.at).min().unwrap_or(now);
        let (times, all) = (place.timeline(), place.timeline().all());
        let client = RateProfile::of(times, By::Client, case.client, now);
        let credential = match case.credential {
            0 => RateProfile::default(),
            own => RateProfile::of(times, By::Credential, own, now),
        };
        let others =
            |by, who, from| all.ok_after(from) - times.own(by, who).map_or(0, |own| own.ok_after(from));
        Self {
            course: Course::of(case),
            others_after: others(By::Client, case.client, client.first_no),
            other_credentials_after: match case.credential {
                0 => 0,
                own => others(By::Credential, own, credential.first_no),
            },
            client,
            credential,
            all: RateProfile::counts(all, onset),
            usual,
            took: case.exchange().latency().unwrap_or(0),
        }
    }
}

impl RateProfile {
    fn of(times: &Timeline, by: By, me: u64, now: i64) -> Self {
        let Some(own) = times.own(by, me) else { return Self { first_no: i64::MAX, ..Self::default() } };
        let mut course = Self { open: own.open(now), ..Self::counts(own, now) };
        if course.open > 0 {
            course.open_accepted = own.open_accepted(course.open);
        }
        course.rate(own, now);
        let others = |window, count| times.others_reach(by, me, window, count);
        course.burst = ends_burst(own, own.first_no) && !others(SECOND, own.before(own.first_no, SECOND));
        course.others = course.window != 0 && others(course.window, course.count);
        course
    }

    /// What needs counting alone.
    fn counts(own: &Line, now: i64) -> Self {
        Self {
            ok_before: own.ok_before(now),
            ok_after: own.ok_after(now),
            no: own.no,
            turns: own.turns,
            first_no: own.first_no,
            recovered: own.recovered,
            ..Self::default()
        }
    }

    /// Finds the window that sets the refusals apart best.
    fn rate(&mut self, own: &Line, now: i64) {
        for (window, accepted, dense) in own.windows() {
            let count = own.before(now, window);
            if count <= accepted || count < 2 {
                continue;
            }
            let dense = 100 * dense / self.no.max(1);
            if dense > self.dense {
                (self.window, self.count, self.accepted, self.dense) = (window, count, accepted, dense);
            }
        }
        self.hasty = own.gap_before(now).zip(own.gap).is_some_and(|(this, usual)| this * 2 < usual);
    }
}

/// Whether the second before `at` held many requests, four times as many as there were a second until then.
fn ends_burst(own: &Line, at: i64) -> bool {
    let (count, earlier) = (own.before(at, SECOND), own.earlier(at - SECOND));
    let calm = own.first().map_or(0, |first| (at - SECOND - first).max(0) / SECOND);
    count >= 5 && calm > 0 && i64::from(count) * calm > 4 * earlier as i64
}
