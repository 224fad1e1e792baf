//! Buffers that the connections of one thread share: nothing is held while a connection is idle.

use std::cell::RefCell;

/// Bytes read from a socket at once.
pub(in crate::tap) const READ: usize = 64 << 10;
/// Bytes of a partial record or handshake message that may lie before what is read.
pub(in crate::tap) const PARTIAL: usize = 72 << 10;

/// A buffer that is written from the front and whose spare space is never cleared again.
#[derive(Default)]
pub(in crate::tap) struct Out {
    bytes: Vec<u8>,
    filled: usize,
}

impl Out {
    /// At least `room` writable bytes behind what is there.
    pub(in crate::tap) fn space(&mut self, room: usize) -> &mut [u8] {
        if self.bytes.len() < self.filled + room {
            self.bytes.resize(self.filled + room, 0);
        }
        self.bytes.get_mut(self.filled..).unwrap_or_default()
    }
    /// `written` bytes of the space were written.
    pub(in crate::tap) const fn advance(&mut self, written: usize) {
        self.filled += written;
    }
    /// What was written since [`Out::clear`].
    pub(in crate::tap) fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
    /// Forgets what was written.
    pub(in crate::tap) const fn clear(&mut self) {
        self.filled = 0;
    }
}

/// What a thread lends to the connection that it is working for.
pub(in crate::tap) struct Scratch {
    /// Where sockets are read into; [`PARTIAL`] + [`READ`] bytes.
    pub(in crate::tap) input: Vec<u8>,
    /// TLS records for the peer that was read from (handshake, tickets, alerts).
    pub(in crate::tap) reply: Out,
    /// TLS records for the other peer.
    pub(in crate::tap) relay: Out,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> =
        RefCell::new(Scratch { input: vec![0; PARTIAL + READ], reply: Out::default(), relay: Out::default() });
}

/// Lends the thread's buffers for the time of one call, which must not call this again.
pub(in crate::tap) fn with<R>(work: impl FnOnce(&mut Scratch) -> R) -> R {
    SCRATCH.with_borrow_mut(work)
}
