//! The consumer's loop: keys, exchanges, frames and signals, one at a time.

use crossterm::event::{Event, EventStream, KeyCode};
use futures_util::StreamExt;

use super::terminal::Guard;
use super::{Exit, Options, TuiError};
use crate::feed::{Message, Receiver};

/// Shows what comes over `feed` until the user leaves. Must run where blocking for a frame's time is allowed; needs tokio's
/// time and signals.
pub async fn run(mut options: Options, mut feed: Receiver) -> Result<Exit, TuiError> {
    let _guard = Guard::take(options.settings.mouse).map_err(TuiError::Terminal)?;
    let mut events = EventStream::new();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(Event::Key(key))) if key.code == KeyCode::Char('q') => return Ok(Exit::default()),
                Some(Ok(_)) => {}
                _ => return Ok(Exit::default()),
            },
            Some(message) = feed.recv() => if let Message::Exchanges(batch) = message {
                for exchange in batch {
                    options.inspector.push(exchange);
                }
            },
        }
    }
}
