//! What the fields of a head say about framing and the connection (RFC 9112 §6), with what is odd about it.

use crate::model::{Anomaly, AnomalySet, Version};

/// What Content-Length says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Length {
    /// There is none.
    #[default]
    Absent,
    /// This many bytes; the first value when values differ, the sender's likely intent when it is malformed.
    Bytes(u64),
    /// No number can be read from it.
    Unreadable,
}

/// Which protocol an Upgrade field asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Upgrade {
    /// None.
    #[default]
    No,
    /// `h2c`
    Http2,
    /// `websocket`
    WebSocket,
    /// Another one.
    Other,
}

/// What the fields of a head say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// Content-Length.
    pub length: Length,
    /// Whether Transfer-Encoding is present.
    pub coded: bool,
    /// Whether chunked framing applies.
    pub chunked: bool,
    /// Whether chunked is the last transfer coding. A response's content ends with the connection where it is not (RFC 9112 §6.3).
    pub is_chunked_last: bool,
    /// `Expect: 100-continue`.
    pub expects: bool,
    /// Upgrade.
    pub upgrade: Upgrade,
    /// Number of Host fields.
    pub hosts: u32,
    /// What is odd.
    pub anomalies: AnomalySet,
    after_chunked: bool,
}

impl Facts {
    /// Takes one field line in.
    #[inline]
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        /// The lengths of the names that matter, as bits.
        const LENGTHS: u32 = 1 << 4 | 1 << 6 | 1 << 7 | 1 << 14 | 1 << 17;
        if name.len() < 32 && LENGTHS & (1 << name.len()) != 0 {
            self.relevant(name, value);
        }
    }

    fn relevant(&mut self, name: &[u8], value: &[u8]) {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.hosts += 1,
            6 if name.eq_ignore_ascii_case(b"expect") => {
                self.expects |= value.eq_ignore_ascii_case(b"100-continue");
            }
            7 if name.eq_ignore_ascii_case(b"upgrade") => self.upgrade = upgrade(value),
            14 if name.eq_ignore_ascii_case(b"content-length") => self.content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => self.transfer_encoding(value),
            _ => {}
        }
    }

    /// What can be said once all fields are in.
    pub(crate) fn conclude(&mut self, version: Version) {
        if self.coded && self.length != Length::Absent {
            self.anomalies.insert(Anomaly::TransferEncodingWithContentLength);
            self.anomalies.insert(Anomaly::AmbiguousFraming);
        }
        if self.coded && version == Version::Http10 {
            self.anomalies.insert(Anomaly::AmbiguousFraming);
        }
    }

    /// What can be said of a request once all fields are in.
    pub(crate) fn conclude_request(&mut self, version: Version) {
        self.conclude(version);
        if self.hosts == 0 && version == Version::Http11 {
            self.anomalies.insert(Anomaly::MissingHost);
        }
        if self.hosts > 1 {
            self.anomalies.insert(Anomaly::DuplicateHost);
        }
        if self.coded && !self.chunked {
            self.anomalies.insert(Anomaly::AmbiguousFraming);
        }
        if self.upgrade != Upgrade::No {
            self.anomalies.insert(Anomaly::UpgradeRequested);
        }
    }

    fn content_length(&mut self, value: &[u8]) {
        for item in value.split(|byte| *byte == b',') {
            let (length, plain) = read_length(item.trim_ascii());
            // Receivers that count in signed 64-bit integers cannot hold 2^63.
            if !plain || matches!(length, Length::Bytes(len) if len > i64::MAX as u64) {
                self.anomalies.insert(Anomaly::InvalidContentLength);
                self.anomalies.insert(Anomaly::AmbiguousFraming);
            }
            match self.length {
                Length::Absent => self.length = length,
                known if known == length => self.anomalies.insert(Anomaly::DuplicateContentLength),
                _ => {
                    self.anomalies.insert(Anomaly::ConflictingContentLength);
                    self.anomalies.insert(Anomaly::AmbiguousFraming);
                }
            }
        }
    }

    fn transfer_encoding(&mut self, value: &[u8]) {
        self.coded = true;
        for item in value.split(|byte| *byte == b',') {
            let item = item.trim_ascii();
            if item.is_empty() {
                continue;
            }
            if self.chunked {
                self.after_chunked = true;
                self.anomalies.insert(Anomaly::ChunkedNotFinal);
                self.anomalies.insert(Anomaly::AmbiguousFraming);
            }
            self.is_chunked_last = item.eq_ignore_ascii_case(b"chunked");
            if self.is_chunked_last {
                self.chunked = true;
            } else {
                self.anomalies.insert(Anomaly::UnknownTransferCoding);
            }
        }
    }
}

/// The number, and whether it is written as RFC 9110 §8.6 says. A sign `+` and `_` between digits are read over, because
/// some receivers do.
fn read_length(value: &[u8]) -> (Length, bool) {
    let plain = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    let mut number: Option<u64> = None;
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                let next =
                    number.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(u64::from(byte - b'0')));
                let Some(next) = next else { return (Length::Unreadable, false) };
                number = Some(next);
            }
            b'_' if number.is_some() => {}
            _ => return (Length::Unreadable, false),
        }
    }
    number.map_or((Length::Unreadable, false), |number| (Length::Bytes(number), plain))
}

fn upgrade(value: &[u8]) -> Upgrade {
    let mut names = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    match names.next() {
        Some(name) if name.eq_ignore_ascii_case(b"h2c") => Upgrade::Http2,
        Some(name) if name.eq_ignore_ascii_case(b"websocket") => Upgrade::WebSocket,
        Some(b"") | None => Upgrade::No,
        Some(_) => Upgrade::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Length, read_length};
    use crate::model::{Anomaly, Version};

    #[test]
    fn content_length_as_receivers_read_it() {
        for (value, expected) in [
            ("5", (Length::Bytes(5), true)),
            ("005", (Length::Bytes(5), true)),
            ("+5", (Length::Bytes(5), false)),
            ("5_0", (Length::Bytes(50), false)),
            ("-5", (Length::Unreadable, false)),
            ("", (Length::Unreadable, false)),
            ("5x", (Length::Unreadable, false)),
            ("18446744073709551615", (Length::Bytes(u64::MAX), true)),
            ("18446744073709551616", (Length::Unreadable, false)),
        ] {
            assert_eq!(read_length(value.as_bytes()), expected, "{value:?}");
        }
    }

    #[test]
    fn transfer_codings_in_lists_case_and_order() {
        for (values, chunked, odd) in [
            (&["chunked"][..], true, None),
            (&["Chunked"], true, None),
            (&["gzip, chunked"], true, Some(Anomaly::UnknownTransferCoding)),
            (&["chunked", "identity"], true, Some(Anomaly::ChunkedNotFinal)),
            (&["chunked, chunked"], true, Some(Anomaly::ChunkedNotFinal)),
            (&["xchunked"], false, Some(Anomaly::UnknownTransferCoding)),
            (&["\x0bchunked"], false, Some(Anomaly::UnknownTransferCoding)),
            (&[""], false, None),
        ] {
            let mut facts = Facts::default();
            for value in values {
                facts.field(b"Transfer-Encoding", value.as_bytes());
            }
            facts.conclude(Version::Http11);
            assert_eq!(facts.chunked, chunked, "{values:?}");
            assert!(odd.is_none_or(|odd| facts.anomalies.contains(odd)), "{values:?}");
        }
    }
}
