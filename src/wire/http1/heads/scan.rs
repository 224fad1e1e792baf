//! Finding the end of a head, once over each byte however the head is cut into segments.

/// Where the scan stands in its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    AfterCr,
    InLine,
}

/// Looks for the empty line that ends a head or a trailer section; bare LF counts as a line end.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    at: At,
    started: bool,
}

impl Scan {
    /// For a section whose first line may already be the empty one (trailers).
    pub(crate) const fn section() -> Self {
        Self { at: At::LineStart, started: true }
    }

    /// Number of bytes of `data` up to and including the end, if it is there.
    pub(crate) fn find(&mut self, data: &[u8]) -> Option<usize> {
        if !self.started && !data.is_empty() {
            (self.started, self.at) = (true, At::InLine);
        }
        let mut pos = 0;
        loop {
            if self.at == At::InLine {
                let found = data.get(pos..).and_then(|rest| memchr::memchr(b'\n', rest))?;
                pos += found + 1;
                self.at = At::LineStart;
            }
            let byte = *data.get(pos)?;
            pos += 1;
            self.at = match (byte, self.at) {
                (b'\n', _) => return Some(pos),
                (b'\r', At::LineStart) => At::AfterCr,
                _ => At::InLine,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Scan;

    #[test]
    fn finds_the_empty_line_however_the_head_is_cut() {
        for head in
            ["GET / HTTP/1.1\r\nA: b\r\n\r\n", "GET /\n\n", "G\r\n\r\r\n\r\n", "G\n\r\n", "a\rb\r\nc\r\n\n"]
        {
            let bytes = [head.as_bytes(), b"rest\r\n\r\n"].concat();
            assert_eq!(Scan::default().find(&bytes), Some(head.len()), "{head:?}");
            for cut in 0..head.len() {
                let mut scan = Scan::default();
                assert_eq!(scan.find(&bytes[..cut]), None, "{head:?} {cut}");
                assert_eq!(scan.find(&bytes[cut..]), Some(head.len() - cut), "{head:?} {cut}");
            }
        }
        assert_eq!(Scan::section().find(b"\r\nx"), Some(2));
    }
}
