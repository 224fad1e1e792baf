//! All integration tests in one binary, a module an area: linking is most of their cost.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::similar_names,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

#[allow(dead_code, unused_imports, reason = "each area uses a part of it")]
mod architecture;
mod support;

mod accounts;
mod bugs;
mod captures;
mod cli;
mod clock;
mod descriptors;
mod diagnosis;
mod export;
mod history;
mod sources;
mod supply;
mod tap;
mod tui;

mod faults;
mod knowledge;
mod legs;
mod live;
mod logs;
mod processors;
mod reported;
mod rules;
mod sandbox;
