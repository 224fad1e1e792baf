//! HTTP/1.1: heads (httparse first, a lenient reader of our own after it), body framing (RFC 9112 §6), pairing.

mod answer;
mod body;
mod chunked;
mod content;
mod cruft;
mod exchange;
mod facts;
mod finish;
mod head;
mod head_cache;
mod lenient;
pub mod measure;
mod messages;
mod pairing;
mod reader;
mod request;
mod scan;
mod sniff;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
mod torn;

pub(crate) use crate::wire::http1::exchange::Ending;
pub(crate) use crate::wire::http1::head_cache::Models;
pub(crate) use crate::wire::http1::pairing::{Context, Http};
