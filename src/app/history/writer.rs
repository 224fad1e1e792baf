//! What an inspector hands to the database.

use std::collections::HashMap;
use std::mem;

use ahash::RandomState;

use super::quota::Quota;
use crate::archive::{Counts, Kind, Message, Row, StoreKey, Writer, record};
use crate::edge::redact::Mask;
use crate::explain::inspector::HistoryWriter;
use crate::explain::top_cause::Top;
use crate::history::principal::Principals;
use crate::history::{History, Record};
use crate::model::{Endpoint, Exchange, ExchangeId, Refuser, Timestamp};

/// Refusals whose causes are told together, at most.
const TOGETHER: usize = 256;
/// Nanoseconds of capture time after which the cause of a refusal is told: what came with it is known by then.
const SETTLED: i64 = 1_000_000_000;
/// Exchanges between two times that counts are handed over.
const COUNTED: u32 = 1024;

/// The database of a run.
#[derive(Debug)]
pub(in crate::app) struct DiskHistory {
    writer: Writer,
    run: u64,
    mask: Option<Mask>,
    principals: Principals,
    quota: Quota,
    /// Bound: what [`COUNTED`] exchanges can have.
    counts: HashMap<Endpoint, Counts, RandomState>,
    counted: u32,
    /// Refusals whose cause was not told; bound: [`TOGETHER`].
    open: Vec<ExchangeId>,
    /// When the first of them began, and the newest exchange.
    since: Timestamp,
    now: Timestamp,
    /// Held as long as this process writes.
    _key: StoreKey,
}

impl DiskHistory {
    pub(super) fn new(
        writer: Writer,
        run: u64,
        mask: Option<Mask>,
        principals: Principals,
        key: StoreKey,
    ) -> Self {
        Self {
            writer,
            run,
            mask,
            principals,
            quota: Quota::default(),
            counts: HashMap::default(),
            counted: 0,
            open: Vec::new(),
            since: Timestamp::default(),
            now: Timestamp::default(),
            _key: key,
        }
    }

    fn count(&mut self, endpoint: &Endpoint, kind: Kind) {
        if !self.counts.contains_key(endpoint) {
            self.counts.insert(endpoint.clone(), Counts::default());
        }
        if let Some(counts) = self.counts.get_mut(endpoint) {
            counts.exchanges += 1;
            counts.successes += u64::from(kind == Kind::Success);
            counts.refusals += u64::from(kind == Kind::Refusal);
        }
        self.counted += 1;
        if self.counted >= COUNTED {
            self.hand_over_counts();
        }
    }

    fn hand_over_counts(&mut self) {
        self.counted = 0;
        for (endpoint, counts) in mem::take(&mut self.counts) {
            self.writer.send(Message::Counts(endpoint, counts));
        }
    }
}

impl HistoryWriter for DiskHistory {
    fn prepare(&mut self, exchange: &mut Exchange) {
        if let Some(mask) = &self.mask {
            mask.apply(exchange);
        }
    }

    fn noted(&mut self, record: &Record, history: &History) {
        let Some(endpoint) = history.endpoint(record.endpoint) else { return };
        let exchange = &record.exchange;
        let kind = kind(exchange);
        self.count(endpoint, kind);
        let identity = exchange.request.as_ref().and_then(|request| self.principals.of(request));
        let (success, started) = (kind == Kind::Success, exchange.started());
        self.now = self.now.max(started);
        let kept = kind == Kind::Refusal
            || self.quota.takes(started, record.endpoint, identity.unwrap_or_default(), success);
        if !kept {
            return;
        }
        let row = row(exchange, endpoint, kind, identity, record::write(self.run, exchange));
        self.writer.send(Message::Exchange(Box::new(row)));
        if kind == Kind::Refusal {
            if self.open.is_empty() {
                self.since = started;
            }
            self.open.push(exchange.id);
        }
    }

    fn due(&mut self, ended: bool) -> Vec<ExchangeId> {
        if ended {
            self.hand_over_counts();
        }
        let settled = self.now.since(self.since) >= SETTLED;
        if ended || settled || self.open.len() >= TOGETHER { mem::take(&mut self.open) } else { Vec::new() }
    }

    fn explained(&mut self, id: ExchangeId, top: &Top) {
        let refuser = (top.refuser != Refuser::Unknown).then(|| top.refuser.as_str().to_owned());
        self.writer.send(Message::Cause(id.0, top.cause.id(), top.confidence, refuser));
    }
}

fn kind(exchange: &Exchange) -> Kind {
    if exchange.is_refusal() {
        Kind::Refusal
    } else if exchange.is_success() {
        Kind::Success
    } else {
        Kind::Other
    }
}

fn row(exchange: &Exchange, endpoint: &Endpoint, kind: Kind, identity: Option<u64>, record: String) -> Row {
    Row {
        id: exchange.id.0,
        endpoint: endpoint.clone(),
        started: exchange.started(),
        latency: exchange.latency(),
        client: exchange.client,
        server: exchange.server,
        method: exchange.method().to_owned(),
        target: String::from_utf8_lossy(exchange.target()).into_owned(),
        status: exchange.status(),
        outcome: exchange.outcome.as_str(),
        kind,
        identity,
        record,
    }
}
