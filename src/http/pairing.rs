//! Requests and their responses.
//!
//! While no message is lost, responses answer requests in order (RFC 9112 §9.3). A response can only answer a request
//! that its sender had begun to receive (acknowledged), and only one whose sender had not received the response before.
//! After a loss, a response is paired only if it begins exactly where the client stood when it sent the request.

use std::collections::VecDeque;

use super::body;
use super::exchange::{Ending, Entry};
use super::facts::{Facts, Length, Upgrade};
use super::reader::{Began, Framing, Reader, Role, State};
use super::sniff;
use crate::model::{
    Anomaly, AnomalySet, Body, BodyEnd, Connection, Counters, Exchange, ExchangeId, Outcome, Request,
    RequestHead, Response, ResponseHead,
};
use crate::pipeline::Limits;
use crate::tcp::{Arrival, Dir, FlowKey};

/// Interim responses kept of each exchange.
const INTERIMS: usize = 16;

/// What the reader of a connection needs of its surroundings.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    /// The bounds.
    pub limits: &'a Limits,
    /// The counters.
    pub tally: &'a mut Counters,
    /// Where finished exchanges go.
    pub out: &'a mut Vec<Exchange>,
    /// The connection's addresses.
    pub key: FlowKey,
    /// What exchanges say of their connection.
    pub connection: Connection,
}

/// Which exchange the response being read belongs to.
#[derive(Debug)]
enum Target {
    None,
    /// By its number on the connection.
    Entry(u32),
    Orphan(Box<Entry>),
}

/// The HTTP state of one connection.
#[derive(Debug)]
pub(crate) struct Http {
    /// Who sends requests, once it is known.
    client: Option<Dir>,
    requests: Reader,
    responses: Reader,
    /// Exchanges that have not left, oldest first. Bound: the connection's share of the memory limit.
    queue: VecDeque<Entry>,
    /// The number of the first exchange in `queue`.
    first: u32,
    target: Target,
    /// Whether no message was lost since the last pair.
    synced: bool,
    /// Whether a response may have been lost since.
    response_lost: bool,
    server_closed: Option<Ending>,
    foreign: Option<&'static str>,
    switched: Option<&'static str>,
    /// Bytes of memory that `queue` takes.
    held: usize,
}

impl Http {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(client: Option<Dir>) -> Self {
        let from_start = client.is_some();
        let mut http = Self {
            client,
            requests: Reader::new(from_start),
            responses: Reader::new(from_start),
            queue: VecDeque::new(),
            first: 0,
            target: Target::None,
            synced: from_start,
            response_lost: false,
            server_closed: None,
            foreign: None,
            switched: None,
            held: 0,
        };
        if !from_start {
            http.requests.carry.insert(Anomaly::MidStream);
            http.responses.carry.insert(Anomaly::MidStream);
        }
        http
    }

    /// Bytes of memory in use.
    pub(crate) fn cost(&self) -> usize {
        let entries = self.queue.capacity() * size_of::<Entry>();
        size_of::<Self>() + entries + self.held + self.requests.cost() + self.responses.cost()
    }

    /// Why it is not HTTP/1.1 (any more), if it is not.
    pub(crate) fn unparsed(&self) -> Option<&'static str> {
        let silent = self.requests.messages == 0 && self.responses.messages == 0;
        self.switched
            .or(self.foreign.filter(|_| self.requests.messages == 0 || silent))
            .or_else(|| (self.client.is_none()).then_some("no message start seen"))
    }

    pub(super) fn reader(&mut self, role: Role) -> &mut Reader {
        match role {
            Role::Request => &mut self.requests,
            Role::Response => &mut self.responses,
        }
    }

    /// The next bytes sent in `dir`.
    pub(crate) fn data(&mut self, dir: Dir, data: &[u8], at: Arrival, cx: &mut Context<'_>) {
        if self.client.is_none() && at.starts_segment {
            if sniff::surely_request(data) {
                self.client = Some(dir);
            } else if sniff::surely_response(data) {
                self.client = Some(dir.other());
            }
        }
        match self.role(dir) {
            Some(role) => self.feed(role, data, at, cx),
            None => cx.tally.skipped_bytes += data.len() as u64,
        }
    }

    /// The capture lost the next bytes sent in `dir`.
    pub(crate) fn gap(&mut self, dir: Dir, len: u64, at: Arrival, cx: &mut Context<'_>) {
        if let Some(role) = self.role(dir) {
            self.lose(role, len, at, cx);
        }
    }

    /// The sender of `dir` sends no more.
    pub(crate) fn fin(&mut self, dir: Dir, at: Arrival, cx: &mut Context<'_>) {
        let Some(role) = self.role(dir) else { return };
        self.stop(role, Ending::Closed, at, cx);
        if role == Role::Response {
            self.server_closed = Some(Ending::Closed);
        }
        self.leave(cx);
    }

    /// No more bytes come in either direction: everything leaves.
    pub(crate) fn end(&mut self, ending: Ending, at: Arrival, one_sided: bool, cx: &mut Context<'_>) {
        self.stop(Role::Request, ending, at, cx);
        self.stop(Role::Response, ending, at, cx);
        let lost = self.response_lost.then_some(Outcome::Lost);
        let missing = if one_sided { Some(Outcome::OneSided) } else { lost };
        while let Some(entry) = self.queue.pop_front() {
            self.first += 1;
            Self::emit(entry, ending, missing, cx);
        }
        self.held = 0;
    }

    /// Something odd about the connection.
    pub(crate) fn notice(&mut self, anomaly: Anomaly) {
        if let Some(entry) = self.queue.front_mut() {
            entry.exchange.anomalies.insert(anomaly);
        } else {
            self.requests.carry.insert(anomaly);
        }
    }

    /// Whether bytes that came again are known to differ from what was kept of them.
    pub(crate) fn differs(&self, dir: Dir, offset: u64, data: &[u8]) -> bool {
        match self.role(dir) {
            Some(Role::Request) => {
                let unfinished = body::differs(&self.requests.buf, self.requests.began.offset, data, offset)
                    || self.requests.body.differs(data, offset);
                unfinished
                    || self.queue.iter().rev().take(4).any(|entry| {
                        entry.exchange.request.as_ref().is_some_and(|request| {
                            body::differs(request.head.fields().raw(), entry.began.offset, data, offset)
                        })
                    })
            }
            Some(Role::Response) => {
                body::differs(&self.responses.buf, self.responses.began.offset, data, offset)
                    || self.responses.body.differs(data, offset)
            }
            None => false,
        }
    }

    fn role(&self, dir: Dir) -> Option<Role> {
        self.client.map(|client| if client == dir { Role::Request } else { Role::Response })
    }

    /// A request head has been read; its content follows.
    pub(super) fn request_head(
        &mut self,
        head: RequestHead,
        facts: Facts,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let framing = if facts.chunked {
            Framing::Chunked
        } else {
            match facts.length {
                Length::Bytes(len) => Framing::Length(len),
                _ => Framing::Empty,
            }
        };
        let connect = head.method() == "CONNECT";
        self.open(head, &facts, cx);
        self.requests.messages += 1;
        if facts.expects && framing != Framing::Empty && framing != Framing::Length(0) {
            self.requests.state = State::Expected(framing);
            return;
        }
        self.begin_content(Role::Request, framing, at, cx);
        if connect && matches!(self.requests.state, State::Start) {
            self.requests.state = State::Held;
        }
    }

    /// A request head was cut short; nothing more of it will come.
    pub(super) fn cut_request(
        &mut self,
        head: RequestHead,
        facts: Facts,
        end: BodyEnd,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.open(head, &facts, cx);
        self.requests.messages += 1;
        self.finish(Role::Request, end, at, cx);
    }

    fn open(&mut self, head: RequestHead, facts: &Facts, cx: &mut Context<'_>) {
        cx.tally.requests += 1;
        let began = self.requests.began;
        let request = Request { head, body: Body::default(), started: began.time, ended: began.time };
        let mut anomalies = std::mem::take(&mut self.requests.carry);
        anomalies.extend(facts.anomalies);
        // A promoted request, opened by its response before its head was whole, waits at the back.
        if let Some(last) =
            self.queue.back_mut().filter(|last| last.exchange.request.is_none() && !last.requested)
        {
            last.exchange.request = Some(request);
            last.exchange.anomalies.extend(anomalies);
            return;
        }
        let mut entry = self.entry(Some(request), anomalies, began, cx);
        entry.expects = facts.expects;
        self.push(entry);
    }

    fn push(&mut self, mut entry: Entry) {
        if let Some(request) = &entry.exchange.request {
            entry.cost = request.head.fields().raw().len() + request.head.fields().len() * 16;
        }
        self.held += entry.cost;
        self.queue.push_back(entry);
    }

    fn entry(
        &self,
        request: Option<Request>,
        anomalies: AnomalySet,
        began: Began,
        cx: &Context<'_>,
    ) -> Entry {
        let client = self.client.unwrap_or(Dir::Low);
        let index = self.first + self.queue.len() as u32;
        let exchange = Exchange {
            id: ExchangeId(0),
            client: cx.key.sender(client),
            server: cx.key.sender(client.other()),
            connection: Connection { index, ..cx.connection },
            request,
            interim: Box::default(),
            response: None,
            outcome: Outcome::Pending,
            anomalies,
        };
        Entry {
            exchange,
            began,
            requested: false,
            request_end: u64::MAX,
            answered: false,
            responded: false,
            response_ack: None,
            expects: false,
            interims: 0,
            cost: 0,
        }
    }

    /// A response head has been read; its content follows.
    pub(super) fn response_head(
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
        if status == 101 || (method == Some(Method::Connect) && (200..300).contains(&status)) {
            self.switch(facts.upgrade, status, at, cx);
            return;
        }
        let none = status == 204 || status == 304 || method == Some(Method::Head);
        if status == 204 && (facts.coded || facts.length != Length::Absent) {
            self.note(Role::Response, Anomaly::LengthWithoutBody);
        }
        let framing = match facts.length {
            _ if none => Framing::Empty,
            _ if facts.chunked => Framing::Chunked,
            Length::Bytes(len) if !facts.coded => Framing::Length(len),
            _ => Framing::UntilClose,
        };
        if framing == Framing::UntilClose {
            self.note(Role::Response, Anomaly::CloseDelimited);
        }
        self.begin_content(Role::Response, framing, at, cx);
    }

    /// A response head was cut short; nothing more of it will come.
    pub(super) fn cut_response(
        &mut self,
        head: ResponseHead,
        facts: Facts,
        end: BodyEnd,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        self.responses.messages += 1;
        let chosen = self.choose(self.responses.began, cx);
        self.answer(head, &facts, chosen, cx);
        self.finish(Role::Response, end, at, cx);
    }

    /// Attaches a final response's head to the request it answers.
    fn answer(&mut self, head: ResponseHead, facts: &Facts, chosen: Option<u32>, cx: &mut Context<'_>) {
        cx.tally.responses += 1;
        let began = self.responses.began;
        let mut anomalies = std::mem::take(&mut self.responses.carry);
        anomalies.extend(facts.anomalies);
        let response = Response { head, body: Body::default(), started: began.time, ended: began.time };
        let cost = response.head.fields().raw().len() + response.head.fields().len() * 16;
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
        if self.synced {
            anomalies.insert(Anomaly::UnexpectedResponse);
        }
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
        let fits = |entry: &Entry| {
            at.ack.is_none_or(|ack| ack > entry.began.offset)
                && entry.began.ack.is_none_or(|ack| ack <= at.offset)
        };
        if self.synced {
            return match self.queue.iter().position(|entry| !entry.answered) {
                Some(index) => self.queue.get(index).is_some_and(fits).then(|| self.first + index as u32),
                None => self.promote(at, cx),
            };
        }
        let exact = |entry: &Entry| {
            !entry.answered
                && fits(entry)
                && entry.began.ack.is_none_or(|ack| at.ack.is_none() || ack == at.offset)
        };
        let index = self.queue.iter().position(exact)?;
        self.synced = true;
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

    /// Opens an exchange for a request whose head is still being read, because its response has come.
    fn promote(&mut self, at: Began, cx: &Context<'_>) -> Option<u32> {
        let began = self.requests.began;
        let reading = matches!(self.requests.state, State::Head { decided: true });
        if !reading || at.ack.is_some_and(|ack| ack <= began.offset) {
            return None;
        }
        let entry = self.entry(None, AnomalySet::default(), began, cx);
        self.push(entry);
        Some(self.first + self.queue.len() as u32 - 1)
    }

    /// A message has been read to its end, or as far as it goes.
    pub(super) fn finish(&mut self, role: Role, end: BodyEnd, at: Arrival, cx: &mut Context<'_>) {
        self.end_chunked(role);
        let reader = self.reader(role);
        let body = reader.body.finish(end);
        reader.state = State::Start;
        reader.buf = Vec::new();
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
    fn leave(&mut self, cx: &mut Context<'_>) {
        while let Some(front) = self.queue.front() {
            let hopeless = self.server_closed.filter(|_| front.requested && !front.answered);
            if !front.is_done() && hopeless.is_none() {
                return;
            }
            if let Some(entry) = self.queue.pop_front() {
                self.first += 1;
                self.held = self.held.saturating_sub(entry.cost);
                let lost = self.response_lost.then_some(Outcome::Lost);
                Self::emit(entry, hopeless.unwrap_or(Ending::Closed), lost, cx);
            }
        }
    }

    fn emit(mut entry: Entry, ending: Ending, missing: Option<Outcome>, cx: &mut Context<'_>) {
        entry.conclude(ending, missing);
        if entry.exchange.request.is_some() {
            cx.tally.exchanges += 1;
        } else if entry.exchange.response.is_none() {
            return;
        }
        cx.out.push(entry.exchange);
    }

    /// Ends the message being read in one direction.
    fn stop(&mut self, role: Role, ending: Ending, at: Arrival, cx: &mut Context<'_>) {
        let at = Arrival { time: self.reader(role).last, ..at };
        let end = match self.reader(role).state {
            State::Start | State::Seek | State::Tunnel | State::Foreign | State::Held => return,
            State::Head { decided } => {
                if decided {
                    self.cut_head(role, Anomaly::MalformedHead, ending.of_body(), at, cx);
                }
                return;
            }
            State::UntilClose if ending == Ending::Closed => BodyEnd::Close,
            State::Expected(_) => {
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

    /// The connection leaves HTTP/1.1 after the exchange whose response head was just read.
    fn switch(&mut self, upgrade: Upgrade, status: u16, at: Arrival, cx: &mut Context<'_>) {
        self.switched = Some(match (status, upgrade) {
            (101, Upgrade::Http2) => "h2c",
            (101, Upgrade::WebSocket) => "websocket",
            (101, _) => "upgraded",
            _ => "connect tunnel",
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

    /// Adds an anomaly to the exchange that a direction is reading.
    pub(super) fn note(&mut self, role: Role, anomaly: Anomaly) {
        match (role, &mut self.target) {
            (Role::Request, _) => {
                if let Some(entry) = self.queue.back_mut() {
                    entry.exchange.anomalies.insert(anomaly);
                }
            }
            (Role::Response, Target::None) => self.responses.carry.insert(anomaly),
            (Role::Response, Target::Orphan(entry)) => entry.exchange.anomalies.insert(anomaly),
            (Role::Response, Target::Entry(number)) => {
                let number = *number;
                if let Some(entry) = self.at(number) {
                    entry.exchange.anomalies.insert(anomaly);
                }
            }
        }
    }

    pub(super) fn lost_sync(&mut self, role: Role) {
        self.synced = false;
        self.response_lost |= role == Role::Response;
    }

    pub(super) fn name_foreign(&mut self, role: Role, name: &'static str) {
        if role == Role::Request || self.foreign.is_none() {
            self.foreign = Some(name);
        }
    }

    /// Whether the request being read has its final response, sent before the bytes at `at`.
    pub(super) fn was_refused(&self, at: Arrival) -> bool {
        let answered = self.queue.back().is_some_and(|entry| entry.answered);
        answered && at.ack.is_none_or(|ack| ack > self.responses.began.offset)
    }

    /// Whether CONNECT was answered, and not with success.
    pub(super) fn tunnel_refused(&self) -> bool {
        self.queue.back().is_none_or(|entry| entry.answered)
    }

    fn at(&mut self, number: u32) -> Option<&mut Entry> {
        self.queue.get_mut(number.checked_sub(self.first)? as usize)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Head,
    Connect,
    Other,
}
