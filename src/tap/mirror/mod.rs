//! The mirror: the plaintext as a pcap stream for whoever connects, without ever holding the relay up.
//!
//! Relays write frames into one shared batch under a lock that is held for one copy. A thread of its own takes the batch
//! every few milliseconds and queues it for every reader. A reader that does not keep up loses whole batches; the
//! sequence numbers go on, so it sees gaps, and a notice in the stream tells how much was lost.

mod hub;
mod place;
mod readers;
mod tracker;

pub(super) use hub::{Hub, PRECISION, now};
pub(super) use place::{Place, Socket};
pub(super) use readers::serve;
pub(super) use tracker::Tracker;
