//! why403 watches HTTP/1.1 traffic and says why a POST got 403 Forbidden.
//!
//! Bytes flow one way: `source` reads frames, `pipeline` turns them into exchanges (decode → tcp → http → pairing),
//! `inspector` keeps them (`history`), compares them (`diff`) and explains them (`diagnosis`), `filter` picks those that
//! somebody asked for, and `tui` and `export` show them, through `edge`, which redacts and escapes.

pub mod app;
pub mod archive;
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod edge;
pub mod explain;
pub mod export;
pub mod features;
pub mod feed;
pub mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod history;
pub mod hops;
pub mod import;
pub mod incidents;
pub mod knowledge;
pub mod logs;
mod memo;
pub mod model;
pub mod phrases;
pub mod processes;
pub mod sandbox;
pub mod source;
pub mod spelling;
mod step_counter;
#[doc(hidden)]
pub mod synth;
pub mod tap;
pub mod tui;
pub mod wire;

#[doc(hidden)]
pub use wire::http1::measure as heads;
