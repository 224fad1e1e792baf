//! What differs between a refusal and its baseline, and how much that says.
//!
//! Both requests become lists of named values ([`crate::features::request::items`]), which are lined up; each pair that differs is
//! weighed by its name and by what varies between the endpoint's successes anyway. What belongs to the response is an
//! effect and therefore never a suspect.

mod align;
pub mod names;
mod notes;
mod rank;
#[cfg(test)]
mod tests;
mod weigh;
mod whole;

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::explain::difference::align::{Pair, align};
use crate::explain::difference::weigh::Scene;
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::features::request::items::{fields_only, request_items_given};
use crate::history::{History, Record};
use crate::model::Difference;

/// Most differences that are listed.
pub const MAX_DIFFERENCES: usize = 256;
/// Bytes of a value that are kept.
pub const MAX_VALUE: usize = 16 << 10;

/// Differences of `this` against `baseline`, suspects first, then context, then noise; within each the most telling first.
pub fn compare(history: &History, this: &Record, baseline: &Record) -> Vec<Difference> {
    compare_parsed(history, &ParsedExchange::of(this), &ParsedExchange::of(baseline))
}

/// The same for somebody who has taken the requests apart.
pub fn compare_parsed(
    history: &History,
    this: &ParsedExchange<'_>,
    baseline: &ParsedExchange<'_>,
) -> Vec<Difference> {
    let scene = Scene::new(history, this, baseline);
    let mut differences = whole::all(&scene);
    if let (Some(one), Some(two)) = (&baseline.request, &this.request) {
        let [before, now] = if scene.same_tokens() { [&[][..], &[][..]] } else { scene.tokens() };
        let pairs = align(request_items_given(one, before), request_items_given(two, now));
        differences.extend(pairs.into_iter().map(|pair| finish(&scene, pair)));
    }
    let (this, baseline) = (&this.record.exchange, &baseline.record.exchange);
    if let (Some(one), Some(two)) = (&baseline.response, &this.response) {
        let pairs = align(fields_only(one.head.fields()), fields_only(two.head.fields()));
        differences.extend(pairs.into_iter().map(|pair| finish(&scene, pair)));
    }
    differences.sort_by_cached_key(|difference| {
        (
            Reverse(difference.significance),
            Reverse(rank::rank(difference)),
            difference.part,
            difference.name.clone(),
        )
    });
    differences.truncate(MAX_DIFFERENCES);
    differences
}

fn finish(scene: &Scene<'_>, pair: Pair<'_>) -> Difference {
    let weight = scene.weigh(&pair);
    let clip = |value: Cow<'_, [u8]>| value.get(..MAX_VALUE).map_or_else(|| value.to_vec(), <[u8]>::to_vec);
    let name =
        if pair.name.starts_with("set-cookie:") { "set-cookie".into() } else { pair.name.into_owned() };
    Difference {
        part: pair.part,
        name,
        kind: pair.kind,
        significance: weight.significance,
        baseline: pair.baseline.map(clip),
        this: pair.this.map(clip),
        note: weight.note,
    }
}
