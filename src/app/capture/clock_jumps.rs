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
    last: Option<Timestamp>,
    told: bool,
}

impl Steps {
    /// A frame came at `time`, or it is `time` now; says so when the clock was set, the first time. Of a stream that was
    /// recorded before (`ticks` is false) only a step back can be told from a quiet hour.
    pub(crate) fn saw(&mut self, time: Timestamp, ticks: bool) -> Option<String> {
        let last = self.last.replace(time)?;
        let passed = time.0.saturating_sub(last.0);
        let way = if passed < -BACK {
            "back"
        } else if ticks && passed > AHEAD {
            "ahead"
        } else {
            return None;
        };
        if std::mem::replace(&mut self.told, true) {
            return None;
        }
        let seconds = passed.unsigned_abs() / SECOND.unsigned_abs();
        Some(format!(
            "the capture's clock was set {way} by {seconds} s; times before and after do not compare"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{SECOND, Steps};
    use crate::model::Timestamp;

    fn told(ticks: bool, seconds: &[i64]) -> Vec<String> {
        let mut steps = Steps::default();
        seconds.iter().filter_map(|second| steps.saw(Timestamp(second * SECOND), ticks)).collect()
    }

    #[test]
    fn a_step_is_told_once_and_quiet_is_none() {
        assert_eq!(told(true, &[100, 101, 160, 100, 220, 100]).len(), 1);
        assert!(told(true, &[100, 40])[0].contains("set back by 60 s"));
        assert!(told(true, &[100, 4_000])[0].contains("set ahead by 3900 s"));
        assert!(told(false, &[100, 4_000]).is_empty(), "a recorded hour without traffic");
        assert!(told(true, &[100, 100, 101, 150]).is_empty());
        assert!(told(true, &[i64::MIN / SECOND, i64::MAX / SECOND])[0].contains("ahead"));
    }
}
