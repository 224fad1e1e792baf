//! One connection in the mirror: its handshake, its bytes, its end.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::synth::{FlowWriter, Side};

use super::hub::{Hub, LINK};

/// The most payload of one frame; with the longest headers it stays below what an IP packet can carry.
const PAYLOAD: usize = 60_000;

/// A connection keeps a frame buffer of up to this many bytes.
const KEEP: usize = 4 << 10;

/// Writes one connection into the mirror. Sequence numbers go on while nobody reads, so that a reader who comes later
/// sees a connection that it missed the beginning of.
pub(in crate::tap) struct Tracker {
    hub: Arc<Hub>,
    flow: FlowWriter,
    fins: [bool; 2],
    reset: bool,
}

impl Tracker {
    /// A connection begins.
    pub(in crate::tap) fn open(hub: Arc<Hub>, client: SocketAddr, server: SocketAddr) -> Self {
        let start = hub.initial_sequence();
        let flow = FlowWriter::new(client, server)
            .with_link(LINK)
            .with_mss(PAYLOAD)
            .with_initial_sequence(start.0, start.1);
        let mut tracker = Self { hub, flow, fins: [false; 2], reset: false };
        if tracker.hub.watched() {
            tracker.hub.write(|emit| tracker.flow.handshake(emit));
        } else {
            tracker.flow.skip(Side::Client, 1);
            tracker.flow.skip(Side::Server, 1);
        }
        tracker
    }
    /// `side` sent `bytes`.
    pub(in crate::tap) fn data(&mut self, side: Side, bytes: &[u8]) {
        if self.hub.watched() {
            self.hub.write(|emit| self.flow.send(side, bytes, emit));
            if bytes.len() > KEEP {
                self.flow.release();
            }
        } else {
            self.flow.skip(side, bytes.len() as u32);
        }
    }
    /// `side` has no more to send.
    pub(in crate::tap) fn fin(&mut self, side: Side) {
        if std::mem::replace(&mut self.fins[side as usize], true) || self.reset {
            return;
        }
        if self.hub.watched() {
            self.hub.write(|emit| {
                self.flow.fin(side, &mut *emit);
                if self.fins == [true; 2] {
                    self.flow.ack(side.other(), emit);
                }
            });
        } else {
            self.flow.skip(side, 1);
        }
    }
    /// `side` broke off.
    pub(in crate::tap) fn reset(&mut self, side: Side) {
        if !std::mem::replace(&mut self.reset, true) && self.hub.watched() {
            self.hub.write(|emit| self.flow.reset(side, emit));
        }
    }
}

impl Drop for Tracker {
    /// A connection that was cut short on our side ends in the mirror too.
    fn drop(&mut self) {
        if self.fins != [true; 2] {
            self.reset(Side::Server);
        }
    }
}
