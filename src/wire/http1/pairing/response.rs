//! Which request a response answers.
//!
//! While no message is lost, responses answer requests in order (RFC 9112 §9.3). A response can only answer a request
//! that its sender had begun to receive (acknowledged), and only one whose sender had not received the response before.
//! After a loss, a response is paired only if it begins exactly where the client stood when it sent the request.

use crate::model::{Anomaly, AnomalySet, Body, BodyEnd, Outcome, Response, ResponseHead};
use crate::step_counter;
use crate::wire::http1::connection::{Context, Http1, Target};
use crate::wire::http1::framing::reader::{Began, Framing, Role, State};
use crate::wire::http1::heads::facts::{Facts, Length, Upgrade};
use crate::wire::http1::heads::sniff;
use crate::wire::http1::pairing::entry::Entry;
use crate::wire::protocol::Ending;
use crate::wire::tcp::Arrival;

/// Interim responses kept of each exchange.
const INTERIMS: usize = 16;
/// Requests looked at for the one that a response answers, after a loss.
const LOOK: usize = 64;

impl Http1 {
    /// A response head has been read; its content follows.
    pub(in crate::wire::http1) fn response_head(
        &mut self,
        head: ResponseHead,
        facts: Facts,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.responses.messages += 1;
        let began = self.responses.began;
        let chosen = self.choose(began, cx);
        let status = head.status();
        if (100..200).contains(&status) && status != 101 {
            self.responses.is_bodiless = announces_content(&facts);
            self.interim(head, facts, chosen, cx);
            self.responses.state = State::Start;
            return;
        }
        let method = chosen.and_then(|number| self.at(number)).map(|entry| match entry.exchange.method() {
            "HEAD" => Method::Head,
            "CONNECT" => Method::Connect,
            _ => Method::Other,
        });
        self.answer(head, &facts, chosen, cx);
        if method == Some(Method::Connect) && status >= 300 {
            self.refuse_tunnel(at, cx);
        }
        if status == 101 || (method == Some(Method::Connect) && (200..300).contains(&status)) {
            self.switch(facts.upgrade, status, at, cx);
            return;
        }
        let none = status == 204 || status == 304 || method == Some(Method::Head);
        self.responses.is_bodiless = none && announces_content(&facts);
        if self.responses.is_bodiless || (status == 204 && facts.length != Length::Absent) {
            self.note(Role::Response, Anomaly::LengthWithoutBody);
        }
        let framing = match facts.length {
            _ if none => Framing::Empty,
            _ if facts.is_chunked_last => Framing::Chunked,
            Length::Bytes(len) if !facts.coded => Framing::Length(len),
            _ => Framing::UntilClose,
        };
        if framing == Framing::UntilClose {
            self.note(Role::Response, Anomaly::CloseDelimited);
        }
        self.begin_content(Role::Response, framing, at, cx);
    }

    /// A response head was cut short; nothing more of it will come.
    pub(in crate::wire::http1) fn cut_response(
        &mut self,
        head: ResponseHead,
        facts: Facts,
        end: BodyEnd,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.responses.messages += 1;
        let chosen = self.choose(self.responses.began, cx);
        if (100..200).contains(&head.status()) && head.status() != 101 {
            self.interim(head, facts, chosen, cx);
            return;
        }
        self.answer(head, &facts, chosen, cx);
        self.finish(Role::Response, end, at, cx);
    }

    /// Attaches a final response's head to the request it answers.
    pub(in crate::wire::http1) fn answer(
        &mut self,
        head: ResponseHead,
        facts: &Facts,
        chosen: Option<u32>,
        cx: &mut Context<'_>,
    ) {
        cx.tally.responses += 1;
        let began = self.responses.began;
        let mut anomalies = std::mem::take(&mut self.responses.carry);
        anomalies.extend(facts.anomalies);
        let response = Response { head, body: Body::default(), started: began.time, ended: began.time };
        let cost = response.head.fields().heap_bytes();
        if let Some(number) = chosen {
            self.target = Target::Entry(number);
            self.held += cost;
            if let Some(entry) = self.at(number) {
                entry.cost += cost;
                entry.answered = true;
                entry.response_ack = began.ack;
                entry.exchange.anomalies.extend(anomalies);
                if began.ack.is_none() && !entry.requested {
                    entry.exchange.anomalies.insert(Anomaly::EarlyResponse);
                }
                entry.exchange.response = Some(response);
            }
            return;
        }
        if self.synced && self.doubt.is_none() {
            anomalies.insert(Anomaly::UnexpectedResponse);
        }
        for odd in [Anomaly::CruftBetweenMessages, Anomaly::BodyLongerThanLength] {
            if self.requests.carry.contains(odd) {
                anomalies.insert(odd);
            }
        }
        self.response_lost |= !self.synced || self.doubt.is_some();
        cx.tally.orphan_responses += 1;
        let mut entry = self.entry(None, anomalies, began, cx);
        (entry.requested, entry.answered) = (true, true);
        entry.exchange.response = Some(response);
        self.target = Target::Orphan(Box::new(entry));
    }

    fn interim(&mut self, head: ResponseHead, facts: Facts, chosen: Option<u32>, cx: &mut Context<'_>) {
        cx.tally.interim_responses += 1;
        let carry = std::mem::take(&mut self.responses.carry);
        let Some(entry) = chosen.and_then(|number| self.at(number)) else { return };
        entry.exchange.anomalies.extend(carry);
        entry.exchange.anomalies.extend(facts.anomalies);
        entry.interims += 1;
        if entry.interims > 1 {
            entry.exchange.anomalies.insert(Anomaly::MultipleInterim);
        }
        if entry.exchange.interim.len() < INTERIMS {
            let mut interim = std::mem::take(&mut entry.exchange.interim).into_vec();
            interim.push(head);
            entry.exchange.interim = interim.into_boxed_slice();
        }
    }

    /// The number of the exchange that a response which began at `at` answers.
    fn choose(&mut self, at: Began, cx: &mut Context<'_>) -> Option<u32> {
        self.not_http = None;
        let fits = |entry: &Entry| {
            at.ack.is_none_or(|ack| ack > entry.began.offset)
                && entry.began.ack.is_none_or(|ack| ack <= at.offset)
        };
        // After a loss of requests, one that was sent before the server's next answer may not be the next in line.
        let (doubt, cleared) = (self.doubt, self.doubt_ends.unwrap_or(u64::MAX));
        let is_after_loss = |entry: &Entry| doubt.is_some_and(|(first, _)| entry.began.offset >= first);
        let exact = |entry: &Entry| {
            step_counter::steps(1);
            let sure = |ack: u64| ack == at.offset && (!is_after_loss(entry) || cleared < ack);
            !entry.answered && fits(entry) && entry.began.ack.is_none_or(|ack| at.ack.is_none() || sure(ack))
        };
        let next = self.queue.iter().position(|entry| {
            step_counter::steps(1);
            !entry.answered
        });
        let Some(next) = next else { return if self.synced { self.promote(at, cx) } else { None } };
        let in_line = self.queue.get(next).filter(|entry| self.synced && !is_after_loss(entry));
        if let Some(entry) = in_line {
            if fits(entry) {
                if self.is_guess {
                    self.mark_likely(next);
                }
                return Some(self.first + next as u32);
            }
            if at.ack.is_some_and(|ack| ack <= entry.began.offset) {
                // It answers an earlier request, which was on its way beside this one.
                self.note_sliding();
            }
            return None;
        }
        if self.slides {
            return None;
        }
        // Requests are sent with ever later acknowledgements: those before the response's beginning are passed over at once.
        let earlier = |entry: &Entry| at.ack.is_some() && entry.began.ack.is_some_and(|ack| ack < at.offset);
        let from = self.queue.partition_point(earlier);
        let index = from + self.queue.range(from..).take(LOOK).position(exact)?;
        if self.queue.get(index).is_some_and(is_after_loss) {
            (self.doubt, self.doubt_ends) = (None, None);
        }
        (self.synced, self.is_guess) = (true, true);
        self.mark_likely(index);
        for _ in 0..index {
            if let Some(entry) = self.queue.pop_front() {
                self.first += 1;
                self.held = self.held.saturating_sub(entry.cost);
                Self::emit(entry, Ending::Closed, Some(Outcome::Lost), cx);
            }
        }
        self.response_lost = false;
        Some(self.first)
    }

    /// The pair of the request at `index` rests on an acknowledgement: with a client that pipelines, and was not seen to wait for
    /// all answers, it is likely and not certain.
    fn mark_likely(&mut self, index: usize) {
        if self.pipelines
            && !self.waits
            && let Some(entry) = self.queue.get_mut(index)
        {
            entry.exchange.anomalies.insert(Anomaly::PairedByOrder);
        }
    }

    /// Learns from a request that begins at `at` whether the client waits for answers before it goes on.
    pub(in crate::wire::http1) fn note_pace(&mut self, at: Began) {
        self.pipelines |=
            self.queue.back().is_some_and(|last| last.began.ack.is_some() && last.began.ack == at.ack);
        if !self.synced || self.doubt.is_some() {
            return;
        }
        match self.queue.front().filter(|first| !first.answered) {
            Some(first) if first.began.ack < at.ack && (self.pipelines || !self.is_guess) => {
                self.note_sliding();
            }
            Some(_) => {}
            None => self.waits |= self.pipelines && !self.is_guess,
        }
    }

    /// The client does not wait for all answers before it goes on: pairs that were found by acknowledgements alone are in doubt.
    fn note_sliding(&mut self) {
        self.slides = true;
        self.synced &= !self.is_guess;
    }

    /// Opens an exchange for a request whose head is still being read, because its response has come.
    fn promote(&mut self, at: Began, cx: &Context<'_>) -> Option<u32> {
        let began = self.requests.began;
        let reading = match self.requests.state {
            State::Head { decided } => decided || sniff::begun_request(&self.requests.buf),
            State::Torn(_) => true,
            _ => false,
        };
        let is_answered =
            self.queue.back().is_some_and(|entry| entry.exchange.request.is_none() && !entry.requested);
        let is_after_loss = self.doubt.is_some_and(|(first, _)| began.offset >= first);
        if !reading || is_answered || is_after_loss || at.ack.is_some_and(|ack| ack <= began.offset) {
            return None;
        }
        if matches!(self.requests.state, State::Head { .. }) {
            self.requests.state = State::Head { decided: true };
        }
        let entry = self.entry(None, AnomalySet::default(), began, cx);
        self.push(entry);
        Some(self.first + self.queue.len() as u32 - 1)
    }

    /// The connection leaves HTTP/1.1 after the exchange whose response head was just read.
    fn switch(&mut self, upgrade: Upgrade, status: u16, at: Arrival, cx: &mut Context<'_>) {
        self.switched = Some(match (status, upgrade) {
            (101, Upgrade::Http2) => "h2c",
            (101, Upgrade::WebSocket) => "websocket",
            (101, _) => "upgraded",
            _ => return self.open_tunnel(at, cx),
        });
        if let Target::Entry(number) = self.target
            && let Some(entry) = self.at(number)
        {
            entry.exchange.outcome = Outcome::Switched;
        }
        self.finish(Role::Response, BodyEnd::None, at, cx);
        self.stop(Role::Request, Ending::Closed, at, cx);
        self.requests.state = State::Tunnel;
        self.responses.state = State::Tunnel;
    }
}

/// Whether the fields say that content follows.
fn announces_content(facts: &Facts) -> bool {
    facts.coded || !matches!(facts.length, Length::Absent | Length::Bytes(0))
}

/// What of a request's method matters for the framing of its response.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}
