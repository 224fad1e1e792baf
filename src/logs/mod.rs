//! Server logs beside the capture: each record is taken apart, joined to the exchange that it is about, and read for a cause.
//!
//! Formats are not configured. A record gives whatever identifies a request (ids, client address and port, method, path,
//! status, time); [`join()`] ties it to the exchange that agrees with all of it, with the offset of the log's clock learnt from
//! the records that are certain. Nothing here reads a file or a clock.

mod batch;
mod exchanges;
mod facts;
mod join;
mod journal;
mod live;
mod offset;
mod patterns;
mod structured;
#[cfg(test)]
mod tests;
mod time;

pub use batch::LogBatch;
pub use join::join;
pub use journal::{Journal, LogLine, LogRecord};
pub use live::{GRACE, LiveJoin, WAIT};
pub use patterns::Patterns;
