//! What stands on a connection before HTTP and what HTTP itself opens: PROXY headers, SOCKS dialogues and CONNECT tunnels.

use std::net::SocketAddr;

use crate::model::{BodyEnd, Outcome, Preface, PrefaceKind};
use crate::wire::http1::connection::{Context, Http1, Target};
use crate::wire::http1::framing::reader::{Framing, Role, State};
use crate::wire::http1::heads::preface;
use crate::wire::protocol::Ending;
use crate::wire::tcp::{Arrival, Dir};

/// The name of a connection that left HTTP by CONNECT.
pub(super) const CONNECT_TUNNEL: &str = "connect tunnel";
/// Bytes kept of what a SOCKS client sends: a user, a password and a host name of 255 bytes each, and what is between them.
const SOCKS_DIALOGUE: usize = 1024;
/// The longest destination that is kept.
const LONGEST_DESTINATION: usize = 300;

impl Http1 {
    /// The client that a PROXY header named.
    pub(super) fn named_client(&self) -> Option<SocketAddr> {
        self.preface.as_ref()?.client
    }

    fn peer(&self, cx: &Context<'_>) -> SocketAddr {
        cx.key.sender(self.client.unwrap_or(Dir::Low))
    }

    /// A PROXY header before the first request is skipped, and the client that it names is noted. The buffer holds it and what
    /// follows; its last `used` bytes end at those of the segment at `at`.
    pub(super) fn skip_preface(&mut self, at: Arrival, used: usize, cx: &mut Context<'_>) -> bool {
        let Some(header) = preface::proxy(&self.requests.buf) else { return false };
        let buf = std::mem::take(&mut self.requests.buf);
        cx.tally.parsed_bytes -= buf.len() as u64;
        cx.tally.skipped_bytes += header.len as u64;
        self.requests.state = State::Start;
        self.preface = Some(Box::new(Preface {
            kind: header.kind,
            peer: self.peer(cx),
            client: header.ends.map(|(client, _)| client),
            destination: header.ends.map(|(_, server)| server.to_string().into()),
            authority: header.authority,
        }));
        let offset = at.offset + used as u64 - (buf.len() - header.len) as u64;
        let rest = Arrival { offset, starts_segment: false, ..at };
        self.feed(Role::Request, buf.get(header.len..).unwrap_or_default(), rest, cx);
        true
    }

    /// Keeps what the client says to a SOCKS server.
    pub(super) fn note_dialogue(&mut self, role: Role, data: &[u8]) {
        if role == Role::Request && self.foreign == Some("socks") {
            let room = SOCKS_DIALOGUE - self.dialogue.len().min(SOCKS_DIALOGUE);
            self.dialogue.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        }
    }

    /// HTTP begins after a dialogue that was not HTTP.
    pub(super) fn end_dialogue(&mut self, cx: &Context<'_>) {
        let dialogue = std::mem::take(&mut self.dialogue);
        if let Some((kind, destination)) = preface::socks(&dialogue) {
            let (peer, destination) = (self.peer(cx), Some(destination));
            self.preface = Some(Box::new(Preface { kind, peer, client: None, destination, authority: None }));
        }
    }

    /// A CONNECT request was refused: what followed it is its content and the next requests.
    pub(super) fn refuse_tunnel(&mut self, at: Arrival, cx: &mut Context<'_>) {
        if !matches!(self.requests.state, State::Held) {
            return;
        }
        let framing = std::mem::replace(&mut self.refused_content, Framing::Empty);
        if let Target::Entry(number) = self.target
            && !matches!(framing, Framing::Empty | Framing::Length(0))
        {
            let buf = std::mem::take(&mut self.requests.buf);
            self.begin_content(Role::Request, framing, at, cx);
            if let Some(entry) = self.at(number) {
                entry.requested = false;
            }
            let held = if buf.is_empty() { at } else { self.requests.held };
            cx.tally.parsed_bytes -= buf.len() as u64;
            self.feed(Role::Request, &buf, held, cx);
        } else {
            self.release(cx);
        }
    }

    /// A CONNECT request was granted: the bytes that follow may be HTTP as well, in plain text.
    pub(super) fn open_tunnel(&mut self, at: Arrival, cx: &mut Context<'_>) {
        let mut destination = None;
        if let Target::Entry(number) = self.target
            && let Some(entry) = self.at(number)
        {
            entry.exchange.outcome = Outcome::Switched;
            let target = entry.exchange.target();
            let target = target.get(..LONGEST_DESTINATION).unwrap_or(target);
            destination = Some(String::from_utf8_lossy(target).into());
        }
        self.finish(Role::Response, BodyEnd::None, at, cx);
        if !matches!(self.requests.state, State::Held) {
            self.stop(Role::Request, Ending::Closed, at, cx);
            self.requests.state = State::Start;
        }
        self.responses.state = State::Start;
        self.is_new_tunnel = true;
        let outer = self.preface.take();
        self.preface = Some(Box::new(Preface {
            kind: PrefaceKind::Connect,
            peer: self.peer(cx),
            client: outer.as_ref().and_then(|outer| outer.client),
            destination,
            authority: outer.and_then(|outer| outer.authority),
        }));
        self.release(cx);
    }

    /// What is in the new tunnel is not HTTP: the rest of the connection is skipped.
    pub(super) fn close_tunnel(&mut self, cx: &mut Context<'_>) {
        self.is_new_tunnel = false;
        self.switched = Some(CONNECT_TUNNEL);
        for role in [Role::Request, Role::Response] {
            let reader = self.reader(role);
            let held = std::mem::take(&mut reader.buf).len() as u64;
            reader.state = State::Tunnel;
            cx.tally.parsed_bytes -= held;
            cx.tally.skipped_bytes += held;
        }
    }
}
