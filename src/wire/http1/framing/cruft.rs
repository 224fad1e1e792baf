//! Bytes between two messages that belong to neither: where does the next message begin?
//!
//! The search looks at the bytes, not at how they are cut: `HTTP/1.` with what must stand around it. What may be the
//! beginning of a message and is not whole yet stays in the reader's buffer.

use crate::model::Anomaly;
use crate::step_counter;
use crate::wire::http1::connection::{Context, Http1};
use crate::wire::http1::framing::reader::{Role, State};
use crate::wire::http1::heads::scan::Scan;
use crate::wire::http1::heads::sniff;
use crate::wire::tcp::Arrival;

/// The longest line that is looked at for a request line.
const LINE: usize = 8 << 10;

impl Http1 {
    /// The buffer begins with what is no message; its last `new` bytes are this slice's. Says how many of them are done with.
    pub(in crate::wire::http1) fn begin_cruft(
        &mut self,
        role: Role,
        new: usize,
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        if role == Role::Response {
            let buf = std::mem::take(&mut self.responses.buf);
            self.begin_not_http(&buf);
            self.responses.buf = buf;
        }
        if role == Role::Request {
            self.note_longer_request();
        }
        let reader = self.reader(role);
        let len = reader.buf.len();
        cx.tally.parsed_bytes -= len as u64;
        cx.tally.skipped_bytes += (len - new) as u64;
        reader.carry.insert(Anomaly::CruftBetweenMessages);
        if reader.is_bodiless {
            reader.carry.insert(Anomaly::BodyAfterNoBody);
        }
        reader.state = State::Cruft;
        reader.scanned = 0;
        self.search(role, 1, len - new, new, at, cx)
    }

    /// The content of the last request went on beyond its Content-Length. Of a response nothing is said here: its exchange
    /// may have left when the rest comes, and the answer must not depend on how the bytes are cut into segments.
    fn note_longer_request(&mut self) {
        if !std::mem::take(&mut self.requests.was_length) {
            return;
        }
        match self.queue.back_mut().filter(|last| last.requested) {
            Some(last) => last.exchange.anomalies.insert(Anomaly::BodyLongerThanLength),
            None => self.requests.carry.insert(Anomaly::BodyLongerThanLength),
        }
    }

    /// What follows the content of the request being read, in the same segment, begins with `rest`: if that cannot begin a
    /// request, the content is longer than its Content-Length.
    pub(in crate::wire::http1) fn note_longer_body(&mut self, rest: &[u8]) {
        let rest = rest.trim_ascii_start();
        if !rest.is_empty() && !sniff::may_follow(rest) {
            self.note(Role::Request, Anomaly::BodyLongerThanLength);
            self.requests.was_length = false;
        }
    }

    /// Skips what belongs to no message.
    pub(in crate::wire::http1) fn cruft(
        &mut self,
        role: Role,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        if role == Role::Response {
            self.more_not_http(data);
        }
        let reader = self.reader(role);
        let old = reader.buf.len();
        reader.buf.extend_from_slice(data);
        self.search(role, 0, old, data.len(), at, cx)
    }

    /// Looks for the beginning of a message in the buffer from `least` on; the last `new` bytes, from `old` on, are not
    /// counted yet.
    fn search(
        &mut self,
        role: Role,
        least: usize,
        old: usize,
        new: usize,
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let reader = self.reader(role);
        step_counter::steps(reader.buf.len() - reader.scanned.min(reader.buf.len()));
        let found = match role {
            Role::Request => find_request(&reader.buf, least, reader.scanned),
            Role::Response => find_response(&reader.buf, least, reader.scanned),
        };
        match found {
            Found::At(start) if start >= old => {
                let used = start - old;
                cx.tally.skipped_bytes += used as u64;
                reader.buf.clear();
                reader.state = State::Start;
                used
            }
            Found::At(start) => {
                // It began in an earlier segment: take back what was counted as skipped.
                let back = old - start;
                cx.tally.skipped_bytes -= back as u64;
                cx.tally.parsed_bytes += back as u64;
                reader.buf.truncate(old);
                reader.buf.drain(..start);
                reader.began = at.into();
                reader.began.offset -= back as u64;
                reader.scan = Scan::default();
                reader.scan.find(&reader.buf);
                reader.state = State::Head { decided: false };
                0
            }
            Found::Perhaps(keep) => {
                cx.tally.skipped_bytes += new as u64;
                step_counter::steps(if keep > 0 { reader.buf.len() } else { 0 });
                let keep = keep.max(reader.buf.len().saturating_sub(LINE)).min(reader.buf.len());
                reader.buf.drain(..keep);
                reader.scanned = reader.buf.len();
                new
            }
        }
    }
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// A message begins here.
    At(usize),
    /// None begins before this place; from here on more bytes are needed.
    Perhaps(usize),
}

fn find_response(bytes: &[u8], least: usize, scanned: usize) -> Found {
    const NAME: &[u8] = b"HTTP/1.";
    const NEEDED: usize = 12;
    let mut from = scanned.saturating_sub(NEEDED - 1).max(least);
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, NAME)) {
        let at = from + at;
        if bytes.len() - at < NEEDED {
            return Found::Perhaps(at);
        }
        if sniff::surely_response(bytes.get(at..).unwrap_or_default()) {
            return Found::At(at);
        }
        from = at + 1;
    }
    Found::Perhaps(bytes.len().saturating_sub(NEEDED - 1).max(least))
}

fn find_request(bytes: &[u8], least: usize, scanned: usize) -> Found {
    const NAME: &[u8] = b" HTTP/1.";
    let mut from = scanned.saturating_sub(NAME.len() - 1);
    while let Some(at) = bytes.get(from..).and_then(|rest| memchr::memmem::find(rest, NAME)) {
        let at = from + at;
        let line = memchr::memrchr(b'\n', bytes.get(..at).unwrap_or_default()).map_or(0, |end| end + 1);
        let line = line.max(at.saturating_sub(LINE)).max(least);
        if let Some(start) = request_start(bytes.get(line..at).unwrap_or_default()) {
            return Found::At(line + start);
        }
        // One try a line keeps the work linear.
        from =
            bytes.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(bytes.len(), |end| at + end);
    }
    Found::Perhaps(memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1).max(least))
}

/// Where in `line`, which ends before its version, a method and one target begin.
fn request_start(line: &[u8]) -> Option<usize> {
    let space = memchr::memrchr(b' ', line)?;
    let target = line.get(space + 1..)?;
    let before = line.get(..space)?;
    let token = before.iter().rev().take_while(|byte| sniff::is_method_byte(**byte)).count();
    let word = before.get(space - token..)?;
    let method =
        sniff::METHODS.iter().filter(|method| word.ends_with(method)).map(|method| method.len()).max()?;
    (!target.is_empty()).then_some(space - method)
}

#[cfg(test)]
mod tests {
    use super::{Found, find_request, find_response};

    #[test]
    fn messages_after_cruft() {
        assert_eq!(find_request(b"xxGET /a HTTP/1.1\r\n", 0, 0), Found::At(2));
        assert_eq!(find_request(b"}\r\nPOST /a HTTP/1.1\r\n", 1, 0), Found::At(3));
        assert_eq!(find_request(b"a b c HTTP/1.1\r\nGET", 0, 0), Found::Perhaps(16));
        assert_eq!(find_request(b"xxxGET /a HTTP/1", 0, 0), Found::Perhaps(0));
        assert_eq!(find_response(b"junkHTTP/1.1 200 OK", 0, 0), Found::At(4));
        assert_eq!(find_response(b"junkHTTP/1.1 20", 0, 0), Found::Perhaps(4));
        assert_eq!(find_response(b"HTTP/1.x", 0, 0), Found::Perhaps(0));
        assert_eq!(find_response(b"about HTTP/1.1 and such things", 0, 0), Found::Perhaps(19));
    }
}
