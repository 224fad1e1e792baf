//! From captured bytes to exchanges: frames are decoded, streams reassembled, messages parsed and paired. No I/O, no clock.
//!
//! `decode` → `tcp` → `layer` (what lies between TCP and the protocol) → `protocol` (HTTP/1.1: `http1`); `pipeline` ties them together.

pub mod decode;
pub(crate) mod http1;
pub(crate) mod layer;
pub(crate) mod limits;
pub mod pipeline;
pub(crate) mod protocol;
pub(crate) mod tcp;
