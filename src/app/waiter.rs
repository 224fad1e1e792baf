//! Waiting for the next message, with a limit where refusals are held back for their log records.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::AppError;
use crate::feed::{Message, Receiver};

/// Between two looks at log records that came while nothing else did.
const LOOK: Duration = Duration::from_millis(60);

/// Waits for messages.
pub(super) struct Waiter {
    /// Only where there is a limit to keep.
    timer: Option<Runtime>,
}

/// What came of waiting.
pub(super) enum Waited {
    /// A message; `None` when there will be none any more.
    Message(Option<Message>),
    /// The time is over.
    Over,
}

impl Waiter {
    /// Keeps limits where `keeps_limits` says so.
    pub(super) fn new(keeps_limits: bool) -> Result<Self, AppError> {
        let failed = |reason| AppError::System { what: "cannot start the event loop", reason };
        let timer = keeps_limits.then(|| Builder::new_current_thread().enable_time().build());
        Ok(Self { timer: timer.transpose().map_err(failed)? })
    }

    /// Whether limits are kept.
    pub(super) fn is_timed(&self) -> bool {
        self.timer.is_some()
    }

    /// Waits for the next message, with `limit` not longer than that.
    pub(super) fn next(&self, feed: &mut Receiver, limit: Option<Duration>) -> Waited {
        match (&self.timer, limit) {
            (Some(timer), Some(limit)) => {
                let wait = limit.clamp(Duration::from_millis(1), LOOK);
                timer
                    .block_on(async { timeout(wait, feed.recv()).await })
                    .map_or(Waited::Over, Waited::Message)
            }
            _ => Waited::Message(feed.blocking_recv()),
        }
    }
}
