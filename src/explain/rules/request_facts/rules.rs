//! Facts of the request, weighed by whether successes share them.

use crate::explain::case::Case;
use crate::explain::knowledge::rules;
use crate::explain::request::attribute_hash;
use crate::explain::request::family::Family;
use crate::explain::rules::request_facts::spot;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::EvidenceKind;

/// What the request shows by itself.
pub struct Facts;

impl Rule for Facts {
    fn id(&self) -> &'static str {
        "facts"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.request().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let rule = &case.knowledge.rules().facts;
        for fact in &case.features.facts {
            let key = attribute_hash::key(Family::Fact, fact.id);
            let sharing = case.columns.having(key).count_ones();
            let all = case.good.len();
            let having = case.place.map_or(0, |place| place.bad_columns.having(key));
            let similarity = similarity(
                rule.alike,
                (having & case.similar_refusals).count_ones(),
                case.similar_refusals.count_ones(),
            );
            let share = if all == 0 { 0.0 } else { sharing as f32 / all as f32 };
            let factor = factor(rule, all, share, case.borrowed) * similarity;
            let shared = out.text(|| {
                let whose = if case.borrowed { " of other endpoints" } else { "" };
                match sharing {
                    _ if all == 0 => String::new(),
                    0 => format!("; none of {all} successes{whose} shares that"),
                    _ => format!("; {sharing} of {all} successes{whose} share that"),
                }
            });
            let mut pointer = case.point(fact.at.0, &fact.at.1);
            if !out.brief && fact.id.starts_with("payload") {
                pointer.range =
                    case.request().and_then(|request| spot::payload(request, fact.at.0, &fact.at.1));
            }
            let pointer = [pointer];
            let text = out.text(|| format!("{}{shared}", fact.detail));
            for (cause, weight) in case.knowledge.fact(fact.id) {
                out.add(*cause, weight * factor, EvidenceKind::Shown, &text, &pointer);
            }
            let harmless = rule.harmless.get(fact.id).filter(|_| share >= rule.common && !case.borrowed);
            if let Some(cause) = harmless {
                out.rule_out(
                    *cause,
                    format!("{sharing} of {all} successes carry expired credentials as well"),
                );
            }
        }
    }
}

fn factor(rule: &rules::FactWeights, all: usize, share: f32, borrowed: bool) -> f32 {
    match (all, borrowed) {
        (0, _) => rule.no_success,
        (_, true) if share > 0.0 => rule.borrowed_shared,
        (_, true) => rule.borrowed,
        (_, false) if share > 0.0 => (rule.shared - share).max(0.0),
        (_, false) => {
            rule.one_success + rule.more_successes * ((all as f32 + 1.0).ln() / rule.growth).min(1.0)
        }
    }
}

/// How much similar refusals that do not share the fact weaken it, down to `least`.
fn similarity(least: f32, similar_refusals: u32, group: u32) -> f32 {
    if group <= 1 { 1.0 } else { least + (1.0 - least) * (similar_refusals.max(1) as f32 / group as f32) }
}
