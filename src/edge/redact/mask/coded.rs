//! A content put back into the codings and the charset that it came in, so that the head still describes it.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Bytes of one meta-block.
const BROTLI_BLOCK: usize = 1 << 16;

/// `bytes` with the codings that were undone applied again, the one undone last first; `None` for one that cannot be.
pub(super) fn encode(bytes: Vec<u8>, undone: &[&str]) -> Option<Vec<u8>> {
    undone.iter().rev().try_fold(bytes, |bytes, coding| match *coding {
        "gzip" | "x-gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).ok()?;
            encoder.finish().ok()
        }
        "deflate" => {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes).ok()?;
            encoder.finish().ok()
        }
        "zstd" => {
            Some(ruzstd::encoding::compress_to_vec(&*bytes, ruzstd::encoding::CompressionLevel::Fastest))
        }
        "br" => Some(brotli(&bytes)),
        _ => None,
    })
}

/// Meta-blocks of uncompressed bytes (RFC 7932 §9.2).
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for (number, block) in bytes.chunks(BROTLI_BLOCK).enumerate() {
        // Not the last block, four nibbles of length, uncompressed; a window of 16 bits is said once, in one bit before.
        let length = (block.len() - 1) as u32;
        let header = length << 3 | 1 << 19;
        let header = if number == 0 { header << 1 } else { header };
        out.extend_from_slice(header.to_le_bytes().get(..3).unwrap_or_default());
        out.extend_from_slice(block);
    }
    // The last block, empty; alone it says the window too.
    out.push(if out.is_empty() { 6 } else { 3 });
    out
}

/// The UTF-8 text `bytes` in `charset`; `None` where it has no such letters.
pub(super) fn in_charset(bytes: &[u8], charset: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let marked = || std::iter::once('\u{feff}').chain(text.trim_start_matches('\u{feff}').chars());
    match charset {
        "UTF-16LE" => Some(format_utf16(marked(), u16::to_le_bytes)),
        "UTF-16BE" => Some(format_utf16(marked(), u16::to_be_bytes)),
        "UTF-32LE" => Some(marked().flat_map(|letter| u32::from(letter).to_le_bytes()).collect()),
        "UTF-32BE" => Some(marked().flat_map(|letter| u32::from(letter).to_be_bytes()).collect()),
        _ => {
            let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
            let (out, _, unmappable) = encoding.encode(text);
            (!unmappable).then(|| out.into_owned())
        }
    }
}

fn format_utf16(letters: impl Iterator<Item = char>, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut units = [0; 2];
    letters
        .flat_map(|letter| {
            letter.encode_utf16(&mut units).iter().map(|unit| bytes(*unit)).collect::<Vec<_>>()
        })
        .flatten()
        .collect()
}
