//! The seam between the bytes of a connection and the exchanges in them.
//!
//! A protocol gets the bytes of both directions in order, the gaps between them and their ends, each with its time, its
//! stream offset and what its sender had acknowledged. It hands finished exchanges to [`Context::out`], in any order: one that
//! interleaves exchanges names the stream of each ([`Connection::stream`]). What a gap took is a value there, never a
//! missing one: [`Outcome::Lost`] for a whole response, [`BodyEnd::Lost`] for the rest of a body.

use crate::model::{Anomaly, BodyEnd, Connection, Counters, Exchange, Outcome, Timestamp};
use crate::wire::limits::Limits;
use crate::wire::tcp::{Arrival, Dir, FlowKey};

/// What the reader of a connection needs of its surroundings. `S` is what all connections of a protocol share.
#[derive(Debug)]
pub(crate) struct Context<'a, S> {
    /// The bounds.
    pub limits: &'a Limits,
    /// The counters.
    pub tally: &'a mut Counters,
    /// What all connections of the protocol share.
    pub shared: &'a mut S,
    /// Where finished exchanges go.
    pub out: &'a mut Vec<Exchange>,
    /// The connection's addresses.
    pub key: &'a FlowKey,
    /// What exchanges say of their connection.
    pub connection: &'a Connection,
}

/// Reads exchanges out of the bytes of one connection.
pub(crate) trait Protocol {
    /// What all connections of this protocol on one thread share (caches).
    type Shared;

    /// The next bytes sent in `dir`.
    fn data(&mut self, dir: Dir, data: &[u8], at: Arrival, cx: &mut Context<'_, Self::Shared>);
    /// The next `len` bytes sent in `dir` are not in the capture.
    fn gap(&mut self, dir: Dir, len: u64, at: Arrival, cx: &mut Context<'_, Self::Shared>);
    /// The sender of `dir` sends no more.
    fn fin(&mut self, dir: Dir, at: Arrival, cx: &mut Context<'_, Self::Shared>);
    /// No more bytes come in either direction: everything unfinished leaves. `one_sided` says that only one direction was seen.
    fn end(&mut self, ending: Ending, at: Arrival, one_sided: bool, cx: &mut Context<'_, Self::Shared>);
    /// It is `now` in capture time although no bytes came.
    fn tick(&mut self, now: Timestamp, cx: &mut Context<'_, Self::Shared>);
    /// Whether an exchange waits for time to pass ([`Protocol::tick`]).
    fn awaits_time(&self) -> bool;
    /// Something odd about the connection.
    fn notice(&mut self, anomaly: Anomaly);
    /// Whether bytes that came again are known to differ from what was kept of them.
    fn differs(&self, dir: Dir, offset: u64, data: &[u8]) -> bool;
    /// Whether nothing on this connection can become an exchange any more, and under what its further bytes are counted.
    fn ignored(&self) -> Option<Ignored>;
    /// The name of what the connection carries, if that is not this protocol (any more).
    fn unparsed(&self) -> Option<&'static str>;
    /// Bytes of memory in use. It is asked for after every segment.
    fn cost(&self) -> usize;
}

/// Under what the bytes of a connection that carries nothing readable are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It left its protocol (CONNECT, Upgrade).
    Switched,
    /// It never was one that can be read.
    Foreign,
}

/// Why no more bytes will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The connection was closed.
    Closed,
    /// The connection was reset.
    Reset,
    /// The capture has ended.
    Captured,
    /// The connection was idle for too long.
    Expired,
    /// The memory limit was reached.
    Evicted,
}

impl Ending {
    /// What it means for a body that was being read.
    pub(crate) const fn of_body(self) -> BodyEnd {
        match self {
            Self::Closed => BodyEnd::ClosedEarly,
            Self::Reset => BodyEnd::Reset,
            _ => BodyEnd::Unfinished,
        }
    }

    /// What it means for a request without a response.
    pub(crate) const fn of_request(self) -> Outcome {
        match self {
            Self::Closed => Outcome::Closed,
            Self::Reset => Outcome::Reset,
            Self::Captured => Outcome::Pending,
            Self::Expired => Outcome::Expired,
            Self::Evicted => Outcome::Evicted,
        }
    }
}
