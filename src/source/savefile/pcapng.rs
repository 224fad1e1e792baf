//! pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces with their own link type and clock, three
//! kinds of packet blocks; every other block is stepped over.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::model::{Annotation, Frame, InterfaceId, LinkType, Timestamp};
use crate::wire::decode::Decoder;

use super::Fault;
use super::annotations::{self, Of};
use super::clock::Clock;
use super::format::{MAX_RECORD, Record, Scan, u16_of, u32_of};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const NAME_RESOLUTION: u32 = 4;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1a2b_3c4d;
const OPTION_END: u16 = 0;
const OPTION_RESOLUTION: u16 = 9;
const OPTION_OFFSET: u16 = 14;
/// Microseconds.
const DEFAULT_RESOLUTION: u8 = 6;
/// Interfaces of one file; a capture of every veth of a large box has some thousand.
const MAX_INTERFACES: usize = 65_536;

/// What the blocks said so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PcapNg {
    big_endian: bool,
    /// Interfaces of the sections before this one.
    earlier: u32,
    interfaces: Arc<Vec<Interface>>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link: LinkType,
    clock: Clock,
    /// As `if_tsresol` has it.
    resolution: u8,
    snaplen: u32,
}

#[derive(Clone, Copy)]
struct Block<'a> {
    kind: u32,
    body: &'a [u8],
}

/// What is at the beginning of some bytes.
enum Next<'a> {
    Block(Block<'a>, &'a [u8]),
    /// Not all of it is there.
    Partial,
    /// A block of no interest that is longer than any buffer; its whole length.
    Huge(u64),
    Fault(Fault),
}

impl PcapNg {
    /// Whether a file begins like this.
    pub(super) fn is_start(head: &[u8]) -> bool {
        head.starts_with(&SECTION.to_be_bytes())
            && head
                .get(8..12)
                .is_some_and(|magic| magic == BYTE_ORDER.to_le_bytes() || magic == BYTE_ORDER.to_be_bytes())
    }

    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        let mut scan = Scan::default();
        let mut rest = bytes;
        loop {
            match self.next(rest) {
                Next::Block(block, after) => {
                    rest = after;
                    match self.take_in(&block) {
                        Ok(unknown) => scan.unknown_link = scan.unknown_link.or(unknown),
                        Err(fault) => {
                            scan.fault = Some(fault);
                            break;
                        }
                    }
                    scan.frames += u64::from(self.frame(&block).is_some());
                }
                Next::Partial => break,
                Next::Huge(length) => {
                    scan.skip = length;
                    break;
                }
                Next::Fault(fault) => {
                    scan.fault = Some(fault);
                    break;
                }
            }
        }
        scan.used = bytes.len() - rest.len();
        scan
    }

    pub(super) fn try_for_each<B>(
        mut self,
        bytes: &[u8],
        mut each: impl FnMut(&Frame<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut rest = bytes;
        while let Next::Block(block, after) = self.next(rest) {
            rest = after;
            match self.frame(&block) {
                Some(frame) => each(&frame)?,
                None => drop(self.take_in(&block)),
            }
        }
        ControlFlow::Continue(())
    }

    pub(super) fn try_for_each_record<B>(
        mut self,
        bytes: &[u8],
        mut each: impl FnMut(Record<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let (mut rest, mut scratch) = (bytes, Vec::new());
        while let Next::Block(block, after) = self.next(rest) {
            rest = after;
            if let Some(frame) = self.frame(&block) {
                let options = self.packet_options(&block);
                if !options.is_empty() {
                    annotations::options(options, Of::Packet, self.big_endian, &mut scratch);
                    each(Record::Annotation(Annotation::Frame(&scratch)))?;
                }
                each(Record::Frame(frame))?;
                continue;
            }
            let known = self.interfaces.len();
            let is_fault = self.take_in(&block).is_err();
            let annotation = match block.kind {
                SECTION => {
                    let options = block.body.get(16..).unwrap_or_default();
                    annotations::options(options, Of::Section, self.big_endian, &mut scratch);
                    Annotation::Section(&scratch)
                }
                INTERFACE if !is_fault => {
                    let options = block.body.get(8..).unwrap_or_default();
                    annotations::options(options, Of::Interface, self.big_endian, &mut scratch);
                    let resolution =
                        self.interfaces.last().map_or(DEFAULT_RESOLUTION, |last| last.resolution);
                    let interface = InterfaceId(self.earlier + known as u32);
                    Annotation::Interface { interface, resolution, options: &scratch }
                }
                NAME_RESOLUTION => {
                    annotations::names(block.body, self.big_endian, &mut scratch);
                    Annotation::Names(&scratch)
                }
                _ => continue,
            };
            each(Record::Annotation(annotation))?;
        }
        ControlFlow::Continue(())
    }

    /// The options behind the data of a packet block.
    fn packet_options<'a>(&self, block: &Block<'a>) -> &'a [u8] {
        let length = match (block.kind, block.body.split_first_chunk::<20>()) {
            (ENHANCED_PACKET | OBSOLETE_PACKET, Some((&[.., c0, c1, c2, c3, _, _, _, _], _))) => {
                self.u32([c0, c1, c2, c3]) as usize
            }
            _ => return &[],
        };
        // Of the obsolete block only flags and hash have numbers of their own; the comment is the same.
        block.body.get(20..).and_then(|data| data.get(length.next_multiple_of(4)..)).unwrap_or_default()
    }

    fn u32(&self, bytes: [u8; 4]) -> u32 {
        u32_of(bytes, self.big_endian)
    }
    fn u16(&self, bytes: [u8; 2]) -> u16 {
        u16_of(bytes, self.big_endian)
    }

    /// Splits off the first block. A section header decides the byte order of its own length.
    fn next<'a>(&mut self, bytes: &'a [u8]) -> Next<'a> {
        let Some(&[k0, k1, k2, k3, l0, l1, l2, l3, o0, o1, o2, o3]) = bytes.first_chunk::<12>() else {
            return Next::Partial;
        };
        if u32::from_be_bytes([k0, k1, k2, k3]) == SECTION {
            self.big_endian = match u32::from_be_bytes([o0, o1, o2, o3]) {
                BYTE_ORDER => true,
                order if order.swap_bytes() == BYTE_ORDER => false,
                _ => return Next::Fault(Fault::Damaged("a section of unknown byte order")),
            };
        }
        let (kind, length) = (self.u32([k0, k1, k2, k3]), self.u32([l0, l1, l2, l3]) as usize);
        // Writers that forget the padding exist; readers round up.
        let padded = length.next_multiple_of(4);
        if length < 12 {
            return Next::Fault(Fault::Damaged("a block shorter than its own header"));
        }
        if padded > MAX_RECORD {
            let is_packet = matches!(kind, SECTION | OBSOLETE_PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
            return if is_packet { Next::Fault(Fault::record_of(length)) } else { Next::Huge(padded as u64) };
        }
        match bytes.split_at_checked(padded) {
            Some((block, rest)) => {
                let body = block.get(8..length - 4).unwrap_or_default();
                Next::Block(Block { kind, body }, rest)
            }
            None => Next::Partial,
        }
    }

    /// Notes what a section header or an interface says; gives the interface's link type if that is unknown.
    fn take_in(&mut self, block: &Block<'_>) -> Result<Option<u16>, Fault> {
        match block.kind {
            SECTION => {
                self.earlier += self.interfaces.len() as u32;
                self.interfaces = Arc::default();
            }
            INTERFACE => {
                let interface =
                    self.interface(block.body).ok_or(Fault::Damaged("an interface without a link type"))?;
                if self.earlier as usize + self.interfaces.len() >= MAX_INTERFACES {
                    return Err(Fault::Damaged("too many interfaces"));
                }
                Arc::make_mut(&mut self.interfaces).push(interface);
                return Ok(Some(interface.link.0).filter(|_| !Decoder::supports(interface.link)));
            }
            _ => {}
        }
        Ok(None)
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let (&[a, b, _, _, s0, s1, s2, s3], mut options) = body.split_first_chunk::<8>()?;
        let (mut resolution, mut offset) = (DEFAULT_RESOLUTION, 0);
        while let Some((&[c0, c1, l0, l1], rest)) = options.split_first_chunk::<4>() {
            let (code, length) = (self.u16([c0, c1]), usize::from(self.u16([l0, l1])));
            let Some(value) = rest.get(..length) else { break };
            match (code, value) {
                (OPTION_END, _) => break,
                (OPTION_RESOLUTION, &[value, ..]) => resolution = value,
                (OPTION_OFFSET, value) => {
                    let bytes: [u8; 8] = value.try_into().unwrap_or_default();
                    offset =
                        if self.big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
                }
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        Some(Interface {
            link: LinkType(self.u16([a, b])),
            clock: Clock::new(resolution, offset),
            resolution,
            snaplen: self.u32([s0, s1, s2, s3]),
        })
    }

    /// The frame of a packet block. None for other blocks, and for a packet of an interface that was never announced.
    #[inline]
    fn frame<'a>(&self, block: &Block<'a>) -> Option<Frame<'a>> {
        match block.kind {
            ENHANCED_PACKET => {
                let (&head, data) = block.body.split_first_chunk::<20>()?;
                let [i0, i1, i2, i3, stamp @ .., c0, c1, c2, c3, w0, w1, w2, w3] = head;
                let index = self.u32([i0, i1, i2, i3]);
                self.packet(index, stamp, data, self.u32([c0, c1, c2, c3]), self.u32([w0, w1, w2, w3]))
            }
            OBSOLETE_PACKET => {
                let (&head, data) = block.body.split_first_chunk::<20>()?;
                let [i0, i1, _, _, stamp @ .., c0, c1, c2, c3, w0, w1, w2, w3] = head;
                let index = u32::from(self.u16([i0, i1]));
                self.packet(index, stamp, data, self.u32([c0, c1, c2, c3]), self.u32([w0, w1, w2, w3]))
            }
            SIMPLE_PACKET => {
                let (&wire, data) = block.body.split_first_chunk::<4>()?;
                let wire = self.u32(wire);
                let snaplen = self.interfaces.first()?.snaplen;
                let captured = if snaplen == 0 { wire } else { wire.min(snaplen) };
                self.packet(0, [0; 8], data, captured.min(data.len() as u32), wire)
            }
            _ => None,
        }
    }

    #[inline]
    fn packet<'a>(
        &self,
        index: u32,
        stamp: [u8; 8],
        data: &'a [u8],
        captured: u32,
        wire_len: u32,
    ) -> Option<Frame<'a>> {
        let interface = self.interfaces.get(index as usize)?;
        let [h0, h1, h2, h3, l0, l1, l2, l3] = stamp;
        let ticks = u64::from(self.u32([h0, h1, h2, h3])) << 32 | u64::from(self.u32([l0, l1, l2, l3]));
        Some(Frame {
            time: Timestamp(interface.clock.nanos(ticks)),
            link: interface.link,
            interface: InterfaceId(self.earlier + index),
            data: data.get(..captured as usize)?,
            wire_len,
        })
    }
}
