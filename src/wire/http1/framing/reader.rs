//! Where one direction stands in its messages.

use crate::model::{Anomaly, AnomalySet, Timestamp};
use crate::wire::http1::framing::body::Builder;
use crate::wire::http1::framing::chunked::Chunked;
use crate::wire::http1::framing::torn::Torn;
use crate::wire::http1::heads::lenient::is_token;
use crate::wire::http1::heads::scan::Scan;
use crate::wire::tcp::Arrival;

/// Which kind of messages a direction carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Requests.
    Request,
    /// Responses.
    Response,
}

/// How a message's content is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is none.
    Empty,
    /// By its length.
    Length(u64),
    /// By chunked coding.
    Chunked,
    /// By the end of the connection.
    UntilClose,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum State {
    /// The beginning of a message.
    Start,
    /// A head, whose bytes so far are in the buffer.
    Head {
        /// Whether it is known to be HTTP.
        decided: bool,
    },
    /// A head that the capture lost a part of.
    Torn(Torn),
    /// The rest of a head that is too long to be kept.
    LongHead(Framing),
    /// Content of which this much is still to come.
    Length(u64),
    /// Chunked content.
    Chunked(Chunked),
    /// The trailer section of chunked content.
    Trailers(AnomalySet),
    /// Content to the end of the connection.
    UntilClose,
    /// Content that the client may never send, because it asked first; bytes so far are in the buffer.
    Expected(Framing),
    /// After CONNECT, until the response says what the bytes are.
    Held,
    /// Unknown: the next message begins somewhere.
    Seek,
    /// Between messages: what comes belongs to none, until a message is found in it.
    Cruft,
    /// Something that is skipped by rule.
    Tunnel,
    /// Something that is not HTTP/1.1.
    Foreign,
}

/// Where and when a message began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Began {
    /// When its first byte was captured.
    pub time: Timestamp,
    /// Stream offset of its first byte.
    pub offset: u64,
    /// What its sender had received of the other direction by then.
    pub ack: Option<u64>,
}

impl From<Arrival> for Began {
    fn from(arrival: Arrival) -> Self {
        Self { time: arrival.time, offset: arrival.offset, ack: arrival.ack }
    }
}

/// One direction's reader.
#[derive(Debug)]
pub(crate) struct Reader {
    /// What comes next.
    pub state: State,
    /// Bytes of an unfinished head or trailer section. Bound: the head limit.
    pub buf: Vec<u8>,
    /// Looks for the end of what is in `buf`.
    pub scan: Scan,
    /// The content being read.
    pub body: Builder,
    /// Where the message being read began.
    pub began: Began,
    /// Where the bytes in `buf` began, when it is not known what they are.
    pub held: Arrival,
    /// Bytes of `buf` that were searched for a message.
    pub scanned: usize,
    /// Messages read so far.
    pub messages: u32,
    /// Bytes of line ends and white space before the message.
    pub blank: u32,
    /// Whether some of them are white space.
    pub has_leading_space: bool,
    /// Whether the last message was framed by Content-Length, so that what follows it may be the rest of its content.
    pub was_length: bool,
    /// What is odd about the message to come.
    pub carry: AnomalySet,
    /// Whether a part of the head of the message being read is missing, so that its end is not sure.
    pub is_unsure: bool,
    /// Whether the last message announced content that it must not have.
    pub is_bodiless: bool,
    /// When the last byte came.
    pub last: Timestamp,
}

impl Reader {
    /// At the start of a connection, or somewhere within it.
    pub(crate) fn new(from_start: bool) -> Self {
        Self {
            state: if from_start { State::Start } else { State::Seek },
            buf: Vec::new(),
            scan: Scan::default(),
            body: Builder::default(),
            began: Began::default(),
            held: Arrival::default(),
            scanned: 0,
            messages: 0,
            blank: 0,
            has_leading_space: false,
            was_length: false,
            carry: AnomalySet::default(),
            is_unsure: false,
            is_bodiless: false,
            last: Timestamp::default(),
        }
    }

    /// Notes what is odd about the bytes that stand before the message which `data` may begin.
    pub(crate) fn note_blank(&mut self, data: &[u8]) {
        let is_start = data.first().is_some_and(|byte| is_token(*byte));
        let several = std::mem::take(&mut self.blank) > 2;
        if std::mem::take(&mut self.has_leading_space) && is_start
            || several && is_start && self.messages == 0
        {
            self.carry.insert(Anomaly::WhiteSpaceBeforeStartLine);
        } else if several && self.messages > 0 {
            self.carry.insert(Anomaly::CruftBetweenMessages);
        }
    }

    /// Bytes of memory in use.
    pub(crate) fn cost(&self) -> usize {
        self.buf.capacity() + self.body.cost()
    }
}
