//! Captures that somebody wrote: files, pipes and sockets, in every pcap and pcapng dialect, plain or compressed with gzip, zstd, xz or bzip2.
//!
//! The reader is ours because the bytes are hostile and the work is large: libpcap copies each record, reads no compressed
//! file, and stops at a pcapng file with two link types. One thread reads and decompresses blocks ahead of the one that walks
//! them.

mod annotations;
mod blocks;
mod clock;
mod fault;
mod format;
mod input;
mod pcap;
mod pcapng;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
#[cfg(test)]
mod tests;
mod zstd;

use std::fs::File;
use std::io::{self, Read as _};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use crate::import;
use crate::model::{Frame, SourceCounters};

pub use blocks::{Block, BlockReader};
pub use fault::Fault;

use super::bpf::FrameFilter;
use super::pace::Pace;
use super::{Sink, Stop};
use format::{Format, Record};
pub(super) use input::is_stopped;
use input::{Bytes, Input};

/// Blocks read ahead of the one that is walked.
const AHEAD: usize = 3;
/// How often a source that waits for bytes says so.
const TICK: Duration = Duration::from_millis(100);

/// An open capture whose header has been read.
pub struct Savefile {
    blocks: BlockReader,
    hangup: Stop,
}

/// What an open file turned out to be.
pub(super) enum Opened {
    Frames(Savefile),
    Record(ForeignRecord),
}

/// A record of another program, in place of a capture.
pub(super) struct ForeignRecord {
    pub(super) format: import::Format,
    pub(super) bytes: Bytes,
}

/// The first bytes: as many as tell a capture, and of anything else as many as tell what it is.
fn begin(bytes: &mut Bytes) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(format::ENOUGH);
    bytes.take(format::ENOUGH as u64).read_to_end(&mut head)?;
    if Format::sniff(&head).is_err() && head.iter().all(|byte| !matches!(byte, 0..=8)) {
        bytes.take(import::ENOUGH as u64).read_to_end(&mut head)?;
    }
    Ok(head)
}

/// What went wrong at the start.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenFault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] Fault),
}

type Message = Result<Block, Fault>;

impl Savefile {
    /// Reads the header of an open file, pipe or socket, or tells that it is a record of another kind. Waits for it as long as
    /// it takes, or until `stop`.
    pub(super) fn open(file: File, follow: bool, stop: &Stop) -> Result<Opened, OpenFault> {
        let hangup = Stop::new()?;
        let input = Input::new(Vec::new(), file, follow, stop, &hangup)?;
        let is_live = input.is_live();
        let mut bytes = input.decompressed()?;
        let head = begin(&mut bytes)?;
        let record = if Format::sniff(&head).is_ok() { None } else { import::Format::sniff(&head) };
        let bytes: Bytes = Box::new(io::Cursor::new(head).chain(bytes));
        if let Some(format) = record {
            return Ok(Opened::Record(ForeignRecord { format, bytes }));
        }
        Ok(Opened::Frames(Self { blocks: BlockReader::new(bytes, is_live)?, hangup }))
    }

    /// The same, of a file whose first bytes have been read already.
    pub(super) fn after(first: Vec<u8>, file: File, follow: bool, stop: &Stop) -> Result<Self, OpenFault> {
        let hangup = Stop::new()?;
        let input = Input::new(first, file, follow, stop, &hangup)?;
        let is_live = input.is_live();
        let blocks = BlockReader::new(input.decompressed()?, is_live)?;
        Ok(Self { blocks, hangup })
    }

    /// The blocks, for whoever walks them on threads of its own.
    pub fn into_blocks(self) -> BlockReader {
        self.blocks
    }

    /// Hands every frame that passes the filter to the sink; says whether that broke. Damage ends the capture with a warning.
    pub(super) fn run(
        self,
        name: &str,
        filter: Option<&mut FrameFilter>,
        sink: &mut dyn Sink,
    ) -> ControlFlow<()> {
        let Self { blocks, hangup } = self;
        let is_live = blocks.is_live();
        let (full, walk) = sync_channel::<Message>(AHEAD);
        let (used, spare) = sync_channel::<Vec<u8>>(AHEAD + 2);
        thread::scope(|scope| {
            scope.spawn(move || read_ahead(blocks, &full, &spare));
            let (counters, pace) = (SourceCounters::default(), Pace::new());
            let mut walker = Walker { name, filter, sink, counters, pace, is_live };
            let flow = walker.run(&walk, &used);
            hangup.stop();
            drop(walk);
            flow
        })
    }
}

/// Where in `bytes` a capture begins, of which enough is there to recognise it. What ends before `old` was searched before.
pub(super) fn find_capture(bytes: &[u8], old: usize) -> Option<usize> {
    let from = old.saturating_sub(format::ENOUGH);
    (from..(bytes.len() + 1).saturating_sub(format::ENOUGH)).find(|at| {
        let head = bytes.get(*at..).unwrap_or_default();
        // Text may contain the four bytes of a magic number; a version of classic pcap beside them is no chance.
        let is_version = matches!(head.get(4..8), Some([2, 0, 0..=4, 0] | [0, 2, 0, 0..=4]));
        match Format::sniff(head) {
            Ok((Format::PcapNg(_), _)) => true,
            Ok(_) | Err(Fault::LinkType(_)) => is_version,
            Err(_) => false,
        }
    })
}

/// Reads until the end or until nobody wants more.
fn read_ahead(mut blocks: BlockReader, full: &SyncSender<Message>, spare: &Receiver<Vec<u8>>) {
    loop {
        let buffer = spare.try_recv().unwrap_or_default();
        let message = match blocks.next(buffer) {
            Ok(None) => return,
            Ok(Some(block)) => Ok(block),
            Err(fault) => Err(fault),
        };
        if full.send(message).is_err() {
            return;
        }
    }
}

/// The walking half.
struct Walker<'a> {
    name: &'a str,
    filter: Option<&'a mut FrameFilter>,
    sink: &'a mut dyn Sink,
    counters: SourceCounters,
    pace: Pace,
    is_live: bool,
}

impl Walker<'_> {
    fn run(&mut self, walk: &Receiver<Message>, used: &SyncSender<Vec<u8>>) -> ControlFlow<()> {
        loop {
            match self.next(walk) {
                Ok(Ok(block)) => {
                    self.block(&block)?;
                    // The buffer is filled again. A full channel means that there are enough.
                    let _ = used.try_send(block.into_buffer());
                }
                Ok(Err(fault)) => self.fault(&fault),
                // A file that is slow to read tells nothing of the time in it.
                Err(RecvTimeoutError::Timeout) if !self.is_live => {}
                Err(RecvTimeoutError::Timeout) => self.pace.tick(self.sink)?,
                Err(RecvTimeoutError::Disconnected) => return ControlFlow::Continue(()),
            }
        }
    }

    /// The next message; tells the sink when it has to be waited for.
    fn next(&mut self, walk: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match walk.try_recv() {
            Ok(message) => Ok(message),
            Err(TryRecvError::Disconnected) => Err(RecvTimeoutError::Disconnected),
            Err(TryRecvError::Empty) => {
                self.sink.pause();
                walk.recv_timeout(TICK)
            }
        }
    }

    fn block(&mut self, block: &Block) -> ControlFlow<()> {
        if let Some(link) = block.unknown_link() {
            self.sink.warning(format!(
                "{}: frames of link type {link} are left out, it is not supported; the other interfaces are read",
                self.name
            ));
        }
        let Self { filter, sink, counters, pace, .. } = self;
        let mut last = None;
        let mut frame = |frame: &Frame<'_>, sink: &mut dyn Sink| {
            counters.received += 1;
            last = Some(frame.time);
            let is_wanted = filter.as_mut().is_none_or(|filter| filter.passes(frame));
            if is_wanted { sink.frame(frame) } else { ControlFlow::Continue(()) }
        };
        let flow = if sink.wants_annotations() {
            block.try_for_each_record(|record| match record {
                Record::Frame(found) => frame(&found, *sink),
                Record::Annotation(annotation) => {
                    sink.annotation(annotation);
                    ControlFlow::Continue(())
                }
            })
        } else {
            block.try_for_each(|found| frame(found, *sink))
        };
        if let Some(time) = last {
            pace.saw(time);
        }
        sink.counters(*counters);
        if let Some(text) = filter.as_mut().and_then(|filter| filter.complaint()) {
            sink.warning(format!("{}: {text}", self.name));
        }
        flow
    }

    fn fault(&mut self, fault: &Fault) {
        let frames = self.counters.received;
        self.sink.damage(format!("{}: {fault}; the {frames} frames before that are used", self.name));
    }
}
