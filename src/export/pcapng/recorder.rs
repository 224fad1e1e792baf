//! Keeps each connection's frames until it is known whether they are wanted.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use crate::model::{Annotation, Frame, InterfaceId, LinkType, TcpFlags, Timestamp};
use crate::wire::decode::{Decoded, Decoder};

use super::{CaptureError, CaptureFile};

/// What bounds the recorder.
#[derive(Clone, Copy, Debug)]
pub struct RecorderLimits {
    /// Bytes kept of one connection; its oldest frames go first.
    pub flow_bytes: usize,
    /// Bytes kept of all connections; the oldest frames of all go first.
    pub bytes: usize,
    /// Connections known to match; the longest known are forgotten first.
    pub matched: usize,
}

impl Default for RecorderLimits {
    fn default() -> Self {
        Self { flow_bytes: 1 << 20, bytes: 16 << 20, matched: 65_536 }
    }
}

/// What became of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecorderCounters {
    /// Written to the file.
    pub written: u64,
    /// Given up for want of room before it was known whether they are wanted.
    pub dropped: u64,
}

/// What a kept frame costs beside its bytes.
const OVERHEAD: usize = 96;

/// Both ends of a connection, the lesser first.
type Ends = (SocketAddr, SocketAddr);

/// Writes the frames of matching connections, those from before the match included.
#[derive(Debug)]
pub struct Recorder {
    file: Option<CaptureFile>,
    limits: RecorderLimits,
    decoder: Decoder,
    flows: HashMap<Ends, Flow, ahash::RandomState>,
    /// The kept frames' connections in order of arrival.
    order: VecDeque<(Ends, u64)>,
    matched: VecDeque<Ends>,
    /// What was said of the frame that comes next.
    options: Box<[u8]>,
    bytes: usize,
    serial: u64,
    counters: RecorderCounters,
}

#[derive(Debug, Default)]
struct Flow {
    is_matched: bool,
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    serial: u64,
    time: Timestamp,
    link: LinkType,
    interface: InterfaceId,
    wire_len: u32,
    data: Box<[u8]>,
    /// As in [`Annotation::Frame`]; empty as a rule.
    options: Box<[u8]>,
}

impl Kept {
    const fn cost(&self) -> usize {
        self.data.len() + self.options.len() + OVERHEAD
    }
    const fn frame(&self) -> Frame<'_> {
        let Self { time, link, interface, wire_len, .. } = *self;
        Frame { time, link, interface, data: &self.data, wire_len }
    }
}

impl Recorder {
    /// A recorder into `file`.
    pub fn new(file: CaptureFile, limits: RecorderLimits) -> Self {
        Self {
            file: Some(file),
            limits,
            decoder: Decoder::default(),
            flows: HashMap::default(),
            order: VecDeque::new(),
            matched: VecDeque::new(),
            options: Box::default(),
            bytes: 0,
            serial: 0,
            counters: RecorderCounters::default(),
        }
    }
    /// What was written and lost so far.
    pub const fn counters(&self) -> RecorderCounters {
        self.counters
    }
    /// Bytes kept.
    pub const fn memory(&self) -> usize {
        self.bytes
    }

    /// Takes a frame in: writes it if its connection matches, else keeps it for a while. After an error it does nothing any more.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<(), CaptureError> {
        if self.file.is_none() {
            return Ok(());
        }
        let Decoded::Segment(segment) = self.decoder.decode(frame) else {
            self.options = Box::default();
            return Ok(());
        };
        let (ends, flags) = (ends(segment.src, segment.dst), segment.flags);
        let flow = self.flows.entry(ends).or_default();
        if flow.is_matched && flags.0 & (TcpFlags::SYN | TcpFlags::ACK) == TcpFlags::SYN {
            // The ports are used again by another connection.
            flow.is_matched = false;
        }
        let is_matched = flow.is_matched;
        let options = std::mem::take(&mut self.options);
        if is_matched {
            return self.write(frame, &options);
        }
        self.keep(ends, frame, options);
        Ok(())
    }

    /// Takes in what the source says of itself, an interface or the next frame.
    pub fn annotation(&mut self, annotation: &Annotation<'_>) {
        match (annotation, &mut self.file) {
            (Annotation::Frame(options), _) => self.options = (*options).into(),
            (annotation, Some(file)) => file.annotate(annotation),
            (_, None) => {}
        }
    }

    /// The connection between these two has an exchange that is wanted: writes what is kept of it, and from now on all of it.
    pub fn matched(&mut self, client: SocketAddr, server: SocketAddr) -> Result<(), CaptureError> {
        let ends = ends(client, server);
        let flow = self.flows.entry(ends).or_default();
        if flow.is_matched {
            return Ok(());
        }
        flow.is_matched = true;
        self.bytes -= std::mem::take(&mut flow.bytes);
        let kept = std::mem::take(&mut flow.kept);
        self.matched.push_back(ends);
        while self.matched.len() > self.limits.matched {
            if let Some(oldest) = self.matched.pop_front() {
                self.flows.remove(&oldest);
            }
        }
        kept.iter().try_for_each(|kept| self.write(&kept.frame(), &kept.options))
    }

    /// Writes out what was gathered; for a quiet moment.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        self.file.as_mut().map_or(Ok(()), CaptureFile::flush)
    }

    /// Completes the file.
    pub fn finish(mut self) -> Result<(), CaptureError> {
        self.file.take().map_or(Ok(()), CaptureFile::finish)
    }

    fn write(&mut self, frame: &Frame<'_>, options: &[u8]) -> Result<(), CaptureError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = file.write_with(frame, options);
        match written {
            Ok(()) => self.counters.written += 1,
            Err(_) => self.file = None,
        }
        written
    }

    fn keep(&mut self, ends: Ends, frame: &Frame<'_>, options: Box<[u8]>) {
        let Frame { time, link, interface, wire_len, data } = *frame;
        self.serial += 1;
        let kept = Kept { serial: self.serial, time, link, interface, wire_len, data: data.into(), options };
        let Some(flow) = self.flows.get_mut(&ends) else { return };
        flow.bytes += kept.cost();
        self.bytes += kept.cost();
        flow.kept.push_back(kept);
        self.order.push_back((ends, self.serial));
        while flow.bytes > self.limits.flow_bytes
            && let Some(oldest) = flow.kept.pop_front()
        {
            flow.bytes -= oldest.cost();
            self.bytes -= oldest.cost();
            self.counters.dropped += 1;
        }
        // Entries of frames that are gone already cost a little too: the list is bounded like the frames.
        while self.bytes > self.limits.bytes || self.order.len() > self.limits.bytes / OVERHEAD {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let Some((ends, serial)) = self.order.pop_front() else { return };
        let Some(flow) = self.flows.get_mut(&ends) else { return };
        if flow.kept.front().is_some_and(|kept| kept.serial == serial)
            && let Some(oldest) = flow.kept.pop_front()
        {
            flow.bytes -= oldest.cost();
            self.bytes -= oldest.cost();
            self.counters.dropped += 1;
        }
        if flow.kept.is_empty() && !flow.is_matched {
            self.flows.remove(&ends);
        }
    }
}

fn ends(one: SocketAddr, other: SocketAddr) -> Ends {
    if one <= other { (one, other) } else { (other, one) }
}
