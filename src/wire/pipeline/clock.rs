//! Capture time in whole seconds, for expiry: it never runs backwards and does not believe a single wild timestamp.

use crate::model::Timestamp;

/// A jump forward of more seconds than this must be confirmed by the next frame, and counts as this many: nobody knows
/// whether nothing came for so long or the clock was set, and who waits for an answer then shall not be given up for that.
const JUMP: i64 = 60;
/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// Counts the seconds of capture time.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    latest: Option<i64>,
    /// The first nanosecond of `latest`, once it is known.
    begins: i64,
    suspect: Option<i64>,
    uptime: u32,
}

impl Clock {
    /// Seconds since the first frame, as far as they are believed.
    pub(crate) fn uptime(&self) -> u32 {
        self.uptime
    }

    /// A frame came at `time`; says whether a second began.
    pub(crate) fn advance(&mut self, time: Timestamp) -> bool {
        if (0..SECOND).contains(&time.0.wrapping_sub(self.begins)) && self.latest.is_some() {
            self.suspect = None;
            return false;
        }
        let second = time.seconds();
        let Some(latest) = self.latest else {
            self.set(second);
            return false;
        };
        let wild = (second - latest).abs() > JUMP;
        if wild && self.suspect.is_none_or(|suspect| (second - suspect).abs() > JUMP) {
            self.suspect = Some(second);
            return false;
        }
        if second < latest && !wild {
            return false;
        }
        self.set(second);
        let passed = u32::try_from((second - latest).clamp(0, JUMP)).unwrap_or(u32::MAX);
        self.uptime = self.uptime.saturating_add(passed);
        passed > 0
    }

    fn set(&mut self, second: i64) {
        self.suspect = None;
        self.latest = Some(second);
        self.begins = second.saturating_mul(SECOND);
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use crate::model::Timestamp;

    #[test]
    fn a_single_wild_timestamp_is_not_believed() {
        let mut clock = Clock::default();
        let at = |second: i64| Timestamp::from_parts(second, 5);
        assert!(!clock.advance(at(1000)));
        assert!(clock.advance(at(1001)));
        assert!(!clock.advance(at(9_000_000)));
        assert!(clock.advance(at(1003)));
        assert!(!clock.advance(at(1002)), "backwards");
        assert_eq!(clock.uptime(), 3);
        assert!(!clock.advance(at(2000)));
        assert!(clock.advance(at(2001)), "confirmed");
        assert_eq!(clock.uptime(), 3 + 60, "who knows how long it was");
        assert!(!clock.advance(at(10)));
        assert!(!clock.advance(at(11)), "set back");
        assert!(clock.advance(at(12)));
    }
}
