//! Bytes in order → heads and bodies: the state machine of each direction.

use crate::model::{Anomaly, BodyEnd};
use crate::step_counter;
use crate::wire::http1::connection::{Context, Http1};
use crate::wire::http1::framing::reader::{Framing, Role, State};
use crate::wire::http1::heads::lenient;
use crate::wire::http1::heads::parse;
use crate::wire::http1::heads::parse::Outcome;
use crate::wire::http1::heads::scan::Scan;
use crate::wire::http1::heads::sniff;
use crate::wire::http1::heads::sniff::Sniff;
use crate::wire::tcp::Arrival;

impl Http1 {
    /// Takes the next bytes of a direction.
    pub(in crate::wire::http1) fn feed(
        &mut self,
        role: Role,
        data: &[u8],
        mut at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.reader(role).last = at.time;
        if role == Role::Response && self.doubt.is_some() {
            self.note_answer(at);
        }
        if self.is_gateway(role) {
            cx.tally.unparsed_bytes += data.len() as u64;
            self.read_gateway(role, data, at, cx);
            return;
        }
        if at.starts_segment && self.reader(role).is_unsure {
            self.doubt_content(role, data, at, cx);
        }
        let mut rest = data;
        while !rest.is_empty() {
            let used = self.step(role, rest, at, cx).min(rest.len());
            step_counter::steps(1 + used);
            if used > 0 {
                at.starts_segment = false;
            }
            at.offset += used as u64;
            rest = rest.get(used..).unwrap_or_default();
        }
    }

    /// Takes some of `data`; returns how much. Takes nothing only when it changes the state.
    fn step(&mut self, role: Role, data: &[u8], at: Arrival, cx: &mut Context<'_>) -> usize {
        match self.reader(role).state {
            State::Start => self.start(role, data, at, cx),
            State::Head { decided } => self.more_head(role, decided, data, at, cx),
            State::Torn(torn) => self.torn(role, torn, data, at, cx),
            State::LongHead(framing) => self.long_head(role, framing, data, at, cx),
            State::Length(left) => {
                let take = (data.len() as u64).min(left) as usize;
                if role == Role::Request && take < data.len() {
                    self.note_longer_body(data.get(take..).unwrap_or_default());
                }
                self.content(role, data.get(..take).unwrap_or_default(), at, cx);
                self.length_left(role, left - take as u64, after(at, take), cx);
                take
            }
            State::Chunked(chunked) => self.chunked(role, chunked, data, at, cx),
            State::Trailers(_) => self.trailers(role, data, at, cx),
            State::UntilClose => {
                self.content(role, data, at, cx);
                data.len()
            }
            State::Expected(framing) => self.expected(framing, data, at, cx),
            State::Held => self.hold(data, at, cx),
            State::Seek => self.seek(role, data, at, cx),
            State::Cruft => self.cruft(role, data, at, cx),
            State::Tunnel => {
                cx.tally.skipped_bytes += data.len() as u64;
                data.len()
            }
            State::Foreign => {
                cx.tally.unparsed_bytes += data.len() as u64;
                self.foreign_bytes += data.len() as u64;
                if role == Role::Response {
                    self.more_not_http(data);
                }
                self.note_dialogue(role, data);
                data.len()
            }
        }
    }

    /// The capture lost the next `len` bytes of a direction.
    pub(in crate::wire::http1) fn lose(&mut self, role: Role, len: u64, at: Arrival, cx: &mut Context<'_>) {
        let (in_head, in_body) = match role {
            Role::Request => (Anomaly::GapInRequestHead, Anomaly::GapInRequestBody),
            Role::Response => (Anomaly::GapInResponseHead, Anomaly::GapInResponseBody),
        };
        let end = at.offset.saturating_add(len);
        if self.is_new_tunnel {
            self.close_tunnel(cx);
        }
        let state = self.reader(role).state;
        match state {
            State::Tunnel | State::Foreign => {}
            State::Seek => self.lost_sync(role, end),
            State::Start | State::Cruft => self.between_lost(role, end),
            State::Head { decided: true } if self.tear(role, end) => {}
            State::Torn(torn) => {
                self.end_torn(role, torn, at, cx);
                self.lost_sync(role, end);
            }
            State::Head { .. } => {
                self.cut_head(role, in_head, BodyEnd::Lost, at, cx);
                self.between_lost(role, end);
            }
            State::Length(left) => {
                self.note(role, in_body);
                let inside = len.min(left);
                self.reader(role).body.gap(inside);
                self.length_left(role, left - inside, Arrival { offset: at.offset + inside, ..at }, cx);
                if len > inside {
                    self.between_lost(role, end);
                }
            }
            State::UntilClose => {
                self.note(role, in_body);
                self.reader(role).body.gap(len);
            }
            State::Chunked(mut chunked) => {
                if chunked.gap(len) {
                    self.note(role, in_body);
                    self.reader(role).body.gap(len);
                    self.reader(role).state = State::Chunked(chunked);
                } else {
                    self.lose_content(role, in_body, end, at, cx);
                }
            }
            State::LongHead(_) | State::Trailers(_) | State::Expected(_) | State::Held => {
                self.lose_content(role, in_body, end, at, cx);
            }
        }
    }

    fn lose_content(&mut self, role: Role, why: Anomaly, end: u64, at: Arrival, cx: &mut Context<'_>) {
        self.note(role, why);
        self.finish(role, BodyEnd::Lost, at, cx);
        self.between_lost(role, end);
    }

    fn between_lost(&mut self, role: Role, end: u64) {
        self.lost_sync(role, end);
        let reader = self.reader(role);
        reader.carry.insert(Anomaly::GapBetweenMessages);
        reader.buf = Vec::new();
        reader.state = State::Seek;
    }

    fn start(&mut self, role: Role, data: &[u8], at: Arrival, cx: &mut Context<'_>) -> usize {
        let is_space = |byte: u8| role == Role::Request && matches!(byte, b' ' | b'\t');
        let blank = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n') || is_space(**byte)).count();
        let reader = self.reader(role);
        if blank > 0 {
            cx.tally.parsed_bytes += blank as u64;
            reader.blank += blank as u32;
            reader.has_leading_space |= data.iter().take(blank).any(|byte| is_space(*byte));
            return blank;
        }
        reader.began = at.into();
        if reader.blank > 0 {
            reader.note_blank(data);
        }
        let flow = cx.connection.flow;
        match role {
            Role::Request => {
                if let Outcome::Complete(head, used, facts) =
                    parse::request_like(cx.shared.request(flow), data)
                    && (self.requests.messages == 0 || !sniff::hides_method(head.method().as_bytes()))
                {
                    cx.tally.parsed_bytes += used as u64;
                    self.request_head(head, facts, after(at, used), cx);
                    return used;
                }
            }
            Role::Response => {
                if let Outcome::Complete(head, used, facts) =
                    parse::response_like(cx.shared.response(flow), data)
                {
                    cx.tally.parsed_bytes += used as u64;
                    self.response_head(head, facts, after(at, used), cx);
                    return used;
                }
            }
        }
        let reader = self.reader(role);
        reader.buf.clear();
        reader.scan = Scan::default();
        reader.state = State::Head { decided: false };
        0
    }

    fn more_head(
        &mut self,
        role: Role,
        decided: bool,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let limit = cx.limits.head as usize;
        let is_new_tunnel = self.is_new_tunnel;
        let reader = self.reader(role);
        let end = reader.scan.find(data);
        let used = end.unwrap_or(data.len());
        let old = reader.buf.len();
        reader.buf.extend_from_slice(data.get(..used).unwrap_or_default());
        cx.tally.parsed_bytes += used as u64;
        // Sniffing looks at the first line only, so it is done while that is short or when it has just ended.
        if !decided
            && (old < 64
                || end.is_some()
                || memchr::memchr(b'\n', data).is_some()
                || reader.buf.len() > limit)
        {
            let verdict = match role {
                Role::Request if is_new_tunnel => sniff::request_in_tunnel(&reader.buf),
                Role::Request if reader.messages > 0 => sniff::later_request(&reader.buf),
                Role::Request => sniff::request(&reader.buf),
                Role::Response => sniff::response(&reader.buf),
            };
            match verdict {
                Sniff::Other(name) => return self.foreign(role, name, used, at, cx),
                Sniff::Http => reader.state = State::Head { decided: true },
                Sniff::More => {}
            }
        }
        if end.is_some() {
            self.whole_head(role, after(at, used), cx);
        } else if self.reader(role).buf.len() > limit {
            self.cut_long_head(role, after(at, used), cx);
        }
        used
    }

    /// The buffer holds a whole head.
    fn whole_head(&mut self, role: Role, at: Arrival, cx: &mut Context<'_>) {
        let raw = std::mem::take(&mut self.reader(role).buf);
        step_counter::steps(raw.len());
        match role {
            Role::Request => match parse::any_request(&raw) {
                Some((head, facts)) => self.request_head(head, facts, at, cx),
                None => self.unreadable(role, raw.len(), cx),
            },
            Role::Response => match parse::any_response(&raw) {
                Some((head, facts)) => self.response_head(head, facts, at, cx),
                None => {
                    self.begin_not_http(&raw);
                    self.unreadable(role, raw.len(), cx);
                }
            },
        }
    }

    /// The head in the buffer is over the limit: what there is of it counts, the rest is skipped.
    fn cut_long_head(&mut self, role: Role, at: Arrival, cx: &mut Context<'_>) {
        let scan = self.reader(role).scan;
        let buf = &mut self.reader(role).buf;
        if let Some(end) = memchr::memrchr(b'\n', buf) {
            buf.truncate(end + 1);
        }
        self.reader(role).carry.insert(Anomaly::HeadTooLarge);
        self.reader(role).carry.insert(Anomaly::AmbiguousFraming);
        self.whole_head(role, at, cx);
        let reader = self.reader(role);
        let framing = match reader.state {
            State::Length(left) => Framing::Length(left),
            State::Chunked(_) => Framing::Chunked,
            State::UntilClose => Framing::UntilClose,
            State::Start => Framing::Empty,
            _ => return,
        };
        (reader.scan, reader.state) = (scan, State::LongHead(framing));
    }

    fn long_head(
        &mut self,
        role: Role,
        framing: Framing,
        data: &[u8],
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        let end = self.reader(role).scan.find(data);
        let used = end.unwrap_or(data.len());
        cx.tally.parsed_bytes += used as u64;
        if end.is_some() {
            self.begin_content(role, framing, after(at, used), cx);
        }
        used
    }

    /// The head in the buffer ends here, although its end was not seen.
    pub(in crate::wire::http1) fn cut_head(
        &mut self,
        role: Role,
        why: Anomaly,
        end: BodyEnd,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let raw = std::mem::take(&mut self.reader(role).buf);
        // A line that is cut says nothing reliable; the start line is kept if it is whole.
        let whole = memchr::memrchr(b'\n', &raw).map_or(0, |at| at + 1);
        let sure = match role {
            Role::Request => sniff::begun_request(&raw),
            Role::Response => sniff::surely_response(&raw),
        };
        let raw = raw.get(..if whole == 0 && sure { raw.len() } else { whole }).unwrap_or_default();
        let reader = self.reader(role);
        reader.state = State::Seek;
        reader.carry.insert(why);
        match role {
            Role::Request => {
                if let Some((head, facts)) = lenient::request(raw) {
                    self.cut_request(head, facts, end, at, cx);
                }
            }
            Role::Response => {
                if let Some((head, facts)) = lenient::response(raw) {
                    self.cut_response(head, facts, end, at, cx);
                }
            }
        }
    }

    /// What stands where a message should begin is none; the last `used` bytes of the buffer are this slice's. Says how
    /// many of them are done with.
    fn foreign(
        &mut self,
        role: Role,
        name: &'static str,
        used: usize,
        at: Arrival,
        cx: &mut Context<'_>,
    ) -> usize {
        if self.is_new_tunnel {
            self.close_tunnel(cx);
            return used;
        }
        if self.reader(role).messages > 0 {
            return self.begin_cruft(role, used, at, cx);
        }
        if role == Role::Request && self.skip_preface(at, used, cx) {
            return used;
        }
        let buf = std::mem::take(&mut self.reader(role).buf);
        if role == Role::Response {
            self.begin_not_http(&buf);
        }
        let len = buf.len() as u64;
        cx.tally.parsed_bytes -= len;
        cx.tally.unparsed_bytes += len;
        self.foreign_bytes += len;
        self.reader(role).state = State::Foreign;
        if role == Role::Request || self.foreign.is_none() {
            self.foreign = Some(name);
        }
        self.note_dialogue(role, &buf);
        if role == Role::Request && self.queue.is_empty() {
            self.begin_gateway(name, &buf, at, cx);
        }
        used
    }

    fn unreadable(&mut self, role: Role, len: usize, cx: &mut Context<'_>) {
        cx.tally.parsed_bytes -= len as u64;
        cx.tally.skipped_bytes += len as u64;
        let reader = self.reader(role);
        reader.carry.insert(Anomaly::CruftBetweenMessages);
        reader.scanned = 0;
        reader.state = State::Cruft;
    }

    /// A message may begin where a segment does.
    fn seek(&mut self, role: Role, data: &[u8], at: Arrival, cx: &mut Context<'_>) -> usize {
        let found = at.starts_segment
            && match role {
                Role::Request => sniff::surely_request(data),
                Role::Response => sniff::surely_response(data),
            };
        if found {
            self.reader(role).state = State::Start;
            return 0;
        }
        cx.tally.skipped_bytes += data.len() as u64;
        data.len()
    }
}

/// `at`, `used` bytes later.
pub(in crate::wire::http1) fn after(at: Arrival, used: usize) -> Arrival {
    Arrival { offset: at.offset + used as u64, starts_segment: false, ..at }
}
