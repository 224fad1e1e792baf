//! The embedded staging box.

use std::io;

use crate::source::{Sink, Stop};

/// The staging box, listening.
#[derive(Debug)]
pub struct Demo;

impl Demo {
    /// Binds the server.
    pub fn open(_rate: u32) -> io::Result<Self> {
        Ok(Self)
    }
    /// Makes traffic until `stop`.
    pub fn run(self, _sink: &mut dyn Sink, _stop: &Stop) {}
}
