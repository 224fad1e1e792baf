//! FastCGI, uwsgi, SCGI and AJP between a web server and an application: the second hop of many boxes.
//!
//! Their requests are variables rather than lines. They are written down as a head of HTTP/1.1, so that everything above
//! takes them as it takes others; [`Anomaly::GatewayProtocol`] says that the head was made here. The answers of FastCGI and SCGI are
//! those of CGI (RFC 3875 §6), of AJP records, and of uwsgi HTTP itself.

mod ajp;
mod fastcgi;
mod scgi;
mod uwsgi;
mod variables;

use std::fmt::Debug;

use crate::model::{Anomaly, Body, BodyEnd};
use crate::wire::http1::connection::{Context, Http1, Target};
use crate::wire::http1::framing::reader::Role;
use crate::wire::http1::heads::parse;
use crate::wire::tcp::Arrival;

/// Bytes kept of the content of a message.
const CONTENT: usize = 64 << 10;
/// Bytes of the variables of a request, or of the head of a response.
const HEAD: usize = 64 << 10;

/// Reads the records of both directions.
pub(super) trait Records: Debug + Send {
    /// The next bytes of the web server; `false` when nothing more can be read.
    fn request(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool;
    /// The next bytes of the application.
    fn response(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool;
    /// The application sends no more.
    fn end(&mut self, _out: &mut Vec<Event>) {}
    /// Whether the application answers in records, too; otherwise its answers are read as HTTP.
    fn reads_responses(&self) -> bool {
        true
    }
    /// Bytes of memory in use.
    fn cost(&self) -> usize;
}

/// A message that was read.
#[derive(Debug)]
pub(super) enum Event {
    /// A request.
    Request(Message),
    /// The response to request number so-and-so of the connection.
    Response(u32, Message),
}

/// A message as HTTP/1.1 would have it.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// Its head, with the empty line. Bound: [`HEAD`].
    head: Vec<u8>,
    content: Content,
}

/// Content. Bound: [`CONTENT`].
#[derive(Debug, Default)]
struct Content {
    kept: Vec<u8>,
    len: u64,
}

impl Content {
    fn push(&mut self, data: &[u8]) {
        let room = CONTENT.saturating_sub(self.kept.len());
        self.kept.extend(data.iter().take(room));
        self.len += data.len() as u64;
    }

    fn body(self) -> Body {
        let end = if self.len == 0 { BodyEnd::None } else { BodyEnd::Complete };
        Body { kept: self.kept.into_boxed_slice(), len: self.len, end, rare: None }
    }
}

/// The reader for a protocol of this name.
fn named(name: &str) -> Option<Box<dyn Records>> {
    match name {
        "fastcgi" => Some(Box::<fastcgi::FastCgi>::default()),
        "uwsgi" => Some(Box::<uwsgi::Uwsgi>::default()),
        "scgi" => Some(Box::<scgi::Scgi>::default()),
        "ajp" => Some(Box::<ajp::Ajp>::default()),
        _ => None,
    }
}

impl Http1 {
    /// The connection speaks the protocol `name`, whose first bytes are `data`; they are counted already.
    pub(super) fn begin_gateway(&mut self, name: &str, data: &[u8], at: Arrival, cx: &mut Context<'_>) {
        self.gateway = named(name);
        self.read_gateway(Role::Request, data, at, cx);
    }

    /// Whether the bytes of `role` are records.
    pub(super) fn is_gateway(&self, role: Role) -> bool {
        self.gateway.as_ref().is_some_and(|gateway| role == Role::Request || gateway.reads_responses())
    }

    /// Takes the next bytes of a direction.
    pub(super) fn read_gateway(&mut self, role: Role, data: &[u8], at: Arrival, cx: &mut Context<'_>) {
        let Some(mut gateway) = self.gateway.take() else { return };
        let mut events = Vec::new();
        let goes_on = match role {
            Role::Request => gateway.request(data, &mut events),
            Role::Response => gateway.response(data, &mut events),
        };
        if goes_on {
            self.gateway = Some(gateway);
        }
        self.take_events(events, at, cx);
    }

    /// The application sends no more.
    pub(super) fn end_gateway(&mut self, at: Arrival, cx: &mut Context<'_>) {
        let Some(gateway) = &mut self.gateway else { return };
        let mut events = Vec::new();
        gateway.end(&mut events);
        self.take_events(events, at, cx);
    }

    fn take_events(&mut self, events: Vec<Event>, at: Arrival, cx: &mut Context<'_>) {
        for event in events {
            match event {
                Event::Request(message) => self.gateway_request(message, at, cx),
                Event::Response(number, message) => self.gateway_response(number, message, at, cx),
            }
        }
    }

    fn gateway_request(&mut self, message: Message, at: Arrival, cx: &mut Context<'_>) {
        let Some((head, facts)) = parse::any_request(&message.head) else { return };
        self.requests.began = at.into();
        self.requests.carry.insert(Anomaly::GatewayProtocol);
        self.open(head, &facts, cx);
        let cost = message.content.kept.len();
        self.held += cost;
        if let Some(entry) = self.queue.back_mut() {
            (entry.requested, entry.request_end) = (true, at.offset);
            entry.cost += cost;
            if let Some(request) = &mut entry.exchange.request {
                (request.body, request.ended) = (message.content.body(), at.time);
            }
        }
    }

    fn gateway_response(&mut self, number: u32, message: Message, at: Arrival, cx: &mut Context<'_>) {
        let is_waiting = self.at(number).is_some_and(|entry| !entry.answered);
        let Some((head, facts)) = parse::any_response(&message.head).filter(|_| is_waiting) else { return };
        self.responses.began = at.into();
        self.answer(head, &facts, Some(number), cx);
        self.target = Target::None;
        let cost = message.content.kept.len();
        self.held += cost;
        if let Some(entry) = self.at(number) {
            entry.responded = true;
            entry.cost += cost;
            if let Some(response) = &mut entry.exchange.response {
                (response.body, response.ended) = (message.content.body(), at.time);
            }
        }
        self.leave(cx);
    }
}
