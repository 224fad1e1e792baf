//! Log records in the order of their files, within bounds.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::batch::LogBatch;
use super::facts::Facts;
use super::patterns::Patterns;

/// Bytes of one record that are kept.
const MAX_RECORD: usize = 4096;
/// Bytes of records that are kept over all files; the oldest go first.
const MAX_BYTES: usize = 64 << 20;
/// Characters that begin the words of a continuation line.
const CONTINUATIONS: [&str; 6] = ["Caused by:", "at ", "... ", "Traceback (", "During handling", "\u{2502}"];

/// One record of a log: a line with its continuation lines.
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// Which file, see [`Journal::file`].
    pub(super) file: usize,
    /// Number of its first line in that file, from 1.
    pub(super) line: u64,
    /// The record without terminal colours, at most 4,096 bytes.
    pub(super) text: String,
    /// What identifies a request in it.
    pub(super) facts: Facts,
    /// When it came, by a clock that does not go back; zero for what was there at the start.
    pub(super) arrived: Duration,
}

/// One line of a log, read for what it says of a request. Made where the lines are read, so that whoever keeps the [`Journal`]
/// has little to do for each.
#[derive(Clone, Debug)]
pub struct LogLine {
    text: String,
    facts: Facts,
    /// Whether it belongs to the record before.
    is_continuation: bool,
}

impl LogLine {
    /// Reads a line; `None` where it is blank. `year` stands in where the log writes none.
    pub fn read(line: &[u8], patterns: &Patterns, year: i16) -> Option<Self> {
        let text = plain(line);
        if text.trim().is_empty() {
            return None;
        }
        let text = cut(&text, MAX_RECORD).to_owned();
        let is_continuation = is_continuation(&text);
        let facts = Facts::of(&text, patterns, year);
        Some(Self { text, facts, is_continuation })
    }
}

/// The records of every log that was given.
#[derive(Debug, Default)]
pub struct Journal {
    files: Vec<String>,
    records: VecDeque<LogRecord>,
    /// Number of the first record that is kept; records are numbered as they come, over all files.
    first: u64,
    /// Number of the last record of each file.
    last: HashMap<usize, u64>,
    lines: HashMap<usize, u64>,
    bytes: usize,
    /// Records that the bound has dropped.
    dropped: u64,
    /// Bytes of records that are kept.
    limit: usize,
    /// Stands in for the year where a log writes none.
    year: i16,
}

impl Journal {
    /// Empty; `year` stands in where a log writes none.
    pub fn new(year: i16) -> Self {
        Self { year, limit: MAX_BYTES, ..Self::default() }
    }
    /// The same with a bound of its own in bytes.
    pub fn with_limit(year: i16, limit: usize) -> Self {
        Self { limit, year, ..Self::default() }
    }
    /// Adds a log by its name; lines are added to the number that this returns.
    pub fn add_file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
    }
    /// Takes lines of logs that are followed, which came at `arrived`. The numbers of the logs are those of this journal: it
    /// has no other ones.
    pub fn take(&mut self, batch: LogBatch, arrived: Duration) {
        for (log, name) in batch.logs {
            let number = log as usize;
            // The numbers come in their order.
            if number == self.files.len() {
                self.files.push(name);
            }
        }
        for (log, number, line) in batch.lines {
            self.push(log as usize, number, line, arrived);
        }
    }
    /// Name of a file.
    pub fn file(&self, number: usize) -> &str {
        self.files.get(number).map_or("", String::as_str)
    }
    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// Records that were dropped to keep within the bound.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
    /// The records in the order in which they came.
    pub(super) fn records(&self) -> impl DoubleEndedIterator<Item = &LogRecord> {
        self.records.iter()
    }

    /// Adds the next line of `file`. A continuation line (a stack trace, an indented line) belongs to the record before.
    pub fn add_line(&mut self, file: usize, line: &[u8], patterns: &Patterns) {
        let number = self.lines.entry(file).or_default();
        *number += 1;
        let number = *number;
        if let Some(line) = LogLine::read(line, patterns, self.year) {
            self.push(file, number, line, Duration::ZERO);
        }
    }

    /// Adds `line`, which is the line `number` of `file` and came at `arrived` by any clock that does not go back.
    pub fn push(&mut self, file: usize, number: u64, line: LogLine, arrived: Duration) {
        if line.is_continuation && self.append(file, &line.text) {
            return;
        }
        let LogLine { text, facts, .. } = line;
        let record = LogRecord { file, line: number, text, facts, arrived };
        self.bytes += size_of_record(&record);
        self.last.insert(file, self.first + self.records.len() as u64);
        self.records.push_back(record);
        while self.bytes > self.limit {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(size_of_record(&oldest));
            self.first += 1;
            self.dropped += 1;
        }
    }

    /// Appends a continuation line to the last record of `file`, within its bound; whether there is one.
    fn append(&mut self, file: usize, text: &str) -> bool {
        let Some(at) = self.last.get(&file).and_then(|number| number.checked_sub(self.first)) else {
            return false;
        };
        let Some(last) = self.records.get_mut(usize::try_from(at).unwrap_or(usize::MAX)) else {
            return false;
        };
        let room = MAX_RECORD.saturating_sub(last.text.len() + 1);
        let part = cut(text, room);
        if !part.is_empty() {
            let before = last.text.capacity();
            last.text.push('\n');
            last.text.push_str(part);
            self.bytes += last.text.capacity() - before;
        }
        true
    }
}

/// Bytes that a record takes up.
fn size_of_record(record: &LogRecord) -> usize {
    let ids: usize = record.facts.ids.iter().map(|id| id.capacity() + size_of::<String>()).sum();
    let names = [&record.facts.method, &record.facts.path];
    let names: usize = names.into_iter().flatten().map(String::capacity).sum();
    size_of::<LogRecord>() + record.text.capacity() + ids + names
}

fn is_continuation(text: &str) -> bool {
    text.starts_with([' ', '\t']) || CONTINUATIONS.iter().any(|start| text.starts_with(start))
}

fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The line as text, without its end and without terminal colours (ECMA-48 SGR).
fn plain(line: &[u8]) -> String {
    let line = line.get(..line.len().min(MAX_RECORD * 2)).unwrap_or_default();
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end_matches(['\r', '\n']);
    if !text.contains('\u{1b}') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 2..).unwrap_or_default();
        let end = after.find(|c: char| !matches!(c, '0'..='9' | ';')).map_or(after.len(), |end| end + 1);
        rest = after.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(lines: &[&str]) -> Journal {
        let patterns = Patterns::read(&crate::knowledge::Sources::default()).unwrap();
        let mut journal = Journal::new(2026);
        let file = journal.add_file("app.log");
        for line in lines {
            journal.add_line(file, line.as_bytes(), &patterns);
        }
        journal
    }

    #[test]
    fn stack_traces_belong_to_their_first_line() {
        let journal = journal(&["ForbiddenError: no", "    at csrf (/srv/a.js:1:2)", "", "next"]);
        let found: Vec<_> = journal.records().map(|record| (record.line, record.text.as_str())).collect();
        assert_eq!(found, [(1, "ForbiddenError: no\n    at csrf (/srv/a.js:1:2)"), (4, "next")]);
    }

    #[test]
    fn colours_are_taken_out() {
        let journal = journal(&["\u{1b}[31m\u{1b}[1mPOST /x HTTP/1.1\u{1b}[0m 403"]);
        assert_eq!(journal.records().next().unwrap().text, "POST /x HTTP/1.1 403");
    }

    #[test]
    fn a_stack_trace_stays_with_its_record_between_the_lines_of_another_log() {
        let patterns = Patterns::read(&crate::knowledge::Sources::default()).unwrap();
        let mut journal = Journal::new(2026);
        let (app, access) = (journal.add_file("app.log"), journal.add_file("access.log"));
        for (file, line) in [
            (app, "ForbiddenError: no"),
            (access, "GET / 200"),
            (app, "    at csrf (/srv/a.js:1:2)"),
            (access, "GET / 200"),
        ] {
            journal.add_line(file, line.as_bytes(), &patterns);
        }
        let found: Vec<_> = journal.records().map(|record| record.text.as_str()).collect();
        assert_eq!(found, ["ForbiddenError: no\n    at csrf (/srv/a.js:1:2)", "GET / 200", "GET / 200"]);
    }

    #[test]
    fn memory_is_bounded() {
        let patterns = Patterns::read(&crate::knowledge::Sources::default()).unwrap();
        let mut journal = Journal::with_limit(2026, 100_000);
        let file = journal.add_file("app.log");
        for _ in 0..100 {
            journal.add_line(file, "x".repeat(20_000).as_bytes(), &patterns);
        }
        assert!(journal.bytes <= 100_000);
        assert!(journal.dropped() > 70);
    }
}
