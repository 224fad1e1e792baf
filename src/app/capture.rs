//! The capture side: frames through the pipeline on the thread that reads them, exchanges out in batches.
//!
//! A live source is never made to wait: a batch that finds the queue full is dropped and counted. A file is.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::mpsc;

use tokio::sync::mpsc::error::TrySendError;

use crate::decode;
use crate::export::pcapng::Recorder;
use crate::feed::{BATCH, Ended, Message, Progress, Sender};
use crate::model::{Exchange, Frame, SourceCounters, Timestamp};
use crate::pipeline::{Limits, Pipeline};
use crate::source::Sink;

/// Frames between two looks at how far a file is read.
const PROGRESS: u32 = 1 << 14;
/// What a record of a capture file has beside the frame's bytes.
const RECORD: u64 = 16;

/// The client and the server of a connection with a match.
pub(super) type Matched = (SocketAddr, SocketAddr);

/// The frames of matching connections, for `-w`.
#[derive(Debug)]
pub(super) struct Recording {
    /// Keeps and writes them.
    pub recorder: Recorder,
    /// Which connections match; closed when nothing more can.
    pub matched: mpsc::Receiver<Matched>,
}

/// Runs the pipeline and sends what comes out.
#[derive(Debug)]
pub(super) struct Feeder {
    pipeline: Pipeline,
    batch: Vec<Exchange>,
    sender: Sender,
    /// Whether the source may be made to wait.
    waits: bool,
    /// Whether a batch is sent before it is full when nothing more is at hand.
    eager: bool,
    source: SourceCounters,
    queue_dropped: u64,
    recording: Option<Recording>,
    progress: Progress,
    frames: u32,
}

impl Feeder {
    /// Feeds `sender`; a source that `waits` loses nothing, an `eager` one shows things at once.
    pub(super) fn new(limits: Limits, sender: Sender, waits: bool, eager: bool) -> Self {
        Self {
            pipeline: Pipeline::new(limits),
            batch: Vec::new(),
            sender,
            waits,
            eager,
            source: SourceCounters::default(),
            queue_dropped: 0,
            recording: None,
            progress: Progress::default(),
            frames: 0,
        }
    }

    /// Writes the frames of matching connections.
    #[must_use]
    pub(super) fn with_recording(mut self, recording: Option<Recording>) -> Self {
        self.recording = recording;
        self
    }

    /// The size of the file that is read, if it is one.
    #[must_use]
    pub(super) fn with_total(mut self, total: Option<u64>) -> Self {
        self.progress.total = total;
        self
    }

    /// The source has ended: everything unfinished leaves, then the counters, then `ended`.
    pub(super) fn finish(mut self, ended: Ended) {
        self.pipeline.finish(&mut self.batch);
        // At the end a full queue is waited for: the reader has nothing else to do than to empty it.
        self.waits = true;
        while !self.batch.is_empty() {
            let rest = self.batch.split_off(self.batch.len().min(BATCH));
            let whole = std::mem::replace(&mut self.batch, rest);
            let _ = self.send(Message::Exchanges(whole));
        }
        self.send_counters();
        let _ = self.send(Message::Ended(ended));
        let Self { sender, recording, .. } = self;
        if let Some(Recording { mut recorder, matched }) = recording {
            // The consumer tells which connections are wanted until it has seen everything.
            let written = matched.iter().try_for_each(|(client, server)| recorder.matched(client, server));
            if let Err(error) = written.and_then(|()| recorder.finish()) {
                let _ = sender.blocking_send(Message::Warning(error.to_string()));
            }
        }
    }

    /// Sends the batch if there is one.
    fn flush(&mut self) -> ControlFlow<()> {
        if self.batch.is_empty() {
            return ControlFlow::Continue(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.send(Message::Exchanges(batch))
    }

    fn send(&mut self, message: Message) -> ControlFlow<()> {
        if self.waits {
            return match self.sender.blocking_send(message) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            };
        }
        match self.sender.try_send(message) {
            Ok(()) => ControlFlow::Continue(()),
            Err(TrySendError::Full(message)) => {
                if let Message::Exchanges(batch) = message {
                    self.queue_dropped += batch.len() as u64;
                }
                ControlFlow::Continue(())
            }
            Err(TrySendError::Closed(_)) => ControlFlow::Break(()),
        }
    }

    fn send_counters(&mut self) {
        let source = SourceCounters { queue_dropped: self.queue_dropped, ..self.source };
        let _ = self.send(Message::Source(source));
        let counters = self.pipeline.counters();
        let _ = self.send(Message::Counters(Box::new(counters)));
    }

    fn record(&mut self, frame: &Frame<'_>) {
        let Some(recording) = &mut self.recording else { return };
        let written = recording
            .matched
            .try_iter()
            .try_for_each(|(client, server)| recording.recorder.matched(client, server))
            .and_then(|()| recording.recorder.frame(frame));
        if let Err(error) = written {
            self.warning(error.to_string());
        }
    }

    fn tell_progress(&mut self) {
        self.frames = 0;
        if self.progress.total.is_some() {
            let _ = self.send(Message::Progress(self.progress));
            self.send_counters();
        }
    }
}

impl Sink for Feeder {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.pipeline.ingest(frame, &mut self.batch);
        if let Some(notice) = decode::notice(frame) {
            self.warning(notice.to_string());
        }
        if self.recording.is_some() {
            self.record(frame);
        }
        self.progress.read += frame.data.len() as u64 + RECORD;
        self.frames += 1;
        if self.frames >= PROGRESS {
            self.tell_progress();
        }
        if self.batch.len() >= BATCH / 2 { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn tick(&mut self, now: Timestamp) -> ControlFlow<()> {
        self.pipeline.tick(now, &mut self.batch);
        self.flush()
    }

    fn pause(&mut self) {
        if self.eager && !self.batch.is_empty() {
            // Whoever has gone is noticed at the next frame.
            let _ = self.flush();
        }
    }

    fn counters(&mut self, counters: SourceCounters) {
        self.source = counters;
        if self.eager {
            self.send_counters();
            if let Some(recording) = &mut self.recording
                && let Err(error) = recording.recorder.flush()
            {
                self.warning(error.to_string());
            }
        }
    }

    fn warning(&mut self, text: String) {
        let _ = self.send(Message::Warning(text));
    }
}
