//! Takes exchanges in, one by one, and says which incidents there are.
//!
//! Refusals are collected in clusters: one for each endpoint, answer and cause. An incident is made of the clusters that share
//! answer and cause, whatever their endpoints.

use std::collections::HashMap;

use ahash::RandomState;

use super::incident::{Incident, assemble};
use super::timeline::{Scale, Timeline};
use super::who::{Hasher, Values};
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::explain::response_fingerprint;
use crate::explain::top_cause;
use crate::history::{History, Record};
use crate::model::{Cause, EndpointId, ExchangeId, Refuser, Timestamp};

/// Clusters that are told apart; the one that was refused longest ago gives way to a new one.
const MAX_CLUSTERS: usize = 512;
/// Endpoints whose successes are counted; further ones have incidents without rates.
const MAX_PLACES: usize = 4096;
/// Causes that are found anew in one go, because more is known by now.
const REVISED: usize = 16;

/// What refusals have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) endpoint: EndpointId,
    /// The response without identifiers and times.
    pub(super) response: u64,
    pub(super) cause: Cause,
}

/// Refusals of one kind.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) confidence: f32,
    pub(super) refuser: Refuser,
    pub(super) refusals: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) first_id: ExchangeId,
    pub(super) last_id: ExchangeId,
    pub(super) timeline: Timeline,
    pub(super) refused: Values,
    /// Successes of the endpoint when the first refusal came.
    pub(super) successes_before: u64,
    /// Successes of the endpoint when the last refusal came.
    pub(super) successes_then: u64,
    /// Refusals when the cause was found last.
    revised: u64,
}

/// What is known of one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) exchanges: u64,
    pub(super) successes: u64,
    pub(super) last_success: Option<Timestamp>,
    pub(super) timeline: Timeline,
    pub(super) accepted: Values,
}

/// Incidents as they come.
#[derive(Debug, Default)]
pub struct Incidents {
    clusters: HashMap<Key, Cluster, RandomState>,
    places: HashMap<EndpointId, Place, RandomState>,
    scale: Scale,
    hasher: Hasher,
    /// Refusals of clusters that gave way.
    forgotten: u64,
}

impl Incidents {
    /// Takes note of an exchange, which the history keeps.
    pub fn count(&mut self, record: &Record, inspector: &Inspector, redactor: &Redactor) {
        let exchange = &record.exchange;
        let at = exchange.started();
        let (bucket, halvings) = self.scale.bucket(at);
        if halvings > 0 {
            self.clusters.values_mut().for_each(|cluster| cluster.timeline.halve(halvings));
            self.places.values_mut().for_each(|place| place.timeline.halve(halvings));
        }
        let endpoint = inspector.history().canonical(record.endpoint);
        let (success, refusal) = (exchange.is_success(), exchange.is_refusal());
        let mut successes = 0;
        if self.places.len() < MAX_PLACES || self.places.contains_key(&endpoint) {
            let place = self.places.entry(endpoint).or_default();
            place.exchanges += 1;
            if success {
                place.successes += 1;
                place.last_success = place.last_success.max(Some(at));
                place.accepted.count(record, &self.hasher, inspector, redactor);
            }
            let Timeline { successes: ok, refusals: bad } = &mut place.timeline;
            if let Some(count) = if refusal { bad } else { ok }.get_mut(bucket).filter(|_| success || refusal)
            {
                *count += 1;
            }
            successes = place.successes;
        }
        if refusal {
            self.refused(record, (endpoint, successes, bucket), inspector, redactor);
        }
    }

    fn refused(
        &mut self,
        record: &Record,
        (endpoint, successes, bucket): (EndpointId, u64, usize),
        inspector: &Inspector,
        redactor: &Redactor,
    ) {
        let exchange = &record.exchange;
        let Some(top) = inspector.top(exchange.id) else { return };
        let response = exchange.response.as_ref().map_or(0, response_fingerprint::of);
        let key = Key { endpoint, response, cause: top.cause };
        if self.clusters.len() >= MAX_CLUSTERS && !self.clusters.contains_key(&key) {
            self.give_way();
        }
        let at = exchange.started();
        let cluster = self.clusters.entry(key).or_insert_with(|| Cluster {
            confidence: top.confidence,
            refuser: top.refuser,
            refusals: 0,
            first: at,
            last: at,
            first_id: exchange.id,
            last_id: exchange.id,
            timeline: Timeline::default(),
            refused: Values::default(),
            successes_before: successes,
            successes_then: successes,
            revised: 0,
        });
        (cluster.confidence, cluster.refuser) = (top.confidence, top.refuser);
        cluster.refusals += 1;
        (cluster.first, cluster.last) = (cluster.first.min(at), cluster.last.max(at));
        cluster.last_id = exchange.id;
        cluster.successes_then = successes;
        if let Some(count) = cluster.timeline.refusals.get_mut(bucket) {
            *count += 1;
        }
        cluster.refused.count(record, &self.hasher, inspector, redactor);
    }

    fn give_way(&mut self) {
        let oldest = self.clusters.iter().min_by_key(|(_, cluster)| cluster.last_id).map(|(key, _)| *key);
        if let Some(cluster) = oldest.and_then(|key| self.clusters.remove(&key)) {
            self.forgotten += cluster.refusals;
        }
    }

    /// Refusals that belong to no incident any more, because there were too many kinds.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Refusals that belong to an incident.
    pub fn refusals(&self) -> u64 {
        self.clusters.values().map(|cluster| cluster.refusals).sum()
    }

    /// The incidents at `now`, the most pressing first: new, ongoing, over; in each the most refusals first.
    pub fn list(&mut self, inspector: &Inspector, now: Timestamp) -> Vec<Incident> {
        self.revise(inspector);
        self.merge(inspector.history());
        let mut kinds: HashMap<(u64, Cause), Vec<(Key, &Cluster)>, RandomState> = HashMap::default();
        for (key, cluster) in &self.clusters {
            kinds.entry((key.response, key.cause)).or_default().push((*key, cluster));
        }
        let mut incidents: Vec<Incident> = kinds
            .into_values()
            .filter_map(|clusters| assemble(&clusters, &self.places, &self.scale, now))
            .collect();
        incidents.sort_by_key(|incident| {
            (incident.state, std::cmp::Reverse((incident.refusals, incident.last_id)))
        });
        incidents
    }

    /// Finds the causes of guesses again, of which more is known by now.
    fn revise(&mut self, inspector: &Inspector) {
        let unsure = self.clusters.iter().filter(|(_, cluster)| {
            top_cause::is_guess(cluster.confidence) && cluster.refusals > cluster.revised
        });
        let keys: Vec<Key> = unsure.map(|(key, _)| *key).take(REVISED).collect();
        for key in keys {
            let Some(cluster) = self.clusters.get_mut(&key) else { continue };
            cluster.revised = cluster.refusals;
            let Some(top) = inspector.top(cluster.last_id) else { continue };
            (cluster.confidence, cluster.refuser) = (top.confidence, top.refuser);
            if top.cause != key.cause {
                self.rename(key, Key { cause: top.cause, ..key });
            }
        }
    }

    /// Clusters of endpoints that were merged belong to what these have become.
    fn merge(&mut self, history: &History) {
        let moved = |id: EndpointId| Some(history.canonical(id)).filter(|canonical| *canonical != id);
        let keys: Vec<(Key, EndpointId)> =
            self.clusters.keys().filter_map(|key| Some((*key, moved(key.endpoint)?))).collect();
        for (key, endpoint) in keys {
            self.rename(key, Key { endpoint, ..key });
        }
        let places: Vec<(EndpointId, EndpointId)> =
            self.places.keys().filter_map(|id| Some((*id, moved(*id)?))).collect();
        for (from, to) in places {
            let Some(place) = self.places.remove(&from) else { continue };
            let into = self.places.entry(to).or_default();
            into.exchanges += place.exchanges;
            into.successes += place.successes;
            into.last_success = into.last_success.max(place.last_success);
            into.timeline.add(&place.timeline);
            into.accepted.absorb(&place.accepted);
        }
    }

    fn rename(&mut self, from: Key, to: Key) {
        let Some(cluster) = self.clusters.remove(&from) else { return };
        let Some(into) = self.clusters.get_mut(&to) else {
            self.clusters.insert(to, cluster);
            return;
        };
        into.refusals += cluster.refusals;
        into.first = into.first.min(cluster.first);
        into.last = into.last.max(cluster.last);
        into.first_id = into.first_id.min(cluster.first_id);
        into.successes_before = into.successes_before.min(cluster.successes_before);
        if cluster.last_id > into.last_id {
            (into.last_id, into.successes_then) = (cluster.last_id, cluster.successes_then);
            (into.confidence, into.refuser) = (cluster.confidence, cluster.refuser);
        }
        into.timeline.add(&cluster.timeline);
        into.refused.absorb(&cluster.refused);
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
