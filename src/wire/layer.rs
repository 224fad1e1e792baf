//! The seam between TCP and the protocol above it: what a layer such as TLS makes of the bytes of a connection.
//!
//! A layer gets the bytes of both directions in causal order and hands on what they carry, in that order. The offsets and
//! acknowledgements in what it hands on count the bytes that *it* hands on, because pairing and evidence compare them.

use crate::wire::tcp::{Arrival, Dir};

/// Takes what a layer hands on.
pub(crate) trait Upper {
    /// The next bytes sent in `dir`.
    fn data(&mut self, dir: Dir, data: &[u8], at: Arrival);
    /// The next `len` bytes sent in `dir` are not in the capture.
    fn gap(&mut self, dir: Dir, len: u64, at: Arrival);
    /// The sender of `dir` sends no more.
    fn fin(&mut self, dir: Dir, at: Arrival);
}

/// What lies between TCP and the protocol.
pub(crate) trait Layer {
    /// TCP's next bytes of `dir`.
    fn data<U: Upper>(&mut self, dir: Dir, data: &[u8], at: Arrival, to: &mut U);
    /// TCP's next `len` bytes of `dir` are not in the capture.
    fn gap<U: Upper>(&mut self, dir: Dir, len: u64, at: Arrival, to: &mut U);
    /// The sender of `dir` sends no more.
    fn fin<U: Upper>(&mut self, dir: Dir, at: Arrival, to: &mut U);
    /// TCP's `data` at `offset` as the protocol saw it, with the offset there, if the layer can say.
    fn seen_as<'d>(&self, dir: Dir, offset: u64, data: &'d [u8]) -> Option<(u64, &'d [u8])>;
    /// Bytes of memory in use.
    fn cost(&self) -> usize;
}

/// TCP carries the protocol itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plain;

impl Layer for Plain {
    fn data<U: Upper>(&mut self, dir: Dir, data: &[u8], at: Arrival, to: &mut U) {
        to.data(dir, data, at);
    }
    fn gap<U: Upper>(&mut self, dir: Dir, len: u64, at: Arrival, to: &mut U) {
        to.gap(dir, len, at);
    }
    fn fin<U: Upper>(&mut self, dir: Dir, at: Arrival, to: &mut U) {
        to.fin(dir, at);
    }
    fn seen_as<'d>(&self, _dir: Dir, offset: u64, data: &'d [u8]) -> Option<(u64, &'d [u8])> {
        Some((offset, data))
    }
    fn cost(&self) -> usize {
        0
    }
}
