//! The last lines of the far side's standard error, without what is expected there.

use std::collections::VecDeque;
use std::sync::Arc;

use super::losses::Losses;

/// Lines that are kept for an error message.
const KEPT_LINES: usize = 8;
/// Bytes of a line that are looked at.
const LINE: usize = 500;
/// The line with which the far side asks for sudo's password.
pub(super) const QUESTION: &str = "why403: sudo password?";

/// Takes standard error in as it comes. Bound: `KEPT_LINES` of `LINE` bytes.
#[derive(Debug)]
pub(super) struct Lines {
    line: Vec<u8>,
    kept: VecDeque<String>,
    losses: Arc<Losses>,
    has_question: bool,
}

impl Lines {
    pub(super) fn new(losses: Arc<Losses>) -> Self {
        Self { line: Vec::new(), kept: VecDeque::new(), losses, has_question: false }
    }

    /// The next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = LINE - self.line.len().min(LINE);
            self.line.extend_from_slice(piece.get(..room.min(piece.len())).unwrap_or_default());
            if piece.ends_with(b"\n") {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).trim().to_owned();
        if line == QUESTION {
            self.has_question = true;
            return;
        }
        let is_expected = ["listening on", "data link type"].iter().any(|words| line.contains(words))
            || is_shells_notice(&line);
        if !line.is_empty() && !is_expected && !self.losses.take_in(&line) {
            self.kept.push_back(line);
        }
        if self.kept.len() > KEPT_LINES {
            self.kept.pop_front();
        }
    }

    /// Whether the password was asked for since the last call.
    pub(super) const fn take_question(&mut self) -> bool {
        std::mem::replace(&mut self.has_question, false)
    }

    /// The last lines.
    pub(super) fn finish(mut self) -> Vec<String> {
        self.end_line();
        self.kept.into()
    }
}

/// Whether a line is a shell's word about a process that was ended, which says nothing about the reason.
fn is_shells_notice(line: &str) -> bool {
    let last = line.rsplit(": ").next().unwrap_or(line);
    let last = last.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    ["Terminated", "Killed"].iter().any(|word| last == *word || last.starts_with(&format!("{word}  ")))
}

#[cfg(test)]
mod tests {
    use super::{KEPT_LINES, Lines, QUESTION};

    fn kept(text: &[u8], step: usize) -> Vec<String> {
        let mut lines = Lines::new(std::sync::Arc::default());
        text.chunks(step).for_each(|piece| lines.push(piece));
        lines.finish()
    }

    #[test]
    fn the_last_lines_are_kept_without_greetings_counts_and_notices() {
        let text = b"tcpdump: listening on any\n\nsh: 1: oops\n3 packets captured\nTerminated\n\
            bash: line 1:   123 Terminated              tcpdump -i any\nthe end";
        for step in [1, 7, 1000] {
            assert_eq!(kept(text, step), ["sh: 1: oops", "the end"]);
        }
        let flood = vec![b'x'; 70_000];
        assert_eq!(kept(&flood, 4096), [String::from_utf8(flood[..500].to_vec()).unwrap()]);
        assert_eq!(kept(b"a\n".repeat(100_000).as_slice(), 4096).len(), KEPT_LINES);
    }

    #[test]
    fn a_question_is_no_error() {
        let mut lines = Lines::new(std::sync::Arc::default());
        lines.push(format!("{QUESTION}\n").as_bytes());
        assert!(lines.take_question());
        assert!(!lines.take_question());
        assert!(lines.finish().is_empty());
    }
}
