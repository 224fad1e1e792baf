//! HTTP/1.1: heads (httparse first, a lenient reader of our own after it), body framing (RFC 9112 §6), pairing.

mod connection;
mod framing;
mod heads;
pub mod measure;
mod pairing;
mod preface;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;

pub(crate) use crate::wire::http1::connection::Http1;
pub(crate) use crate::wire::http1::heads::cache::Models;
