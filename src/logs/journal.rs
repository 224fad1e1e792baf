//! Log records in the order of their files, within bounds.

use std::collections::HashMap;

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
}

/// The records of every log that was given.
#[derive(Debug, Default)]
pub struct Journal {
    files: Vec<String>,
    records: std::collections::VecDeque<LogRecord>,
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
    /// Adds a log by its name; lines are added to the number that this returns.
    pub fn add_file(&mut self, name: &str) -> usize {
        self.files.push(name.to_owned());
        self.files.len() - 1
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
    /// The records, oldest first within a file.
    pub(super) fn records(&self) -> impl Iterator<Item = &LogRecord> {
        self.records.iter()
    }

    /// Adds the next line of `file`. A continuation line (a stack trace, an indented line) belongs to the record before.
    pub fn add_line(&mut self, file: usize, line: &[u8], patterns: &Patterns) {
        let number = self.lines.entry(file).or_default();
        *number += 1;
        let (number, text) = (*number, plain(line));
        if text.trim().is_empty() {
            return;
        }
        if is_continuation(&text)
            && let Some(last) = self.records.back_mut().filter(|last| last.file == file)
        {
            let room = MAX_RECORD.saturating_sub(last.text.len() + 1);
            let part = cut(&text, room);
            if !part.is_empty() {
                last.text.push('\n');
                last.text.push_str(part);
                self.bytes += part.len() + 1;
            }
            return;
        }
        let text = cut(&text, MAX_RECORD).to_owned();
        let facts = Facts::of(&text, patterns, self.year);
        self.bytes += text.len() + size_of::<LogRecord>();
        self.records.push_back(LogRecord { file, line: number, text, facts });
        while self.bytes > self.limit {
            let Some(oldest) = self.records.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(oldest.text.len() + size_of::<LogRecord>());
            self.dropped += 1;
        }
    }
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
    fn memory_is_bounded() {
        let patterns = Patterns::read(&crate::knowledge::Sources::default()).unwrap();
        let mut journal = Journal { limit: 100_000, ..Journal::new(2026) };
        let file = journal.add_file("app.log");
        for _ in 0..100 {
            journal.add_line(file, "x".repeat(20_000).as_bytes(), &patterns);
        }
        assert!(journal.bytes <= 100_000);
        assert!(journal.dropped() > 70);
    }
}
