//! Where messages begin and end in the bytes of one direction, losses included.

pub(in crate::wire::http1) mod body;
pub(in crate::wire::http1) mod chunked;
mod content;
mod cruft;
pub(in crate::wire::http1) mod messages;
pub(in crate::wire::http1) mod reader;
mod torn;
