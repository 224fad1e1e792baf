//! The exchanges of the history as the join looks at them: indexed by path, by client and by the ids that they carry.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use super::facts::{Facts, path_of};
use crate::features::forwarded_addresses;
use crate::history::Record;
use crate::model::{Exchange, ExchangeId, Fields};

/// Exchanges that one id may stand in; one that stands in more is no request's own.
const MAX_SHARED: usize = 2;
/// Fields of one head in which ids are looked for.
const MAX_FIELDS: usize = 64;

/// One exchange, as far as log records can know it.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: ExchangeId,
    pub(super) client: IpAddr,
    pub(super) port: u16,
    /// Addresses that stand in for the client: those that a proxy forwarded, and the peer of the connection.
    pub(super) forwarded: Vec<IpAddr>,
    pub(super) method: String,
    pub(super) status: Option<u16>,
    /// Nanoseconds of the first byte of the request and of the last byte of the response.
    pub(super) window: (i64, i64),
    pub(super) is_refusal: bool,
}

/// The exchanges in the order in which their responses ended.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    pub(super) all: Vec<Known>,
    by_path: HashMap<String, Vec<usize>>,
    by_port: HashMap<(IpAddr, u16), Vec<usize>>,
    by_client: HashMap<IpAddr, Vec<usize>>,
    by_id: HashMap<String, Vec<usize>>,
    pub(super) refusals: Vec<usize>,
}

impl Exchanges {
    /// Indexes exchanges; `wanted` are the tokens that log records carry.
    pub(super) fn of<'a>(records: impl Iterator<Item = &'a Record>, wanted: &HashSet<&str>) -> Self {
        let mut found: Vec<(Known, String, Vec<String>)> = records
            .filter(|record| record.exchange.response.is_some())
            .map(|record| {
                let exchange = &record.exchange;
                (known(exchange), path(exchange), tokens(exchange, wanted))
            })
            .collect();
        found.sort_by_key(|(known, ..)| known.window.1);
        let mut index = Self::default();
        for (number, (known, path, tokens)) in found.into_iter().enumerate() {
            index.by_path.entry(path).or_default().push(number);
            index.by_port.entry((known.client, known.port)).or_default().push(number);
            for address in std::iter::once(known.client).chain(known.forwarded.iter().copied()) {
                index.by_client.entry(address).or_default().push(number);
            }
            for token in tokens {
                index.by_id.entry(token).or_default().push(number);
            }
            if known.is_refusal {
                index.refusals.push(number);
            }
            index.all.push(known);
        }
        index.by_id.retain(|_, numbers| {
            numbers.dedup();
            numbers.len() <= MAX_SHARED
        });
        index
    }
    /// Those of `found` that the record does not contradict.
    pub(super) fn agreeing(&self, found: &[usize], facts: &Facts) -> Vec<usize> {
        let agrees = |exchange: &&usize| self.all.get(**exchange).is_some_and(|known| agrees(facts, known));
        found.iter().filter(agrees).copied().collect()
    }
    /// A record without a status that complains is about a refusal, where there is one.
    pub(super) fn narrowed(&self, found: Vec<usize>, facts: &Facts) -> Vec<usize> {
        if facts.status.is_some() || !facts.complains {
            return found;
        }
        let is_refusal = |exchange: &usize| self.all.get(*exchange).is_some_and(|known| known.is_refusal);
        let refused: Vec<usize> = found.iter().copied().filter(is_refusal).collect();
        if refused.is_empty() { found } else { refused }
    }
    pub(super) fn with_path(&self, path: &str) -> &[usize] {
        self.by_path.get(path).map_or(&[], Vec::as_slice)
    }
    pub(super) fn with_port(&self, client: IpAddr, port: u16) -> &[usize] {
        self.by_port.get(&(client, port)).map_or(&[], Vec::as_slice)
    }
    pub(super) fn with_client(&self, client: IpAddr) -> &[usize] {
        self.by_client.get(&client).map_or(&[], Vec::as_slice)
    }
    pub(super) fn with_id(&self, id: &str) -> &[usize] {
        self.by_id.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Whether nothing in the record contradicts the exchange.
fn agrees(facts: &Facts, known: &Known) -> bool {
    let client = facts.client.is_none_or(|client| {
        client == known.client
            || known.forwarded.contains(&client)
            || (facts.port.is_none() && known.client.is_loopback() && !client.is_loopback())
    });
    client
        && facts.method.as_ref().is_none_or(|method| *method == known.method)
        && facts.status.is_none_or(|status| Some(status) == known.status)
}

fn known(exchange: &Exchange) -> Known {
    let started = exchange.started().0;
    let ended = exchange.response.as_ref().map_or(started, |response| response.ended.0);
    Known {
        id: exchange.id,
        client: exchange.client.ip().to_canonical(),
        port: exchange.client.port(),
        forwarded: forwarded(exchange),
        method: exchange.method().to_owned(),
        status: exchange.status(),
        window: (started, ended.max(started)),
        is_refusal: exchange.is_refusal(),
    }
}

fn path(exchange: &Exchange) -> String {
    path_of(&String::from_utf8_lossy(exchange.target())).unwrap_or_default()
}

fn forwarded(exchange: &Exchange) -> Vec<IpAddr> {
    let request = exchange.request.as_ref();
    let mut found = request.map(|request| forwarded_addresses(request.head.fields())).unwrap_or_default();
    // Behind a PROXY header the server may log who opened the connection.
    let peer = exchange.peer().ip().to_canonical();
    if peer != exchange.client.ip().to_canonical() {
        found.push(peer);
    }
    found
}

/// The tokens of the heads that log records carry too.
fn tokens(exchange: &Exchange, wanted: &HashSet<&str>) -> Vec<String> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let heads = [
        exchange.request.as_ref().map(|request| request.head.fields()),
        exchange.response.as_ref().map(|response| response.head.fields()),
    ];
    let mut found = Vec::new();
    for fields in heads.into_iter().flatten() {
        in_fields(fields, wanted, &mut found);
    }
    found.dedup();
    found
}

fn in_fields(fields: &Fields, wanted: &HashSet<&str>, found: &mut Vec<String>) {
    for field in fields.iter().take(MAX_FIELDS) {
        let value = String::from_utf8_lossy(field.value);
        let whole = value.trim().trim_matches('"');
        if wanted.contains(whole) {
            found.push(whole.to_owned());
            continue;
        }
        let parts = value.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@')));
        found.extend(parts.filter(|part| wanted.contains(part)).map(str::to_owned));
        // A trace context is four parts joined by hyphens (W3C Trace Context).
        found.extend(
            whole.split('-').filter(|part| part.len() >= 16 && wanted.contains(part)).map(str::to_owned),
        );
    }
}
