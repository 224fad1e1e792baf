//! What leaves the capture's side: messages for the consumer, and those that found its queue full.
//!
//! A live source is never made to wait. What finds the queue full is held back up to a bound and tried again with the next
//! batch, in order; beyond the bound the newest exchanges are given up and counted.

use std::collections::VecDeque;
use std::mem;
use std::ops::ControlFlow;

use tokio::sync::mpsc::error::TrySendError;

use crate::feed::{BATCH, Message, Sender};
use crate::model::Exchange;

/// Bytes of exchanges in a message, about; with the channel's capacity this bounds what is queued.
pub(super) const MESSAGE: usize = 128 << 10;
/// Exchanges in a message, unless many small ones had to wait.
pub(super) const ENOUGH: usize = 64;
/// Bytes of exchanges that are held back while the queue is full, before any is given up.
pub(super) const HELD: usize = 24 << 20;

/// Sends messages, and holds back exchanges that find the queue full.
#[derive(Debug)]
pub(super) struct Outbox {
    sender: Sender,
    /// Whether the source may be made to wait.
    waits: bool,
    /// Exchanges to be sent, oldest first, each message with its bytes. Bound: [`HELD`] and what one frame brought.
    held: VecDeque<(Vec<Exchange>, usize)>,
    bytes: usize,
    /// Exchanges given up.
    dropped: u64,
}

impl Outbox {
    pub(super) fn new(sender: Sender, waits: bool) -> Self {
        Self { sender, waits, held: VecDeque::new(), bytes: 0, dropped: 0 }
    }

    /// Exchanges given up because the queue was full.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Whether nothing is held back.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// From now on a full queue is waited for.
    pub(super) fn wait(&mut self) {
        self.waits = true;
    }

    /// Takes a batch of `bytes` bytes and sends what the queue takes.
    pub(super) fn exchanges(&mut self, batch: Vec<Exchange>, bytes: usize) -> ControlFlow<()> {
        self.hold(batch, bytes);
        while let Some((batch, bytes)) = self.held.pop_front() {
            match self.offer(Message::Exchanges(batch))? {
                Some(Message::Exchanges(batch)) => {
                    self.held.push_front((batch, bytes));
                    break;
                }
                _ => self.bytes -= bytes,
            }
        }
        ControlFlow::Continue(())
    }

    /// Sends what may be lost.
    pub(super) fn send(&mut self, message: Message) -> ControlFlow<()> {
        self.offer(message).map_continue(|_| ())
    }

    fn hold(&mut self, mut batch: Vec<Exchange>, bytes: usize) {
        if self.bytes > HELD && !self.waits {
            self.dropped += batch.len() as u64;
            return;
        }
        self.bytes += bytes;
        if let Some((last, size)) = self.held.back_mut()
            && last.len() + batch.len() <= ENOUGH
            && *size + bytes <= MESSAGE
        {
            last.append(&mut batch);
            *size += bytes;
            return;
        }
        let mut bytes = bytes;
        while !batch.is_empty() {
            let rest = batch.split_off(batch.len().min(BATCH));
            self.held.push_back((mem::replace(&mut batch, rest), mem::take(&mut bytes)));
        }
    }

    /// Sends a message; gives it back when the queue is full and must not be waited for.
    fn offer(&mut self, message: Message) -> ControlFlow<(), Option<Message>> {
        if self.waits {
            return match self.sender.blocking_send(message) {
                Ok(()) => ControlFlow::Continue(None),
                Err(_) => ControlFlow::Break(()),
            };
        }
        match self.sender.try_send(message) {
            Ok(()) => ControlFlow::Continue(None),
            Err(TrySendError::Full(message)) => ControlFlow::Continue(Some(message)),
            Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HELD, Outbox};
    use crate::feed::Message;
    use crate::model::Exchange;
    use crate::synth::Conversation;
    use crate::wire::pipeline::{Limits, Pipeline};

    fn exchange() -> Exchange {
        let time = crate::model::Timestamp(0);
        let made = Conversation::new("192.0.2.1:9".parse().unwrap(), "192.0.2.2:80".parse().unwrap())
            .client(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", time)
            .server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", time)
            .into_frames();
        let (mut pipeline, mut out) = (Pipeline::new(Limits::default()), Vec::new());
        for made in &made {
            pipeline.ingest(&made.frame(), &mut out);
        }
        out.pop().unwrap()
    }

    #[test]
    fn beyond_the_bound_the_newest_are_given_up_and_counted() {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
        let mut outbox = Outbox::new(sender, false);
        for bytes in [1, HELD, 1, 1] {
            assert!(outbox.exchanges(vec![exchange(); 3], bytes).is_continue());
        }
        assert_eq!(outbox.dropped(), 3);
        let mut came = 0;
        while let Ok(Message::Exchanges(batch)) = receiver.try_recv() {
            came += batch.len();
            assert!(outbox.exchanges(Vec::new(), 0).is_continue());
        }
        assert_eq!((came, outbox.is_empty(), outbox.bytes), (9, true, 0));
    }
}
