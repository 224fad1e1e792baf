//! Heads of which the capture lost a part.
//!
//! What comes after the gap may be the rest of the head, content, or a later message. The line that the gap cut is skipped;
//! while what follows reads as field lines it belongs to the head, and at the empty line the message goes on as its fields
//! say. Where they do not say how long the content is, or where something else follows, the head ends at the gap and the next
//! message is looked for. A message begins wherever a segment surely begins one.

use crate::model::{Anomaly, BodyEnd};
use crate::step_counter;
use crate::wire::http1::connection::{Context, Http1};
use crate::wire::http1::framing::messages::after;
use crate::wire::http1::framing::reader::{Role, State};
use crate::wire::http1::heads::facts::{Facts, Length};
use crate::wire::http1::heads::lenient::is_token;
use crate::wire::http1::heads::parse;
use crate::wire::http1::heads::scan::Scan;
use crate::wire::http1::heads::sniff;
use crate::wire::tcp::Arrival;

/// Where the reader of a torn head stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Torn {
    /// Whether this is still the line that the gap cut.
    in_cut_line: bool,
    /// Bytes of the buffer from before the gap.
    before: usize,
    /// Stream offset of the gap's end.
    end: u64,
}

/// What a gap in a head of this role is called.
const fn anomaly(role: Role) -> Anomaly {
    match role {
        Role::Request => Anomaly::GapInRequestHead,
        Role::Response => Anomaly::GapInResponseHead,
    }
}

/// Whether a segment surely begins a message.
fn begins(role: Role, data: &[u8]) -> bool {
    match role {
        Role::Request => sniff::surely_request(data),
        Role::Response => sniff::surely_response(data),
    }
}

impl Http1 {
    /// The capture lost bytes up to stream offset `end` out of the head in the buffer. Says whether the head may go on, which
    /// takes a start line.
    pub(in crate::wire::http1) fn tear(&mut self, role: Role, end: u64) -> bool {
        let reader = self.reader(role);
        let Some(line_end) = memchr::memrchr(b'\n', &reader.buf) else { return false };
        reader.buf.truncate(line_end + 1);
        reader.scanned = line_end + 1;
        reader.scan = Scan::section();
        reader.carry.insert(anomaly(role));
        reader.state = State::Torn(Torn { in_cut_line: true, before: line_end + 1, end });
        if role == Role::Request {
            self.lost_sync(role, end);
        }
        true
    }

    /// The bytes after the gap.
    pub(in crate::wire::http1) fn torn(
        &mut self,
        role: Role,
        mut torn: Torn,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        if at.starts_segment && begins(role, data) {
            self.end_torn(role, torn, at, cx);
            self.reader(role).state = State::Start;
            return 0;
        }
        if torn.in_cut_line {
            let line = memchr::memchr(b'\n', data).map(|end| end + 1);
            torn.in_cut_line = line.is_none();
            self.reader(role).state = State::Torn(torn);
            let used = line.unwrap_or(data.len());
            cx.tally.skipped_bytes += used as u64;
            return used;
        }
        let reader = self.reader(role);
        let end = reader.scan.find(data);
        let used = end.unwrap_or(data.len());
        reader.buf.extend_from_slice(data.get(..used).unwrap_or_default());
        cx.tally.parsed_bytes += used as u64;
        let is_head = only_fields(&reader.buf, &mut reader.scanned);
        if !is_head || reader.buf.len() > cx.limits.head as usize {
            let strange = (reader.buf.len() - torn.before) as u64;
            cx.tally.parsed_bytes -= strange;
            cx.tally.skipped_bytes += strange;
            reader.buf.truncate(torn.before);
            self.end_torn(role, torn, after(at, used), cx);
        } else if end.is_some() {
            self.finish_torn_head(role, torn, after(at, used), cx);
        }
        used
    }

    /// The head in the buffer ends here; the next message begins somewhere.
    pub(in crate::wire::http1) fn end_torn(
        &mut self,
        role: Role,
        torn: Torn,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.cut_head(role, anomaly(role), BodyEnd::Lost, at, cx);
        self.seek_after(role, torn);
    }

    /// What comes next is unknown. [`Http1::tear`] has noted that requests may be lost.
    fn seek_after(&mut self, role: Role, torn: Torn) {
        if role == Role::Response {
            self.lost_sync(role, torn.end);
        }
        let reader = self.reader(role);
        reader.carry.insert(Anomaly::GapBetweenMessages);
        reader.buf = Vec::new();
        reader.state = State::Seek;
    }

    /// The buffer holds a head without what the gap took.
    fn finish_torn_head(&mut self, role: Role, torn: Torn, at: Arrival, cx: &mut Context<'_>) {
        let raw = std::mem::take(&mut self.reader(role).buf);
        match role {
            Role::Request => match parse::any_request(&raw) {
                Some((head, facts)) if is_framed(&facts) || is_without_content(head.method()) => {
                    self.requests.is_unsure = true;
                    self.request_head(head, facts, at, cx);
                    return;
                }
                Some((head, facts)) => self.cut_request(head, facts, BodyEnd::Lost, at, cx),
                None => {}
            },
            Role::Response => match parse::any_response(&raw) {
                Some((head, facts)) if is_framed(&facts) || matches!(head.status(), 204 | 304) => {
                    self.responses.is_unsure = true;
                    self.response_head(head, facts, at, cx);
                    self.lost_sync(role, torn.end);
                    return;
                }
                Some((head, facts)) => self.cut_response(head, facts, BodyEnd::Lost, at, cx),
                None => {}
            },
        }
        self.seek_after(role, torn);
    }

    /// A segment in the content of a message whose head is torn: if it surely begins a message, the content has ended.
    pub(in crate::wire::http1) fn doubt_content(
        &mut self,
        role: Role,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let in_content =
            matches!(self.reader(role).state, State::Length(_) | State::Chunked(_) | State::Trailers(_));
        if in_content && begins(role, data) {
            self.finish(role, BodyEnd::Lost, at, cx);
            // What was lost of the requests is known since the gap.
            if role == Role::Response || self.doubt.is_none() {
                self.lost_sync(role, at.offset);
            }
        }
    }
}

/// Whether the fields say how long the content is.
fn is_framed(facts: &Facts) -> bool {
    facts.chunked || (matches!(facts.length, Length::Bytes(_)) && !facts.coded)
}

/// Whether requests with this method have no content as a rule.
fn is_without_content(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE" | "TRACE" | "CONNECT")
}

/// Whether the whole lines from `from` on are field lines, folded ones or the empty one; moves `from` behind them.
fn only_fields(bytes: &[u8], from: &mut usize) -> bool {
    step_counter::steps(bytes.len() - *from);
    while let Some(len) = bytes.get(*from..).and_then(|rest| memchr::memchr(b'\n', rest)) {
        let line = bytes.get(*from..*from + len).unwrap_or_default();
        let name = line.iter().take_while(|byte| is_token(**byte)).count();
        let is_field = name > 0 && line.get(name) == Some(&b':');
        if !is_field && !matches!(line, [] | [b'\r'] | [b' ' | b'\t', ..]) {
            return false;
        }
        *from += len + 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::only_fields;

    #[test]
    fn field_lines_and_what_is_none() {
        for (bytes, fields, read) in [
            (&b"A: b\r\n c\r\n\r\n"[..], true, 12),
            (b"A: b\nX-Y:\nrest", true, 10),
            (b"{\"a\": 1}\r\n", false, 0),
            (b"A: b\r\nname=value\r\n", false, 6),
            (b": b\r\n", false, 0),
        ] {
            let mut from = 0;
            assert_eq!((only_fields(bytes, &mut from), from), (fields, read), "{bytes:?}");
        }
    }
}
