//! `-w`: the frames of matching connections, as pcapng that Wireshark and we ourselves can read.
//!
//! Whether a connection matches is known only after its exchange is complete, so the frames of every connection are kept for a
//! while ([`Recorder`]); [`CaptureFile`] writes them down once they are wanted.

mod blocks;
mod file;
mod notes;
mod recorder;
#[cfg(test)]
mod tests;

pub use file::{CaptureError, CaptureFile, Rotation};
pub use recorder::{Recorder, RecorderCounters, RecorderLimits};
