//! The options of pcapng blocks and the names of addresses, turned into little-endian.

use std::ops::RangeInclusive;

use super::format::u16_of;

/// Bytes of options or names that are taken over of one block.
const KEPT: usize = 64 << 10;
/// Options that stand in any block.
const COMMENT: u16 = 1;
/// Options of a section: comment, hardware, operating system.
const SECTION: RangeInclusive<u16> = 1..=3;
/// Options of an interface, up to its operating system and hardware.
const INTERFACE: RangeInclusive<u16> = 1..=15;
/// What says how an interface's time stamps are to be read: times are written anew.
const CLOCK: [u16; 3] = [9, 10, 14];
/// Options of a packet.
const PACKET: RangeInclusive<u16> = 1..=7;

/// Of which block options are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Section,
    Interface,
    Packet,
}

impl Of {
    /// The width of the number that an option holds: 1 for text and bytes. `None` for what is not taken over.
    fn width(self, code: u16) -> Option<usize> {
        match (self, code) {
            (_, COMMENT) => Some(1),
            (Self::Section, code) => SECTION.contains(&code).then_some(1),
            (Self::Interface, 8) | (Self::Packet, 4 | 5) => Some(8),
            (Self::Interface, code) => (INTERFACE.contains(&code) && !CLOCK.contains(&code)).then_some(1),
            // Flags and queue are words, drop count and packet id are longs; verdict and hash are bytes.
            (Self::Packet, 2 | 6) => Some(4),
            (Self::Packet, code) => PACKET.contains(&code).then_some(1),
        }
    }
}

/// Writes the options that are taken over of a block to `out`, little-endian.
pub(super) fn options(mut bytes: &[u8], of: Of, big_endian: bool, out: &mut Vec<u8>) {
    out.clear();
    while let Some((&[c0, c1, l0, l1], rest)) = bytes.split_first_chunk::<4>() {
        let (code, length) = (u16_of([c0, c1], big_endian), usize::from(u16_of([l0, l1], big_endian)));
        let Some(value) = rest.get(..length).filter(|_| code != 0) else { return };
        let padded = length.next_multiple_of(4);
        if let Some(width) = of.width(code).filter(|_| out.len() + padded + 4 <= KEPT) {
            out.extend_from_slice(&code.to_le_bytes());
            out.extend_from_slice(&(length as u16).to_le_bytes());
            if big_endian && width > 1 && length == width {
                out.extend(value.iter().rev());
            } else {
                out.extend_from_slice(value);
            }
            out.extend(std::iter::repeat_n(0, padded - length));
        }
        bytes = rest.get(padded..).unwrap_or_default();
    }
}

/// Writes the records of a name resolution block to `out`, little-endian.
pub(super) fn names(mut bytes: &[u8], big_endian: bool, out: &mut Vec<u8>) {
    out.clear();
    while let Some((&[k0, k1, l0, l1], rest)) = bytes.split_first_chunk::<4>() {
        let (kind, length) = (u16_of([k0, k1], big_endian), usize::from(u16_of([l0, l1], big_endian)));
        let Some(value) = rest.get(..length).filter(|_| kind != 0) else { return };
        let padded = length.next_multiple_of(4);
        if out.len() + padded + 4 > KEPT {
            return;
        }
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&(length as u16).to_le_bytes());
        out.extend_from_slice(value);
        out.extend(std::iter::repeat_n(0, padded - length));
        bytes = rest.get(padded..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::{Of, names, options};

    #[test]
    fn options_of_either_byte_order_are_the_same() {
        let big =
            [0, 1, 0, 3, b'a', b'b', b'c', 0, 0, 2, 0, 4, 0, 0, 0, 1, 0, 9, 0, 1, 6, 0, 0, 0, 0, 0, 0, 0];
        let little = [1, 0, 3, 0, b'a', b'b', b'c', 0, 2, 0, 4, 0, 1, 0, 0, 0];
        let mut out = Vec::new();
        options(&big, Of::Packet, true, &mut out);
        assert_eq!(out, little);
        options(&little, Of::Packet, false, &mut out);
        assert_eq!(out, little);
        // Of an interface 2 is its name, and the resolution (9) is written anew.
        options(
            &[2, 0, 4, 0, b'e', b't', b'h', b'0', 9, 0, 1, 0, 6, 0, 0, 0],
            Of::Interface,
            false,
            &mut out,
        );
        assert_eq!(out, [2, 0, 4, 0, b'e', b't', b'h', b'0']);
    }

    #[test]
    fn what_is_cut_ends_them() {
        let mut out = Vec::new();
        for bytes in [&[1, 0, 9, 0, b'a'][..], &[1, 0], &[], &[0, 0, 0, 0, 1, 0, 0, 0]] {
            options(bytes, Of::Section, false, &mut out);
            assert_eq!(out, [0; 0]);
            names(bytes, false, &mut out);
            assert_eq!(out, [0; 0]);
        }
        names(&[0, 1, 0, 6, 10, 0, 0, 1, b'a', 0, 0, 0, 0, 0, 0, 0], true, &mut out);
        assert_eq!(out, [1, 0, 6, 0, 10, 0, 0, 1, b'a', 0, 0, 0]);
    }
}
