//! The classic format (draft-ietf-opsawg-pcap): one header, one link type, records of sixteen bytes and a frame.

use std::ops::ControlFlow;

use crate::model::{Frame, InterfaceId, LinkType, Timestamp};
use crate::wire::decode::Decoder;

use super::Fault;
use super::format::{MAX_RECORD, Scan, u16_of, u32_of};

const MICROS: u32 = 0xa1b2_c3d4;
const NANOS: u32 = 0xa1b2_3c4d;
/// Alexey Kuznetsov's variant: records have eight more bytes.
const MODIFIED: u32 = 0xa1b2_cd34;
const FILE_HEADER: usize = 24;
/// The link type's bits; those above say whether frames end in a checksum.
const LINK_BITS: u32 = 0x03ff_ffff;

/// What the file header said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pcap {
    big_endian: bool,
    nanos_per_unit: u32,
    record_header: usize,
    link: LinkType,
    /// Before version 2.4 the two lengths came in the other order, more or less.
    is_old: bool,
}

#[derive(Clone, Copy)]
struct Record {
    seconds: u32,
    fraction: u32,
    captured: usize,
    wire: u32,
}

impl Pcap {
    /// Reads the file header; also gives its length.
    pub(super) fn from_header(head: &[u8]) -> Result<(Self, usize), Fault> {
        let Some(magic) = head.first_chunk::<4>() else { return Err(Fault::not_a_capture(head)) };
        let big_endian = match u32::from_le_bytes(*magic) {
            MICROS | NANOS | MODIFIED => false,
            other if matches!(other.swap_bytes(), MICROS | NANOS | MODIFIED) => true,
            _ => return Err(Fault::not_a_capture(head)),
        };
        let Some(header) = head.first_chunk::<FILE_HEADER>() else { return Err(Fault::ShortHeader) };
        let &[_, _, _, _, v0, v1, v2, v3, .., l0, l1, l2, l3] = header;
        let magic = u32_of(*magic, big_endian);
        let version = (u16_of([v0, v1], big_endian), u16_of([v2, v3], big_endian));
        let link = u32_of([l0, l1, l2, l3], big_endian) & LINK_BITS;
        let link = known_link(link)?;
        let pcap = Self {
            big_endian,
            nanos_per_unit: if magic == NANOS { 1 } else { 1_000 },
            record_header: if magic == MODIFIED { 24 } else { 16 },
            link,
            is_old: version < (2, 4),
        };
        Ok((pcap, FILE_HEADER))
    }

    #[inline]
    fn record(&self, bytes: &[u8]) -> Option<Record> {
        let head: &[u8; 16] = bytes.first_chunk()?;
        let word = |at: usize| u32_of([head[at], head[at + 1], head[at + 2], head[at + 3]], self.big_endian);
        let (mut captured, mut wire) = (word(8), word(12));
        if self.is_old && captured > wire {
            (captured, wire) = (wire, captured);
        }
        Some(Record { seconds: word(0), fraction: word(4), captured: captured as usize, wire })
    }

    pub(super) fn scan(&self, bytes: &[u8]) -> Scan {
        let mut scan = Scan::default();
        let mut rest = bytes;
        while let Some(record) = self.record(rest) {
            if record.captured > MAX_RECORD {
                scan.fault = Some(Fault::record_of(record.captured));
                break;
            }
            let Some(next) = rest.get(self.record_header + record.captured..) else { break };
            rest = next;
            scan.frames += 1;
        }
        scan.used = bytes.len() - rest.len();
        scan
    }

    pub(super) fn try_for_each<B>(
        &self,
        bytes: &[u8],
        mut each: impl FnMut(&Frame<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut rest = bytes;
        while let Some(record) = self.record(rest) {
            let Some((data, next)) =
                rest.get(self.record_header..).and_then(|body| body.split_at_checked(record.captured))
            else {
                break;
            };
            rest = next;
            let nanos = i64::from(record.fraction) * i64::from(self.nanos_per_unit);
            each(&Frame {
                time: Timestamp(i64::from(record.seconds) * 1_000_000_000 + nanos),
                link: self.link,
                interface: InterfaceId(0),
                data,
                wire_len: record.wire,
            })?;
        }
        ControlFlow::Continue(())
    }
}

/// The link type, if the decoder can read its frames.
fn known_link(number: u32) -> Result<LinkType, Fault> {
    u16::try_from(number)
        .map(LinkType)
        .ok()
        .filter(|link| Decoder::supports(*link))
        .ok_or(Fault::LinkType(number))
}
