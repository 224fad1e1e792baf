//! Requests and responses without marks: HTTPie, `.http` files, raw logs of consoles.

use std::ops::ControlFlow;

use super::Reader;
use super::assemble::{Assembler, Side};
use super::lines::trim;

/// Methods that begin a request line.
const METHODS: [&[u8]; 9] =
    [b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT"];

/// Whether a line is a request line: with a version, or with an absolute URL.
pub(super) fn is_request_line(line: &[u8]) -> bool {
    let mut words = trim(line).split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let Some(method) = words.next() else { return false };
    let Some(target) = words.next() else { return false };
    let last = words.next_back();
    let is_method = METHODS.contains(&method)
        || (method.len() <= 20 && method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-'));
    let is_absolute = target.starts_with(b"http://") || target.starts_with(b"https://");
    is_method
        && match last {
            Some(version) => version.starts_with(b"HTTP/"),
            None => is_absolute && METHODS.contains(&method),
        }
}

/// Whether a line is a status line.
pub(super) fn is_status_line(line: &[u8]) -> bool {
    status(trim(line)).is_some()
}

/// The status code of a status line.
pub(super) fn status(line: &[u8]) -> Option<u16> {
    let rest = line.strip_prefix(b"HTTP/")?;
    let mut words = rest.split(|byte| *byte == b' ');
    let version = words.next()?;
    let is_version = matches!(version, [b'0'..=b'9'] | [b'0'..=b'9', b'.', b'0'..=b'9']);
    let code = words.next().filter(|code| is_version && code.len() == 3)?;
    std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (100..=999).contains(code))
}

/// Reads them: whose line it is follows from the start line before it.
#[derive(Debug, Default)]
pub(super) struct Plain {
    side: Option<Side>,
    /// Line breaks that may be the tool's own, after content.
    blank: Vec<u8>,
}

impl Reader for Plain {
    fn line(&mut self, line: &[u8], to: &mut Assembler<'_>) -> ControlFlow<()> {
        let text = trim(line);
        if let Some(side) = self.side.filter(|side| to.is_in_head(*side)) {
            return to.head(side, line);
        }
        let next = if is_status_line(text) {
            Some(Side::Server)
        } else if is_request_line(text) {
            Some(Side::Client)
        } else {
            None
        };
        if let Some(next) = next {
            self.blank.clear();
            if let Some(side) = self.side {
                to.trim_content(side);
            }
            self.side = Some(next);
            return to.head(next, line);
        }
        let Some(side) = self.side else { return ControlFlow::Continue(()) };
        if text.starts_with(b"###") {
            // A separator of `.http` files.
            self.side = None;
            return ControlFlow::Continue(());
        }
        if text.is_empty() {
            // A bound: as many blank lines as anybody leaves between two messages.
            if self.blank.len() < 1 << 10 {
                self.blank.extend_from_slice(line);
            }
            return ControlFlow::Continue(());
        }
        to.content(side, &std::mem::take(&mut self.blank));
        to.content(side, text);
        self.blank.extend_from_slice(line.get(text.len()..).unwrap_or_default());
        ControlFlow::Continue(())
    }
}
