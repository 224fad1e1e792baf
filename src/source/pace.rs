//! What time it is in a capture when no frame says so.

use std::ops::ControlFlow;
use std::time::Instant;

use crate::model::Timestamp;

use super::Sink;

/// The capture's clock: the last frame's time and what has passed since it came. Another machine's clock, or a replay's, may
/// be far from ours.
#[derive(Debug)]
pub(super) struct Pace {
    last: Option<(Timestamp, Instant)>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { last: None }
    }
    /// A frame of this time came just now.
    pub(super) fn saw(&mut self, time: Timestamp) {
        self.last = Some((time, Instant::now()));
    }
    /// The time now; none as long as there was no frame to tell it.
    pub(super) fn now(&self) -> Option<Timestamp> {
        let (time, at) = self.last?;
        Some(time.plus(i64::try_from(at.elapsed().as_nanos()).unwrap_or(i64::MAX)))
    }
    /// Tells the sink that no frame came for a while.
    pub(super) fn tick(&self, sink: &mut dyn Sink) -> ControlFlow<()> {
        self.now().map_or(ControlFlow::Continue(()), |now| sink.tick(now))
    }
}
