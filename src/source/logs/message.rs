//! What the log reader process and the inspector say to each other: one direction, over a pipe.
//!
//! A message is a kind (1 byte), a number (8 bytes), a log (4 bytes), a length (4 bytes) and as many bytes of text, all numbers
//! big-endian. The reader of the pipe trusts none of it: lengths are bounded.

use std::io::{self, Read, Write};

/// Bytes of text of one message, at most.
pub(super) const MAX_TEXT: usize = 64 << 10;
/// Bytes before the text.
const HEAD: usize = 17;

/// What the log reader process tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// Every log is open and followed.
    Ready,
    /// A log that was opened; lines of it carry its number.
    Log {
        /// Its number.
        log: u32,
        /// Its name, as findings show it.
        name: String,
    },
    /// A line.
    Line {
        /// Of which log.
        log: u32,
        /// Number of the line in its file, from 1.
        number: u64,
        /// The line without its line break, at most 64 KiB.
        text: Vec<u8>,
    },
    /// So many lines were longer than 64 KiB and are cut, since the start.
    Cut(u64),
    /// So many bytes went before they could be read, since the start: the log was rotated or truncated too fast.
    Lost(u64),
    /// Something a person should know.
    Warning(String),
    /// The logs cannot be read; nothing more comes.
    Failed(String),
}

impl LogEvent {
    /// Writes it.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (kind, number, log, text): (u8, u64, u32, &[u8]) = match self {
            Self::Ready => (b'R', 0, 0, b""),
            Self::Log { log, name } => (b'N', 0, *log, name.as_bytes()),
            Self::Line { log, number, text } => (b'L', *number, *log, text),
            Self::Cut(count) => (b'C', *count, 0, b""),
            Self::Lost(bytes) => (b'X', *bytes, 0, b""),
            Self::Warning(text) => (b'W', 0, 0, text.as_bytes()),
            Self::Failed(text) => (b'E', 0, 0, text.as_bytes()),
        };
        line(out, kind, number, log, text)
    }

    /// Reads the next one; `None` at the end.
    pub(super) fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut head = [0; HEAD];
        if input.read(head.get_mut(..1).unwrap_or_default())? == 0 {
            return Ok(None);
        }
        input.read_exact(head.get_mut(1..).unwrap_or_default())?;
        let [kind, n0, n1, n2, n3, n4, n5, n6, n7, l0, l1, l2, l3, t0, t1, t2, t3] = head;
        let number = u64::from_be_bytes([n0, n1, n2, n3, n4, n5, n6, n7]);
        let log = u32::from_be_bytes([l0, l1, l2, l3]);
        let length = u32::from_be_bytes([t0, t1, t2, t3]) as usize;
        if length > MAX_TEXT {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; length];
        input.read_exact(&mut text)?;
        let words = |text: Vec<u8>| String::from_utf8_lossy(&text).into_owned();
        Ok(Some(match kind {
            b'R' => Self::Ready,
            b'N' => Self::Log { log, name: words(text) },
            b'L' => Self::Line { log, number, text },
            b'C' => Self::Cut(number),
            b'X' => Self::Lost(number),
            b'W' => Self::Warning(words(text)),
            b'E' => Self::Failed(words(text)),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }))
    }
}

/// Writes the message of a line without making a value of it.
pub(super) fn line(out: &mut impl Write, kind: u8, number: u64, log: u32, text: &[u8]) -> io::Result<()> {
    let text = text.get(..text.len().min(MAX_TEXT)).unwrap_or_default();
    out.write_all(&[kind])?;
    out.write_all(&number.to_be_bytes())?;
    out.write_all(&log.to_be_bytes())?;
    out.write_all(&(text.len() as u32).to_be_bytes())?;
    out.write_all(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let all = [
            LogEvent::Log { log: 3, name: "error.log".into() },
            LogEvent::Ready,
            LogEvent::Line { log: 3, number: 1 << 40, text: b"\xff denied".to_vec() },
            LogEvent::Line { log: 0, number: 1, text: Vec::new() },
            LogEvent::Cut(2),
            LogEvent::Lost(4096),
            LogEvent::Warning("docker: no such container".into()),
            LogEvent::Failed("--log x: no such file".into()),
        ];
        let mut bytes = Vec::new();
        for one in &all {
            one.write(&mut bytes).unwrap();
        }
        let mut input = bytes.as_slice();
        let found: Vec<LogEvent> = std::iter::from_fn(|| LogEvent::read(&mut input).unwrap()).collect();
        assert_eq!(found, all);
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        for bytes in [&b"L"[..], &[b'Z'; 17], &[b'L'; 17]] {
            assert!(LogEvent::read(&mut &*bytes).is_err(), "{bytes:?}");
        }
    }
}
