//! The capture side: frames into the pipeline, exchanges out in batches.
//!
//! A live source is never made to wait for whoever takes them (see [`crate::app::outbox`]). A file is.

mod clock_jumps;
pub(super) mod reclaim;

use std::mem;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::mpsc;

use crate::app::bug;
use crate::app::capture::clock_jumps::Steps;
use crate::app::capture::reclaim::{Spent, size_of_exchange};
use crate::app::outbox::{ENOUGH, MESSAGE, Outbox};
use crate::export::pcapng::Recorder;
use crate::feed::{Ended, Message, Progress, Sender};
use crate::model::{Annotation, Counters, Exchange, Frame, SourceCounters, Timestamp};
use crate::source::{Sink, Stop};
use crate::wire::decode;
use crate::wire::pipeline::{Limits, Pipeline};

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

/// Feeds the pipeline and sends what comes out.
#[derive(Debug)]
pub(super) struct Feeder {
    pipeline: Pipeline,
    /// What comes back to be freed here, where it was allocated.
    spent: Option<Spent>,
    batch: Vec<Exchange>,
    /// Exchanges at the front of `batch` that are counted in `bytes`.
    counted: usize,
    bytes: usize,
    outbox: Outbox,
    /// Whether a batch is sent before it is full when nothing more is at hand.
    eager: bool,
    source: SourceCounters,
    /// Exchanges that did not come through the pipeline.
    imported: Counters,
    recording: Option<Recording>,
    progress: Progress,
    frames: u32,
    /// When the newest frame was captured.
    now: Timestamp,
    steps: Steps,
    /// Whether a quiet source says what time it is.
    ticks: bool,
    /// The second in which the counters were told last, and how much had been read then.
    told: (i64, u64),
    outcome: Outcome,
}

/// What a capture came to besides its frames.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The capture was damaged or cut short.
    pub damaged: bool,
    /// `-w` stopped before the capture did.
    pub incomplete: bool,
    /// The words of a bug that ended it.
    pub bug: Option<String>,
}

impl Feeder {
    /// Feeds `sender`; a source that `waits` loses nothing, an `eager` one shows things at once.
    pub(super) fn new(limits: Limits, sender: Sender, waits: bool, eager: bool) -> Self {
        Self {
            pipeline: Pipeline::new(limits),
            spent: None,
            batch: Vec::new(),
            counted: 0,
            bytes: 0,
            outbox: Outbox::new(sender, waits),
            eager,
            source: SourceCounters::default(),
            imported: Counters::default(),
            recording: None,
            progress: Progress::default(),
            frames: 0,
            now: Timestamp::default(),
            steps: Steps::default(),
            ticks: false,
            told: (0, 0),
            outcome: Outcome::default(),
        }
    }

    /// What comes back is freed on the capture thread.
    #[must_use]
    pub(super) fn with_spent(mut self, spent: Spent) -> Self {
        self.spent = Some(spent);
        self
    }

    /// Writes the frames of matching connections.
    #[must_use]
    pub(super) fn with_recording(mut self, recording: Option<Recording>) -> Self {
        self.recording = recording;
        self
    }

    /// The source says what time it is when it is quiet.
    #[must_use]
    pub(super) fn with_ticks(mut self, ticks: bool) -> Self {
        self.ticks = ticks;
        self
    }

    /// The size of the file that is read, if it is one.
    #[must_use]
    pub(super) fn with_total(mut self, total: Option<u64>) -> Self {
        self.progress.total = total;
        self
    }

    /// Lets `source` feed this until it ends, and brings everything to its end. A bug in a parser ends the capture, and
    /// what was understood before it is kept.
    pub(super) fn run<E: ToString>(
        mut self,
        stop: &Stop,
        source: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> (Result<(), E>, Outcome) {
        let (source, ended) = match bug::catch(|| source(&mut self)) {
            Ok(Ok(())) if stop.is_set() => (Ok(()), Ended::Stopped("stopped".into())),
            Ok(Ok(())) => (Ok(()), Ended::Whole),
            Ok(Err(error)) => {
                let told = error.to_string();
                (Err(error), Ended::Failed(told))
            }
            Err(words) => {
                self.outcome.bug = Some(words.clone());
                (Ok(()), Ended::Failed(words))
            }
        };
        (source, self.finish(ended))
    }

    /// The source has ended: everything unfinished leaves, then the counters, then `ended`.
    pub(super) fn finish(mut self, ended: Ended) -> Outcome {
        // After a bug the pipeline may be in disorder.
        if self.outcome.bug.is_none() {
            self.pipeline.finish(&mut self.batch);
        }
        // At the end a full queue is waited for: the reader has nothing else to do than to empty it.
        self.outbox.wait();
        let _ = self.flush();
        self.send_counters();
        let _ = self.send(Message::Ended(ended));
        if let Some(Recording { mut recorder, matched }) = self.recording.take() {
            // The consumer tells which connections are wanted until it has seen everything.
            let written = matched.iter().try_for_each(|(client, server)| recorder.matched(client, server));
            if let Err(error) = written.and_then(|()| recorder.finish()) {
                self.outcome.incomplete = true;
                let _ = self.outbox.send(Message::Warning(error.to_string()));
            }
        }
        self.outcome
    }

    /// Takes an exchange of an earlier run; breaks when nobody wants more.
    pub(super) fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()> {
        self.batch.push(exchange);
        if self.is_full() { self.flush() } else { ControlFlow::Continue(()) }
    }

    /// Sends what was gathered.
    fn flush(&mut self) -> ControlFlow<()> {
        self.spent.iter().flat_map(Spent::try_iter).for_each(drop);
        let bytes = self.bytes + self.count();
        (self.counted, self.bytes) = (0, 0);
        let room = if self.eager { 0 } else { ENOUGH };
        self.outbox.exchanges(mem::replace(&mut self.batch, Vec::with_capacity(room)), bytes)
    }

    /// Bytes of what has come since the last time.
    fn count(&mut self) -> usize {
        let new = self.batch.get(self.counted..).unwrap_or_default();
        self.counted = self.batch.len();
        new.iter().map(size_of_exchange).sum()
    }

    /// Whether the batch is worth a message.
    fn is_full(&mut self) -> bool {
        self.bytes += self.count();
        self.bytes >= MESSAGE || self.counted >= ENOUGH
    }

    /// Sends what may be lost.
    fn send(&mut self, message: Message) -> ControlFlow<()> {
        self.outbox.send(message)
    }

    fn send_counters(&mut self) {
        let source = SourceCounters { queue_dropped: self.outbox.dropped(), ..self.source };
        let _ = self.send(Message::Source(source));
        let mut counters = self.pipeline.counters();
        counters.add(&self.imported);
        let _ = self.send(Message::Counters(Box::new(counters)));
    }

    /// Tells the counters of a source that does so seldom or never itself, once a second, when something came.
    fn keep_told(&mut self, now: Timestamp) {
        let (second, read) = (now.0.div_euclid(1_000_000_000), self.progress.read);
        if self.eager && self.told.0 != second && self.told.1 != read {
            self.told = (second, read);
            self.send_counters();
        }
    }

    /// Says when the clock of a running capture was set.
    fn watch_clock(&mut self, time: Timestamp) {
        if let Some(words) = self.steps.frame(time, self.ticks) {
            self.warning(words);
        }
    }

    fn record(&mut self, frame: &Frame<'_>) {
        let Some(recording) = &mut self.recording else { return };
        let written = recording
            .matched
            .try_iter()
            .try_for_each(|(client, server)| recording.recorder.matched(client, server))
            .and_then(|()| recording.recorder.frame(frame));
        if let Err(error) = written {
            self.outcome.incomplete = true;
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
        self.now = frame.time;
        if self.eager {
            self.watch_clock(frame.time);
        }
        if self.frames >= PROGRESS {
            self.tell_progress();
        }
        if !self.batch.is_empty() && self.is_full() { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn wants_annotations(&self) -> bool {
        self.recording.is_some()
    }

    fn annotation(&mut self, annotation: Annotation<'_>) {
        if let Some(recording) = &mut self.recording {
            recording.recorder.annotation(&annotation);
        }
    }

    fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()> {
        if self.recording.take().is_some() {
            self.outcome.incomplete = true;
            self.warning("-w writes frames, and this file has none: use --export har=FILE".into());
        }
        self.imported.requests += u64::from(exchange.request.is_some());
        self.imported.exchanges += u64::from(exchange.request.is_some());
        self.imported.orphan_responses += u64::from(exchange.request.is_none());
        self.imported.responses += u64::from(exchange.response.is_some());
        self.now = exchange.started();
        self.batch.push(exchange);
        if self.is_full() { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn tick(&mut self, now: Timestamp) -> ControlFlow<()> {
        self.pipeline.tick(now, &mut self.batch);
        self.steps.quiet(now);
        self.keep_told(now);
        self.flush()
    }

    fn pause(&mut self) {
        if self.eager && !(self.batch.is_empty() && self.outbox.is_empty()) {
            // Whoever has gone is noticed at the next frame.
            let _ = self.flush();
        }
        self.keep_told(self.now);
    }

    fn counters(&mut self, counters: SourceCounters) {
        self.source = counters;
        if self.eager {
            self.send_counters();
            if let Some(recording) = &mut self.recording
                && let Err(error) = recording.recorder.flush()
            {
                self.outcome.incomplete = true;
                self.warning(error.to_string());
            }
        }
    }

    fn warning(&mut self, text: String) {
        let _ = self.send(Message::Warning(text));
    }

    fn damage(&mut self, text: String) {
        self.outcome.damaged = true;
        self.warning(text);
    }
}

#[cfg(test)]
mod tests {
    use super::{ENOUGH, Feeder, Recording};
    use crate::export::pcapng::{CaptureFile, Recorder, RecorderLimits, Rotation};
    use crate::feed::{BATCH, Ended, Message, Receiver, Sender};
    use crate::model::{Exchange, Timestamp};
    use crate::source::{Sink, Stop};
    use crate::synth::Conversation;
    use crate::wire::pipeline::Limits;

    fn frames(count: u16) -> Vec<crate::synth::MadeFrame> {
        (0..count)
            .flat_map(|number| {
                let client = format!("192.0.2.{}:{}", number / 200 + 1, 10_000 + number).parse().unwrap();
                let time = Timestamp(i64::from(number) * 1_000_000);
                Conversation::new(client, "192.0.2.250:80".parse().unwrap())
                    .handshake(time)
                    .client(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", time)
                    .server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", time)
                    .fin(time)
                    .into_frames()
            })
            .collect()
    }

    fn channel(capacity: usize) -> (Sender, Receiver) {
        tokio::sync::mpsc::channel(capacity)
    }

    fn drain(receiver: &mut Receiver) -> (Vec<Exchange>, u64) {
        let (mut exchanges, mut dropped) = (Vec::new(), 0);
        while let Ok(message) = receiver.try_recv() {
            match message {
                Message::Exchanges(batch) => {
                    assert!(batch.len() <= BATCH);
                    exchanges.extend(batch);
                }
                Message::Source(counters) => dropped = counters.queue_dropped,
                _ => {}
            }
        }
        (exchanges, dropped)
    }

    #[test]
    fn a_live_source_holds_back_what_finds_the_queue_full() {
        let (sender, mut receiver) = channel(1);
        let mut feeder = Feeder::new(Limits::default(), sender, false, true);
        for made in frames(3000) {
            assert!(feeder.frame(&made.frame()).is_continue());
            feeder.pause();
        }
        let (mut exchanges, _) = drain(&mut receiver);
        assert!(exchanges.len() < ENOUGH);
        while !feeder.outbox.is_empty() {
            feeder.pause();
            exchanges.extend(drain(&mut receiver).0);
        }
        assert_eq!((exchanges.len(), feeder.outbox.dropped()), (3000, 0));
    }

    #[test]
    fn a_clock_that_is_set_is_told_once_and_loses_nothing() {
        let (sender, mut receiver) = channel(64);
        let mut feeder = Feeder::new(Limits::default(), sender, false, true).with_ticks(true);
        let made = frames(20);
        for (number, step) in [0, 86_400, -86_400, 0].into_iter().enumerate() {
            for made in &made[number * made.len() / 4..(number + 1) * made.len() / 4] {
                let frame = made.frame();
                let time = frame.time.plus(step * 1_000_000_000);
                assert!(feeder.frame(&crate::model::Frame { time, ..frame }).is_continue());
            }
        }
        feeder.finish(Ended::Whole);
        let (mut exchanges, mut told) = (0, Vec::new());
        while let Ok(message) = receiver.try_recv() {
            match message {
                Message::Exchanges(batch) => exchanges += batch.len(),
                Message::Warning(text) => told.push(text),
                _ => {}
            }
        }
        assert_eq!((exchanges, told.len()), (20, 1), "{told:?}");
        assert!(told[0].contains("set ahead"), "{told:?}");
    }

    #[test]
    fn a_file_waits_for_the_reader_and_loses_nothing() {
        let (sender, mut receiver) = channel(1);
        let reader = std::thread::spawn(move || {
            let mut count = 0;
            while let Some(message) = receiver.blocking_recv() {
                match message {
                    Message::Exchanges(batch) => count += batch.len(),
                    Message::Ended(ended) => return (count, ended),
                    _ => {}
                }
            }
            panic!("no end");
        });
        let mut feeder = Feeder::new(Limits::default(), sender, true, false);
        for made in frames(2000) {
            assert!(feeder.frame(&made.frame()).is_continue());
        }
        feeder.finish(Ended::Whole);
        assert_eq!(reader.join().unwrap(), (2000, Ended::Whole));
    }

    #[test]
    fn a_bug_in_the_capture_keeps_what_was_understood_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kept.pcapng");
        let file = CaptureFile::create(&path, Rotation::default()).unwrap();
        let (tell, matched) = std::sync::mpsc::channel();
        let recorder = Recorder::new(file, RecorderLimits::default());
        let (sender, mut receiver) = channel(8);
        let made = frames(20);
        let client: std::net::SocketAddr = "192.0.2.1:10000".parse().unwrap();
        let feeder = Feeder::new(Limits::default(), sender, false, true)
            .with_recording(Some(Recording { recorder, matched }));
        let (source, outcome) = feeder.run(&Stop::new().unwrap(), move |feeder| {
            for made in &made {
                assert!(feeder.frame(&made.frame()).is_continue());
            }
            tell.send((client, "192.0.2.250:80".parse().unwrap())).unwrap();
            drop(tell);
            if feeder.frames > 0 { panic!("a parser met \u{1b}[2J") } else { Ok::<(), String>(()) }
        });
        assert!(source.is_ok() && outcome.bug.is_some() && !outcome.incomplete);
        let mut seen = 0;
        let mut ended = None;
        while let Ok(message) = receiver.try_recv() {
            match message {
                Message::Exchanges(batch) => seen += batch.len(),
                Message::Ended(how) => ended = Some(how),
                _ => {}
            }
        }
        assert_eq!(seen, 20);
        assert!(matches!(ended, Some(Ended::Failed(_))), "{ended:?}");
        assert!(std::fs::metadata(&path).unwrap().len() > 500);
    }

    #[test]
    fn nobody_listens_any_more() {
        let (sender, receiver) = channel(1);
        drop(receiver);
        let mut feeder = Feeder::new(Limits::default(), sender, true, false);
        assert!(frames(2000).iter().any(|made| feeder.frame(&made.frame()).is_break()));
    }
}
