//! The terminal user interface.
//!
//! One value, [`state::State`], holds everything there is to show. `update` turns an action into a new state and effects,
//! `render` turns a state into cells, `painter` turns cells into few bytes. Only this module imports ratatui and crossterm.

pub mod action;
pub mod columns;
pub mod doc;
mod keys;
pub mod layout;
pub mod prepare_frame;
mod remember;
pub mod render;
mod run;
mod settings;
pub mod state;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod update;
mod views;

pub use keys::{Binding, Chord, ChordError, Command, Keys, KeysError, Place, names as key_names};
pub use remember::Remembered;
pub use run::run;
pub use settings::{BytesPerSecond, Colours, Environment, Settings, ThemeName};
pub use terminal::job::block_stop;
pub use terminal::painter;

use std::path::PathBuf;

use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::feed::Source;
use crate::filter::Filter;
use crate::history::Record;
use crate::model::ExchangeId;

/// What the program is to show and how.
pub struct Options {
    /// What feeds it.
    pub source: Source,
    /// History and diagnosis; exchanges are pushed into it as they arrive.
    pub inspector: Inspector,
    /// The history's budget in bytes, for the status line.
    pub budget: u64,
    /// The filter to start with; `-c`, `--on-match` and the exit code go by this one.
    pub filter: Filter,
    /// Whether secrets are shown from the start (`--with-secrets`).
    pub reveal: bool,
    /// Leave after this many matches (`-c`).
    pub stop_after: Option<u64>,
    /// Themes, keys, saved filters.
    pub settings: Settings,
    /// What the terminal can do.
    pub environment: Environment,
    /// How an exchange is written for somebody else.
    pub exports: Exports,
    /// Whether matching frames are written to a file as well.
    pub recorded: bool,
    /// Called for every exchange that matches the filter it started with.
    pub on_match: Option<OnMatch>,
    /// What was kept from the runs before.
    pub remembered: Remembered,
    /// Where that is kept, opened for writing; none where it is kept nowhere.
    pub memory: Option<std::fs::File>,
    /// Where files go that the user saves, and copies that the terminal cannot take.
    pub save_dir: PathBuf,
}

/// Called with every exchange that matches the filter the program was started with. Must not wait.
pub type OnMatch = Box<dyn FnMut(&Inspector, ExchangeId) + Send>;

/// Text forms of an exchange, from `export`.
#[derive(Clone, Copy)]
pub struct Exports {
    /// A curl command.
    pub curl: fn(&Record, &Redactor) -> String,
    /// The report as Markdown: cause, evidence, differences, next steps.
    pub markdown: fn(&Inspector, ExchangeId, &Redactor) -> String,
    /// The exchange as one JSON object.
    pub json: fn(&Inspector, ExchangeId, &Redactor) -> String,
    /// Exchanges in a format of `--export`, with the extension of its files; or why that cannot be.
    pub many: Many,
}

/// Writes exchanges in a format of `--export`; with the extension of its files.
pub type Many = fn(&Inspector, &[ExchangeId], &str, &Redactor) -> Result<(Vec<u8>, &'static str), String>;

/// How the user left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    /// Exchanges that matched the filter it started with.
    pub matched: u64,
    /// The signal that ended it, if one did.
    pub signal: Option<i32>,
}

/// Why the screen cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// No terminal, or it went away.
    #[error("the terminal cannot be used: {0}; use --json or --summary where there is no terminal")]
    Terminal(#[source] std::io::Error),
    /// The configured keys contradict each other or do not exist.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A signal handler could not be installed.
    #[error("signals cannot be handled: {0}")]
    Signal(#[source] std::io::Error),
}
