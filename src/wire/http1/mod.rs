//! HTTP/1.1: heads (httparse first, a lenient reader of our own after it), body framing (RFC 9112 §6), pairing.

mod connection;
mod framing;
mod gateway;
mod heads;
pub mod measure;
mod pairing;
mod preface;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;

pub(crate) use crate::wire::http1::connection::Http1;
pub(crate) use crate::wire::http1::heads::cache::Models;

use crate::model::{AnomalySet, RequestHead, ResponseHead};

/// The request head that `raw` is, up to its empty line, with what is odd about it.
pub(crate) fn request_head(raw: &[u8]) -> Option<(RequestHead, AnomalySet)> {
    heads::parse::any_request(raw).map(|(head, facts)| (head, facts.anomalies))
}

/// The response head that `raw` is, likewise.
pub(crate) fn response_head(raw: &[u8]) -> Option<(ResponseHead, AnomalySet)> {
    heads::parse::any_response(raw).map(|(head, facts)| (head, facts.anomalies))
}
