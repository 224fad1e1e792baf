//! The one attribute that separates all refusals from all successes, and how many it was held against.

use crate::explain::case::Case;
use crate::explain::contrast::columns;
use crate::explain::contrast::recall::Counted;
use crate::explain::contrast::{Change, Contrast};
use crate::explain::knowledge::Knowledge;
use crate::explain::request::family::Family;
use crate::explain::request::shown::Shown;
use crate::features::request::attribute_hash::{Mark, hash_of};
use crate::features::request::attributes::Attributes;
use crate::features::request::parsed_request::ParsedRequest;
use crate::history::Record;
use crate::model::ExchangeId;
use crate::step_counter;

/// Refusals and successes from which on a separation counts.
const ENOUGH: (u32, u32) = (2, 3);
/// Surprise from which on a value counts as never accepted, not merely as one of many.
const STEADY: f32 = 1.3;
/// Probability, corrected for the number of attributes tried, below which a separation is no chance.
const CERTAIN: f64 = 0.05;
/// Successes of the history that are looked at one by one, beyond the samples.
const MOST_SUCCESSES: usize = 2048;
/// What was counted lasts until a place has one success in so many more.
const GROWTH: u64 = 8;

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

/// How many successes of the place have what `contrast` says that none has, and how many were looked at: those kept as
/// samples, and where there are more, the latest of the history. Each success is looked at once for all refusals that the same
/// attribute separates.
pub fn count(case: &Case<'_>, contrast: &Contrast<'_>) -> (u32, u32) {
    let all = case.place.map_or(0, |place| place.ok);
    let samples = (0, case.own_good().len() as u32);
    if all <= u64::from(samples.1) {
        return samples;
    }
    let separation = hash_of(&(case.address.place, contrast.key, contrast.change.id(), contrast.value));
    let known = case.recall.counted(separation);
    let counted = match known.filter(|known| all < known.all + known.all / GROWTH + 1) {
        Some(counted) => counted,
        None => look(case, contrast, known, all),
    };
    case.recall.count(separation, counted);
    if counted.looked < samples.1 { samples } else { (counted.likewise, counted.looked) }
}

/// Looks at the successes that came since.
fn look(case: &Case<'_>, contrast: &Contrast<'_>, known: Option<Counted>, all: u64) -> Counted {
    let mut counted = known.unwrap_or(Counted { newest: ExchangeId(0), all, likewise: 0, looked: 0 });
    let full = counted.looked as usize >= MOST_SUCCESSES;
    let most = if full { MOST_SUCCESSES / 16 } else { MOST_SUCCESSES - counted.looked as usize };
    let since = counted.newest;
    for id in case.history.successes_since(case.exchange().id, since).take(most) {
        step_counter::steps(1);
        counted.newest = counted.newest.max(id);
        let Some(record) = case.history.get(id) else { continue };
        let there = value_in(record, contrast.key);
        let likewise = match contrast.change {
            Change::Absent => there.is_none(),
            Change::Added => there.is_some(),
            Change::Value => there.is_some_and(|(mark, _)| Some(mark.value) == contrast.value),
        };
        counted.likewise += u32::from(likewise);
        counted.looked += 1;
    }
    Counted { all, ..counted }
}

/// The attribute `key` of a record: its hashes and the value as it may be shown. Never a fact.
fn value_in(record: &Record, key: u64) -> Option<(Mark, String)> {
    let parsed = ParsedRequest::of(record.exchange.request.as_ref()?);
    let list = Attributes::of(record.exchange.client.ip(), &parsed);
    list.attributes.iter().find(|one| one.mark.key == key).map(|one| (one.mark, one.shown()))
}

/// The value that the latest sampled success has, secrets hashed.
pub fn accepted_value(case: &Case<'_>, contrast: &Contrast<'_>) -> Option<String> {
    let having = case.columns.having(contrast.key);
    let latest = columns::those(&case.good, having).max_by_key(|sample| sample.at)?;
    case.recall.value(latest.id, contrast.key, || {
        value_in(case.history.get(latest.id)?, contrast.key).map(|(_, shown)| shown)
    })
}

#[cfg(test)]
mod tests {
    use crate::explain::diagnoser::Diagnoser;
    use crate::explain::fixture::exchanges;
    use crate::history::{History, Record};
    use crate::model::Diagnosis;
    use crate::step_counter;

    #[test]
    fn a_success_is_looked_at_once_for_all_refusals_that_one_field_separates() {
        let text = "POST /x\nHost: h\nX-Tenant-Id: t\n--- 201 x300\n\n{}\n+++\n-X-Tenant-Id\n--- 403 x40\n\ndenied\n";
        let mut history = History::new(64 << 20);
        let mut diagnoser = Diagnoser::new();
        let ids: Vec<_> = exchanges(text).into_iter().map(|exchange| history.insert(exchange)).collect();
        for id in &ids {
            diagnoser.observe(history.get(*id).unwrap(), &history);
        }
        let refusals: Vec<&Record> = history.iter().filter(|record| record.exchange.is_refusal()).collect();
        let counted = |diagnosis: &Diagnosis| diagnosis.findings[0].separates.as_ref().unwrap().accepted;
        let mut steps = Vec::new();
        for refusal in &refusals {
            let before = step_counter::done();
            assert_eq!(counted(&diagnoser.diagnose(&history, refusal, None, &[])), (0, 300));
            steps.push(step_counter::done() - before);
        }
        let rest: u64 = steps[1..].iter().sum();
        assert!(steps[0] >= 300 && rest < steps[0] * 2 + 40 * 200, "{} then {rest}", steps[0]);
    }
}
