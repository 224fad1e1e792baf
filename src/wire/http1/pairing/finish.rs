//! How messages end and exchanges leave.

use crate::model::{Anomaly, BodyEnd, Outcome, Timestamp};
use crate::wire::http1::connection::{Context, Http1, Target};
use crate::wire::http1::framing::reader::{Role, State};
use crate::wire::http1::heads::sniff;
use crate::wire::http1::pairing::entry::Entry;
use crate::wire::protocol::Ending;
use crate::wire::tcp::Arrival;

/// Nanoseconds without a byte after which a client that asked first is taken to have given up on its content.
const PATIENCE_EXPECTED: i64 = 1_000_000_000;
/// Nanoseconds without a byte after which the rest of an answered request is not waited for.
const PATIENCE_REST: i64 = 5_000_000_000;

impl Http1 {
    /// A message has been read to its end, or as far as it goes.
    pub(in crate::wire::http1) fn finish(
        &mut self,
        role: Role,
        end: BodyEnd,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.end_chunked(role);
        let reader = self.reader(role);
        let body = reader.body.finish(end);
        reader.state = State::Start;
        reader.buf = Vec::new();
        reader.is_unsure = false;
        let cost = body.kept.len();
        match role {
            Role::Request => {
                self.held += cost;
                if let Some(entry) = self.queue.back_mut() {
                    entry.cost += cost;
                    (entry.requested, entry.request_end) = (true, at.offset);
                    if let Some(request) = &mut entry.exchange.request {
                        (request.body, request.ended) = (body, at.time);
                    }
                }
            }
            Role::Response => match std::mem::replace(&mut self.target, Target::None) {
                Target::None => {}
                Target::Entry(number) => {
                    self.held += cost;
                    if let Some(entry) = self.at(number) {
                        entry.cost += cost;
                        entry.responded = true;
                        if let Some(response) = &mut entry.exchange.response {
                            (response.body, response.ended) = (body, at.time);
                        }
                    }
                }
                Target::Orphan(mut entry) => {
                    entry.responded = true;
                    if let Some(response) = &mut entry.exchange.response {
                        (response.body, response.ended) = (body, at.time);
                    }
                    Self::emit(*entry, Ending::Closed, None, cx);
                }
            },
        }
        self.leave(cx);
    }

    /// Exchanges that are done leave, in order.
    pub(in crate::wire::http1) fn leave(&mut self, cx: &mut Context<'_>) {
        while let Some(front) = self.queue.front() {
            let hopeless = self.server_closed.filter(|_| front.requested && !front.answered);
            if !front.is_done() && hopeless.is_none() {
                return;
            }
            if let Some(mut entry) = self.queue.pop_front() {
                self.first += 1;
                self.held = self.held.saturating_sub(entry.cost);
                let lost = self.response_lost.then_some(Outcome::Lost);
                let lost = lost.or_else(|| self.take_not_http(&mut entry));
                Self::emit(entry, hopeless.unwrap_or(Ending::Closed), lost, cx);
            }
        }
    }

    pub(in crate::wire::http1) fn emit(
        mut entry: Entry,
        ending: Ending,
        missing: Option<Outcome>,
        cx: &mut Context<'_>,
    ) {
        entry.conclude(ending, missing);
        if entry.exchange.request.is_some() {
            cx.tally.exchanges += 1;
        } else if entry.exchange.response.is_none() {
            return;
        }
        cx.out.push(entry.exchange);
    }

    /// Ends the message being read in one direction.
    pub(in crate::wire::http1) fn stop(
        &mut self,
        role: Role,
        ending: Ending,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let at = Arrival { time: self.reader(role).last, ..at };
        let end = match self.reader(role).state {
            State::Start | State::Seek | State::Tunnel | State::Foreign | State::Held => return,
            State::Head { decided } => {
                let has_closed = matches!(ending, Ending::Closed | Ending::Reset);
                let buf = std::mem::take(&mut self.reader(role).buf);
                let is_head = decided || role == Role::Request && sniff::surely_request(&buf);
                if role == Role::Response
                    && has_closed
                    && !buf.is_empty()
                    && memchr::memchr(b'\n', &buf).is_none()
                {
                    self.begin_not_http(&buf);
                }
                self.reader(role).buf = buf;
                if is_head {
                    self.cut_head(role, Anomaly::MalformedHead, ending.of_body(), at, cx);
                }
                return;
            }
            State::Torn(torn) => {
                self.end_torn(role, torn, at, cx);
                return;
            }
            State::UntilClose if ending == Ending::Closed => BodyEnd::Close,
            State::Expected(_) => {
                self.reader(role).buf = Vec::new();
                if self.queue.back().is_some_and(|entry| entry.answered) {
                    self.note(Role::Request, Anomaly::ContinueRefused);
                }
                BodyEnd::NotSent
            }
            _ => ending.of_body(),
        };
        self.finish(role, end, at, cx);
        self.reader(role).state = State::Seek;
    }

    /// No more bytes come in either direction: everything leaves.
    pub(in crate::wire::http1) fn end_all(
        &mut self,
        ending: Ending,
        at: Arrival,
        one_sided: bool,
        cx: &mut Context<'_>,
    ) {
        self.stop(Role::Request, ending, at, cx);
        self.stop(Role::Response, ending, at, cx);
        let lost = self.response_lost.then_some(Outcome::Lost);
        let missing = if one_sided { Some(Outcome::OneSided) } else { lost };
        while let Some(mut entry) = self.queue.pop_front() {
            self.first += 1;
            let missing = missing.or_else(|| self.take_not_http(&mut entry));
            Self::emit(entry, ending, missing, cx);
        }
        self.held = 0;
    }

    /// Whether the last request was answered before its end, so that the passing of time says when it has ended.
    pub(in crate::wire::http1) fn is_answered_early(&self) -> bool {
        self.queue.back().is_some_and(|entry| entry.responded && !entry.requested)
    }

    /// Time has passed: a request that was answered before its end, and whose rest does not come, leaves.
    pub(in crate::wire::http1) fn time_passed(&mut self, now: Timestamp, cx: &mut Context<'_>) {
        if !self.is_answered_early() || self.queue.len() != 1 {
            return;
        }
        let quiet = now.since(self.requests.last.max(self.responses.last));
        let refused = matches!(self.requests.state, State::Expected(_)) && self.requests.buf.is_empty();
        if quiet < if refused { PATIENCE_EXPECTED } else { PATIENCE_REST } {
            return;
        }
        if matches!(self.requests.state, State::Head { decided: true } | State::Torn(_)) {
            let at = Arrival { time: now, offset: u64::MAX, ack: None, starts_segment: false };
            self.stop(Role::Request, Ending::Captured, at, cx);
            return;
        }
        let end = if refused { BodyEnd::NotSent } else { BodyEnd::Abandoned };
        if refused {
            self.note(Role::Request, Anomaly::ContinueRefused);
        }
        let body = self.requests.body.finish(end);
        if let Some(entry) = self.queue.back_mut() {
            entry.requested = true;
            if let Some(request) = &mut entry.exchange.request {
                (request.body, request.ended) = (body, self.requests.last);
            }
        }
        self.leave(cx);
    }
}
