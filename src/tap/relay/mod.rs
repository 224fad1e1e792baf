//! Bytes from one side to the other, both ways, until both have said that they are done.

pub(in crate::tap) mod proxy_header;
pub(in crate::tap) mod scratch;
pub(in crate::tap) mod side;
pub(in crate::tap) mod upstream;

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use crate::synth;

use crate::tap::mirror::Tracker;
use crate::tap::relay::scratch::Scratch;
use crate::tap::relay::side::{Received, Side, SideError, TlsFailure};

/// The idle time-out is looked at this many times while it passes.
const IDLE_STEPS: u32 = 4;

/// How a connection ended.
#[derive(Debug)]
pub(in crate::tap) enum End {
    /// Both sides said that they were done.
    Closed,
    /// A side broke off.
    Reset,
    /// Nothing came for too long.
    Idle,
    /// TLS failed on a side.
    Tls(synth::Side, Box<TlsFailure>),
}

/// Two sides and the tracker that mirrors them.
pub(in crate::tap) struct Relay {
    client: Side,
    server: Side,
    tracker: Tracker,
    upward: Direction,
    downward: Direction,
    idle: Option<Idle>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Open,
    /// The sender is done; the receiver must still hear of it.
    Ending,
    Done,
}

struct Idle {
    timer: Pin<Box<Sleep>>,
    step: Duration,
    quiet: u32,
    active: bool,
}

impl Relay {
    /// Relays between two sides that are open.
    pub(in crate::tap) fn new(client: Side, server: Side, tracker: Tracker, idle: Option<Duration>) -> Self {
        let idle = idle.map(|timeout| {
            let step = timeout / IDLE_STEPS;
            Idle { timer: Box::pin(tokio::time::sleep(step)), step, quiet: 0, active: false }
        });
        Self { client, server, tracker, upward: Direction::Open, downward: Direction::Open, idle }
    }

    /// Relays until the end. A reset on one side becomes a reset on the other.
    pub(in crate::tap) async fn run(mut self) -> End {
        let end = std::future::poll_fn(|cx| scratch::with(|scratch| self.poll(cx, scratch))).await;
        if !matches!(end, End::Closed) {
            self.client.reset_on_drop();
            self.server.reset_on_drop();
        }
        end
    }

    fn poll(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<End> {
        use synth::Side::{Client, Server};
        let mut active = false;
        for side in [Client, Server] {
            if let Some(end) = self.pump(side, &mut active, cx, scratch) {
                return Poll::Ready(end);
            }
        }
        if (self.upward, self.downward) == (Direction::Done, Direction::Done) {
            let broken =
                [(&self.client, Client), (&self.server, Server)].into_iter().find(|(side, _)| side.broken);
            return Poll::Ready(match broken {
                Some((_, side)) => {
                    self.tracker.reset(side);
                    End::Reset
                }
                None => End::Closed,
            });
        }
        if let Some(Poll::Ready(())) = self.idle.as_mut().map(|idle| idle.poll(cx, active)) {
            self.tracker.reset(Server);
            return Poll::Ready(End::Idle);
        }
        Poll::Pending
    }

    /// Moves what `side` sent. Says how the connection ended when it did so here.
    fn pump(
        &mut self,
        side: synth::Side,
        active: &mut bool,
        cx: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Option<End> {
        let Self { client, server, tracker, upward, downward, .. } = self;
        let (from, to, direction) = match side {
            synth::Side::Client => (client, server, upward),
            synth::Side::Server => (server, client, downward),
        };
        let outcome =
            Pump { from, to: &mut *to, direction: &mut *direction, side, tracker, active }.poll(cx, scratch);
        match outcome {
            Poll::Pending | Poll::Ready(Ok(())) => None,
            Poll::Ready(Err(Broken::Read(error))) => Some(ended(&mut self.tracker, side, error)),
            Poll::Ready(Err(Broken::Write(error))) => {
                // What the receiver sent before it broke is still worth having.
                to.broken = true;
                *direction = Direction::Done;
                to.ended.then(|| ended(&mut self.tracker, side.other(), error))
            }
        }
    }
}

fn ended(tracker: &mut Tracker, side: synth::Side, error: SideError) -> End {
    tracker.reset(side);
    match error {
        SideError::Socket(_) => End::Reset,
        SideError::Tls(failure) => End::Tls(side, failure),
    }
}

enum Broken {
    Read(SideError),
    Write(SideError),
}

/// One direction for the time of one poll.
struct Pump<'a> {
    from: &'a mut Side,
    to: &'a mut Side,
    direction: &'a mut Direction,
    side: synth::Side,
    tracker: &'a mut Tracker,
    active: &'a mut bool,
}

impl Pump<'_> {
    fn poll(&mut self, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<Result<(), Broken>> {
        let Scratch { input, reply, relay } = scratch;
        while *self.direction == Direction::Open {
            ready!(self.to.poll_flush(cx)).map_err(|error| Broken::Write(error.into()))?;
            let (to, tracker, side) = (&mut *self.to, &mut *self.tracker, self.side);
            let mut written = Ok(());
            let mut task = Context::from_waker(cx.waker());
            let received = ready!(self.from.poll_receive(cx, input, reply, &mut |bytes| {
                tracker.data(side, bytes);
                if written.is_ok() {
                    written = to.send(&mut task, bytes, relay);
                }
            }));
            *self.active = true;
            if self.from.ended {
                *self.direction = Direction::Ending;
            }
            match (received, written) {
                (Err(error), _) => return Poll::Ready(Err(Broken::Read(error))),
                (_, Err(error)) => return Poll::Ready(Err(Broken::Write(error))),
                (Ok(Received::End), Ok(())) => {
                    self.tracker.fin(self.side);
                    *self.direction = Direction::Ending;
                }
                (Ok(Received::Some), Ok(())) if self.from.ended => self.tracker.fin(self.side),
                (Ok(Received::Some), Ok(())) => {}
            }
        }
        if *self.direction == Direction::Ending {
            let properly = self.from.ended_properly();
            ready!(self.to.poll_shutdown(cx, properly, relay)).map_err(Broken::Write)?;
            *self.direction = Direction::Done;
        }
        Poll::Ready(Ok(()))
    }
}

impl Idle {
    /// Ready once `IDLE_STEPS` steps have passed without a byte.
    fn poll(&mut self, cx: &mut Context<'_>, active: bool) -> Poll<()> {
        self.active |= active;
        while self.timer.as_mut().poll(cx).is_ready() {
            self.quiet = if std::mem::take(&mut self.active) { 0 } else { self.quiet + 1 };
            if self.quiet >= IDLE_STEPS {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(Instant::now() + self.step);
        }
        Poll::Pending
    }
}
