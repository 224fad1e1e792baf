//! Order of bytes: which connection a segment belongs to, and its bytes in the order they were sent.
//!
//! Bytes are handed on in *causal* order: data that acknowledges the other direction up to some byte is handed on after
//! that byte. The order in which a capture happens to hold the two directions therefore does not matter.

mod connection;
mod half;
mod key;

mod store;
mod table;
mod waiting;

pub(crate) use crate::wire::tcp::connection::{Connection, Verdict};
pub(crate) use crate::wire::tcp::key::{Dir, FlowKey};
pub(crate) use crate::wire::tcp::table::{List, Slot, Table};

use crate::model::{Anomaly, Counters, Timestamp};

/// What is known of bytes that are handed on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrival {
    /// When they were captured.
    pub time: Timestamp,
    /// Stream offset of the first one.
    pub offset: u64,
    /// How far their sender had received the other direction, as a stream offset, if that is known.
    pub ack: Option<u64>,
    /// Whether the first one is the first of a segment.
    pub starts_segment: bool,
}

/// Who takes the bytes of a connection in order.
pub(crate) trait Receiver {
    /// The handshake tells that `client` opened the connection.
    fn opened(&mut self, client: Dir);
    /// The next bytes sent in direction `dir`.
    fn data(&mut self, dir: Dir, data: &[u8], arrival: Arrival);
    /// The next `len` bytes sent in direction `dir` are not in the capture.
    fn gap(&mut self, dir: Dir, len: u64, arrival: Arrival);
    /// The sender of `dir` sends no more.
    fn fin(&mut self, dir: Dir, arrival: Arrival);
    /// The connection was reset by the sender of `dir`.
    fn reset(&mut self, dir: Dir, arrival: Arrival);
    /// Bytes at or before an offset that was handed on came again; says whether they are known to differ.
    fn repeated(&mut self, dir: Dir, offset: u64, data: &[u8]) -> bool;
    /// Something odd happened to the connection.
    fn notice(&mut self, anomaly: Anomaly);
    /// The counters to keep.
    fn tally(&mut self) -> &mut Counters;
}
