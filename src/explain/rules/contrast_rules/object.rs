//! The object's own history: what was accepted for it before, and what is for others since.

use crate::explain::case::Case;
use crate::explain::contrast::columns;
use crate::explain::contrast::columns::{Column, bit};
use crate::explain::contrast::sample::{Sample, identifies};
use crate::explain::contrast::stats::EndpointStats;
use crate::explain::request::family::Family;
use crate::explain::request::shown::Shown;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part};

const DIFFERS: EvidenceKind = EvidenceKind::Differs;

/// Requests for this object were accepted and are refused since, while requests for others go on being accepted.
pub struct Turned;

impl Rule for Turned {
    fn id(&self) -> &'static str {
        "turned"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2 && case.features.family(Family::Segment).next().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let mine = case.mine();
        if mine == 0 {
            return;
        }
        let now = case.exchange().started().0;
        for object in case.features.family(Family::Segment) {
            let Some(column) = case.own_columns().column(object.mark.key) else { continue };
            let same = column.with(object.mark.value);
            let times = |set: u64| columns::those(case.own_good(), set).map(|sample| sample.at);
            let Some(last) = times(same & mine).max().filter(|last| *last < now) else { continue };
            let refused = |place: &EndpointStats| {
                place.bad_columns.with(object.mark.key, object.mark.value) & case.similar_refusals
                    == case.similar_refusals
            };
            let since = times(mine & column.having & !same).filter(|at| *at > last).count();
            let alike = case.place.is_some_and(refused) && case.group().all(|sample| sample.at > last);
            if since == 0 || !alike {
                continue;
            }
            let text = out.text(|| {
                format!(
                    "{} ({}) was accepted before and is refused since, while {since} requests of the same caller for others were accepted",
                    object.name,
                    object.shown()
                )
            });
            let pointer = [case.point(Part::Path, &object.name)];
            out.add_all(&case.knowledge.rules().turned.causes, 1.0, DIFFERS, text, &pointer);
        }
    }
}

/// The refused request repeats an accepted one, and no accepted request repeats another.
pub struct Repeats;

impl Rule for Repeats {
    fn id(&self) -> &'static str {
        "repeats"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 4
            && case.features.family(Family::Signature).next().is_none()
            && case.separation() < case.knowledge.rules().repeats.separation
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let whole =
            case.features.attributes.iter().filter(|one| object(one.family) || identifies(one.family));
        let own = case.own_columns();
        let now = case.exchange().started().0;
        let alike = |sample: &&Sample| sample.body_len == case.features.body_len && sample.at < now;
        let before = columns::set(case.own_good().iter().map(alike));
        let repeated = whole.fold(before, |set, one| set & own.with(one.mark.key, one.mark.value));
        if repeated == 0 || !all_differ(case) {
            return;
        }
        let text = out.text(|| {
            format!(
                "it repeats a request that was accepted before; none of the {} accepted ones repeats another",
                case.own_good().len()
            )
        });
        let pointer = [case.point(Part::RequestLine, "")];
        out.add_all(&case.knowledge.rules().repeats.causes, 1.0, DIFFERS, text, &pointer);
    }
}

/// Whether an attribute says what is asked for.
const fn object(family: Family) -> bool {
    matches!(family, Family::Segment | Family::Body | Family::Query)
}

/// Whether no two successes ask for the same.
fn all_differ(case: &Case<'_>) -> bool {
    let asked = case.features.attributes.iter().filter(|one| object(one.family));
    let columns: Vec<&Column> = asked.filter_map(|one| case.own_columns().column(one.mark.key)).collect();
    let like = |slot: usize| {
        let same = |column: &&Column| column.values().map(|(_, set)| set).find(|set| set & bit(slot) != 0);
        columns.iter().filter_map(same).fold(u64::MAX, |set, same| set & same)
    };
    !columns.is_empty() && (0..case.own_good().len()).all(|slot| like(slot).count_ones() <= 1)
}
