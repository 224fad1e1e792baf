//! Everything that ends the program with a message, and its exit code.

use std::io;
use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::config::ConfigError;
use crate::export::pcapng::CaptureError;
use crate::filter::FilterError;
use crate::sandbox::SandboxError;
use crate::source::SourceError;
use crate::source::logs::LogError;
use crate::tap::TapError;
use crate::tui::TuiError;

/// Why the program ends before its work is done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The command line asks for what cannot be.
    #[error("{0}")]
    Usage(String),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The query cannot be read.
    #[error("{error}; in: {query}")]
    Filter {
        /// What was typed.
        query: String,
        /// What is wrong with it.
        error: FilterError,
    },
    /// There is no capture, or it ended against its will.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The database of `--history` cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The sandbox is required and not to be had.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// `-w` failed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The tap failed.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// The screen failed.
    #[error(transparent)]
    Tui(#[from] TuiError),
    /// A file cannot be read.
    #[error("cannot read {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The user's knowledge is not sound.
    #[error("{0}")]
    Knowledge(String),
    /// An export cannot be begun.
    #[error("cannot write {path}: {reason}; choose another file")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
    /// An export could not be written to its end.
    #[error("cannot write {path}: {reason}; nothing is kept of it, make room and run it again")]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}; what came before that was written")]
    Output(#[source] io::Error),
    /// `-w` stopped before the capture did; why was said when it happened.
    #[error("the file of -w is not complete")]
    Incomplete,
    /// The capture turned out to be damaged; how was said when it happened.
    #[error("the capture could not be read to its end")]
    Damaged,
    /// A bug of ours; what was captured before is kept.
    #[error("{0}")]
    Bug(String),
    /// The system has run out of something.
    #[error("{what}: {reason}")]
    System {
        /// What was tried.
        what: &'static str,
        /// The system's words.
        reason: io::Error,
    },
}

impl AppError {
    /// 3 without permission to capture, 4 when not everything could be written, 101 after a bug, 0 when nobody reads the
    /// output any more, else 2.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Source(error) => error.exit_code(),
            Self::Tap(error) => error.exit_code(),
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) | Self::Unwritten { .. } | Self::Incomplete => 4,
            Self::Bug(_) => super::bug::EXIT_CODE,
            _ => 2,
        }
    }
    /// Whether there is nothing to say: the reader of a pipe has gone, or it was said already.
    pub fn is_quiet(&self) -> bool {
        self.exit_code() == 0 || matches!(self, Self::Incomplete | Self::Damaged)
    }
}
