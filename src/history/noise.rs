//! What varies between the successes of one endpoint. Learnt from a sample of them: all of the first, then ever fewer, so
//! that the cost of an exchange does not grow and a busy endpoint costs next to nothing.

use ahash::RandomState;

use crate::model::{Exchange, Part};
use crate::parts::items::any_index;
use crate::parts::{request_items, response_items};

/// Most names that are watched per endpoint.
pub const MAX_NAMES: usize = 160;
/// Successes that are all looked at.
const FIRST: u64 = 8;

/// How a name behaves among the successes that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Variation {
    /// Successes looked at.
    pub samples: u32,
    /// How many of them had it.
    pub present: u32,
    /// How often its value was another than the time before.
    pub changes: u32,
}

impl Variation {
    /// Whether successes have it with different values.
    pub fn varies(self) -> bool {
        self.changes > 0
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
    last: u32,
    present: u16,
    changes: u16,
}

/// What was learnt about one endpoint. Bound: [`MAX_NAMES`] times 16 bytes.
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
        let client = state.hash_one(exchange.client.ip());
        let mut values = vec![(key(state, Part::Client, ""), client)];
        let request = exchange.request.iter().flat_map(request_items);
        let response = exchange.response.iter().flat_map(response_items);
        for item in request.chain(response).take(2 * MAX_NAMES) {
            values.push((key(state, item.part, &item.name), state.hash_one(&*item.value)));
        }
        values.sort_by_key(|(key, _)| *key);
        for same in values.chunk_by(|one, other| one.0 == other.0) {
            if let Some((key, first)) = same.first() {
                let value = same.iter().skip(1).fold(*first, |sum, (_, value)| sum.rotate_left(5) ^ value);
                self.note(*key, value as u32);
            }
        }
    }

    fn note(&mut self, key: u64, value: u32) {
        match self.names.binary_search_by_key(&key, |watched| watched.key) {
            Ok(at) => {
                if let Some(watched) = self.names.get_mut(at) {
                    watched.present = watched.present.saturating_add(1);
                    watched.changes = watched.changes.saturating_add(u16::from(watched.last != value));
                    watched.last = value;
                }
            }
            Err(at) if self.names.len() < MAX_NAMES => {
                self.names.insert(at, Watched { key, last: value, present: 1, changes: 0 });
            }
            Err(_) => {}
        }
    }

    /// How `name` of `part` behaves.
    pub(crate) fn of(&self, part: Part, name: &str, state: &RandomState) -> Variation {
        let key = key(state, part, name);
        let known = self
            .names
            .binary_search_by_key(&key, |watched| watched.key)
            .ok()
            .and_then(|at| self.names.get(at));
        Variation {
            samples: self.samples,
            present: known.map_or(0, |watched| watched.present.into()),
            changes: known.map_or(0, |watched| watched.changes.into()),
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
                        let differs = u16::from(known.last != watched.last);
                        known.present = known.present.saturating_add(watched.present);
                        known.changes = known.changes.saturating_add(watched.changes).saturating_add(differs);
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

fn key(state: &RandomState, part: Part, name: &str) -> u64 {
    let body = matches!(part, Part::RequestBody | Part::ResponseBody);
    if body { state.hash_one((part, &*any_index(name))) } else { state.hash_one((part, name)) }
}
