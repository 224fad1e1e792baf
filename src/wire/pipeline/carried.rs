//! What a connection carries: one of the protocols that can be read. A protocol is added here.

use crate::model::{Anomaly, Connection, Counters, Exchange, Timestamp};
use crate::wire::http1::{Http1, Models};
use crate::wire::limits::Limits;
use crate::wire::protocol::{Context, Ending, Ignored, Protocol};
use crate::wire::tcp::{Arrival, Dir, FlowKey};

/// What the connections of one thread share, by protocol.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// What heads of HTTP/1.1 look like here. It decides how fast one is read, never what is read.
    http1: Models,
}

/// A context for any of the protocols.
#[derive(Debug)]
pub(crate) struct Surroundings<'a> {
    pub limits: &'a Limits,
    pub tally: &'a mut Counters,
    pub shared: &'a mut Shared,
    pub out: &'a mut Vec<Exchange>,
    pub key: FlowKey,
    pub connection: Connection,
}

impl Surroundings<'_> {
    #[inline]
    fn http1(&mut self) -> Context<'_, Models> {
        Context {
            limits: self.limits,
            tally: self.tally,
            shared: &mut self.shared.http1,
            out: self.out,
            key: &self.key,
            connection: &self.connection,
        }
    }
}

/// The protocol state of one connection.
#[derive(Debug)]
pub(crate) enum Carried {
    /// HTTP/1.0 and HTTP/1.1, and whatever is not recognised yet.
    Http1(Box<Http1>),
}

impl Carried {
    /// A connection of which nothing was seen yet; `client` opened it, where that is known.
    pub(crate) fn new(client: Option<Dir>) -> Self {
        Self::Http1(Box::new(Http1::new(client)))
    }
    /// See [`Protocol::data`].
    pub(crate) fn data(&mut self, dir: Dir, data: &[u8], at: Arrival, around: &mut Surroundings<'_>) {
        match self {
            Self::Http1(http) => http.data(dir, data, at, &mut around.http1()),
        }
    }
    /// See [`Protocol::gap`].
    pub(crate) fn gap(&mut self, dir: Dir, len: u64, at: Arrival, around: &mut Surroundings<'_>) {
        match self {
            Self::Http1(http) => http.gap(dir, len, at, &mut around.http1()),
        }
    }
    /// See [`Protocol::fin`].
    pub(crate) fn fin(&mut self, dir: Dir, at: Arrival, around: &mut Surroundings<'_>) {
        match self {
            Self::Http1(http) => http.fin(dir, at, &mut around.http1()),
        }
    }
    /// See [`Protocol::end`].
    pub(crate) fn end(
        &mut self,
        ending: Ending,
        at: Arrival,
        one_sided: bool,
        around: &mut Surroundings<'_>,
    ) {
        match self {
            Self::Http1(http) => http.end(ending, at, one_sided, &mut around.http1()),
        }
    }
    /// See [`Protocol::tick`].
    pub(crate) fn tick(&mut self, now: Timestamp, around: &mut Surroundings<'_>) {
        match self {
            Self::Http1(http) => http.tick(now, &mut around.http1()),
        }
    }
    /// See [`Protocol::awaits_time`].
    pub(crate) fn awaits_time(&self) -> bool {
        match self {
            Self::Http1(http) => http.awaits_time(),
        }
    }
    /// See [`Protocol::notice`].
    pub(crate) fn notice(&mut self, anomaly: Anomaly) {
        match self {
            Self::Http1(http) => http.notice(anomaly),
        }
    }
    /// See [`Protocol::differs`].
    pub(crate) fn differs(&self, dir: Dir, offset: u64, data: &[u8]) -> bool {
        match self {
            Self::Http1(http) => http.differs(dir, offset, data),
        }
    }
    /// See [`Protocol::ignored`].
    pub(crate) fn ignored(&self) -> Option<Ignored> {
        match self {
            Self::Http1(http) => http.ignored(),
        }
    }
    /// See [`Protocol::unparsed`].
    pub(crate) fn unparsed(&self) -> Option<&'static str> {
        match self {
            Self::Http1(http) => http.unparsed(),
        }
    }
    /// See [`Protocol::cost`].
    pub(crate) fn cost(&self) -> usize {
        match self {
            Self::Http1(http) => http.cost(),
        }
    }
}
