//! Bytes cut into numbered lines, with a bound.

use std::io;

use super::message::MAX_TEXT;

/// Takes lines.
pub(super) trait LineSink {
    /// The line `number` without its line break.
    fn line(&mut self, number: u64, text: &[u8]) -> io::Result<()>;
}

/// Lines that were cut.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut {
    /// How many.
    pub(super) lines: u64,
}

/// Cuts bytes into lines however they come.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    /// Lines so far.
    number: u64,
    /// The beginning of the line whose end has not come yet; at most 64 KiB, the rest is left out.
    partial: Vec<u8>,
    /// Whether the line is longer than that.
    overlong: bool,
    /// Whether the line began before what is read: it is counted and not given.
    headless: bool,
}

impl Splitter {
    /// Behind `number` whole lines; `within` the next one.
    pub(super) fn at(number: u64, within: bool) -> Self {
        Self { number, headless: within, ..Self::default() }
    }

    /// Takes `bytes`.
    pub(super) fn feed(&mut self, bytes: &[u8], sink: &mut dyn LineSink, cut: &mut Cut) -> io::Result<()> {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            self.number += 1;
            if std::mem::take(&mut self.headless) {
                self.partial.clear();
            } else if self.partial.is_empty() && line.len() <= MAX_TEXT {
                sink.line(self.number, without_return(line))?;
            } else {
                self.extend(line);
                cut.lines += u64::from(std::mem::take(&mut self.overlong));
                sink.line(self.number, without_return(&self.partial))?;
                self.partial.clear();
            }
        }
        if !self.headless {
            self.extend(rest);
        }
        Ok(())
    }

    /// Gives the last line, should it have no line break.
    pub(super) fn finish(&mut self, sink: &mut dyn LineSink) -> io::Result<()> {
        if self.partial.is_empty() {
            return Ok(());
        }
        self.number += 1;
        let line = std::mem::take(&mut self.partial);
        sink.line(self.number, without_return(&line))
    }

    fn extend(&mut self, part: &[u8]) {
        let room = MAX_TEXT.saturating_sub(self.partial.len());
        self.overlong |= part.len() > room;
        self.partial.extend_from_slice(part.get(..part.len().min(room)).unwrap_or_default());
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}
