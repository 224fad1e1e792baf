//! The five kinds of pcapng blocks that are written, little-endian (draft-ietf-opsawg-pcapng §4).

use crate::model::{Frame, LinkType};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const OPTION_APPLICATION: u16 = 4;
const OPTION_RESOLUTION: u16 = 9;
/// The finest resolution: that of a [`crate::model::Timestamp`].
pub(super) const NANOSECONDS: u8 = 9;

/// A section header that names this program, with the options that the source's section had.
pub(super) fn section(out: &mut Vec<u8>, options: &[u8]) {
    let application = concat!("why403 ", env!("CARGO_PKG_VERSION"));
    block(out, SECTION, |out| {
        out.extend_from_slice(&BYTE_ORDER.to_le_bytes());
        out.extend_from_slice(&[1, 0, 0, 0]);
        out.extend_from_slice(&u64::MAX.to_le_bytes());
        out.extend_from_slice(options);
        option(out, OPTION_APPLICATION, application.as_bytes());
        out.extend_from_slice(&[0; 4]);
    });
}

/// An interface with a clock of this resolution and what its source says of it.
pub(super) fn interface(out: &mut Vec<u8>, link: LinkType, snaplen: u32, resolution: u8, options: &[u8]) {
    block(out, INTERFACE, |out| {
        out.extend_from_slice(&link.0.to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&snaplen.to_le_bytes());
        out.extend_from_slice(options);
        option(out, OPTION_RESOLUTION, &[resolution]);
        out.extend_from_slice(&[0; 4]);
    });
}

/// The names of addresses.
pub(super) fn names(out: &mut Vec<u8>, records: &[u8]) {
    block(out, NAME_RESOLUTION, |out| {
        out.extend_from_slice(records);
        out.extend_from_slice(&[0; 4]);
    });
}

/// A frame of the interface that was written as number `interface`, whose clock has this resolution.
pub(super) fn packet(
    out: &mut Vec<u8>,
    (interface, resolution): (u32, u8),
    frame: &Frame<'_>,
    options: &[u8],
) {
    let unit = 10_u64.pow(u32::from(NANOSECONDS.saturating_sub(resolution)));
    let ticks = u64::try_from(frame.time.0).unwrap_or(0) / unit;
    let captured = frame.data.len() as u32;
    let words = [interface, (ticks >> 32) as u32, ticks as u32, captured, frame.wire_len.max(captured)];
    block(out, ENHANCED_PACKET, |out| {
        for word in words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        padded(out, frame.data);
        if !options.is_empty() {
            out.extend_from_slice(options);
            out.extend_from_slice(&[0; 4]);
        }
    });
}

/// Type, length, what `body` writes, and the length again.
fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_le_bytes();
    if let Some(place) = out.get_mut(start + 4..start + 8) {
        place.copy_from_slice(&length);
    }
    out.extend_from_slice(&length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    padded(out, value);
}

fn padded(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(bytes);
    out.extend_from_slice(&[0; 3][..bytes.len().wrapping_neg() % 4]);
}
