//! why403 watches HTTP/1.1 traffic and says why a POST got 403 Forbidden.
//!
//! Bytes flow one way: `source` reads frames, `pipeline` turns them into exchanges (decode → tcp → http → pairing),
//! `inspector` keeps them (`history`), compares them (`diff`) and explains them (`diagnosis`), `filter` picks those that
//! somebody asked for, and `tui` and `export` show them, through `edge`, which redacts and escapes.

pub mod app;
pub mod cli;
pub mod config;
pub mod decode;
pub mod demo;
pub mod diagnosis;
pub mod diff;
pub mod doctor;
pub mod edge;
pub mod export;
pub mod feed;
pub mod filter;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod history;
mod http;
pub mod inspector;
mod memo;
pub mod model;
pub mod parts;
pub mod pipeline;
pub mod sandbox;
pub mod source;
pub mod summary;
#[doc(hidden)]
pub mod synth;
pub mod tap;
mod tcp;
pub mod tui;
mod work;

#[doc(hidden)]
pub use http::measure as heads;
