//! The query language of `-Y`, `--filter` and the `/` key.

use crate::history::{History, Record};
use crate::model::{Cause, Timestamp};

/// What a filter may look at besides the record.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// For endpoints.
    pub history: &'a History,
    /// For `since:`; the newest capture time seen.
    pub now: Timestamp,
    /// The top cause of a record; asked only when the filter has a `cause:` term.
    pub cause: &'a dyn Fn(&Record) -> Option<Cause>,
}

/// Why a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("filter, column {}: {message}", .position + 1)]
pub struct FilterError {
    /// Byte offset in the query, from 0.
    pub position: usize,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A query, ready to match. The empty query matches everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    text: String,
}

impl Filter {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Ok(Self { text: text.to_owned() })
    }
    /// The query as typed.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// Whether `record` matches.
    pub fn matches(&self, _record: &Record, _context: &Context<'_>) -> bool {
        true
    }
}
