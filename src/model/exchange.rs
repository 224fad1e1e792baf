//! An exchange: one request with its outcome.

use std::net::SocketAddr;

use super::{AnomalySet, Body, InterfaceId, Preface, RequestHead, ResponseHead, Timestamp};

/// The number of an exchange within a run, from 1 in the order they finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ExchangeId(pub u64);

/// The number of a TCP connection within a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowId(pub u64);

/// The number of a stream within a connection. HTTP/1.1 has one stream, 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// A request with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Start line and fields.
    pub head: RequestHead,
    /// Content.
    pub body: Body,
    /// Time of the first byte.
    pub started: Timestamp,
    /// Time of the last byte seen.
    pub ended: Timestamp,
}

/// A final response with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Start line and fields.
    pub head: ResponseHead,
    /// Content.
    pub body: Body,
    /// Time of the first byte.
    pub started: Timestamp,
    /// Time of the last byte seen.
    pub ended: Timestamp,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Request and final response were both seen to their end (gaps inside bodies are anomalies).
    Complete,
    /// A response was seen; its end, or the request's, was not.
    Partial,
    /// The connection was closed without a response.
    Closed,
    /// The connection was reset without a response.
    Reset,
    /// The capture ended before a response.
    Pending,
    /// The flow was idle for too long without a response.
    Expired,
    /// The flow was evicted to keep within the memory budget.
    Evicted,
    /// The response was lost: the capture has a gap where it was.
    Lost,
    /// Only the client's direction was seen.
    OneSided,
    /// The connection left HTTP/1.1 (CONNECT, Upgrade) after this exchange.
    Switched,
    /// The server answered with something that is not HTTP/1.x; see [`Exchange::not_http`].
    NotHttp,
    /// Whoever recorded it saw no response, or does not show it; [`Imported::reason`] says why where that is known.
    NotRecorded,
    /// A response without its request: capture began later, or only the server's direction was seen.
    Orphan,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 13] = [
        Self::Complete,
        Self::Partial,
        Self::Closed,
        Self::Reset,
        Self::Pending,
        Self::Expired,
        Self::Evicted,
        Self::Lost,
        Self::OneSided,
        Self::Switched,
        Self::NotHttp,
        Self::NotRecorded,
        Self::Orphan,
    ];

    /// As in the NDJSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Closed => "closed-without-response",
            Self::Reset => "reset-without-response",
            Self::Pending => "capture-ended",
            Self::Expired => "expired",
            Self::Evicted => "evicted",
            Self::Lost => "response-lost",
            Self::OneSided => "one-sided",
            Self::Switched => "switched-protocol",
            Self::NotHttp => "not-http-response",
            Self::NotRecorded => "response-not-recorded",
            Self::Orphan => "orphan-response",
        }
    }
}

/// What is known of the connection that carried an exchange.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Which connection.
    pub flow: FlowId,
    /// Where it was first captured.
    pub interface: InterfaceId,
    /// Which stream of it, where a protocol interleaves exchanges.
    pub stream: StreamId,
    /// Position of this exchange on its connection, from 0.
    pub index: u32,
    /// Whether the handshake was seen; if not, earlier exchanges may be missing.
    pub handshake: bool,
}

/// Bytes kept of what a server sent in place of a response.
pub const NOT_HTTP_KEPT: usize = 256;

/// One request with its outcome, or an orphan response (`outcome` is then [`Outcome::Orphan`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Set when the history takes it in; 0 before.
    pub id: ExchangeId,
    /// Who asked: the address that a PROXY header names, else the one that opened the connection.
    pub client: SocketAddr,
    /// Who answered.
    pub server: SocketAddr,
    /// The connection it came on.
    pub connection: Connection,
    /// What stood on the connection before HTTP.
    pub preface: Option<Box<Preface>>,
    /// The request; `None` only for an orphan response.
    pub request: Option<Request>,
    /// Interim responses (1xx) before the final one, in order; bounded.
    pub interim: Box<[ResponseHead]>,
    /// The final response; `None` has its reason in `outcome`.
    pub response: Option<Response>,
    /// What became of it.
    pub outcome: Outcome,
    /// The first bytes of what the server sent in place of a response, where `outcome` is [`Outcome::NotHttp`].
    /// Bound: [`NOT_HTTP_KEPT`].
    pub not_http: Option<Box<[u8]>>,
    /// Where it was read, if not from captured frames.
    pub imported: Option<Box<Imported>>,
    /// Oddities on the wire.
    pub anomalies: AnomalySet,
}

/// Where an exchange was read that was not captured, and what such a record cannot tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What kind of record it is: `har`, `curl-verbose`, …
    pub format: &'static str,
    /// The program that wrote it, where it says so.
    pub recorder: Box<str>,
    /// Which entry of the record it is, from 1.
    pub entry: u64,
    /// Why there is no response, in the recorder's words.
    pub reason: Option<Box<str>>,
    /// What the record does not have, and why; at most a few.
    pub absent: Vec<(&'static str, Box<str>)>,
}

impl Imported {
    /// Every value of `format`.
    pub const FORMATS: [&'static str; 5] = ["har", "curl-verbose", "curl-trace", "wget-debug", "http-text"];
    /// Every name in `absent`.
    pub const ABSENT: [&'static str; 9] = [
        "frames",
        "framing",
        "started",
        "client",
        "server",
        "request.body",
        "response.body",
        "request.header.content-encoding",
        "response.header.content-encoding",
    ];
}

impl Exchange {
    /// Who opened the TCP connection; the client, unless a preface names another one.
    pub fn peer(&self) -> SocketAddr {
        self.preface.as_ref().map_or(self.client, |preface| preface.peer)
    }
    /// The client for people, with the peer of the connection where a preface names another client.
    pub fn client_text(&self) -> String {
        match &self.preface {
            None => self.client.to_string(),
            Some(preface) if preface.client.is_some() => {
                format!("{} ({} from {})", self.client, preface.kind.as_str(), preface.peer)
            }
            Some(preface) => format!("{} ({})", self.client, preface.kind.as_str()),
        }
    }
    /// The method; empty for an orphan response.
    pub fn method(&self) -> &str {
        self.request.as_ref().map_or("", |request| request.head.method())
    }
    /// The request target; empty for an orphan response.
    pub fn target(&self) -> &[u8] {
        self.request.as_ref().map_or(&[], |request| request.head.target())
    }
    /// The final response's status code.
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.head.status())
    }
    /// Time of the first byte of the request, or of the response for an orphan.
    pub fn started(&self) -> Timestamp {
        match (&self.request, &self.response) {
            (Some(request), _) => request.started,
            (None, Some(response)) => response.started,
            (None, None) => Timestamp::default(),
        }
    }
    /// Nanoseconds from the request's first byte to the response's first byte; none where the clock went back between them.
    pub fn latency(&self) -> Option<i64> {
        let latency = self.response.as_ref()?.started.since(self.request.as_ref()?.started);
        Some(latency).filter(|latency| *latency >= 0)
    }
    /// Whether the status is 2xx, or 3xx after a form post (a redirect to the result).
    pub fn is_success(&self) -> bool {
        match self.status() {
            Some(200..=299) => true,
            Some(301..=303) => self.request.as_ref().is_some_and(|request| {
                let media = request.head.fields().text("content-type").unwrap_or_default();
                let form = ["application/x-www-form-urlencoded", "multipart/form-data"];
                form.iter().any(|kind| media.get(..kind.len()).is_some_and(|m| m.eq_ignore_ascii_case(kind)))
            }),
            _ => false,
        }
    }
    /// Whether the status is one that the program explains (400–499).
    pub fn is_refusal(&self) -> bool {
        matches!(self.status(), Some(400..=499))
    }
}
