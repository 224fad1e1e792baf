//! The bounded store of exchanges, with their endpoints and baselines. One owner, no lock.

use crate::model::{Baseline, BaselineChoice, Endpoint, EndpointId, Exchange, ExchangeId};

/// An exchange with what the history knows of it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The exchange, with its id set.
    pub exchange: Exchange,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Who the request claims to be (a keyed hash over the credential or the token's subject); `None` for nobody.
    pub principal: Option<u64>,
}

/// Exchanges of this run, bounded by a budget in bytes.
#[derive(Debug, Default)]
pub struct History {
    records: Vec<Record>,
    endpoints: Vec<Endpoint>,
}

impl History {
    /// Keeps at most `budget` bytes.
    pub fn new(_budget: u64) -> Self {
        Self::default()
    }
    /// Takes an exchange in, gives it its id, evicts what no longer fits.
    pub fn insert(&mut self, mut exchange: Exchange) -> ExchangeId {
        let id = ExchangeId(self.records.len() as u64 + 1);
        exchange.id = id;
        self.records.push(Record { exchange, endpoint: EndpointId(0), principal: None });
        id
    }
    /// The exchange `id`, unless evicted.
    pub fn get(&self, id: ExchangeId) -> Option<&Record> {
        self.records.get((id.0 as usize).checked_sub(1)?)
    }
    /// Kept exchanges, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }
    /// Number of kept exchanges.
    pub fn len(&self) -> usize {
        self.records.len()
    }
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
    /// The endpoint `id`.
    pub fn endpoint(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.get(id.0 as usize)
    }
    /// The success to compare `id` with.
    pub fn baseline(&self, _id: ExchangeId, _choice: BaselineChoice) -> Option<Baseline> {
        None
    }
    /// Bytes in use.
    pub fn memory(&self) -> u64 {
        0
    }
    /// Exchanges evicted so far.
    pub fn evicted(&self) -> u64 {
        0
    }
}
