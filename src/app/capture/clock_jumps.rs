//! Whether the clock of a running capture was set: from then on times are not to be compared with those before, and a person
//! who looks at latencies, `since:` or the server's log has to know.

use crate::model::Timestamp;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// Frames of several queues may come in a wrong order; a clock that goes back further than this was set.
const BACK: i64 = SECOND;
/// Where quiet is told in ticks, a clock that goes ahead further than this between two of them was set.
const AHEAD: i64 = 60 * SECOND;

/// Watches the times of a capture.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    /// The last frame's time.
    frame: Option<Timestamp>,
    /// What a tick said last: the last frame's time and how long nothing came since. A frame that was held back on its way
    /// (tcpdump without -U keeps 4 KiB) is older than that, and the clock is right all the same.
    quiet_until: Option<Timestamp>,
    reported: bool,
}

impl Steps {
    /// No frame came for a while; `now` is the time in the capture's clock.
    pub(crate) fn quiet(&mut self, now: Timestamp) {
        self.quiet_until = Some(now);
    }

    /// A frame came at `time`; says so when the clock was set, the first time. Of a stream that was recorded before (`ticks` is
    /// false) only a step back can be distinguished from a quiet hour.
    pub(crate) fn frame(&mut self, time: Timestamp, ticks: bool) -> Option<String> {
        let quiet_until = self.quiet_until.take();
        let last = self.frame.replace(time)?;
        let back = last.0.saturating_sub(time.0);
        let ahead = time.0.saturating_sub(quiet_until.map_or(last.0, |quiet| quiet.0.max(last.0)));
        let (way, passed) = if back > BACK {
            ("back", back)
        } else if ticks && ahead > AHEAD {
            ("ahead", ahead)
        } else {
            return None;
        };
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        let seconds = passed / SECOND;
        Some(format!(
            "the capture's clock was set {way} by {seconds} s; times before and after do not compare"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, Steps};
    use crate::model::Timestamp;

    fn reports(ticks: bool, seconds: &[i64]) -> Vec<String> {
        let mut steps = Steps::default();
        seconds.iter().filter_map(|second| steps.frame(Timestamp(second * SECOND), ticks)).collect()
    }

    #[test]
    fn a_step_is_reported_once_and_quiet_is_none() {
        assert_eq!(reports(true, &[100, 101, 160, 100, 220, 100]).len(), 1);
        assert!(reports(true, &[100, 40])[0].contains("set back by 60 s"));
        assert!(reports(true, &[100, 4_000])[0].contains("set ahead by 3900 s"));
        assert!(reports(false, &[100, 4_000]).is_empty(), "a recorded hour without traffic");
        assert!(reports(true, &[100, 100, 101, 150]).is_empty());
        assert!(reports(true, &[i64::MIN / SECOND, i64::MAX / SECOND])[0].contains("ahead"));
    }

    #[test]
    fn frames_that_were_held_back_are_no_step() {
        let mut steps = Steps::default();
        let at = |second: i64| Timestamp(second * SECOND);
        assert_eq!(steps.frame(at(100), true), None);
        steps.quiet(at(104));
        assert_eq!(steps.frame(at(101), true), None, "written at 101, handed on at 104");
        steps.quiet(at(300));
        assert_eq!(steps.frame(at(299), true), None, "a quiet time");
        steps.quiet(at(400));
        assert!(steps.frame(at(500), true).unwrap().contains("ahead by 100 s"));
    }
}
