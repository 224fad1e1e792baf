//! What tools print of a conversation: `curl -v`, `curl --trace` and `--trace-ascii`, `wget -d`, and heads as they are on the
//! wire, which is what HTTPie, `.http` files and consoles show.
//!
//! Each reader tells the `Assembler` whose head or content a line is; it makes the exchanges.

mod assemble;
mod curl;
mod lines;
mod plain;
#[cfg(test)]
mod tests;
mod wget;

use std::io::BufRead;
use std::ops::ControlFlow;

use super::{ImportError, Recipient};
use assemble::Assembler;
use lines::Lines;

/// A kind of transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `curl -v`.
    Curl,
    /// `curl --trace` or `--trace-ascii`.
    CurlTrace,
    /// `wget -d`.
    Wget,
    /// Requests and responses without marks.
    Plain,
}

impl Kind {
    /// What `head` is the beginning of.
    pub(super) fn sniff(head: &[u8]) -> Option<Self> {
        let mut plain = false;
        for line in head.split(|byte| *byte == b'\n').map(lines::without_progress) {
            if curl::is_trace(line) {
                return Some(Self::CurlTrace);
            }
            if curl::is_marked(line) {
                return Some(Self::Curl);
            }
            if line.starts_with(b"---request begin---") {
                return Some(Self::Wget);
            }
            plain |= plain::is_request_line(line) || plain::is_status_line(line);
        }
        plain.then_some(Self::Plain)
    }

    /// Its name in the output.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl-verbose",
            Self::CurlTrace => "curl-trace",
            Self::Wget => "wget-debug",
            Self::Plain => "http-text",
        }
    }
}

/// Hands over the exchanges of a transcript.
pub(super) fn read<R: BufRead>(
    kind: Kind,
    input: R,
    body_limit: usize,
    recipient: &mut dyn Recipient,
) -> Result<(), ImportError> {
    let mut lines = Lines::new(input);
    let mut assembler = Assembler::new(kind, body_limit, recipient);
    let mut reader: Box<dyn Reader> = match kind {
        Kind::Curl => Box::new(curl::Verbose::default()),
        Kind::CurlTrace => Box::new(curl::Trace::default()),
        Kind::Wget => Box::new(wget::Debug::default()),
        Kind::Plain => Box::new(plain::Plain::default()),
    };
    while let Some(line) = lines.next().map_err(ImportError::Read)? {
        if reader.line(line, &mut assembler).is_break() {
            return Ok(());
        }
    }
    // Whoever breaks now has what there is.
    let _ = assembler.finish();
    if assembler.made == 0 {
        return Err(ImportError::NoExchange);
    }
    Ok(())
}

/// Reads one kind of transcript, line by line.
trait Reader {
    /// Takes a line without the progress that curl prints over it; it ends with its line break, where it has one.
    fn line(&mut self, line: &[u8], to: &mut Assembler<'_>) -> ControlFlow<()>;
}
