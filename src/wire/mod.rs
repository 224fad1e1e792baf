//! From captured bytes to exchanges: frames are decoded, streams reassembled, messages parsed and paired. No I/O, no clock.

pub mod decode;
pub(crate) mod http1;
pub mod pipeline;
pub(crate) mod tcp;
