//! Connections come in: listeners accept, the admission bounds them, workers serve each from its handshake to its end.

pub(super) mod admission;
pub(super) mod connection;
pub(super) mod listener;
pub(super) mod worker;
