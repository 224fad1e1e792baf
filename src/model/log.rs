//! What a server's log says about an exchange.

use super::{Cause, Timestamp};

/// How a log record was tied to an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogMatchKind {
    /// An id that the exchange carries stands in the record.
    RequestId,
    /// Client address and port.
    ClientPort,
    /// Time, with the path or the client.
    TimeAndPath,
    /// Time alone.
    Time,
    /// The order of records and exchanges.
    Order,
}

impl LogMatchKind {
    /// As in the NDJSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RequestId => "request id",
            Self::ClientPort => "client port",
            Self::TimeAndPath => "time and path",
            Self::Time => "time",
            Self::Order => "order",
        }
    }
}

/// What a log record says.
#[derive(Clone, Debug, PartialEq)]
pub struct LogSays {
    /// Whose record it is: `nginx`, `ModSecurity`.
    pub system: String,
    /// The cause that it names.
    pub cause: Option<Cause>,
    /// A cause that the same words are written for.
    pub also: Option<Cause>,
    /// How much of the weight of a log record its causes get, 0.0–1.0: little where the words only say who refused.
    pub strength: f32,
    /// Named values: `rule`, `user`, `file`, …
    pub values: Vec<(String, String)>,
}

/// A log record that is about one exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct LogMatch {
    /// Name of the log, as it was given.
    pub file: String,
    /// Number of the record's first line, from 1.
    pub line: u64,
    /// When, by the log's clock with its learnt offset taken off.
    pub at: Option<Timestamp>,
    /// The record, cut to a bound.
    pub text: String,
    /// How it was tied to the exchange.
    pub kind: LogMatchKind,
    /// Probability that it is about this exchange, 0.0–1.0.
    pub confidence: f32,
    /// What it says, where its words are known.
    pub says: Option<LogSays>,
}
