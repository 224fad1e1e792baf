//! The classic pcap format, written: a file header of 24 bytes, then records of 16 bytes and a frame each
//! (draft-ietf-opsawg-pcap). Little-endian, nanoseconds or microseconds.

use std::io::{self, Write};

use crate::model::{LinkType, Timestamp};

use super::MadeFrame;

/// The unit of a record's fraction of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Magic a1b2c3d4: what every reader knows.
    Micros,
    /// Magic a1b23c4d.
    Nanos,
}

/// The snapshot length that our files announce; tcpdump's default.
pub const SNAPLEN: u32 = 262_144;

/// The file header.
pub fn file_header(precision: Precision, link: LinkType) -> [u8; 24] {
    let magic: u32 = match precision {
        Precision::Micros => 0xa1b2_c3d4,
        Precision::Nanos => 0xa1b2_3c4d,
    };
    let mut header = [0; 24];
    let fields = [magic, 2 | 4 << 16, 0, 0, SNAPLEN, u32::from(link.0)];
    for (place, field) in header.chunks_exact_mut(4).zip(fields) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    header
}

/// The header of one record.
pub fn record_header(precision: Precision, time: Timestamp, captured: u32, wire: u32) -> [u8; 16] {
    let nanos = time.0.rem_euclid(1_000_000_000) as u32;
    let fraction = match precision {
        Precision::Micros => nanos / 1_000,
        Precision::Nanos => nanos,
    };
    let mut header = [0; 16];
    for (place, field) in header.chunks_exact_mut(4).zip([time.seconds() as u32, fraction, captured, wire]) {
        place.copy_from_slice(&field.to_le_bytes());
    }
    header
}

/// Writes a pcap stream record by record. Does no buffering of its own.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    precision: Precision,
}

impl<W: Write> Writer<W> {
    /// Writes the file header.
    pub fn new(mut out: W, precision: Precision, link: LinkType) -> io::Result<Self> {
        out.write_all(&file_header(precision, link))?;
        Ok(Self { out, precision })
    }
    /// Writes a whole frame.
    pub fn write(&mut self, time: Timestamp, data: &[u8]) -> io::Result<()> {
        self.write_cut(time, data, data.len() as u32)
    }
    /// Writes a frame of which only `data` was kept.
    pub fn write_cut(&mut self, time: Timestamp, data: &[u8], wire_len: u32) -> io::Result<()> {
        self.out.write_all(&record_header(self.precision, time, data.len() as u32, wire_len))?;
        self.out.write_all(data)
    }
    /// Writes frames.
    pub fn write_all<'a>(&mut self, frames: impl IntoIterator<Item = &'a MadeFrame>) -> io::Result<()> {
        frames.into_iter().try_for_each(|frame| self.write_cut(frame.time, &frame.data, frame.wire_len))
    }
    /// Flushes what lies below.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
    /// What it writes to.
    pub const fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
    /// Gives it back.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// A whole file in memory, nanoseconds, of the first frame's link type (Ethernet when there is no frame).
pub fn to_bytes(frames: &[MadeFrame]) -> Vec<u8> {
    let link = frames.first().map_or(LinkType::ETHERNET, |frame| frame.link);
    let mut bytes = file_header(Precision::Nanos, link).to_vec();
    for frame in frames {
        let captured = frame.data.len() as u32;
        bytes.extend_from_slice(&record_header(Precision::Nanos, frame.time, captured, frame.wire_len));
        bytes.extend_from_slice(&frame.data);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_both_precisions() {
        for (precision, magic, fraction) in
            [(Precision::Micros, 0xa1b2_c3d4_u32, 123_456_u32), (Precision::Nanos, 0xa1b2_3c4d, 123_456_789)]
        {
            let mut writer = Writer::new(Vec::new(), precision, LinkType::RAW).unwrap();
            writer.write_cut(Timestamp::from_parts(7, 123_456_789), b"abc", 9).unwrap();
            let bytes = writer.into_inner();
            let words: Vec<u32> =
                bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
            assert_eq!(words, [magic, 0x0004_0002, 0, 0, SNAPLEN, 101, 7, fraction, 3, 9]);
            assert_eq!(&bytes[40..], b"abc");
        }
    }
}
