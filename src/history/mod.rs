//! The bounded store of exchanges, with their endpoints and baselines. One owner, no lock.
//!
//! Exchanges lie in chunks of 4,096 with columns of what is asked for most ([`store::columns`]); an exchange is found by its id in
//! constant time while its chunk has no holes, by a binary search of the chunk otherwise. When the budget is used up, old
//! exchanges leave: first successes (and what has no answer), then refusals, baselines of endpoints only when nothing else
//! is left, the newest exchange never.

mod baseline;
pub mod endpoints;
mod evict;
pub mod noise;
pub mod openapi;
pub mod principal;
pub mod related;
mod similar;
pub mod store;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use endpoints::{EndpointState, Endpoints, Kept};
use noise::Variation;
pub use openapi::{OpenApi, OpenApiError};
use principal::Principals;
use store::Store;
use store::columns::{Chunk, Row, address_bits, flag};
use store::shapes::{Shape, ShapeId, Shapes};

use crate::features;
use crate::model::{Endpoint, EndpointId, Exchange, ExchangeId, Part, ServerProcess, Timestamp};

/// Most related successes that are listed.
pub const MAX_RELATED: usize = 16;

/// An exchange with what the history knows of it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The exchange, with its id set.
    pub exchange: Exchange,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Who the request claims to be (a keyed hash over the credential or the token's subject); `None` for nobody.
    pub principal: Option<u64>,
    /// Whether it is an inner leg of another exchange: a proxy made it. No filter finds it, and it is no baseline.
    pub is_leg: bool,
    /// The process that answered, where the server is of this machine and that is known.
    pub process: Option<Arc<ServerProcess>>,
}

/// Exchanges of this run, bounded by a budget in bytes.
#[derive(Debug, Default)]
pub struct History {
    store: Store,
    endpoints: Endpoints,
    principals: Principals,
    shapes: Shapes,
    budget: u64,
    /// Bytes of the budget that somebody else uses.
    reserved: u64,
    /// Bytes of the kept exchanges.
    bytes: u64,
    last: u64,
    now: Timestamp,
    evicted: u64,
    /// Everything below that may be evicted as a success has been, but for `released`.
    successes_from: u64,
    /// The same for refusals.
    refusals_from: u64,
    /// Former baselines below `successes_from`.
    released: VecDeque<u64>,
}

impl History {
    /// Keeps at most `budget` bytes.
    pub fn new(budget: u64) -> Self {
        Self { budget, ..Self::default() }
    }
    /// Tells how many bytes of the budget are used by what is learnt elsewhere from the exchanges.
    pub fn reserve(&mut self, bytes: u64) {
        self.reserved = bytes;
    }
    /// Gives the next exchange an id above `last`.
    pub fn continue_after(&mut self, last: ExchangeId) {
        self.last = self.last.max(last.0);
    }
    /// Takes path templates from a description of the API (`--openapi`); they win over what is guessed.
    pub fn set_openapi(&mut self, openapi: OpenApi) {
        self.endpoints.set_openapi(openapi);
    }
    /// Takes an exchange in, gives it its id, evicts what no longer fits.
    pub fn insert(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.add(exchange);
        while let Some(leaving) = self.leaving() {
            self.remove(leaving);
        }
        id
    }
    /// Takes an exchange in without evicting anything: the caller goes on with [`History::leaving`] and [`History::remove`].
    pub fn add(&mut self, exchange: Exchange) -> ExchangeId {
        let record = self.note(exchange);
        self.keep(record)
    }
    /// Gives an exchange its id and counts it for its endpoint. It is not in the history before [`History::keep`], and who
    /// asked is not looked for before.
    pub fn note(&mut self, mut exchange: Exchange) -> Record {
        // An exchange of an earlier run keeps its id.
        self.last = (self.last + 1).max(exchange.id.0);
        exchange.id = ExchangeId(self.last);
        if exchange.is_refusal() {
            let odd = features::content_anomalies(&exchange);
            exchange.anomalies.extend(odd);
        }
        let method = self.endpoints.method(exchange.method());
        let endpoint = self.endpoints.of(&exchange, method);
        if self.endpoints.has_merges() {
            self.follow_merges();
        }
        if let Some(state) = self.endpoints.state_mut(endpoint) {
            state.exchanges += 1;
            state.successes += u64::from(exchange.is_success());
            state.refusals += u64::from(exchange.is_refusal());
        }
        self.now = self.now.max(exchange.started());
        Record { exchange, endpoint, principal: None, is_leg: false, process: None }
    }
    /// Marks what [`History::note`] gave last as an inner leg of another exchange: its endpoint does not count it.
    pub fn mark_leg(&mut self, record: &mut Record) {
        record.is_leg = true;
        if let Some(state) = self.endpoints.state_mut(record.endpoint) {
            state.exchanges = state.exchanges.saturating_sub(1);
            state.successes = state.successes.saturating_sub(u64::from(record.exchange.is_success()));
            state.refusals = state.refusals.saturating_sub(u64::from(record.exchange.is_refusal()));
        }
    }
    /// Sets who asked, which [`History::note`] leaves open.
    pub fn name_principal(&mut self, record: &mut Record) {
        if let (None, Some(request)) = (record.principal, &record.exchange.request) {
            record.principal = self.principals.of(request);
        }
    }
    /// Keeps what [`History::note`] gave last.
    pub fn keep(&mut self, mut record: Record) -> ExchangeId {
        self.name_principal(&mut record);
        let method = self.endpoints.method(record.exchange.method());
        let shapes = self.shapes_of(&record.exchange);
        let coded = self.is_coded(&record.exchange, shapes);
        let mut row = row(&record.exchange, method, record.endpoint, record.principal, coded);
        if record.is_leg {
            row.flags |= flag::LEG;
        }
        self.bytes += u64::from(row.size);
        let success = row.flags & flag::SUCCESS != 0 && !record.is_leg;
        if success {
            self.learn(&row, &record.exchange);
        }
        self.store.push(row, shapes, Box::new(record));
        if success {
            self.remember_success(&row);
        }
        ExchangeId(row.id)
    }
    /// What has to go next to keep within the budget.
    pub fn leaving(&mut self) -> Option<ExchangeId> {
        if self.memory() <= self.budget || self.store.len() <= 1 { None } else { self.next_to_leave() }
    }
    /// Evicts `id`; gives it back if it was still there.
    pub fn remove(&mut self, id: ExchangeId) -> Option<Exchange> {
        self.evict(id.0)
    }
    /// The same for what nobody needs any more; it does not count as evicted.
    pub fn forget(&mut self, id: ExchangeId) -> Option<Exchange> {
        let evicted = self.evicted;
        let gone = self.evict(id.0);
        self.evicted = evicted;
        gone
    }
    /// The exchange `id`, unless evicted.
    pub fn get(&self, id: ExchangeId) -> Option<&Record> {
        self.store.get(id.0)
    }
    /// What the columns hold of `id`, unless evicted.
    pub fn row_of(&self, id: ExchangeId) -> Option<Row> {
        self.store.row(id.0)
    }
    /// Kept exchanges, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.store.chunks().iter().flat_map(Chunk::records)
    }
    /// The chunks with their columns, oldest first.
    pub fn chunks(&self) -> impl DoubleEndedIterator<Item = &Chunk> + ExactSizeIterator {
        self.store.chunks().iter()
    }
    /// Number of kept exchanges.
    pub fn len(&self) -> usize {
        self.store.len()
    }
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.store.len() == 0
    }
    /// The id given last; 0 before the first.
    pub fn last_id(&self) -> ExchangeId {
        ExchangeId(self.last)
    }
    /// The newest start of an exchange so far.
    pub fn now(&self) -> Timestamp {
        self.now
    }
    /// The endpoint `id`; ids stay valid when endpoints merge.
    pub fn endpoint(&self, id: EndpointId) -> Option<&Endpoint> {
        self.endpoints.state(id).map(|state| &state.endpoint)
    }
    /// What is remembered of the endpoint `id`.
    pub fn endpoint_state(&self, id: EndpointId) -> Option<&EndpointState> {
        self.endpoints.state(id)
    }
    /// The endpoint that `id` is now: endpoints merge when one of their segments is learnt to be a parameter.
    pub fn canonical(&self, id: EndpointId) -> EndpointId {
        self.endpoints.canonical(id)
    }
    /// Every endpoint, in the order in which they were first seen; none that was merged into another.
    pub fn endpoints(&self) -> impl Iterator<Item = (EndpointId, &EndpointState)> {
        self.endpoints.iter()
    }
    /// The methods seen, by the number the columns hold; number 0 stands for those beyond a bound.
    pub fn methods(&self) -> &[Box<str>] {
        self.endpoints.methods()
    }
    /// The shapes of heads, by [`ShapeId::index`]; the first two stand for no shape.
    pub fn shapes(&self) -> &[Shape] {
        self.shapes.all()
    }
    /// How `name` of `part` behaves among the successes of an endpoint. Names are those of [`crate::features::request::items`], the
    /// client's address and network ([`noise::NETWORK`]) and the order of fields (the empty name of a head) come in addition.
    pub fn variation(&self, endpoint: EndpointId, part: Part, name: &str) -> Variation {
        self.variation_of(endpoint, part, name, None)
    }
    /// The same, and whether one of the successes had `value`.
    pub fn variation_of(
        &self,
        endpoint: EndpointId,
        part: Part,
        name: &str,
        value: Option<&[u8]>,
    ) -> Variation {
        let state = self.endpoints.state(endpoint);
        state.map(|state| state.noise.of(part, name, value, self.endpoints.hasher())).unwrap_or_default()
    }
    /// Bytes in use: exchanges, columns, endpoints and what was learnt of them, here and elsewhere.
    pub fn memory(&self) -> u64 {
        self.reserved
            + self.bytes
            + self.store.memory()
            + self.endpoints.memory()
            + self.shapes.memory()
            + Principals::BYTES
    }
    /// Exchanges evicted so far.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn shapes_of(&mut self, exchange: &Exchange) -> [ShapeId; 2] {
        let request = exchange.request.as_ref().map(|request| request.head.fields());
        let response = exchange.response.as_ref().map(|response| response.head.fields());
        [self.shapes.of(request), self.shapes.of(response)]
    }

    /// Whether a content coding is named in one of the heads.
    fn is_coded(&self, exchange: &Exchange, shapes: [ShapeId; 2]) -> bool {
        if shapes.contains(&ShapeId::UNKNOWN) {
            return names_coding(exchange);
        }
        shapes.iter().any(|id| self.shapes.get(*id).is_some_and(Shape::is_coded))
    }

    /// What a success tells of its endpoint.
    fn learn(&mut self, row: &Row, success: &Exchange) {
        let before = self.endpoints.memory_of(row.endpoint);
        let hasher = self.endpoints.hasher().clone();
        let Some(state) = self.endpoints.state_mut(row.endpoint) else { return };
        state.noise.observe(success, &hasher);
        let kept = Kept::new(row);
        state.kept.push_back(kept);
        state.callers.add(kept.client);
        state.callers.add(kept.principal);
        let after = self.endpoints.memory_of(row.endpoint);
        self.endpoints.account(before, after);
    }

    fn follow_merges(&mut self) {
        self.endpoints.take_merges();
        let endpoints = &self.endpoints;
        self.store.move_endpoints(|id| endpoints.canonical(id));
        for (id, lost) in self.endpoints.take_released() {
            self.release(id, lost);
        }
    }
}

fn row(exchange: &Exchange, method: u8, endpoint: EndpointId, principal: Option<u64>, coded: bool) -> Row {
    let success = if exchange.is_success() { flag::SUCCESS } else { 0 };
    let refusal = if exchange.is_refusal() { flag::REFUSAL } else { 0 };
    let coded = if coded { flag::CODED } else { 0 };
    Row {
        id: exchange.id.0,
        started: exchange.started(),
        latency: exchange.latency().unwrap_or(i64::MIN),
        endpoint,
        client: address_bits(exchange.client.ip()),
        principal: principal.unwrap_or(0),
        anomalies: exchange.anomalies,
        status: exchange.status().unwrap_or(0),
        method,
        outcome: exchange.outcome,
        flags: success | refusal | coded,
        size: u32::try_from(store::size::of(exchange)).unwrap_or(u32::MAX),
    }
}

fn names_coding(exchange: &Exchange) -> bool {
    let request = exchange.request.iter().map(|request| request.head.fields());
    let response = exchange.response.iter().map(|response| response.head.fields());
    request.chain(response).any(|fields| fields.has("content-encoding"))
}
