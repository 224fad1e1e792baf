//! When the next frame may be drawn.
//!
//! Keys are answered within a frame's time. Traffic is shown as often as the line bears: every byte sent is paid for at
//! the configured rate before traffic alone may cause the next frame, so a busy stream costs the same as a quiet one.

use std::time::{Duration, Instant};

/// The shortest time between two frames: 30 a second.
const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// The longest time that traffic has to wait, so that a screen full of colour still moves.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Why a frame is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// The traffic changed what is shown.
    Traffic,
    /// A person did something and waits for the answer.
    Person,
}

/// Remembers what the last frames cost.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    rate: u32,
    last: Option<Instant>,
    paid: Option<Instant>,
}

impl Pace {
    /// Traffic may cost `rate` bytes a second; 0 lifts the limit.
    pub fn new(rate: u32) -> Self {
        Self { rate, last: None, paid: None }
    }

    /// The earliest time for a frame wanted at `now`.
    pub fn next(&self, now: Instant, urgency: Urgency) -> Instant {
        let soonest = self.last.map_or(now, |last| last + FRAME);
        match (urgency, self.paid) {
            (Urgency::Traffic, Some(paid)) => soonest.max(paid),
            _ => soonest,
        }
    }

    /// A frame of `bytes` was sent at `now`.
    pub fn sent(&mut self, now: Instant, bytes: usize) {
        self.last = Some(now);
        if self.rate > 0 {
            let cost = Duration::from_secs_f64(bytes as f64 / f64::from(self.rate));
            let paid = self.paid.map_or(now, |paid| paid.max(now)) + cost;
            self.paid = Some(paid.min(now + PATIENCE));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{FRAME, PATIENCE, Pace, Urgency};

    #[test]
    fn a_person_never_waits_for_the_budget() {
        let (start, mut pace) = (Instant::now(), Pace::new(1000));
        pace.sent(start, 100_000);
        assert_eq!(pace.next(start, Urgency::Person), start + FRAME);
        assert_eq!(pace.next(start, Urgency::Traffic), start + PATIENCE);
    }

    #[test]
    fn traffic_pays_for_what_was_sent() {
        let (start, mut pace) = (Instant::now(), Pace::new(10_000));
        pace.sent(start, 5000);
        assert_eq!(pace.next(start, Urgency::Traffic), start + Duration::from_millis(500));
        let later = start + Duration::from_secs(1);
        pace.sent(later, 0);
        assert_eq!(pace.next(later, Urgency::Traffic), later + FRAME);
    }
}
