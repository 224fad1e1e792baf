//! A capture as large blocks of whole records.
//!
//! Reading fills a block; walking it hands out frames where they lie. The two are apart, so that one thread can read (and
//! decompress) while another walks, and so that several may walk the same block. A record that crosses a block's end is moved
//! to the head of the next one, which is the only time that a captured byte is copied.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use crate::model::Frame;

use super::Fault;
use super::format::{ENOUGH, Format, MAX_RECORD, Record, SNIFF, Scan};
use super::input::{Bytes, decompress, is_stopped};

/// Bytes of a block. Small enough to stay in a core's second-level cache until it is walked.
const BLOCK: usize = 1 << 20;
/// Bytes that are read before they are scanned: few enough to be in the first- or second-level cache then.
const PIECE: usize = 1 << 17;
/// The largest block: one record that nearly fills it and a new one's header.
const MAX_BLOCK: usize = MAX_RECORD + BLOCK;

/// Whole records, and how to read them.
#[derive(Debug)]
pub struct Block {
    bytes: Vec<u8>,
    end: usize,
    format: Format,
    unknown_link: Option<u16>,
}

impl Block {
    /// Hands out the frames, in order, until `each` breaks.
    pub fn try_for_each<B>(&self, each: impl FnMut(&Frame<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
        self.format.try_for_each(self.bytes.get(..self.end).unwrap_or_default(), each)
    }
    /// The same, with what a pcapng file says of sections, interfaces and frames.
    pub(super) fn try_for_each_record<B>(
        &self,
        each: impl FnMut(Record<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.format.try_for_each_record(self.bytes.get(..self.end).unwrap_or_default(), each)
    }
    /// A link type that is announced in this block and that nobody here can read.
    pub const fn unknown_link(&self) -> Option<u16> {
        self.unknown_link
    }
    /// The buffer, to be filled again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }
}

/// Cuts a capture into blocks.
pub struct BlockReader {
    bytes: Bytes,
    /// Hand out what there is instead of filling the block.
    is_live: bool,
    format: Format,
    /// The beginning of the next block: a record that did not end in the last one.
    carry: Vec<u8>,
    frames: u64,
    end: Option<End>,
}

/// Why no more bytes come.
enum End {
    /// The file's own end.
    File,
    /// Somebody wanted it.
    Stopped,
    Fault(Fault),
}

impl BlockReader {
    /// Blocks of a capture that comes from any reader, compressed or not.
    pub fn of(source: impl Read + Send + 'static) -> Result<Self, Fault> {
        let bytes = decompress(source).map_err(|error| Fault::Read(error.to_string()))?;
        Self::new(bytes, false)
    }

    /// Reads the file header.
    pub(super) fn new(mut bytes: Bytes, is_live: bool) -> Result<Self, Fault> {
        let mut head = Vec::with_capacity(SNIFF);
        let mut chunk = [0; SNIFF];
        while head.len() < ENOUGH {
            let room = chunk.get_mut(head.len()..).unwrap_or_default();
            match bytes.read(room) {
                Ok(0) => break,
                Ok(count) => head.extend_from_slice(room.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Read(error.to_string())),
            }
        }
        let (format, header) = Format::sniff(&head)?;
        head.drain(..header);
        Ok(Self { bytes, is_live, format, carry: head, frames: 0, end: None })
    }

    /// Whether frames come as they are captured.
    pub(super) const fn is_live(&self) -> bool {
        self.is_live
    }

    /// Frames in the blocks handed out so far.
    pub const fn frames(&self) -> u64 {
        self.frames
    }

    /// The next block, in `buffer` (a new one or one that is not needed any more). `None` at the end. An error comes after
    /// everything that could be read, once.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> Result<Option<Block>, Fault> {
        if buffer.len() < BLOCK {
            buffer.resize(BLOCK, 0);
        }
        let mut filled = self.carry.len();
        if let Some(place) = buffer.get_mut(..filled) {
            place.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        let format = self.format.clone();
        let mut whole = Scan::default();
        loop {
            if self.end.is_none() {
                filled = self.fill(&mut buffer, filled);
            }
            let scan = self.format.scan(buffer.get(whole.used..filled).unwrap_or_default());
            self.frames += scan.frames;
            whole.used += scan.used;
            whole.unknown_link = whole.unknown_link.or(scan.unknown_link);
            if let Some(fault) = scan.fault {
                self.end = Some(End::Fault(fault));
            }
            let is_full = filled == buffer.len();
            let is_enough = whole.used > 0 && (self.is_live || is_full || scan.skip > 0);
            if is_enough || self.end.is_some() {
                return self.hand_out(buffer, filled, &whole, format);
            }
            if scan.skip > 0 {
                filled = self.skip_over(scan.skip, &mut buffer, filled);
            } else if is_full {
                buffer.resize((buffer.len() * 2).min(MAX_BLOCK), 0);
            }
        }
    }

    /// Reads a piece, or until the buffer is full; of a live capture, once.
    fn fill(&mut self, buffer: &mut [u8], mut filled: usize) -> usize {
        let until = buffer.len().min(filled.saturating_add(PIECE));
        while let Some(room) = buffer.get_mut(filled..until).filter(|room| !room.is_empty()) {
            match self.bytes.read(room) {
                Ok(0) => {
                    self.end = Some(End::File);
                    break;
                }
                Ok(count) => {
                    filled += count;
                    if self.is_live {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    self.end = Some(if is_stopped(&error) {
                        End::Stopped
                    } else {
                        End::Fault(Fault::Read(error.to_string()))
                    });
                    break;
                }
            }
        }
        filled
    }

    /// Steps over a huge block whose first `filled` bytes are in the buffer; says how many bytes after it are.
    fn skip_over(&mut self, length: u64, buffer: &mut [u8], filled: usize) -> usize {
        match usize::try_from(length) {
            Ok(length) if length <= filled => {
                buffer.copy_within(length..filled, 0);
                filled - length
            }
            _ => {
                let missing = length - filled as u64;
                let skipped = io::copy(&mut (&mut self.bytes).take(missing), &mut io::sink());
                if skipped.is_ok_and(|skipped| skipped < missing) {
                    self.end = Some(End::Fault(Fault::CutShort));
                }
                0
            }
        }
    }

    fn hand_out(
        &mut self,
        buffer: Vec<u8>,
        filled: usize,
        scan: &Scan,
        format: Format,
    ) -> Result<Option<Block>, Fault> {
        let rest = buffer.get(scan.used..filled).unwrap_or_default();
        if matches!(self.end, Some(End::File)) && !rest.is_empty() {
            self.end = Some(End::Fault(Fault::CutShort));
        }
        if scan.used > 0 {
            if self.end.is_none() {
                self.carry.extend_from_slice(rest);
            }
            let unknown_link = scan.unknown_link;
            return Ok(Some(Block { bytes: buffer, end: scan.used, format, unknown_link }));
        }
        match self.end.replace(End::File) {
            Some(End::Fault(fault)) => Err(fault),
            _ => Ok(None),
        }
    }
}
