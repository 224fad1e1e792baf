//! What varies between the successes of one endpoint, and among which values. Learnt from a sample of them: all of the
//! first, then ever fewer, so that the cost of an exchange does not grow and a busy endpoint costs next to nothing.

use ahash::RandomState;

use crate::features::request::items::any_index;
use crate::features::request::parsed_request::ParsedRequest;
use crate::features::{client_network, request_items, response_items};
use crate::model::{Exchange, Fields, Part};

/// Most names that are watched per endpoint.
pub const MAX_NAMES: usize = 160;
/// Most values of a name that are told apart; a name with more has "many".
pub const MAX_VALUES: usize = 6;
/// Successes that are all looked at.
const FIRST: u64 = 24;

/// Name under [`Part::Client`] of the client's network; its address has the empty name.
pub const NETWORK: &str = "network";

/// How a name behaves among the successes that were looked at, and whether one of them had a given value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variation {
    /// Successes looked at.
    pub samples: u32,
    /// How many of them had it.
    pub present: u32,
    /// Different values, [`MAX_VALUES`] + 1 for many.
    pub distinct: u8,
    /// Whether the value that was asked about is one of them, as far as they are told apart.
    pub known: bool,
}

impl Variation {
    /// Whether successes have it with different values.
    pub fn varies(self) -> bool {
        self.distinct > 1
    }
    /// Whether successes have it with one value, or with few that come again and again.
    pub fn is_categorical(self) -> bool {
        let few = usize::from(self.distinct) <= MAX_VALUES;
        few && (self.distinct == 1 || self.present >= 2 * u32::from(self.distinct))
    }
    /// Whether at least one of its few values came again.
    pub fn repeats(self) -> bool {
        usize::from(self.distinct) <= MAX_VALUES
            && (self.distinct == 1 || self.present > u32::from(self.distinct))
    }
    /// Whether every success had it.
    pub fn is_always_present(self) -> bool {
        self.samples > 0 && self.present >= self.samples
    }
    /// Whether some successes had it and some did not.
    pub fn is_optional(self) -> bool {
        self.present > 0 && self.present < self.samples
    }
}

#[derive(Clone, Copy, Debug)]
struct Watched {
    key: u64,
    present: u16,
    distinct: u8,
    values: [u32; MAX_VALUES],
}

/// What was learnt about one endpoint. Bound: [`MAX_NAMES`] times 40 bytes.
#[derive(Clone, Debug, Default)]
pub struct Noise {
    names: Vec<Watched>,
    samples: u32,
    seen: u64,
    next: u64,
}

impl Noise {
    /// Takes note of a success.
    pub(crate) fn observe(&mut self, exchange: &Exchange, state: &RandomState) {
        self.seen += 1;
        if self.seen <= FIRST || self.seen >= self.next {
            self.next = self.seen + self.seen / 4;
            self.sample(exchange, state);
        }
    }

    fn sample(&mut self, exchange: &Exchange, state: &RandomState) {
        self.samples += 1;
        let address = exchange.client.ip();
        let mut values = Vec::with_capacity(64);
        let mut add =
            |part, name: &str, value: &[u8]| values.push((key(state, part, name), hash(state, value)));
        add(Part::Client, "", address.to_string().as_bytes());
        add(Part::Client, NETWORK, client_network(address).to_string().as_bytes());
        if let Some(request) = &exchange.request {
            add(Part::RequestHeader, "", &order(request.head.fields()));
            request_items(&ParsedRequest::of(request))
                .iter()
                .take(MAX_NAMES)
                .for_each(|item| add(item.part, &item.name, &item.value));
        }
        if let Some(response) = &exchange.response {
            add(Part::ResponseHeader, "", &order(response.head.fields()));
            response_items(response)
                .iter()
                .take(MAX_NAMES)
                .for_each(|item| add(item.part, &item.name, &item.value));
        }
        values.sort_unstable();
        values.dedup();
        for same in values.chunk_by(|one, other| one.0 == other.0) {
            if let Some((key, _)) = same.first() {
                self.note(*key, same);
            }
        }
    }

    fn note(&mut self, key: u64, values: &[(u64, u32)]) {
        let at = match self.names.binary_search_by_key(&key, |watched| watched.key) {
            Ok(at) => at,
            Err(at) if self.names.len() < MAX_NAMES => {
                self.names.insert(at, Watched { key, present: 0, distinct: 0, values: [0; MAX_VALUES] });
                at
            }
            Err(_) => return,
        };
        if let Some(watched) = self.names.get_mut(at) {
            watched.present = watched.present.saturating_add(1);
            for (_, value) in values {
                watched.add(*value);
            }
        }
    }

    /// How `name` of `part` behaves, and whether `value` is known.
    pub(crate) fn of(&self, part: Part, name: &str, value: Option<&[u8]>, state: &RandomState) -> Variation {
        let key = key(state, part, name);
        let place = self.names.binary_search_by_key(&key, |watched| watched.key);
        let known = place.ok().and_then(|at| self.names.get(at));
        Variation {
            samples: self.samples,
            present: known.map_or(0, |watched| watched.present.into()),
            distinct: known.map_or(0, |watched| watched.distinct),
            known: known.zip(value).is_some_and(|(watched, value)| watched.knows(hash(state, value))),
        }
    }

    /// Takes over what was learnt about an endpoint that turned out to be the same.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.samples += other.samples;
        self.seen += other.seen;
        for watched in other.names {
            match self.names.binary_search_by_key(&watched.key, |known| known.key) {
                Ok(at) => {
                    if let Some(known) = self.names.get_mut(at) {
                        known.present = known.present.saturating_add(watched.present);
                        for value in watched.told_apart() {
                            known.add(*value);
                        }
                        known.distinct = known.distinct.max(watched.distinct);
                    }
                }
                Err(at) if self.names.len() < MAX_NAMES => self.names.insert(at, watched),
                Err(_) => {}
            }
        }
    }

    /// Bytes in use.
    pub(crate) fn memory(&self) -> u64 {
        (self.names.capacity() * size_of::<Watched>()) as u64
    }
}

impl Watched {
    fn told_apart(&self) -> &[u32] {
        self.values.get(..usize::from(self.distinct).min(MAX_VALUES)).unwrap_or_default()
    }

    fn knows(&self, value: u32) -> bool {
        self.told_apart().contains(&value)
    }

    fn add(&mut self, value: u32) {
        if usize::from(self.distinct) > MAX_VALUES || self.knows(value) {
            return;
        }
        if let Some(free) = self.values.get_mut(usize::from(self.distinct)) {
            *free = value;
        }
        self.distinct += 1;
    }
}

/// The names of the field lines as spelled, in wire order.
pub(crate) fn order(fields: &Fields) -> Vec<u8> {
    let mut names = Vec::with_capacity(256);
    for field in fields.iter() {
        names.extend_from_slice(field.name);
        names.push(b':');
    }
    names
}

fn hash(state: &RandomState, value: &[u8]) -> u32 {
    state.hash_one(value) as u32
}

fn key(state: &RandomState, part: Part, name: &str) -> u64 {
    let body = matches!(part, Part::RequestBody | Part::ResponseBody);
    if body { state.hash_one((part, &*any_index(name))) } else { state.hash_one((part, name)) }
}
