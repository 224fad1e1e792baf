//! Which capture format it is, told by its first bytes, and what is common to the formats.

use std::ops::ControlFlow;

use crate::model::{Annotation, Frame};

use super::Fault;
use super::pcap::Pcap;
use super::pcapng::PcapNg;

/// The longest record that is believed. BIG TCP makes frames of 512 KiB; what claims more is a damaged file.
pub(super) const MAX_RECORD: usize = 4 << 20;
/// Bytes that tell every format.
pub(super) const ENOUGH: usize = 24;
/// Bytes looked at when there are so many.
pub(super) const SNIFF: usize = 64;

/// A format with what its headers said so far. Cheap to copy.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

/// How far whole records reach.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Bytes of whole records.
    pub(super) used: usize,
    /// Frames in them.
    pub(super) frames: u64,
    /// Bytes that follow and are of no interest.
    pub(super) skip: u64,
    /// A link type that nobody here can read, announced among others.
    pub(super) unknown_link: Option<u16>,
    /// Why nothing that follows can be read.
    pub(super) fault: Option<Fault>,
}

/// A frame, or what is said of one.
#[derive(Debug)]
pub(super) enum Record<'a> {
    Frame(Frame<'a>),
    Annotation(Annotation<'a>),
}

impl Format {
    /// Tells the format by the file's first bytes. The second value is the length of the header to be skipped.
    pub(super) fn sniff(head: &[u8]) -> Result<(Self, usize), Fault> {
        if PcapNg::is_start(head) {
            return Ok((Self::PcapNg(PcapNg::default()), 0));
        }
        Pcap::from_header(head).map(|(pcap, length)| (Self::Pcap(pcap), length))
    }
    /// Finds the end of the last whole record, and takes in what the records say about those that follow.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        match self {
            Self::Pcap(pcap) => pcap.scan(bytes),
            Self::PcapNg(ng) => ng.scan(bytes),
        }
    }
    /// Hands out the frames of whole records.
    pub(super) fn try_for_each<B>(
        &self,
        bytes: &[u8],
        each: impl FnMut(&Frame<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self {
            Self::Pcap(pcap) => pcap.try_for_each(bytes, each),
            Self::PcapNg(ng) => ng.clone().try_for_each(bytes, each),
        }
    }
    /// The same, with annotations; those of a frame come before it.
    pub(super) fn try_for_each_record<B>(
        &self,
        bytes: &[u8],
        mut each: impl FnMut(Record<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        match self {
            Self::Pcap(pcap) => pcap.try_for_each(bytes, |frame| each(Record::Frame(*frame))),
            Self::PcapNg(ng) => ng.clone().try_for_each_record(bytes, each),
        }
    }
}

/// The first four bytes as a number, in the byte order that the file was found to have.
#[inline]
pub(super) const fn u32_of(bytes: [u8; 4], big_endian: bool) -> u32 {
    if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

/// The same for two bytes.
#[inline]
pub(super) const fn u16_of(bytes: [u8; 2], big_endian: bool) -> u16 {
    if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
}
