//! Zstandard: all the frames of a file, one after the other, skippable ones stepped over (RFC 8878 §3.1).

use std::io::{self, BufRead, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::input::at_end;

const MAGIC: u32 = 0xfd2f_b528;
const SKIPPABLE: u32 = 0x184d_2a50;
/// The largest block (RFC 8878 §3.1.1.2.4).
const MAX_BLOCK: usize = 128 << 10;
/// An empty last block, and room for the checksum that may follow one.
const LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

/// Decompresses a whole zstd file.
///
/// The decoder keeps a frame's last window of bytes until the frame is done. Of a file that is cut short those are the bytes that
/// matter most, so blocks are read here, whole, and a frame that breaks off is ended for the decoder's sake before the error is
/// handed on.
pub(super) struct ZstdReader<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
    block: Vec<u8>,
    failure: Option<io::Error>,
}

impl<R> ZstdReader<R> {
    /// Whether a file begins like this.
    pub(super) fn is_start(head: &[u8]) -> bool {
        head.first_chunk().is_some_and(|magic| {
            let magic = u32::from_le_bytes(*magic);
            magic == MAGIC || magic & !0xf == SKIPPABLE
        })
    }
}

impl<R: BufRead> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), in_frame: false, block: Vec::new(), failure: None }
    }

    /// Begins the next frame; false at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !at_end(&mut self.source)? {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.in_frame = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut (&mut self.source).take(u64::from(length)), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }

    /// Reads and decodes one block, and the checksum after the last.
    fn next_block(&mut self) -> io::Result<()> {
        let mut header = [0; 3];
        self.source.read_exact(&mut header)?;
        let [a, b, c] = header;
        let word = u32::from_le_bytes([a, b, c, 0]);
        let is_repeated_byte = (word >> 1) & 3 == 1;
        let length = if is_repeated_byte { 1 } else { (word >> 3) as usize };
        if length > MAX_BLOCK {
            return Err(io::Error::other("a zstd block is larger than the format allows"));
        }
        self.block.clear();
        self.block.extend_from_slice(&header);
        self.block.resize(3 + length, 0);
        self.source.read_exact(self.block.get_mut(3..).unwrap_or_default())?;
        let bytes = self.block.as_slice().chain(&mut self.source);
        self.decoder.decode_blocks(bytes, BlockDecodingStrategy::UptoBlocks(1)).map_err(io::Error::other)?;
        Ok(())
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.in_frame && self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            if self.in_frame && self.decoder.is_finished() {
                self.in_frame = false;
            }
            if !self.in_frame && !self.next_frame()? {
                return Ok(0);
            }
            if let Err(error) = self.next_block() {
                let ended = self.decoder.decode_blocks(LAST_BLOCK, BlockDecodingStrategy::UptoBlocks(1));
                self.in_frame = ended.is_ok();
                self.failure = Some(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(bytes: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
    }

    #[test]
    fn several_frames_and_a_skippable_one() {
        let long = vec![7; 300_000];
        let file = [frame(b"one "), vec![0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], frame(&long)].concat();
        assert!(ZstdReader::<io::Empty>::is_start(&file));
        let mut out = Vec::new();
        ZstdReader::new(&file[..]).read_to_end(&mut out).unwrap();
        assert!(out == [&b"one "[..], &long].concat());
    }

    #[test]
    fn a_cut_file_is_an_error_after_what_was_there() {
        let noise: Vec<u8> = (0..400_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let file = frame(&noise);
        let mut reader = ZstdReader::new(&file[..file.len() / 2]);
        let mut out = Vec::new();
        assert!(reader.read_to_end(&mut out).is_err());
        assert!(!out.is_empty() && noise.starts_with(&out));
    }
}
