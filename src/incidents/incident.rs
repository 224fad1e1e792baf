//! One incident: refusals of one kind, with what is known of when, who and whether it goes on.

use std::collections::HashMap;

use ahash::RandomState;

use super::onset::{Bucket, rise};
use super::timeline::{BUCKETS, Scale, Timeline};
use super::tracker::{Cluster, Key, Place};
use super::who::{Values, Who, who};
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
}

impl State {
    /// In a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Ongoing => "ongoing",
            Self::Over => "over",
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
    /// The most likely cause.
    pub cause: Cause,
    /// How sure that is, 0.0–1.0.
    pub confidence: f32,
    /// Who refused.
    pub refuser: Refuser,
    /// Stands for the response without identifiers and times.
    pub response: u64,
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
    /// Who is refused, and who is not.
    pub who: Option<Who>,
    /// Refusals over time.
    pub timeline: [u32; BUCKETS],
}

impl Incident {
    /// Whether requests of others to these endpoints are accepted while these are refused.
    pub const fn others_succeed(&self) -> bool {
        self.who.is_some() || self.successes_since > 0
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
    let (key, _) = clusters.first()?;
    let first = clusters.iter().map(|(_, cluster)| cluster.first).min()?;
    let (mut timeline, mut all) = (Timeline::default(), Timeline::default());
    let (mut refused, mut accepted) = (Values::default(), Values::default());
    let (mut exchanges, mut successes, mut successes_since) = (0, 0, 0);
    for (key, cluster) in &clusters {
        timeline.add(&cluster.timeline);
        refused.absorb(&cluster.refused);
        if let Some(place) = places.get(&key.endpoint) {
            all.add(&place.timeline);
            accepted.absorb(&place.accepted);
            exchanges += place.exchanges;
            successes += place.successes;
            successes_since += place.successes.saturating_sub(cluster.successes_then);
        }
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
        cause: key.cause,
        confidence: latest.confidence,
        refuser: latest.refuser,
        response: key.response,
        endpoints: clusters.iter().map(|(key, _)| key.endpoint).collect(),
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
        who: who(&refused, &accepted, refusals),
        timeline: timeline.refusals,
    })
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
