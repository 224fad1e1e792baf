//! The one attribute that separates all refusals from all successes, and how many it was held against.

use crate::explain::case::Case;
use crate::explain::contrast::columns;
use crate::explain::contrast::sample::Sample;
use crate::explain::contrast::{Change, Contrast};
use crate::explain::knowledge::Knowledge;
use crate::explain::request::family::Family;
use crate::explain::request::features::Features;
use crate::explain::request::shown::Shown;
use crate::history::History;
use crate::model::ExchangeId;

/// Refusals and successes from which on a separation counts.
const ENOUGH: (u32, u32) = (2, 3);
/// Surprise from which on a value counts as never accepted, not merely as one of many.
const STEADY: f32 = 1.3;
/// Probability, corrected for the number of attributes tried, below which a separation is no chance.
const CERTAIN: f64 = 0.05;
/// Successes of the history that are looked at one by one, beyond the samples.
const MOST_SUCCESSES: usize = 2048;

/// The attribute that separates, by its place in the list of contrasts.
#[derive(Clone, Copy, Debug)]
pub struct Lead {
    /// Which contrast.
    pub index: usize,
    /// Whether so clean a separation is no chance, for all the attributes tried.
    pub certain: bool,
    /// Whether nothing else separates as cleanly.
    pub alone: bool,
}

/// Whether `contrast` is on all refusals of its kind and on no success.
pub fn separates(contrast: &Contrast<'_>) -> bool {
    let (all, likewise) = contrast.refusals;
    all == likewise
        && all >= ENOUGH.0
        && contrast.successes >= ENOUGH.1
        && contrast.surprise >= STEADY
        && contrast.steady
        && may_lead(contrast.family)
}

/// Families whose values say nothing by themselves, whatever they separate.
const fn may_lead(family: Family) -> bool {
    !matches!(
        family,
        Family::Signature
            | Family::Timestamp
            | Family::Fact
            | Family::Noise
            | Family::BodySize
            | Family::Network
    )
}

/// The attribute that leads among `contrasts`: of those that separate, the one for which the best mechanism exists.
pub fn lead(contrasts: &[Contrast<'_>], knowledge: &Knowledge) -> Option<Lead> {
    let strength = |contrast: &Contrast<'_>| {
        let mechanism = knowledge.mechanism(contrast.family, contrast.change.id());
        let most = mechanism.iter().map(|(_, weight)| *weight).fold(1.0, f32::max);
        let gone = if contrast.change == Change::Absent { 1.2 } else { 1.0 };
        contrast.surprise * most * gone
    };
    let separating = || contrasts.iter().enumerate().filter(|(_, contrast)| separates(contrast));
    let (index, best) = separating().max_by(|a, b| strength(a.1).total_cmp(&strength(b.1)))?;
    let alone = !separating().any(|(at, other)| at != index && origin(other) != origin(best));
    let certain = best.chance < CERTAIN;
    (alone || certain).then_some(Lead { index, certain, alone })
}

/// What several attributes are read from: one credential gives its scheme, its claims and its key.
fn origin<'c>(contrast: &'c Contrast<'_>) -> &'c str {
    use crate::explain::rules::contrast_rules::rules::is_claim;
    match contrast.family {
        Family::Credential | Family::Scheme | Family::KeyShape | Family::ApiKey | Family::Subject => {
            "credential"
        }
        Family::Client | Family::Network | Family::ForwardedFor | Family::Country => "client",
        family if is_claim(family) => "credential",
        _ => contrast.name.split(" (").next().unwrap_or_default(),
    }
}

/// How many successes of the history have what `contrast` says that none has, and how many were looked at: those kept as
/// samples, and where there are more, the latest of the history.
pub fn count(
    history: &History,
    this: ExchangeId,
    contrast: &Contrast<'_>,
    good: &[&Sample],
    all: u64,
) -> (u32, u32) {
    let samples = (0, good.len() as u32);
    if all <= good.len() as u64 {
        return samples;
    }
    let mut counted = (0, 0);
    for id in history.successes(this).take(MOST_SUCCESSES) {
        let Some(record) = history.get(id) else { continue };
        let features = Features::of(&record.exchange);
        let place = features.attributes.binary_search_by_key(&contrast.key, |one| one.mark.key).ok();
        let there = place.and_then(|at| features.attributes.get(at));
        let likewise = match contrast.change {
            Change::Absent => there.is_none(),
            Change::Added => there.is_some(),
            Change::Value => there.is_some_and(|there| Some(there.mark.value) == contrast.value),
        };
        counted = (counted.0 + u32::from(likewise), counted.1 + 1);
    }
    if counted.1 < samples.1 { samples } else { counted }
}

/// The value that the latest sampled success has, secrets hashed.
pub fn accepted_value(case: &Case<'_>, contrast: &Contrast<'_>) -> Option<String> {
    let having = case.columns.having(contrast.key);
    let latest = columns::those(&case.good, having).max_by_key(|sample| sample.at)?;
    let features = Features::of(&case.history.get(latest.id)?.exchange);
    features.attributes.iter().find(|one| one.mark.key == contrast.key).map(Shown::shown)
}
