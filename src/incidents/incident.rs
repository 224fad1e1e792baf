//! One incident: refusals of one kind, with what is known of when, who and whether it goes on.

use std::collections::HashMap;

use ahash::RandomState;

use super::onset::{Bucket, rise};
use super::server_changes::ServerChange;
use super::timeline::{BUCKETS, Scale, Timeline};
use super::tracker::{Cluster, Key, Lead, Place};
use super::who::{Affected, Who};
use crate::explain::incident_id::IncidentId;
use crate::model::{Cause, EndpointId, ExchangeId, Refuser, Timestamp};

/// For how long an incident is new.
const NEW: i64 = 5 * 60 * 1_000_000_000;
/// So many refusals were to be expected since the last one, were nothing changed: then it is over (chance below 2 %).
const EXPECTED: f64 = 4.0;
/// Successes before the first refusal, times the share refused since, that speak for a beginning within the capture.
const UNREFUSED: f64 = 3.0;
/// Refusals, with no success before them, that speak for a beginning before the capture.
const MANY: u64 = 5;

/// Whether it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It began within the last five minutes and goes on.
    New,
    /// It goes on.
    Ongoing,
    /// Requests that would have been refused were accepted since.
    Over,
    /// The user knows of it.
    Known,
}

impl State {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Over => "over",
            Self::Known => "known",
        }
    }
}

/// Since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Onset {
    /// The refused share rose then.
    At(Timestamp),
    /// It was refused from the beginning of the capture on.
    BeforeCapture,
    /// Refused now and then; the first time then.
    Sporadic(Timestamp),
}

/// Refusals of one kind.
#[derive(Clone, Debug)]
pub struct Incident {
    /// Of its first refusal; NDJSON has it as `incident`.
    pub id: IncidentId,
    /// The most likely cause.
    pub cause: Cause,
    /// How sure that is, 0.0–1.0.
    pub confidence: f32,
    /// Who refused.
    pub refuser: Refuser,
    /// Stand for the responses, identifiers and times aside; the most frequent first.
    pub responses: Vec<u64>,
    /// The attribute that separates the refusals from successes.
    pub lead: Option<Lead>,
    /// Where, the most refusals first.
    pub endpoints: Vec<EndpointId>,
    /// Refusals.
    pub refusals: u64,
    /// Exchanges of these endpoints.
    pub exchanges: u64,
    /// Successes of these endpoints.
    pub successes: u64,
    /// Successes of these endpoints since the last refusal.
    pub successes_since: u64,
    /// When the last refusal began.
    pub last: Timestamp,
    /// The first refusal.
    pub first_id: ExchangeId,
    /// The last refusal.
    pub last_id: ExchangeId,
    /// Since when.
    pub onset: Onset,
    /// The share refused before the onset and since, 0.0–1.0; equal without an onset.
    pub rate: (f64, f64),
    /// Whether it goes on.
    pub state: State,
    /// Who is refused, and who is not; empty until that was compared.
    pub affected: Affected,
    /// What changed on the servers at the onset.
    pub changes: Vec<ServerChange>,
    /// Refusals over time.
    pub timeline: [u32; BUCKETS],
}

impl Incident {
    /// Whether requests of others to these endpoints are accepted while these are refused.
    pub const fn others_succeed(&self) -> bool {
        self.affected.who.is_some() || self.successes_since > 0
    }

    /// What the refused share has and the accepted lacks.
    pub const fn who(&self) -> Option<&Who> {
        self.affected.who.as_ref()
    }

    /// When it began, as far as the capture tells.
    pub const fn onset_time(&self) -> Option<Timestamp> {
        match self.onset {
            Onset::At(at) | Onset::Sporadic(at) => Some(at),
            Onset::BeforeCapture => None,
        }
    }

    /// The bucket of the timeline in which the onset is.
    pub fn onset_bucket(&self, scale: &Scale) -> Option<usize> {
        match self.onset {
            Onset::At(at) => Some(scale.index(at)),
            Onset::BeforeCapture | Onset::Sporadic(_) => None,
        }
    }
}

/// The incident that these clusters are.
pub(super) fn assemble(
    clusters: &[(Key, &Cluster)],
    places: &HashMap<EndpointId, Place, RandomState>,
    scale: &Scale,
    now: Timestamp,
) -> Option<Incident> {
    let mut clusters: Vec<_> = clusters.to_vec();
    clusters.sort_by_key(|(key, cluster)| (std::cmp::Reverse(cluster.refusals), key.endpoint));
    let latest = clusters.iter().max_by_key(|(_, cluster)| cluster.last_id)?.1;
    let (key, most) = clusters.first()?;
    let (first_key, earliest) = clusters.iter().min_by_key(|(_, cluster)| cluster.first_id)?;
    let mut responses: Vec<u64> = Vec::new();
    for (key, _) in &clusters {
        if !responses.contains(&key.response) {
            responses.push(key.response);
        }
    }
    let first = clusters.iter().map(|(_, cluster)| cluster.first).min()?;
    let (mut timeline, mut all) = (Timeline::default(), Timeline::default());
    let (mut exchanges, mut successes, mut successes_since) = (0, 0, 0);
    for (_, cluster) in &clusters {
        timeline.add(&cluster.timeline);
    }
    let endpoints = endpoints(&clusters);
    for endpoint in &endpoints {
        let Some(place) = places.get(endpoint) else { continue };
        let here = clusters.iter().filter(|(key, _)| key.endpoint == *endpoint);
        let then = here.map(|(_, cluster)| cluster.successes_then).max().unwrap_or_default();
        all.add(&place.timeline);
        exchanges += place.exchanges;
        successes += place.successes;
        successes_since += place.successes.saturating_sub(then);
    }
    let refusals: u64 = clusters.iter().map(|(_, cluster)| cluster.refusals).sum();
    let before: u64 = clusters.iter().map(|(_, cluster)| cluster.successes_before).sum();
    let (onset, rate) = onset(&timeline.refusals, &all, scale, (first, before));
    let expected = rate.1 * successes_since as f64;
    let state = match onset {
        _ if expected >= EXPECTED => State::Over,
        Onset::At(at) if now.since(at) <= NEW => State::New,
        Onset::At(_) | Onset::BeforeCapture | Onset::Sporadic(_) => State::Ongoing,
    };
    Some(Incident {
        id: IncidentId::new(first_key.cause, earliest.refuser, first_key.response),
        cause: key.cause,
        confidence: latest.confidence,
        refuser: latest.refuser,
        responses,
        lead: most.lead.clone(),
        endpoints,
        refusals,
        exchanges,
        successes,
        successes_since,
        last: latest.last,
        first_id: clusters.iter().map(|(_, cluster)| cluster.first_id).min()?,
        last_id: latest.last_id,
        onset,
        rate,
        state,
        affected: Affected::default(),
        changes: Vec::new(),
        timeline: timeline.refusals,
    })
}

/// The clusters' endpoints, each once.
fn endpoints(clusters: &[(Key, &Cluster)]) -> Vec<EndpointId> {
    let mut endpoints: Vec<EndpointId> = Vec::new();
    for (key, _) in clusters {
        if !endpoints.contains(&key.endpoint) {
            endpoints.push(key.endpoint);
        }
    }
    endpoints
}

/// Changes of the servers that are named.
const MAX_CHANGES: usize = 4;

/// What changed on the servers when an incident began: within the bucket before and after it, ten seconds at least.
pub(super) fn changes<'a>(
    onset: Onset,
    scale: &Scale,
    all: impl DoubleEndedIterator<Item = &'a ServerChange>,
) -> Vec<ServerChange> {
    let Onset::At(at) = onset else { return Vec::new() };
    let near = (scale.seconds().max(10) as i64).saturating_mul(1_000_000_000);
    all.filter(|change| change.at.since(at).abs() <= near).take(MAX_CHANGES).cloned().collect()
}

/// Since when, and the shares refused before and since, from the refusals of one kind and everything at their endpoints;
/// `before` successes came before the first refusal.
fn onset(
    refusals: &[u32; BUCKETS],
    all: &Timeline,
    scale: &Scale,
    (first, before): (Timestamp, u64),
) -> (Onset, (f64, f64)) {
    let buckets: Vec<Bucket> = refusals
        .iter()
        .zip(all.successes.iter().zip(&all.refusals))
        .map(|(these, (ok, bad))| (*these, ok + bad.saturating_sub(*these)))
        .collect();
    let used = buckets.iter().rposition(|(these, other)| these + other > 0).map_or(0, |last| last + 1);
    let buckets = buckets.get(..used).unwrap_or_default();
    if let Some(change) = rise(buckets) {
        let begin = scale.begin(change.bucket).unwrap_or(first);
        // No refusal before that bucket: the first one is the best that can be said.
        return (Onset::At(begin.max(first)), (change.before, change.after));
    }
    let total = |buckets: &[Bucket]| {
        buckets.iter().map(|(these, other)| u64::from(*these) + u64::from(*other)).sum::<u64>()
    };
    let these: u64 = buckets.iter().map(|(these, _)| u64::from(*these)).sum();
    let share = these as f64 / total(buckets).max(1) as f64;
    let onset = match () {
        () if before as f64 * share >= UNREFUSED => Onset::At(first),
        () if before == 0 && these >= MANY => Onset::BeforeCapture,
        () => Onset::Sporadic(first),
    };
    (onset, (share, share))
}
