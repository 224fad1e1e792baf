//! Exchanges from what other programs recorded: HTTP archives (HAR) and transcripts (`curl -v`). A record is told by its content, and read as it
//! comes, in bounded memory. What it cannot say (frames, exact bytes) is absent, with the reason, in [`Imported`].
//!
//! [`Imported`]: crate::model::Imported

mod address;
mod har;
mod json;
mod message;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
#[cfg(test)]
mod tests;
pub mod transcript;

use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;

use crate::model::Exchange;

pub use json::JsonError;

/// Bytes that tell what a record is; fewer where it is shorter.
pub const ENOUGH: usize = 64 << 10;
/// Bytes that are read at once.
const BUFFER: usize = 256 << 10;

/// Who takes what is read.
pub trait Recipient {
    /// An exchange; breaking ends the reading.
    fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()>;
    /// Something the user should know; one line, not yet escaped.
    fn warning(&mut self, text: String);
}

/// A kind of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An HTTP archive.
    Har,
    /// What a tool printed.
    Transcript(transcript::Kind),
}

/// Why reading ended before the end.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It begins as JSON and is damaged.
    #[error("{error}; the {entries} entries before that are used")]
    Json {
        /// What is wrong, and where.
        error: JsonError,
        /// Entries that were read.
        entries: u64,
    },
    /// It is JSON of another kind.
    #[error("it is JSON but no HAR: it has no log.entries (browsers write one with \"Save all as HAR\")")]
    NoEntries,
    /// A transcript without a whole line of a conversation.
    #[error("it looks like a transcript, and no request or response in it can be read")]
    NoExchange,
    /// Reading failed.
    #[error("it cannot be read: {0}")]
    Read(#[source] io::Error),
}

impl ImportError {
    /// The error of the system, where that is what ended the reading.
    pub fn io(&self) -> Option<&io::Error> {
        match self {
            Self::Json { error: JsonError::Io(error), .. } | Self::Read(error) => Some(error),
            _ => None,
        }
    }
}

impl Format {
    /// The kind of record that begins with `head`; `None` where it is none of them.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        let json = text.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        if json.is_some_and(|rest| matches!(rest.first(), None | Some(b'"' | b'}'))) {
            return Some(Self::Har);
        }
        transcript::Kind::sniff(text).map(Self::Transcript)
    }

    /// Reads `input` to its end, or until `recipient` breaks. At most `body_limit` bytes of each body are kept.
    pub fn read(
        self,
        input: impl Read,
        body_limit: usize,
        recipient: &mut dyn Recipient,
    ) -> Result<(), ImportError> {
        let input = BufReader::with_capacity(BUFFER, input);
        match self {
            Self::Har => har::read(input, body_limit, recipient),
            Self::Transcript(kind) => transcript::read(kind, input, body_limit, recipient),
        }
    }
}
