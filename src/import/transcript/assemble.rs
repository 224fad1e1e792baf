//! Exchanges out of heads and contents in the order in which a tool printed them.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use super::Kind;
use super::lines::trim;
use super::plain;
use crate::import::Recipient;
use crate::import::address::{self, Url};
use crate::import::message::{self, Content, Lines, MAX_HEAD};
use crate::model::{
    AnomalySet, Connection, Exchange, ExchangeId, Imported, Outcome, Request, Response, Timestamp, Version,
};

type Absent = Vec<(&'static str, Box<str>)>;

/// Whose bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// A message in the making. Bound: [`MAX_HEAD`] and the body limit.
#[derive(Debug, Default)]
struct Draft {
    /// The start line; empty until it was seen.
    start: Vec<u8>,
    lines: Lines,
    /// Bytes of the fields.
    size: usize,
    /// Whether its empty line was seen.
    is_whole: bool,
    body: Vec<u8>,
    len: u64,
}

/// Makes exchanges of what a reader tells.
pub(super) struct Assembler<'a> {
    kind: Kind,
    body_limit: usize,
    recipient: &'a mut dyn Recipient,
    request: Draft,
    response: Draft,
    server: Option<SocketAddr>,
    client: Option<SocketAddr>,
    secure: bool,
    last: Timestamp,
    /// Exchanges handed over.
    pub(super) made: u64,
}

impl<'a> Assembler<'a> {
    pub(super) fn new(kind: Kind, body_limit: usize, recipient: &'a mut dyn Recipient) -> Self {
        Self {
            kind,
            body_limit,
            recipient,
            request: Draft::default(),
            response: Draft::default(),
            server: None,
            client: None,
            secure: false,
            last: Timestamp::default(),
            made: 0,
        }
    }

    /// Where the connection leads, as the tool said.
    pub(super) const fn connected(&mut self, client: Option<SocketAddr>, server: SocketAddr) {
        self.server = Some(server);
        if client.is_some() {
            self.client = client;
        }
    }
    /// The connection speaks TLS.
    pub(super) const fn speaks_tls(&mut self) {
        self.secure = true;
    }
    /// Whether the head of `side` is being read.
    pub(super) fn is_in_head(&self, side: Side) -> bool {
        let draft = self.draft(side);
        !draft.start.is_empty() && !draft.is_whole
    }
    /// Whether the head of `side` was read.
    pub(super) fn has_head(&self, side: Side) -> bool {
        self.draft(side).is_whole
    }
    /// Whether content that the head of `side` announces has not come.
    pub(super) fn awaits_content(&self, side: Side) -> bool {
        let draft = self.draft(side);
        draft.is_whole && draft.len == 0 && message::announces_content(&draft.lines)
    }

    const fn draft(&self, side: Side) -> &Draft {
        match side {
            Side::Client => &self.request,
            Side::Server => &self.response,
        }
    }
    const fn draft_mut(&mut self, side: Side) -> &mut Draft {
        match side {
            Side::Client => &mut self.request,
            Side::Server => &mut self.response,
        }
    }

    /// A line of a head: a start line, a field line, or the empty line.
    pub(super) fn head(&mut self, side: Side, line: &[u8]) -> ControlFlow<()> {
        let line = trim(line);
        let starts = match side {
            Side::Client => !self.is_in_head(side) && plain::is_request_line(line),
            Side::Server => !self.is_in_head(side) && plain::is_status_line(line),
        };
        if starts {
            let interim = side == Side::Server
                && plain::status(&self.response.start).is_some_and(|status| status < 200 && status != 101);
            if (side == Side::Client && !self.request.start.is_empty())
                || (!self.response.start.is_empty() && !interim)
            {
                self.finish()?;
            }
            *self.draft_mut(side) =
                Draft { start: line.get(..MAX_HEAD).unwrap_or(line).to_vec(), ..Draft::default() };
            return ControlFlow::Continue(());
        }
        let draft = self.draft_mut(side);
        if draft.start.is_empty() || draft.is_whole {
            return ControlFlow::Continue(());
        }
        if line.is_empty() {
            draft.is_whole = true;
        } else if draft.size + line.len() <= MAX_HEAD {
            draft.size += line.len();
            let (name, value) = match line.iter().skip(1).position(|byte| *byte == b':') {
                Some(at) => line.split_at(at + 1),
                None => (line, &b""[..]),
            };
            let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii();
            draft.lines.push((name.to_vec(), value.to_vec()));
        }
        ControlFlow::Continue(())
    }

    /// Content of `side`.
    pub(super) fn content(&mut self, side: Side, bytes: &[u8]) {
        let limit = self.body_limit;
        let draft = self.draft_mut(side);
        if draft.start.is_empty() {
            return;
        }
        let room = limit.saturating_sub(draft.body.len());
        draft.body.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        draft.len += bytes.len() as u64;
    }

    /// Drops white space at the end of the content of `side`: tools print line breaks of their own after it.
    pub(super) fn trim_content(&mut self, side: Side) {
        let draft = self.draft_mut(side);
        if draft.len == draft.body.len() as u64 {
            let kept = draft.body.trim_ascii_end().len();
            draft.body.truncate(kept);
            draft.len = kept as u64;
        }
    }

    /// Hands over what there is.
    pub(super) fn finish(&mut self) -> ControlFlow<()> {
        let (request, response) = (std::mem::take(&mut self.request), std::mem::take(&mut self.response));
        if request.start.is_empty() && response.start.is_empty() {
            return ControlFlow::Continue(());
        }
        match self.exchange(request, response) {
            Some(exchange) => {
                self.made += 1;
                self.recipient.exchange(exchange)
            }
            None => ControlFlow::Continue(()),
        }
    }

    fn exchange(&mut self, request: Draft, response: Draft) -> Option<Exchange> {
        let mut absent: Absent = vec![("frames", "a transcript has messages, no packets".into())];
        let mut anomalies = AnomalySet::default();
        let started = self.started(&response, &mut absent);
        let absolute = request_target(&request.start).and_then(Url::parse);
        let (client, server) = self.addresses(&request, absolute.as_ref(), &mut absent);
        let request = if request.start.is_empty() {
            None
        } else {
            let (head, odd) = request_head(&request, absolute.as_ref())?;
            anomalies.extend(odd);
            let body = body(request, "request.body", &mut absent);
            Some(Request { head, body, started, ended: started })
        };
        let method = request.as_ref().map_or("", |request| request.head.method());
        let response = match plain::status(&response.start) {
            None => None,
            Some(status) => {
                let version = version(&response.start);
                let reason = response.start.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default();
                let (head, odd) = message::response_head(status, reason, version, &response.lines)?;
                anomalies.extend(odd);
                let has_none = method == "HEAD" || matches!(status, 100..=199 | 204 | 304);
                let body = if has_none {
                    Content { len: Some(0), ..Content::default() }.into_body(false)
                } else {
                    body(response, "response.body", &mut absent)
                };
                Some(Response { head, body, started, ended: started })
            }
        };
        let outcome = match (&request, &response) {
            (None, _) => Outcome::Orphan,
            (_, None) => Outcome::NotRecorded,
            (_, Some(response))
                if response.head.status() == 101 || (method == "CONNECT" && response.head.status() < 300) =>
            {
                Outcome::Switched
            }
            _ => Outcome::Complete,
        };
        let imported =
            Imported { format: self.kind.name(), entry: self.made + 1, absent, ..Imported::default() };
        Some(Exchange {
            id: ExchangeId(0),
            client,
            server,
            connection: Connection { handshake: true, ..Connection::default() },
            preface: None,
            request,
            interim: Box::default(),
            response,
            outcome,
            not_http: None,
            imported: Some(Box::new(imported)),
            anomalies,
        })
    }

    fn started(&mut self, response: &Draft, absent: &mut Absent) -> Timestamp {
        let date = message::value(&response.lines, "date").and_then(|date| std::str::from_utf8(date).ok());
        let date = date.and_then(|date| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let nanos = date.and_then(|date| i64::try_from(date.as_nanosecond()).ok());
        self.last = nanos.map_or(self.last, Timestamp);
        absent.push(("started", "taken from the response's Date: the transcript has no times".into()));
        self.last
    }

    fn addresses(
        &self,
        request: &Draft,
        absolute: Option<&Url>,
        absent: &mut Absent,
    ) -> (SocketAddr, SocketAddr) {
        let port = absolute.map_or_else(|| self.port(request), |url| url.port);
        let server = self.server.filter(|_| absolute.is_none()).unwrap_or_else(|| address::socket("", port));
        if server.ip().is_unspecified() {
            absent.push(("server", "the transcript does not have the server's address".into()));
        }
        let client = self.client.unwrap_or_else(|| address::socket("", 0));
        if client.ip().is_unspecified() {
            absent.push(("client", "the transcript does not have the client's address".into()));
        }
        (client, server)
    }

    /// The port that Host names, or the usual one.
    fn port(&self, request: &Draft) -> u16 {
        let host = message::value(&request.lines, "host").unwrap_or_default();
        let scheme: &[u8] = if self.secure { b"https://" } else { b"http://" };
        Url::parse(&[scheme, host].concat()).map_or(0, |url| url.port)
    }
}

fn request_target(start: &[u8]) -> Option<&[u8]> {
    start.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).nth(1)
}

fn version(start: &[u8]) -> Version {
    let named = start.split(|byte| *byte == b' ').find(|word| word.starts_with(b"HTTP/"));
    named.and_then(message::version).unwrap_or(Version::Http11)
}

/// The head of a request; an absolute target in a line without a version is how `.http` files name the server.
fn request_head(draft: &Draft, absolute: Option<&Url>) -> Option<(crate::model::RequestHead, AnomalySet)> {
    let method = draft.start.split(|byte| *byte == b' ').next()?;
    let mut lines = draft.lines.clone();
    let has_version = memchr::memmem::rfind(&draft.start, b" HTTP/").is_some();
    let version = version(&draft.start);
    let target = match absolute {
        Some(url) if !has_version || message::value(&lines, "host").is_none() => {
            if message::value(&lines, "host").is_none() {
                lines.insert(0, (b"Host".to_vec(), url.authority.clone()));
            }
            url.target.clone()
        }
        _ => {
            let end = memchr::memmem::rfind(&draft.start, b" HTTP/").unwrap_or(draft.start.len());
            draft.start.get(method.len()..end)?.trim_ascii().to_vec()
        }
    };
    message::request_head(method, &target, version, &lines)
}

/// The body of a message, and a word when it is not there.
fn body(draft: Draft, name: &'static str, absent: &mut Absent) -> crate::model::Body {
    let framed = message::announces_content(&draft.lines);
    let announced = message::value(&draft.lines, "content-length")
        .and_then(|value| std::str::from_utf8(value).ok()?.trim().parse::<u64>().ok());
    if draft.body.is_empty() && framed {
        absent.push((
            name,
            "the transcript does not show the content (curl -v leaves it out, --trace-ascii - has it)".into(),
        ));
        return Content { kept: Vec::new(), len: announced }.into_body(true);
    }
    let framed = framed || !draft.body.is_empty();
    Content { kept: draft.body, len: Some(draft.len) }.into_body(framed)
}
