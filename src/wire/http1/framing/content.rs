//! Bodies as they are framed, and the two states in which it is not yet known what the client's bytes are.

use crate::model::{Anomaly, BodyEnd};
use crate::wire::http1::connection::{Context, Http1};
use crate::wire::http1::framing::chunked::{Chunked, Step};
use crate::wire::http1::framing::messages::after;
use crate::wire::http1::framing::reader::{Framing, Role, State};
use crate::wire::http1::heads::lenient;
use crate::wire::http1::heads::scan::Scan;
use crate::wire::http1::heads::sniff;
use crate::wire::http1::heads::sniff::Sniff;
use crate::wire::tcp::Arrival;

/// Bytes looked at for telling content from a request, after a refused expectation.
const UNDECIDED: usize = 8 << 10;
/// Bytes kept that a client sends after CONNECT before the response; more of them are a tunnel's.
const HELD: usize = 64 << 10;

impl Http1 {
    /// How a message's content begins once its head has ended.
    pub(in crate::wire::http1) fn begin_content(
        &mut self,
        role: Role,
        framing: Framing,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let reader = self.reader(role);
        reader.was_length = matches!(framing, Framing::Length(_));
        match framing {
            Framing::Empty => self.finish(role, BodyEnd::None, at, cx),
            Framing::Length(0) => self.finish(role, BodyEnd::Complete, at, cx),
            Framing::Length(len) => {
                reader.body.expect(len, cx.limits.body);
                reader.state = State::Length(len);
            }
            Framing::Chunked => reader.state = State::Chunked(Chunked::new()),
            Framing::UntilClose => reader.state = State::UntilClose,
        }
    }

    pub(in crate::wire::http1) fn content(
        &mut self,
        role: Role,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        cx.tally.parsed_bytes += data.len() as u64;
        self.reader(role).body.push(data, at.offset, cx.limits.body);
    }

    pub(in crate::wire::http1) fn length_left(
        &mut self,
        role: Role,
        left: u64,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        if left == 0 {
            self.finish(role, BodyEnd::Complete, at, cx);
        } else {
            self.reader(role).state = State::Length(left);
        }
    }

    pub(in crate::wire::http1) fn chunked(
        &mut self,
        role: Role,
        mut chunked: Chunked,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let step = chunked.step(data);
        self.reader(role).state = State::Chunked(chunked);
        match step {
            Step::Frame(used) => {
                cx.tally.parsed_bytes += used as u64;
                used
            }
            Step::Data(used) => {
                self.content(role, data.get(..used).unwrap_or_default(), at, cx);
                used
            }
            Step::Last(used) => {
                cx.tally.parsed_bytes += used as u64;
                let reader = self.reader(role);
                (reader.scan, reader.state) = (Scan::section(), State::Trailers(chunked.anomalies));
                reader.buf.clear();
                used
            }
            Step::Broken => {
                chunked.anomalies.iter().for_each(|anomaly| self.note(role, anomaly));
                self.finish(role, BodyEnd::Lost, at, cx);
                self.lost_sync(role, at.offset);
                let reader = self.reader(role);
                (reader.state, reader.scanned) = (State::Cruft, 0);
                0
            }
        }
    }

    pub(in crate::wire::http1) fn trailers(
        &mut self,
        role: Role,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let reader = self.reader(role);
        let end = reader.scan.find(data);
        let used = end.unwrap_or(data.len());
        cx.tally.parsed_bytes += used as u64;
        let room = (cx.limits.head as usize).saturating_sub(reader.buf.len());
        reader.buf.extend_from_slice(data.get(..used.min(room)).unwrap_or_default());
        if end.is_some() {
            self.end_chunked(role);
            self.finish(role, BodyEnd::Complete, after(at, used), cx);
        }
        used
    }

    /// Hands on what the framing of a chunked body showed.
    pub(in crate::wire::http1) fn end_chunked(&mut self, role: Role) {
        let anomalies = match self.reader(role).state {
            State::Trailers(anomalies) => anomalies,
            State::Chunked(chunked) => chunked.anomalies,
            _ => return,
        };
        anomalies.iter().for_each(|anomaly| self.note(role, anomaly));
        let raw = std::mem::take(&mut self.reader(role).buf);
        let (fields, odd) = lenient::trailers(&raw);
        if !fields.is_empty() {
            odd.iter().for_each(|anomaly| self.note(role, anomaly));
            self.note(role, Anomaly::Trailers);
            self.reader(role).body.trailers(fields);
        }
    }

    /// The client asked before sending its content: what comes is the content, or the next request.
    pub(in crate::wire::http1) fn expected(
        &mut self,
        framing: Framing,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let first = self.requests.buf.is_empty();
        if first && !self.was_refused(at) {
            self.begin_content(Role::Request, framing, at, cx);
            return 0;
        }
        if first {
            self.requests.held = at;
        }
        let reader = &mut self.requests;
        let old = reader.buf.len();
        let line = memchr::memchr(b'\n', data).map_or(data.len(), |end| end + 1);
        reader.buf.extend_from_slice(data.get(..line).unwrap_or_default());
        cx.tally.parsed_bytes += line as u64;
        let verdict =
            if old < 64 || line < data.len() || data.ends_with(b"\n") || reader.buf.len() > UNDECIDED {
                sniff::known_request(&reader.buf)
            } else {
                Sniff::More
            };
        if verdict == Sniff::More && reader.buf.len() <= UNDECIDED {
            return line;
        }
        let (held, buf) = (reader.held, std::mem::take(&mut reader.buf));
        cx.tally.parsed_bytes -= buf.len() as u64;
        if verdict == Sniff::Http {
            self.note(Role::Request, Anomaly::ContinueRefused);
            self.finish(Role::Request, BodyEnd::NotSent, held, cx);
        } else {
            self.begin_content(Role::Request, framing, held, cx);
        }
        self.feed(Role::Request, &buf, held, cx);
        line
    }

    /// Whether the request being read has its final response, sent before the bytes at `at`.
    fn was_refused(&self, at: Arrival) -> bool {
        let answered = self.queue.back().is_none_or(|entry| entry.answered);
        answered && at.ack.is_none_or(|ack| ack > self.responses.began.offset)
    }

    /// After CONNECT: what comes before the response may belong to the tunnel, or be the next request.
    pub(in crate::wire::http1) fn hold(&mut self, data: &[u8], at: Arrival, cx: &mut Context<'_>) -> usize {
        let reader = &mut self.requests;
        if reader.buf.is_empty() {
            reader.held = at;
        }
        if reader.buf.len() + data.len() > HELD {
            cx.tally.parsed_bytes -= reader.buf.len() as u64;
            cx.tally.skipped_bytes += (reader.buf.len() + data.len()) as u64;
            reader.buf = Vec::new();
            reader.state = State::Tunnel;
        } else {
            reader.buf.extend_from_slice(data);
            cx.tally.parsed_bytes += data.len() as u64;
        }
        data.len()
    }

    /// CONNECT was answered: what was held is given to whom it belongs to.
    pub(in crate::wire::http1) fn release(&mut self, cx: &mut Context<'_>) {
        if !matches!(self.requests.state, State::Held) {
            return;
        }
        let (held, buf) = (self.requests.held, std::mem::take(&mut self.requests.buf));
        cx.tally.parsed_bytes -= buf.len() as u64;
        self.requests.state = State::Start;
        self.feed(Role::Request, &buf, held, cx);
    }
}
