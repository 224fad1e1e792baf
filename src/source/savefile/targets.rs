//! What the fuzz target of this module runs.

use std::io::{Cursor, Read};
use std::ops::ControlFlow;

use super::blocks::BlockReader;
use super::format::MAX_RECORD;
use super::{Fault, input};

/// Hands out a few bytes at a time, as a pipe may.
struct Trickle {
    bytes: Cursor<Vec<u8>>,
    step: usize,
}

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let room = buffer.len().min(self.step);
        self.bytes.read(buffer.get_mut(..room).unwrap_or_default())
    }
}

/// What came out of a capture: time, link type and length of every frame, a checksum of their bytes, and how it ended.
type Told = (Vec<(i64, u16, u32, usize)>, u64, Option<Fault>);

/// A capture, read at once and in pieces: the same frames and the same end. Compressed ones within a bound.
pub(crate) fn savefile(data: &[u8]) {
    let whole = read(data, data.len().max(1), false);
    if data.starts_with(&[0x1f, 0x8b]) || data.starts_with(&[0x28, 0xb5]) {
        return; // How much of a broken stream comes out depends on how it is read.
    }
    let step = usize::from(data.last().copied().unwrap_or(0)) + 1;
    let mut pieces = read(data, step, true);
    if let (Some(Fault::NotACapture(_)), Some(Fault::NotACapture(_))) = (&pieces.2, &whole.2) {
        pieces.2.clone_from(&whole.2); // What it looks like is told by as many bytes as there were.
    }
    assert!(pieces == whole, "the same capture in pieces of {step}");
}

fn read(data: &[u8], step: usize, is_live: bool) -> Told {
    /// Bytes walked of what a compressed capture unpacks to.
    const ENOUGH: usize = 64 << 20;
    /// The least that a frame takes in a file.
    const RECORD: usize = 12;
    let mut told: Told = (Vec::new(), 0, None);
    let trickle = Trickle { bytes: Cursor::new(data.to_vec()), step };
    let mut reader = match input::decompress(trickle)
        .map_err(|error| Fault::Read(error.to_string()))
        .and_then(|bytes| BlockReader::new(bytes, is_live))
    {
        Ok(reader) => reader,
        Err(fault) => return (told.0, told.1, Some(fault)),
    };
    let (mut buffer, mut walked) = (Vec::new(), 0);
    while walked < ENOUGH {
        let block = match reader.next(std::mem::take(&mut buffer)) {
            Ok(Some(block)) => block,
            Ok(None) => break,
            Err(fault) => {
                told.2 = Some(fault);
                break;
            }
        };
        let _ = block.try_for_each(|frame| -> ControlFlow<()> {
            assert!(frame.data.len() <= MAX_RECORD);
            walked += RECORD + frame.data.len();
            told.0.push((frame.time.0, frame.link.0, frame.wire_len, frame.data.len()));
            let sum = frame.data.iter().map(|byte| u64::from(*byte)).sum::<u64>();
            told.1 = told.1.wrapping_mul(31).wrapping_add(sum);
            ControlFlow::Continue(())
        });
        buffer = block.into_buffer();
        assert_eq!(told.0.len() as u64, reader.frames(), "every frame that was counted is handed out");
    }
    told
}
