//! What is remembered of every place, incrementally and within bounds, so that a refusal can be set against the successes.

use std::collections::{HashMap, VecDeque};
use std::sync::OnceLock;

use crate::explain::contrast::columns;
use crate::explain::contrast::columns::Columns;
use crate::explain::contrast::sample::{Sample, sample};
use crate::explain::request::attribute_hash::hash_of;
use crate::explain::request::family::Family;
use crate::explain::request::features::Features;
use crate::explain::request::principal::{accepted, client_of};
use crate::explain::rules::timing::Timeline;
use crate::history::{History, Record};
use crate::model::{Exchange, ExchangeId};

/// Places remembered; exchanges of further ones are diagnosed without statistics.
const MAX_PLACES: usize = 4096;
/// Successes kept as samples at one place.
const MAX_GOOD: usize = columns::MAX;
/// Refusals kept as samples at one place.
const MAX_BAD: usize = columns::MAX;
/// Refusals of one place that all become samples.
const ALL_BAD: u64 = 256;
/// At least one in so many becomes a sample.
const MAX_STRIDE: u64 = 1024;
/// Exchanges of one place whose times are kept.
const MAX_BRIEFS: usize = 256;
/// Clients and credentials counted at one place or server.
const MAX_TALLIES: usize = 4096;
/// Attribute names remembered.
const MAX_NAMES: usize = 1 << 16;
/// Successes of a whole server kept as samples, for places that have none.
const MAX_SERVER_GOOD: usize = 48;
/// Late refusals of all places, to find those that happened behind another one.
pub const MAX_RECENT: usize = 256;
/// Places of one server that are compared with one another.
const MAX_SIBLINGS: usize = 256;

/// Places of one method and path template that are remembered together.
const MAX_TWINS: usize = 16;

/// Bytes of everything remembered; beyond, nothing new is added, but the old makes room for the new.
const MAX_BYTES: u64 = 48 << 20;
/// Bytes that the time of an exchange takes up: it stands in the list, and about twice as much in [`Timeline`].
const BRIEF: u64 = size_of::<Event>() as u64 * 3;
/// Bytes that an entry of a tally takes up.
const TALLY: u64 = (size_of::<(u64, Tally)>() * 2) as u64;

type Map<V> = HashMap<u64, V, ahash::RandomState>;

/// When one exchange happened, and how it went.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// Which exchange.
    pub id: ExchangeId,
    /// First byte of the request.
    pub from: i64,
    /// First byte of the response.
    pub to: i64,
    /// Status.
    pub status: u16,
    /// Whether it was a success.
    pub ok: bool,
    /// Who asked.
    pub client: u64,
    /// With what credential.
    pub credential: u64,
}

/// Successes and refusals of one client or credential.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Successes.
    pub ok: u32,
    /// Refusals.
    pub no: u32,
    /// Time of the last success.
    pub last_ok: i64,
    /// Time of the first refusal.
    pub first_no: i64,
    /// Place of the last success.
    pub ok_place: u64,
}

impl Tally {
    fn count(&mut self, ok: bool, at: i64, place: u64) {
        if ok {
            self.ok = self.ok.saturating_add(1);
            self.last_ok = self.last_ok.max(at);
            self.ok_place = place;
        } else {
            if self.no == 0 {
                self.first_no = at;
            }
            self.no = self.no.saturating_add(1);
        }
    }
}

/// Everything remembered of one method and path template at one server.
#[derive(Debug, Default)]
pub struct EndpointStats {
    /// Method.
    pub method: Box<str>,
    /// Path template.
    pub template: Box<str>,
    /// Successes counted.
    pub ok: u64,
    /// Refusals counted.
    pub no: u64,
    /// Refusals by status, few.
    pub statuses: Vec<(u16, u32)>,
    /// Sampled successes.
    pub good: Vec<Sample>,
    /// Their attributes.
    pub good_columns: Columns,
    /// Sampled refusals, in no order.
    pub bad: Vec<Sample>,
    /// Their attributes.
    pub bad_columns: Columns,
    /// Times, oldest first.
    pub briefs: VecDeque<Event>,
    /// By client.
    pub clients: Map<Tally>,
    /// By credential.
    pub credentials: Map<Tally>,
    /// Time of the last success.
    pub last_ok: i64,
    turn: u64,
    /// Where the oldest of `bad` stands.
    oldest: usize,
    /// What follows from `briefs`, since the last of them.
    timeline: OnceLock<Box<Timeline>>,
}

/// What is remembered of one server.
#[derive(Debug, Default)]
pub struct Server {
    /// Its places.
    pub places: Vec<u64>,
    /// By credential.
    pub credentials: Map<Tally>,
    /// By client.
    pub clients: Map<Tally>,
    /// Late successes at any place.
    pub good: VecDeque<Sample>,
    /// Their attributes, since the last of them.
    columns: OnceLock<Columns>,
}

/// Everything remembered.
#[derive(Debug, Default)]
pub struct Stats {
    places: Map<EndpointStats>,
    servers: Map<Server>,
    /// Places of one method and path template at several servers, at most [`MAX_TWINS`] each.
    twins: Map<Vec<u64>>,
    names: Map<(Family, Box<str>)>,
    /// Late refusals, oldest first.
    pub recent: VecDeque<Event>,
    /// Grows with everything counted.
    pub generation: u64,
    /// Bytes in use, about. Bound: [`MAX_BYTES`].
    bytes: u64,
}

/// Where an exchange belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// Server address.
    pub server: u64,
    /// Server address, method and path template.
    pub place: u64,
}

impl Stats {
    /// Where `record` belongs. The server's address counts, not the Host: a wrong Host must stay comparable.
    pub fn address(record: &Record, history: &History) -> Address {
        let exchange = &record.exchange;
        let server = hash_of(&exchange.server);
        let endpoint = history.endpoint(record.endpoint);
        let template = endpoint.map_or("", |endpoint| &endpoint.template);
        Address { server, place: hash_of(&(server, exchange.method(), template)) }
    }
    /// Counts `record`, whose credential is `credential` (see [`credential_of`]).
    ///
    /// [`credential_of`]: crate::explain::request::principal::credential_of
    pub fn observe(&mut self, record: &Record, history: &History, credential: u64) {
        let exchange = &record.exchange;
        let (ok, no) = (accepted(exchange), exchange.is_refusal());
        if exchange.request.is_none() || exchange.response.is_none() || !(ok || no) {
            return;
        }
        self.generation += 1;
        let address = Self::address(record, history);
        if !self.places.contains_key(&address.place) && !self.open(record, history, address) {
            return;
        }
        let client = client_of(exchange);
        let at = exchange.started().0;
        let room = self.bytes < MAX_BYTES;
        let server = self.servers.entry(address.server).or_default();
        self.bytes += tally(&mut server.clients, client, room, ok, at, address.place);
        if credential != 0 {
            self.bytes += tally(&mut server.credentials, credential, room, ok, at, address.place);
        }
        let Some(place) = self.places.get_mut(&address.place) else { return };
        self.bytes += place.count(exchange, ok, client, credential, room);
        if no {
            if self.recent.len() >= MAX_RECENT {
                self.recent.pop_front();
            }
            self.recent.extend(place.briefs.back().copied());
        }
        let wanted = if ok { place.wants_good() } else { place.wants_bad() };
        if wanted {
            let features = Features::of(exchange);
            self.name(&features);
            self.keep(address, sample(record, &features, client, credential), ok);
        }
    }
    /// Bytes in use, about.
    pub fn memory(&self) -> u64 {
        self.bytes
    }
    /// The place of an address.
    pub fn place(&self, address: Address) -> Option<&EndpointStats> {
        self.places.get(&address.place)
    }
    /// The server of an address.
    pub fn server(&self, address: Address) -> Option<&Server> {
        self.servers.get(&address.server)
    }
    /// The other places of a server.
    pub fn siblings(&self, address: Address) -> impl Iterator<Item = &EndpointStats> {
        let places = self.servers.get(&address.server).map_or(&[][..], |server| &server.places);
        places.iter().filter(move |key| **key != address.place).filter_map(|key| self.places.get(key))
    }
    /// The same method and path template at other servers.
    pub fn twins(&self, place: &EndpointStats, address: Address) -> impl Iterator<Item = &EndpointStats> {
        let key = hash_of(&(&place.method, &place.template));
        let twins = self.twins.get(&key).map_or(&[][..], Vec::as_slice);
        twins.iter().filter(move |key| **key != address.place).filter_map(|key| self.places.get(key))
    }
    /// The place behind a key of [`Tally::ok_place`].
    pub fn place_by_key(&self, key: u64) -> Option<&EndpointStats> {
        self.places.get(&key)
    }
    /// Family and name of an attribute.
    pub fn name_of(&self, key: u64) -> Option<(Family, &str)> {
        self.names.get(&key).map(|(family, name)| (*family, &**name))
    }

    fn open(&mut self, record: &Record, history: &History, address: Address) -> bool {
        if self.places.len() >= MAX_PLACES || self.bytes >= MAX_BYTES {
            return false;
        }
        self.bytes += size_of::<EndpointStats>() as u64 * 2;
        let template =
            history.endpoint(record.endpoint).map(|endpoint| endpoint.template.clone()).unwrap_or_default();
        let place =
            EndpointStats { method: record.exchange.method().into(), template, ..EndpointStats::default() };
        let twins = self.twins.entry(hash_of(&(&place.method, &place.template))).or_default();
        if twins.len() < MAX_TWINS {
            twins.push(address.place);
        }
        self.places.insert(address.place, place);
        let server = self.servers.entry(address.server).or_default();
        if server.places.len() < MAX_SIBLINGS {
            server.places.push(address.place);
        }
        true
    }

    fn name(&mut self, features: &Features<'_>) {
        for attribute in &features.attributes {
            if self.names.len() >= MAX_NAMES {
                return;
            }
            self.names.entry(attribute.mark.key).or_insert_with(|| {
                self.bytes += 64 + attribute.name.len() as u64;
                (attribute.family, (&*attribute.name).into())
            });
        }
    }

    fn keep(&mut self, address: Address, sample: Sample, ok: bool) {
        let room = self.bytes < MAX_BYTES;
        let mut gone = 0;
        self.bytes += sample.memory();
        if ok {
            let server = self.servers.entry(address.server).or_default();
            self.bytes += sample.memory();
            if server.good.len() >= MAX_SERVER_GOOD || (!room && !server.good.is_empty()) {
                gone += server.good.pop_front().map_or(0, |gone| gone.memory());
            }
            server.good.push_back(sample.clone());
            server.columns.take();
        }
        if let Some(place) = self.places.get_mut(&address.place) {
            gone += if ok { place.keep_good(sample, room) } else { place.keep_bad(sample, room) };
        }
        self.bytes -= gone;
    }
}

impl Server {
    /// The attributes of its late successes.
    pub fn columns(&self) -> &Columns {
        self.columns.get_or_init(|| Columns::of(self.good.iter().map(|sample| &*sample.marks)))
    }
}

impl EndpointStats {
    /// What the times say.
    pub fn timeline(&self) -> &Timeline {
        self.timeline.get_or_init(|| Box::new(Timeline::of(&self.briefs)))
    }

    /// Says how many bytes left.
    fn keep_good(&mut self, sample: Sample, room: bool) -> u64 {
        if self.good.is_empty() || (room && self.good.len() < MAX_GOOD) {
            self.good_columns.put(self.good.len(), &sample.marks);
            self.good.push(sample);
            return 0;
        }
        self.turn = self.turn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (self.turn >> 33) as usize % self.good.len();
        replace(&mut self.good, &mut self.good_columns, at, sample)
    }

    /// Says how many bytes left.
    fn keep_bad(&mut self, sample: Sample, room: bool) -> u64 {
        if self.bad.is_empty() || (room && self.bad.len() < MAX_BAD) {
            self.bad_columns.put(self.bad.len(), &sample.marks);
            self.bad.push(sample);
            return 0;
        }
        let at = self.oldest % self.bad.len();
        self.oldest = at + 1;
        replace(&mut self.bad, &mut self.bad_columns, at, sample)
    }

    /// Says how many bytes more it takes up.
    fn count(&mut self, exchange: &Exchange, ok: bool, client: u64, credential: u64, room: bool) -> u64 {
        let at = exchange.started().0;
        let status = exchange.status().unwrap_or_default();
        if ok {
            self.ok += 1;
            self.last_ok = self.last_ok.max(at);
        } else {
            self.no += 1;
            if let Some((_, count)) = self.statuses.iter_mut().find(|(known, _)| *known == status) {
                *count = count.saturating_add(1);
            } else if self.statuses.len() < 16 {
                self.statuses.push((status, 1));
            }
        }
        let mut more = tally(&mut self.clients, client, room, ok, at, 0);
        if credential != 0 {
            more += tally(&mut self.credentials, credential, room, ok, at, 0);
        }
        if self.briefs.len() >= MAX_BRIEFS || (!room && !self.briefs.is_empty()) {
            self.briefs.pop_front();
        } else {
            more += BRIEF;
        }
        self.timeline.take();
        let to = exchange.response.as_ref().map_or(at, |response| response.started.0);
        self.briefs.push_back(Event { id: exchange.id, from: at, to, status, ok, client, credential });
        more
    }

    /// All of the first, then ever fewer: one in 2^k.
    fn wants_good(&self) -> bool {
        let stride = (self.ok / MAX_GOOD as u64).next_power_of_two().min(MAX_STRIDE);
        self.ok.is_multiple_of(stride.max(1)) || self.ok <= MAX_GOOD as u64
    }

    fn wants_bad(&self) -> bool {
        let stride = (self.no / ALL_BAD).next_power_of_two().min(MAX_STRIDE);
        self.no.is_multiple_of(stride.max(1)) || self.no <= ALL_BAD
    }

    /// Refusals with `status`.
    pub fn with_status(&self, status: u16) -> u32 {
        self.statuses.iter().find(|(known, _)| *known == status).map_or(0, |(_, count)| *count)
    }
}

/// Puts `sample` in the place of another; says how many bytes left.
fn replace(samples: &mut [Sample], columns: &mut Columns, at: usize, sample: Sample) -> u64 {
    let Some(slot) = samples.get_mut(at) else { return 0 };
    columns.clear(at, &slot.marks);
    columns.put(at, &sample.marks);
    std::mem::replace(slot, sample).memory()
}

/// Counts, if `key` is known or there is `room`; says how many bytes more the map takes up.
fn tally(map: &mut Map<Tally>, key: u64, room: bool, ok: bool, at: i64, place: u64) -> u64 {
    let before = map.len();
    if let Some(known) = map.get_mut(&key) {
        known.count(ok, at, place);
    } else if room && before < MAX_TALLIES {
        map.entry(key).or_default().count(ok, at, place);
    }
    (map.len() - before) as u64 * TALLY
}

#[cfg(test)]
mod tests {
    use super::Stats;
    use crate::features::tests::{exchange, request, response};
    use crate::history::History;
    use crate::step_counter;

    #[test]
    fn new_names_of_fields_cost_the_same_however_many_were_seen() {
        let (mut history, mut stats) = (History::new(256 << 20), Stats::default());
        let mut observe = |number: i64| {
            let names: Vec<String> = (0..90).map(|at| format!("x-{number}-{at}")).collect();
            let lines: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "v")).collect();
            let sent = request("POST", "/x", &lines, b"");
            let id = history.insert(exchange("10.0.0.1", number, sent, response(403, &[], b"no")));
            let before = step_counter::done();
            stats.observe(history.get(id).unwrap(), &history, 0);
            step_counter::done() - before
        };
        let first: u64 = (0..50).map(&mut observe).sum();
        let later: u64 = (50..200).map(&mut observe).sum();
        assert!(first > 50 * 90 && later < 3 * first * 6 / 5, "{first} then {later}");
    }
}
