//! A request head becomes an exchange that waits for its response.

use crate::model::{
    Anomaly, AnomalySet, Body, BodyEnd, Connection, Exchange, ExchangeId, Outcome, Request, RequestHead,
};
use crate::wire::http1::connection::{Context, Http1};
use crate::wire::http1::framing::reader::{Began, Framing, Role, State};
use crate::wire::http1::heads::facts::{Facts, Length};
use crate::wire::http1::pairing::entry::Entry;
use crate::wire::tcp::{Arrival, Dir};

impl Http1 {
    /// A request head has been read; its content follows.
    pub(in crate::wire::http1) fn request_head(
        &mut self,
        head: RequestHead,
        facts: Facts,
        at: Arrival,
        cx: &mut Context<'_>,
    ) {
        let mut framing = if facts.chunked {
            Framing::Chunked
        } else {
            match facts.length {
                Length::Bytes(len) => Framing::Length(len),
                _ => Framing::Empty,
            }
        };
        let connect = head.method() == "CONNECT";
        if connect {
            // What follows is the tunnel's, unless the request is refused (RFC 9110 §9.3.6).
            self.refused_content = std::mem::replace(&mut framing, Framing::Empty);
        }
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
    pub(in crate::wire::http1) fn cut_request(
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

    pub(in crate::wire::http1) fn open(&mut self, head: RequestHead, facts: &Facts, cx: &mut Context<'_>) {
        cx.tally.requests += 1;
        self.is_new_tunnel = false;
        let began = self.requests.began;
        let request = Request { head, body: Body::default(), started: began.time, ended: began.time };
        let mut anomalies = std::mem::take(&mut self.requests.carry);
        anomalies.extend(facts.anomalies);
        let announces = facts.chunked || !matches!(facts.length, Length::Absent | Length::Bytes(0));
        if announces && request.head.method() == "TRACE" {
            anomalies.insert(Anomaly::BodyAfterNoBody);
        }
        // A promoted request, opened by its response before its head was whole, waits at the back.
        if let Some(last) =
            self.queue.back_mut().filter(|last| last.exchange.request.is_none() && !last.requested)
        {
            last.exchange.request = Some(request);
            last.exchange.anomalies.extend(anomalies);
            return;
        }
        self.note_pace(began);
        let mut entry = self.entry(Some(request), anomalies, began, cx);
        entry.expects = facts.expects;
        self.push(entry);
    }

    pub(in crate::wire::http1) fn push(&mut self, mut entry: Entry) {
        if let Some(request) = &entry.exchange.request {
            entry.cost = request.head.fields().heap_bytes();
        }
        self.held += entry.cost;
        self.queue.push_back(entry);
    }

    pub(in crate::wire::http1) fn entry(
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
            client: self.named_client().unwrap_or_else(|| cx.key.sender(client)),
            server: cx.key.sender(client.other()),
            connection: Connection { index, ..*cx.connection },
            preface: self.preface.clone(),
            request,
            interim: Box::default(),
            response: None,
            outcome: Outcome::Pending,
            not_http: None,
            imported: None,
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
}
