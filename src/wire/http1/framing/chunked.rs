//! Chunked transfer coding (RFC 9112 §7.1), with the lenient forms that receivers disagree about.

use crate::model::{Anomaly, AnomalySet};

/// What the next bytes were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// This many bytes of framing.
    Frame(usize),
    /// This many bytes of content.
    Data(usize),
    /// This many bytes of framing, after which the trailer section begins.
    Last(usize),
    /// The framing cannot be read from here on.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Size,
    Rest,
    RestCr,
    Data,
    DataEnd,
    DataEndCr,
}

/// Where a chunked body stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunked {
    at: At,
    /// The size being read, then the bytes of the chunk that are still to come.
    left: u64,
    digits: bool,
    extended: bool,
    /// What was odd so far.
    pub anomalies: AnomalySet,
}

impl Chunked {
    /// At the first chunk size.
    pub(crate) fn new() -> Self {
        Self { at: At::Size, left: 0, digits: false, extended: false, anomalies: AnomalySet::default() }
    }

    /// Looks at the next bytes, of which there must be some.
    pub(crate) fn step(&mut self, data: &[u8]) -> Step {
        if self.at == At::Data {
            let take = (data.len() as u64).min(self.left);
            self.left -= take;
            if self.left == 0 {
                self.at = At::DataEnd;
            }
            return Step::Data(take as usize);
        }
        for (index, byte) in data.iter().enumerate() {
            match self.byte(*byte) {
                None => return Step::Broken,
                Some(true) => {
                    let used = index + 1;
                    return if self.at == At::Data { Step::Frame(used) } else { Step::Last(used) };
                }
                Some(false) => {}
            }
        }
        Step::Frame(data.len())
    }

    /// Takes `len` missing bytes as content, if they lie inside a chunk.
    pub(crate) fn gap(&mut self, len: u64) -> bool {
        let inside = self.at == At::Data && len <= self.left;
        if inside {
            self.left -= len;
            if self.left == 0 {
                self.at = At::DataEnd;
            }
        }
        inside
    }

    /// One byte of framing: `Some(true)` when a size line has ended, `None` when it cannot be read.
    fn byte(&mut self, byte: u8) -> Option<bool> {
        match (self.at, byte) {
            (At::Size, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = (byte as char).to_digit(16).unwrap_or(0);
                self.left = self
                    .left
                    .checked_mul(16)
                    .and_then(|n| n.checked_add(u64::from(digit)))
                    .or_else(|| self.odd())?;
                self.digits = true;
            }
            (At::Size, b'x' | b'X') if self.digits && self.left == 0 => self.note(),
            (At::Size, b'_') if self.digits => self.note(),
            (At::Size | At::Rest, b'\r') => self.at = At::RestCr,
            (At::Size | At::Rest, b'\n') => {
                self.anomalies.insert(Anomaly::BareLf);
                return self.size_ends();
            }
            (At::Size, b' ' | b'\t') => self.at = At::Rest,
            (At::Size | At::Rest, b';') => {
                self.extended = true;
                self.anomalies.insert(Anomaly::ChunkExtension);
                self.at = At::Rest;
            }
            (At::Rest, _) => {
                if !self.extended && !matches!(byte, b' ' | b'\t') {
                    self.note();
                }
            }
            (At::RestCr, b'\n') => return self.size_ends(),
            (At::RestCr, _) => {
                self.anomalies.insert(Anomaly::BareCr);
                self.at = At::Rest;
            }
            (At::DataEnd, b'\r') => self.at = At::DataEndCr,
            (At::DataEnd, b'\n') => {
                self.anomalies.insert(Anomaly::BareLf);
                self.size_begins();
            }
            (At::DataEndCr, b'\n') => self.size_begins(),
            _ => return self.odd(),
        }
        Some(false)
    }

    fn size_begins(&mut self) {
        (self.at, self.left, self.digits, self.extended) = (At::Size, 0, false, false);
    }

    fn size_ends(&mut self) -> Option<bool> {
        if !self.digits {
            return self.odd();
        }
        self.at = if self.left == 0 { At::Size } else { At::Data };
        Some(true)
    }

    fn note(&mut self) {
        self.anomalies.insert(Anomaly::InvalidChunk);
        self.anomalies.insert(Anomaly::AmbiguousFraming);
    }

    fn odd<T>(&mut self) -> Option<T> {
        self.note();
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Chunked, Step};
    use crate::model::Anomaly;

    fn read(wire: &[u8], cut: usize) -> (Vec<u8>, Option<usize>, Chunked) {
        let (mut chunked, mut content, mut at) = (Chunked::new(), Vec::new(), 0);
        while at < wire.len() {
            let end = if at < cut { cut } else { wire.len() };
            match chunked.step(&wire[at..end]) {
                Step::Frame(used) => at += used,
                Step::Data(used) => {
                    content.extend_from_slice(&wire[at..at + used]);
                    at += used;
                }
                Step::Last(used) => return (content, Some(at + used), chunked),
                Step::Broken => break,
            }
        }
        (content, None, chunked)
    }

    #[test]
    fn plain_and_lenient_forms() {
        for (wire, content, anomaly) in [
            ("3\r\nabc\r\n0\r\n", "abc", None),
            ("3;x=y\r\nabc\r\n0\r\n", "abc", Some(Anomaly::ChunkExtension)),
            ("3  \r\nabc\r\n0\r\n", "abc", None),
            ("0x3\r\nabc\r\n0\r\n", "abc", Some(Anomaly::InvalidChunk)),
            ("1_0\r\n0123456789abcdef\r\n0\r\n", "0123456789abcdef", Some(Anomaly::InvalidChunk)),
            ("3\nabc\n0\n", "abc", Some(Anomaly::BareLf)),
            ("00000000000000000003\r\nabc\r\n0\r\n", "abc", None),
        ] {
            for cut in 0..wire.len() {
                let (got, end, chunked) = read(wire.as_bytes(), cut);
                assert_eq!((got.as_slice(), end), (content.as_bytes(), Some(wire.len())), "{wire:?} {cut}");
                assert_eq!(chunked.anomalies.iter().next().is_some(), anomaly.is_some(), "{wire:?}");
                assert!(anomaly.is_none_or(|anomaly| chunked.anomalies.contains(anomaly)), "{wire:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_broken() {
        for wire in ["\r\nabc", "10000000000000000\r\n", "g\r\n", "3\r\nabcX", "-1\r\n"] {
            let (_, end, chunked) = read(wire.as_bytes(), 0);
            assert_eq!(end, None, "{wire:?}");
            assert!(chunked.anomalies.contains(Anomaly::InvalidChunk), "{wire:?}");
        }
    }
}
