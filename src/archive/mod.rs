//! Exchanges on disk: a versioned record of an exchange, and a database of records that many runs share.
//!
//! One process writes ([`Writer`]), any number read ([`Reader`]). What the history of a run knows is not stored: it is
//! learnt again by taking the records in, in the order of their ids. The database is SQLite in WAL mode, so that a reader
//! never waits for the writer, and a process that is killed loses the batch that was not committed and nothing else.

mod database;
mod key;
mod reader;
pub mod record;
mod retain;
#[cfg(test)]
mod tests;
mod writer;

use std::path::PathBuf;

pub use database::is_database;
pub use key::{KEY_SUFFIX, StoreKey};
pub use reader::{Period, Read, Reader};
pub use retain::Bounds;
pub use writer::{Counts, Kind, Message, Opened, Row, Writer};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It cannot be opened or made.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: String,
    },
    /// A later version of the program wrote it.
    #[error(
        "{path} has version {version} of the schema, this program knows up to {known}: use a newer why403"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// The newest one that is known.
        known: i64,
    },
    /// It is no database of this program.
    #[error("{path} is {what}: name another file for --history")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// Another process writes to it.
    #[error("{path} is written by another why403: stop that one, or name another file")]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// SQLite failed.
    #[error("{path}: {reason}")]
    Sql {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: rusqlite::Error,
    },
}
