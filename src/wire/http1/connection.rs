//! The HTTP state of one connection: requests in the making, and how exchanges leave.

use std::collections::VecDeque;

use crate::model::{Anomaly, NOT_HTTP_KEPT, Outcome, Preface, Timestamp};
use crate::wire::http1::framing::body;
use crate::wire::http1::framing::reader::{Framing, Reader, Role, State};
use crate::wire::http1::gateway::Records;
use crate::wire::http1::heads::cache::Models;
use crate::wire::http1::heads::sniff;
use crate::wire::http1::pairing::entry::Entry;
use crate::wire::http1::preface::CONNECT_TUNNEL;
use crate::wire::protocol;
use crate::wire::protocol::Ending;
use crate::wire::protocol::{Ignored, Protocol};
use crate::wire::tcp::{Arrival, Dir};

/// A connection whose first bytes are not HTTP may still become HTTP within this many bytes (SOCKS, PROXY).
const PREFACE: u64 = 2048;
/// A connection of which this many bytes of one direction are not HTTP is not HTTP.
const FOREIGN: u64 = 64 << 10;

/// What HTTP/1.1 needs of its surroundings: the shared part is what heads look like here.
pub(super) type Context<'a> = protocol::Context<'a, Models>;

/// Which exchange the response being read belongs to.
#[derive(Debug)]
pub(super) enum Target {
    None,
    /// By its number on the connection.
    Entry(u32),
    Orphan(Box<Entry>),
}

/// What a server sent where a response should begin.
#[derive(Debug)]
pub(super) struct NotHttp {
    /// How far the server had received the client's bytes by then.
    pub ack: Option<u64>,
    /// Its first bytes. Bound: [`NOT_HTTP_KEPT`].
    pub first: Vec<u8>,
}

/// The HTTP state of one connection.
#[derive(Debug)]
pub(crate) struct Http1 {
    /// Who sends requests, once it is known.
    pub(super) client: Option<Dir>,
    /// Who spoke last.
    speaker: Option<Dir>,
    pub(super) requests: Reader,
    pub(super) responses: Reader,
    /// Exchanges that have not left, oldest first. Bound: the connection's share of the memory limit.
    pub(super) queue: VecDeque<Entry>,
    /// The number of the first exchange in `queue`.
    pub(super) first: u32,
    pub(super) target: Target,
    /// Whether no response was lost since the last pair.
    pub(super) synced: bool,
    /// Whether `synced` rests on an acknowledgement alone: the capture began within the connection, or bytes were lost.
    pub(super) is_guess: bool,
    /// Whether the client has sent a request beside one that was unanswered.
    pub(super) pipelines: bool,
    /// Whether a client that pipelines has waited for all answers before it went on.
    pub(super) waits: bool,
    /// Whether the client sends the next request when some, not all, of its earlier ones were answered. What it had received
    /// when it sent a request then does not tell which response answers it.
    pub(super) slides: bool,
    /// Whether a response may have been lost since.
    pub(super) response_lost: bool,
    /// Where the client's first loss since the last pair and its latest end: what was lost may be requests whose responses
    /// are still to come.
    pub(super) doubt: Option<(u64, u64)>,
    /// The first byte that the server sent after it had received what was lost.
    pub(super) doubt_ends: Option<u64>,
    /// How the server ended its direction.
    pub(super) server_closed: Option<Ending>,
    pub(super) foreign: Option<&'static str>,
    /// Bytes that were no HTTP before any message.
    pub(super) foreign_bytes: u64,
    pub(super) switched: Option<&'static str>,
    /// What the server sent last, if that was not HTTP.
    pub(super) not_http: Option<Box<NotHttp>>,
    /// What stood before the first message.
    pub(super) preface: Option<Box<Preface>>,
    /// The client's first bytes in a dialogue of SOCKS. Bound: `SOCKS_DIALOGUE`.
    pub(super) dialogue: Vec<u8>,
    /// How the content of the last CONNECT request is delimited, should it be refused.
    pub(super) refused_content: Framing,
    /// Whether a CONNECT tunnel is open in which nothing was recognised yet.
    pub(super) is_new_tunnel: bool,
    /// Reads the requests of a protocol between web server and application.
    pub(super) gateway: Option<Box<dyn Records>>,
    /// Bytes of memory that `queue` takes.
    pub(super) held: usize,
}

impl Http1 {
    /// A connection of which nothing was seen yet.
    pub(crate) fn new(client: Option<Dir>) -> Self {
        let from_start = client.is_some();
        let mut http = Self {
            client,
            speaker: None,
            requests: Reader::new(from_start),
            responses: Reader::new(from_start),
            queue: VecDeque::new(),
            first: 0,
            target: Target::None,
            synced: from_start,
            is_guess: !from_start,
            pipelines: false,
            waits: false,
            slides: false,
            response_lost: false,
            doubt: None,
            doubt_ends: None,
            server_closed: None,
            foreign: None,
            foreign_bytes: 0,
            switched: None,
            not_http: None,
            preface: None,
            dialogue: Vec::new(),
            refused_content: Framing::Empty,
            is_new_tunnel: false,
            gateway: None,
            held: 0,
        };
        if !from_start {
            http.requests.carry.insert(Anomaly::MidStream);
            http.responses.carry.insert(Anomaly::MidStream);
        }
        http
    }

    /// Whether nothing on this connection can become an exchange any more.
    fn is_over(&self) -> bool {
        let dead = |reader: &Reader| matches!(reader.state, State::Foreign);
        let silent =
            |reader: &Reader| reader.messages == 0 && matches!(reader.state, State::Start | State::Seek);
        let (c, s) = (&self.requests, &self.responses);
        match self.switched {
            Some(_) => self.queue.is_empty(),
            None if self.gateway.is_some() => false,
            None => match self.foreign_bytes {
                0..PREFACE => false,
                PREFACE..FOREIGN => dead(c) && dead(s),
                _ => (dead(c) || silent(c)) && (dead(s) || silent(s)),
            },
        }
    }

    pub(super) fn reader(&mut self, role: Role) -> &mut Reader {
        match role {
            Role::Request => &mut self.requests,
            Role::Response => &mut self.responses,
        }
    }

    /// Whether the connection began with a dialogue that is not HTTP (SOCKS) and HTTP may still follow.
    fn may_change(&self) -> bool {
        let foreign = |reader: &Reader| matches!(reader.state, State::Foreign);
        self.foreign_bytes < PREFACE && (foreign(&self.requests) || foreign(&self.responses))
    }

    /// Tells who sends requests by the beginning of a segment.
    fn find_roles(&mut self, dir: Dir, data: &[u8], at: Arrival, cx: &mut Context<'_>) {
        let client = if sniff::surely_request(data) {
            dir
        } else if sniff::surely_response(data) {
            dir.other()
        } else {
            return;
        };
        if self.client.is_some() {
            let role = if client == dir { Role::Request } else { Role::Response };
            if self.client == Some(client) && !matches!(self.reader(role).state, State::Foreign) {
                return;
            }
            self.stop(Role::Request, Ending::Closed, at, cx);
            self.stop(Role::Response, Ending::Closed, at, cx);
            self.synced = false;
            self.requests.state = State::Seek;
            self.responses.state = State::Seek;
        } else {
            self.foreign = None;
        }
        self.client = Some(client);
        self.end_dialogue(cx);
    }

    /// What the server sends where a response should begin is not HTTP: `data` is its beginning.
    pub(super) fn begin_not_http(&mut self, data: &[u8]) {
        if !matches!(self.requests.state, State::Foreign) {
            self.not_http = Some(Box::new(NotHttp { ack: self.responses.began.ack, first: Vec::new() }));
            self.more_not_http(data);
        }
    }

    /// It goes on.
    pub(super) fn more_not_http(&mut self, data: &[u8]) {
        if let Some(not_http) = &mut self.not_http {
            let room = NOT_HTTP_KEPT.saturating_sub(not_http.first.len());
            not_http.first.extend(data.iter().take(room));
        }
    }

    /// Gives what the server sent in place of a response to the request that it followed.
    pub(super) fn take_not_http(&mut self, entry: &mut Entry) -> Option<Outcome> {
        if entry.exchange.request.is_none() || entry.answered {
            return None;
        }
        let not_http = self.not_http.take_if(|sent| sent.ack.is_none_or(|ack| ack > entry.began.offset))?;
        entry.exchange.not_http = Some(not_http.first.into_boxed_slice());
        Some(Outcome::NotHttp)
    }

    fn role(&self, dir: Dir) -> Option<Role> {
        self.client.map(|client| if client == dir { Role::Request } else { Role::Response })
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

    /// Messages may have been lost before stream offset `end`.
    pub(super) fn lost_sync(&mut self, role: Role, end: u64) {
        match role {
            Role::Request => {
                let first = self.doubt.map_or(end, |(first, _)| first);
                (self.doubt, self.doubt_ends) = (Some((first, end)), None);
            }
            Role::Response => (self.synced, self.response_lost) = (false, true),
        }
    }

    /// Notes when the server answers what it received after a loss of the client's bytes.
    pub(super) fn note_answer(&mut self, at: Arrival) {
        if self.doubt_ends.is_none()
            && at.ack.is_none_or(|ack| self.doubt.is_some_and(|(_, latest)| ack >= latest))
        {
            self.doubt_ends = Some(at.offset);
        }
    }

    pub(super) fn at(&mut self, number: u32) -> Option<&mut Entry> {
        self.queue.get_mut(number.checked_sub(self.first)? as usize)
    }
}

impl Protocol for Http1 {
    type Shared = Models;

    fn data(&mut self, dir: Dir, data: &[u8], at: Arrival, cx: &mut Context<'_>) {
        let turn = self.speaker.replace(dir) != Some(dir);
        if at.starts_segment && (self.client.is_none() || (turn && self.may_change())) {
            self.find_roles(dir, data, at, cx);
        }
        match self.role(dir) {
            Some(role) => self.feed(role, data, at, cx),
            None => {
                cx.tally.skipped_bytes += data.len() as u64;
                if at.starts_segment && self.foreign.is_none() && sniff::tls_record(data) {
                    // Only a name: a message may still come.
                    self.foreign = Some("tls");
                }
            }
        }
    }

    fn gap(&mut self, dir: Dir, len: u64, at: Arrival, cx: &mut Context<'_>) {
        if let Some(role) = self.role(dir) {
            // The records after a loss are not found again.
            self.response_lost |= self.gateway.take().is_some();
            self.lose(role, len, at, cx);
        }
    }

    fn fin(&mut self, dir: Dir, at: Arrival, cx: &mut Context<'_>) {
        let Some(role) = self.role(dir) else { return };
        if role == Role::Response {
            self.end_gateway(at, cx);
        }
        self.stop(role, Ending::Closed, at, cx);
        if role == Role::Response {
            self.server_closed = Some(Ending::Closed);
        }
        self.leave(cx);
    }

    fn end(&mut self, ending: Ending, at: Arrival, one_sided: bool, cx: &mut Context<'_>) {
        self.end_all(ending, at, one_sided, cx);
    }

    fn tick(&mut self, now: Timestamp, cx: &mut Context<'_>) {
        self.time_passed(now, cx);
    }

    fn awaits_time(&self) -> bool {
        self.is_answered_early()
    }

    fn notice(&mut self, anomaly: Anomaly) {
        if let Some(entry) = self.queue.front_mut() {
            entry.exchange.anomalies.insert(anomaly);
        } else {
            self.requests.carry.insert(anomaly);
        }
    }

    fn differs(&self, dir: Dir, offset: u64, data: &[u8]) -> bool {
        let Some(role) = self.role(dir) else { return false };
        let reader = if role == Role::Request { &self.requests } else { &self.responses };
        let in_head = matches!(reader.state, State::Head { .. });
        let unfinished = in_head && body::differs(&reader.buf, reader.began.offset, data, offset);
        if unfinished || reader.body.differs(data, offset) {
            return true;
        }
        role == Role::Request && self.queue.iter().rev().take(4).any(|entry| entry.head_differs(data, offset))
    }

    fn ignored(&self) -> Option<Ignored> {
        self.is_over().then(|| if self.switched.is_some() { Ignored::Switched } else { Ignored::Foreign })
    }

    fn unparsed(&self) -> Option<&'static str> {
        let foreign = self.foreign.filter(|_| self.requests.messages == 0);
        let unknown =
            (self.requests.messages == 0 && self.responses.messages == 0).then_some("no message start seen");
        let tunnel = self.is_new_tunnel.then_some(CONNECT_TUNNEL);
        self.switched.or(tunnel).or(foreign).or(unknown)
    }

    fn cost(&self) -> usize {
        let entries = self.queue.capacity() * size_of::<Entry>();
        let not_http = self.not_http.as_ref().map_or(0, |_| size_of::<NotHttp>() + NOT_HTTP_KEPT);
        let readers = self.requests.cost() + self.responses.cost();
        let gateway = self.gateway.as_ref().map_or(0, |gateway| gateway.cost());
        size_of::<Self>() + gateway + not_http + entries + self.held + self.dialogue.capacity() + readers
    }
}
