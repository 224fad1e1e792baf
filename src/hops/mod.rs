//! The legs of one request: what came to a proxy and what it passed on, where both are captured.
//!
//! A proxy's own exchange ends after the one that it waits for. So an exchange that may be an inner leg (its client stands where a
//! server stands, or says for whom it asks) is held back for a moment; when the outer one ends, the inner ones that it contains in
//! time and agrees with are its legs (`matching`). Exchanges leave in the order in which they came. Whatever contradicts a pair
//! (a field that proxies leave alone has another value, another body, another trace) rules it out, so that requests that have
//! anything of their own are never paired wrongly.

mod changes;
mod matching;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use changes::changes;
use matching::Traits;

use crate::model::{Exchange, LegRole};

/// Exchanges that are held back at once; the oldest leave.
const MAX_HELD: usize = 8192;
/// The same while only one server was seen, so that a capture of one server stays in the processor's cache.
const MAX_HELD_OF_ONE: usize = 256;
/// How long an exchange is held back for its outer leg: by the capture's clock, and by the clock of who waits.
pub const HOLD: Duration = Duration::from_millis(250);
/// Addresses of servers that are remembered.
const MAX_SERVERS: usize = 4096;
/// Exchanges that one is compared with, at most, newest first.
const MAX_COMPARED: usize = 4096;
/// Inner legs of one exchange, at most.
const MAX_INNER: usize = 8;

/// The place of an exchange among the legs of a request. Numbers count the exchanges of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Its number.
    pub number: u64,
    /// The leg before it, if this is an inner one.
    pub outer: Option<u64>,
    /// The legs behind it, in the order in which they began; at most eight.
    pub inner: Vec<(u64, LegRole)>,
    /// Whether this server has passed requests on.
    pub forwards: bool,
}

/// An exchange with its place.
#[derive(Debug)]
pub struct Arrival {
    /// The exchange.
    pub exchange: Exchange,
    /// Its place.
    pub place: Place,
}

/// Holds exchanges back until it is known whether they are inner legs.
#[derive(Debug, Default)]
pub struct Hops {
    /// In the order in which they came; at most [`MAX_HELD`].
    held: VecDeque<Held>,
    /// Number of the first of them.
    first: u64,
    /// Where servers were seen; at most [`MAX_SERVERS`].
    servers: HashSet<SocketAddr>,
    hosts: HashSet<IpAddr>,
    /// For each pair of servers how the path is rewritten: what is cut off and what is put in its place.
    rewrites: HashMap<(SocketAddr, SocketAddr), (Vec<u8>, Vec<u8>)>,
    /// Servers that have passed requests on.
    forwarding: HashSet<SocketAddr>,
    /// The latest time of the capture's clock.
    latest: i64,
    /// Whether it costs nothing to hold the exchanges of the first server back too.
    is_patient: bool,
}

#[derive(Debug)]
struct Held {
    arrival: Arrival,
    traits: Traits,
    /// When it came, by the clock of who waits.
    came: Duration,
    /// Whether it may be an inner leg.
    is_candidate: bool,
}

impl Hops {
    /// The same, where it costs nothing to hold exchanges back: in a capture that is read whole. Else those of the first server are
    /// not, because a capture of one server has no other legs.
    pub fn patient() -> Self {
        Self { is_patient: true, ..Self::default() }
    }

    /// Takes an exchange in that came at `now`; [`Hops::next`] gives those that need not be held back any more.
    pub fn push(&mut self, exchange: Exchange, now: Duration) {
        let server = exchange.server;
        let is_known = self.held.back().is_some_and(|last| last.arrival.exchange.server == server);
        if !is_known && self.servers.len() < MAX_SERVERS && self.servers.insert(server) {
            self.hosts.insert(server.ip());
        }
        let is_candidate = self.is_candidate(&exchange);
        let traits = Traits::of(&exchange);
        self.latest = self.latest.max(traits.ended);
        let number = self.first + self.held.len() as u64;
        let is_only = self.servers.len() < 2 || self.held.is_empty();
        let inner = if is_only { Vec::new() } else { self.inner_of(&exchange, &traits) };
        for (leg, _) in &inner {
            let at = usize::try_from(leg - self.first).unwrap_or(usize::MAX);
            if let Some(held) = self.held.get_mut(at) {
                held.arrival.place.outer = Some(number);
            }
        }
        if !inner.is_empty() && (self.forwarding.len() < MAX_SERVERS || self.forwarding.contains(&server)) {
            self.forwarding.insert(server);
        }
        let forwards = self.forwarding.contains(&server);
        let arrival = Arrival { exchange, place: Place { number, outer: None, inner, forwards } };
        self.held.push_back(Held { arrival, traits, came: now, is_candidate });
    }

    /// The next exchange in order, unless it is held back at `now`; with `flush` nothing is.
    pub fn next(&mut self, now: Duration, flush: bool) -> Option<Arrival> {
        let first = self.held.front()?;
        let hold = i64::try_from(HOLD.as_nanos()).unwrap_or(i64::MAX);
        let most = if self.servers.len() < 2 { MAX_HELD_OF_ONE } else { MAX_HELD };
        let is_over = flush
            || self.held.len() > most
            || now >= first.came + HOLD
            || self.latest.saturating_sub(first.traits.ended) > hold;
        if first.is_candidate && first.arrival.place.outer.is_none() && !is_over {
            return None;
        }
        self.first += 1;
        self.held.pop_front().map(|held| held.arrival)
    }

    /// How long until the next exchange is not held back any more, should nothing come.
    pub fn held_for(&self, now: Duration) -> Option<Duration> {
        self.held.front().map(|first| (first.came + HOLD).saturating_sub(now))
    }

    /// Whether a proxy may have made the request: its client's host is a server's too, or it says for whom it asks. Where holding
    /// back costs nothing, any may.
    fn is_candidate(&self, exchange: &Exchange) -> bool {
        let Some(request) = exchange.request.as_ref().filter(|_| exchange.response.is_some()) else {
            return false;
        };
        self.is_patient
            || self.servers.len() > 1
                && (self.hosts.contains(&exchange.client.ip())
                    || matching::says_for_whom(request.head.fields()))
    }

    /// The held exchanges that are inner legs of `outer`, in the order in which they began.
    fn inner_of(&mut self, outer: &Exchange, traits: &Traits) -> Vec<(u64, LegRole)> {
        let mut found: Vec<(u64, matching::Match)> = Vec::new();
        for (at, held) in self.held.iter().enumerate().rev().take(MAX_COMPARED) {
            if held.is_candidate && traits.is_after(&held.traits) {
                break;
            }
            let is_free = held.is_candidate && held.arrival.place.outer.is_none();
            if !is_free || !traits.contains(&held.traits) || held.arrival.exchange.server == outer.server {
                continue;
            }
            let inner = &held.arrival.exchange;
            let rewrite = self.rewrites.get(&(outer.server, inner.server));
            if let Some(one) = matching::compare((outer, traits), (inner, &held.traits), rewrite) {
                found.push((self.first + at as u64, one));
            }
        }
        let legs = matching::choose(&found);
        for (number, role) in legs.iter().take(MAX_INNER) {
            let at = usize::try_from(number - self.first).unwrap_or(usize::MAX);
            let Some(inner) = self.held.get(at).map(|held| &held.arrival.exchange) else { continue };
            let is_same = outer.target() == inner.target();
            let is_known = is_same || *role != LegRole::Forwarded || self.rewrites.len() >= MAX_SERVERS;
            if let Some(rule) = matching::rewrite(outer.target(), inner.target()).filter(|_| !is_known) {
                self.rewrites.insert((outer.server, inner.server), rule);
            }
        }
        legs.into_iter().take(MAX_INNER).collect()
    }
}
