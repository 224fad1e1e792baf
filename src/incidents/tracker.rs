//! Takes exchanges in, one by one, and says which incidents there are.
//!
//! Refusals are collected in clusters: one for each endpoint, answer and cause. An incident is made of the clusters that broke
//! the same way, whatever their endpoints: with one cause and refuser, and one attribute that separates them from successes; where
//! none does, with one answer.

use std::collections::HashMap;

use ahash::RandomState;

use super::incident::{Incident, assemble};
use super::properties::Hasher;
use super::sample::sample;
use super::server_changes::{ServerChange, ServerChanges};
use super::timeline::{Scale, Timeline};
use super::who::{Affected, affected};
use crate::edge::redact::Redactor;
use crate::explain::incident_id::IncidentId;
use crate::explain::inspector::Inspector;
use crate::explain::response_fingerprint;
use crate::explain::top_cause;
use crate::history::{History, Record};
use crate::model::{BaselineChoice, Cause, EndpointId, ExchangeId, Part, Refuser, Timestamp};

/// Clusters that are told apart; the one that was refused longest ago gives way to a new one.
const MAX_CLUSTERS: usize = 512;
/// Endpoints whose successes are counted; further ones have incidents without rates.
const MAX_PLACES: usize = 4096;
/// Causes that are found anew in one go, because more is known by now.
const REVISED: usize = 16;
/// Clusters that are diagnosed in full in one go, for the attribute that separates them.
const DIAGNOSED: usize = 3;
/// Refusals of a cluster before it is diagnosed in full.
const ENOUGH: u64 = 3;
/// Incidents in one go whose callers are compared with those that are accepted.
const COMPARED: usize = 2;

/// What refusals have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) endpoint: EndpointId,
    /// The response without identifiers and times.
    pub(super) response: u64,
    pub(super) cause: Cause,
}

/// The attribute that separates refusals from successes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lead {
    /// Which part of the request.
    pub part: Part,
    /// Field, cookie, parameter, claim or member name.
    pub name: String,
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
    /// Successes of the endpoint when the first refusal came.
    pub(super) successes_before: u64,
    /// Successes of the endpoint when the last refusal came.
    pub(super) successes_then: u64,
    pub(super) lead: Option<Lead>,
    /// Refusals when the cause was found last.
    revised: u64,
    /// Refusals when it was diagnosed in full.
    diagnosed: u64,
}

/// What is known of one endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) exchanges: u64,
    pub(super) successes: u64,
    pub(super) last_success: Option<Timestamp>,
    pub(super) timeline: Timeline,
}

/// What an incident's clusters share: cause, refuser, the attribute that separates them, else the response.
type Kind<'a> = (Cause, Refuser, Option<&'a Lead>, u64);

/// Incidents as they come.
#[derive(Debug, Default)]
pub struct Incidents {
    clusters: HashMap<Key, Cluster, RandomState>,
    places: HashMap<EndpointId, Place, RandomState>,
    scale: Scale,
    hasher: Hasher,
    servers: ServerChanges,
    /// Who is affected, and the refusals and the last exchange known when that was found. Only of incidents that there are.
    affected: HashMap<IncidentId, (u64, ExchangeId, Affected), RandomState>,
    /// Refusals of clusters that gave way.
    forgotten: u64,
    /// Counted at the common scale: everything.
    all: Timeline,
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
            self.all.halve(halvings);
        }
        let endpoint = inspector.history().canonical(record.endpoint);
        let (success, refusal) = (exchange.is_success(), exchange.is_refusal());
        if success {
            self.servers.count(record, endpoint, redactor);
        }
        self.all.count(bucket, success, refusal);
        let mut successes = 0;
        if self.places.len() < MAX_PLACES || self.places.contains_key(&endpoint) {
            let place = self.places.entry(endpoint).or_default();
            place.exchanges += 1;
            if success {
                place.successes += 1;
                place.last_success = place.last_success.max(Some(at));
            }
            place.timeline.count(bucket, success, refusal);
            successes = place.successes;
        }
        if refusal {
            self.refused(record, (endpoint, successes, bucket), inspector);
        }
    }

    fn refused(
        &mut self,
        record: &Record,
        (endpoint, successes, bucket): (EndpointId, u64, usize),
        inspector: &Inspector,
    ) {
        let exchange = &record.exchange;
        let Some(top) = inspector.top(exchange.id) else { return };
        let response = exchange.response.as_ref().map_or(0, response_fingerprint::stable);
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
            successes_before: successes,
            successes_then: successes,
            lead: None,
            revised: 0,
            diagnosed: 0,
        });
        (cluster.confidence, cluster.refuser) = (top.confidence, top.refuser);
        cluster.refusals += 1;
        (cluster.first, cluster.last) = (cluster.first.min(at), cluster.last.max(at));
        cluster.last_id = exchange.id;
        cluster.successes_then = successes;
        if let Some(count) = cluster.timeline.refusals.get_mut(bucket) {
            *count += 1;
        }
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

    /// What changed on the servers, oldest first.
    pub fn server_changes(&self) -> impl DoubleEndedIterator<Item = &ServerChange> {
        self.servers.all()
    }

    /// Successes and refusals of every endpoint over time, with the scale.
    pub fn timeline(&self) -> (&Timeline, &Scale) {
        (&self.all, &self.scale)
    }

    /// The incidents at `now`, the most pressing first: new, ongoing, over; in each the most refusals first. Whether a further call
    /// would tell more about them: what costs much is found for a few incidents at a time.
    pub fn list(
        &mut self,
        inspector: &Inspector,
        now: Timestamp,
        redactor: &Redactor,
    ) -> (Vec<Incident>, bool) {
        self.revise(inspector);
        self.merge(inspector.history());
        let diagnosing = self.diagnose(inspector);
        let mut kinds: HashMap<Kind<'_>, Vec<(Key, &Cluster)>, RandomState> = HashMap::default();
        for (key, cluster) in &self.clusters {
            let response = if cluster.lead.is_some() { 0 } else { key.response };
            let kind = (key.cause, cluster.refuser, cluster.lead.as_ref(), response);
            kinds.entry(kind).or_default().push((*key, cluster));
        }
        let mut incidents: Vec<Incident> = kinds
            .into_values()
            .filter_map(|clusters| assemble(&clusters, &self.places, &self.scale, now))
            .collect();
        incidents.sort_by_key(|incident| {
            (incident.state, std::cmp::Reverse((incident.refusals, incident.last_id)))
        });
        let comparing = self.compare(&mut incidents, inspector, redactor);
        for incident in &mut incidents {
            incident.changes = super::incident::changes(incident.onset, &self.scale, self.servers.all());
        }
        (incidents, diagnosing || comparing)
    }

    /// Diagnoses some clusters in full, for the attribute that separates them; whether more are to be diagnosed.
    fn diagnose(&mut self, inspector: &Inspector) -> bool {
        let due = |cluster: &Cluster| cluster.refusals >= ENOUGH.max(2 * cluster.diagnosed);
        let mut keys: Vec<(u64, Key)> = self
            .clusters
            .iter()
            .filter(|(_, cluster)| due(cluster))
            .map(|(key, cluster)| (cluster.refusals, *key))
            .collect();
        keys.sort_by_key(|(refusals, key)| (std::cmp::Reverse(*refusals), key.endpoint, key.response));
        for (_, key) in keys.iter().take(DIAGNOSED) {
            let Some(cluster) = self.clusters.get_mut(key) else { continue };
            cluster.diagnosed = cluster.refusals;
            let Some(report) = inspector.report(cluster.last_id, BaselineChoice::default()) else { continue };
            let finding = report.diagnosis.and_then(|diagnosis| diagnosis.findings.into_iter().next());
            let separates = finding.filter(|one| one.cause == key.cause).and_then(|one| one.separates);
            cluster.lead = separates.map(|one| Lead { part: one.part, name: one.name.to_ascii_lowercase() });
        }
        keys.len() > DIAGNOSED
    }

    /// Compares the callers of some incidents with those that are accepted; whether more are to be compared.
    fn compare(&mut self, incidents: &mut [Incident], inspector: &Inspector, redactor: &Redactor) -> bool {
        self.affected.retain(|id, _| incidents.iter().any(|incident| incident.id == *id));
        let last = inspector.history().last_id();
        let mut left = COMPARED;
        let mut more = false;
        for incident in incidents {
            let known = self.affected.get(&incident.id);
            let due = known.is_none_or(|(refusals, then, _)| {
                incident.refusals > refusals + refusals / 4 || last.0 > then.0 + (then.0 / 4).max(256)
            });
            if due && left == 0 {
                more = true;
            } else if due {
                left -= 1;
                let sides = sample(incident, inspector);
                let found = affected((&sides.0, &sides.1), &self.hasher, inspector, redactor);
                self.affected.insert(incident.id, (incident.refusals, last, found));
            }
            if let Some((.., found)) = self.affected.get(&incident.id) {
                incident.affected = found.clone();
            }
        }
        more
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
        into.lead = cluster.lead.or(into.lead.take());
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
