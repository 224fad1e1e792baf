//! Lines of a transcript, bounded, without curl's progress meter.

use std::io::{self, BufRead, Read as _};
use std::sync::LazyLock;

use regex::bytes::Regex;

/// Bytes of a line that are looked at; a body may be one line.
const MAX_LINE: u64 = 1 << 20;

/// One line after the other.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// The next line with its line break; a longer one comes in pieces. `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        (&mut self.input).take(MAX_LINE).read_until(b'\n', &mut self.line)?;
        Ok((!self.line.is_empty()).then(|| without_progress(&self.line)))
    }
}

/// A state of the meter: percentages, sizes and three times. What curl prints next follows in the same line.
static METER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let size = r"[0-9]+(?:\.[0-9])?[kMGTP]?";
    let time = r"(?:--:--:--|[0-9]+:[0-9]{2}:[0-9]{2}|[0-9]+d [0-9]+h)";
    Regex::new(&format!(r"^\r? *[0-9]+ +{size} +[0-9]+ +{size} +[0-9]+ +{size} +{size} +{size} +{time} +{time} +{time} {{1,5}}{size}")).ok()
});

/// What stands in a line after the last state of curl's progress meter.
pub(super) fn without_progress(line: &[u8]) -> &[u8] {
    let Some(meter) = METER.as_ref() else { return line };
    let mut rest = line;
    while matches!(rest.first(), Some(b'\r' | b' ' | b'0'..=b'9')) {
        let Some(found) = meter.find(rest) else { break };
        rest = rest.get(found.end()..).unwrap_or_default();
    }
    rest
}

/// A line without its line break.
pub(super) fn trim(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::without_progress;

    #[test]
    fn the_meter_is_no_part_of_a_line() {
        for (line, expected) in [
            (
                "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0*   Trying 127.0.0.1",
                "*   Trying 127.0.0.1",
            ),
            (
                "\r100    73  100    61  100    12   4335    852 --:--:-- --:--:-- --:--:--  5214\r100    73  100    61  100    12   4335    852  0:00:01  0:00:01 --:--:--  5214\n",
                "\n",
            ),
            (
                "\r 12 1024k   12  128k    0     0   1.2M      0  0:00:08  0:00:01  0:00:07 1.2M{\"a\":1}",
                "{\"a\":1}",
            ),
            ("100 apples", "100 apples"),
            ("> POST / HTTP/1.1\r\n", "> POST / HTTP/1.1\r\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(without_progress(line.as_bytes())), expected, "{line:?}");
        }
    }
}
