//! The server's logs of this run. Beside a capture that is read whole they are read to their end before the sandbox is entered;
//! beside one that goes on they are followed by a process of its own (`source::logs`), whose lines a thread reads and hands on.

use std::io;
use std::sync::Arc;
use std::thread;

use super::{AppError, Input, say};
use crate::explain::inspector::ServerLogs;
use crate::feed::{CAPACITY, Message, Sender};
use crate::knowledge;
use crate::logs::{Journal, LogBatch, LogLine, Patterns};
use crate::source::Origin;
use crate::source::logs::{LogEvent, LogInput, LogReader};

/// Lines that are handed on together, at most.
const BATCH: usize = 256;
/// Bytes of records that are kept of logs that are followed.
const MAX_BYTES: usize = 24 << 20;
/// Bytes before the end of a log that are read beside a capture that began before now.
const BACK: u64 = 16 << 20;
/// While the queue is this full its places are left to the capture.
const RESERVED: usize = CAPACITY / 2;
/// Between two looks at a queue that is too full.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// Reads everything that `words` name to its end; `None` without any.
pub(super) fn read(words: &[String]) -> Result<Option<ServerLogs>, AppError> {
    if words.is_empty() {
        return Ok(None);
    }
    let patterns = patterns()?;
    let mut journal = Journal::new(year());
    for word in words {
        for log in LogInput::open(word)? {
            let file = journal.add_file(&log.name);
            log.read(|line| journal.add_line(file, line, &patterns))?;
        }
    }
    if journal.dropped() > 0 {
        say(&format!(
            "logs: {} of the oldest records were dropped; name fewer or smaller files",
            journal.dropped()
        ));
    }
    Ok(Some(ServerLogs { journal, patterns: Arc::new(patterns) }))
}

/// Logs that are followed: where their lines come from, and what is known of words.
pub(super) struct Followed {
    reader: LogReader,
    patterns: Arc<Patterns>,
    year: i16,
}

impl Followed {
    /// Starts the process that follows what `words` name, beside `input`; `None` without any.
    pub(super) fn start(words: &[String], input: &Input) -> Result<Option<Self>, AppError> {
        if words.is_empty() {
            return Ok(None);
        }
        let is_past = matches!(input, Input::Capture(Origin::File(_) | Origin::Stdin, _));
        let reader = LogReader::start(words, if is_past { BACK } else { 0 })?;
        Ok(Some(Self { reader, patterns: Arc::new(patterns()?), year: year() }))
    }

    /// Where the lines are kept.
    pub(super) fn logs(&self) -> ServerLogs {
        let journal = Journal::with_limit(self.year, MAX_BYTES);
        ServerLogs { journal, patterns: Arc::clone(&self.patterns) }
    }

    /// Hands the lines to `sender` until nobody takes them, on a thread of its own.
    pub(super) fn run(self, sender: Sender) -> Result<(), AppError> {
        let Self { reader, patterns, year } = self;
        thread::Builder::new()
            .name("logs".into())
            .spawn(move || {
                let failed =
                    Feed { sender: sender.clone(), patterns, year, warned: (0, 0) }.run(reader).err();
                let why = failed.map_or_else(String::new, |error| format!(": {error}"));
                // Nobody to tell it when the consumer is gone.
                let _ = sender
                    .blocking_send(Message::Warning(format!("logs: the log reader process ended{why}")));
            })
            .map(drop)
            .map_err(|reason| AppError::System { what: "cannot start a thread", reason })
    }
}

fn patterns() -> Result<Patterns, AppError> {
    Patterns::read(knowledge::current()).map_err(|error| AppError::Knowledge(error.to_string()))
}

fn year() -> i16 {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year()
}

/// The thread between the process and the consumer.
struct Feed {
    sender: Sender,
    patterns: Arc<Patterns>,
    year: i16,
    /// Lines cut and bytes lost when that was last said.
    warned: (u64, u64),
}

impl Feed {
    fn run(&mut self, mut reader: LogReader) -> io::Result<()> {
        let mut batch = LogBatch::default();
        loop {
            let Some(event) = reader.next_event()? else { return Ok(()) };
            let warning = match event {
                LogEvent::Log { log, name } => {
                    batch.logs.push((log, name));
                    None
                }
                LogEvent::Line { log, number, text } => {
                    let line = LogLine::read(&text, &self.patterns, self.year);
                    batch.lines.extend(line.map(|line| (log, number, line)));
                    None
                }
                LogEvent::Cut(lines) => self.more(lines, 0),
                LogEvent::Lost(bytes) => self.more(0, bytes),
                LogEvent::Warning(text) => Some(text),
                LogEvent::Ready | LogEvent::Failed(_) => None,
            };
            if let Some(text) = warning {
                self.send(Message::Warning(text))?;
            }
            if !batch.is_empty() && (batch.lines.len() >= BATCH || !reader.has_more()) {
                self.send(Message::Logs(std::mem::take(&mut batch)))?;
            }
        }
    }

    /// Says losses the first time and whenever they have doubled.
    fn more(&mut self, cut: u64, lost: u64) -> Option<String> {
        if cut >= (self.warned.0 * 2).max(1) {
            self.warned.0 = cut;
            return Some(format!("logs: {cut} lines were longer than 64 KiB and are cut"));
        }
        if lost >= (self.warned.1 * 2).max(1) {
            self.warned.1 = lost;
            return Some(format!(
                "logs: {lost} bytes went before they were read: rotated or truncated too fast"
            ));
        }
        None
    }

    fn send(&self, message: Message) -> io::Result<()> {
        // The capture must find room: its frames would be lost, the log's lines only wait.
        while self.sender.capacity() <= RESERVED && !self.sender.is_closed() {
            thread::sleep(PAUSE);
        }
        self.sender.blocking_send(message).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
