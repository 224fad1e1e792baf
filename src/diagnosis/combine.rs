//! Evidence into probabilities, in one place.
//!
//! Each piece of evidence is a log-likelihood ratio for one cause. Pieces of one kind are not independent, so within a kind the
//! strongest counts fully and each further one `damp` times the weight of the one before, up to the kind's cap. A cause's
//! score is its prior plus the kinds together; the softmax of the scores over `temperature` gives raw probabilities, and a
//! calibration map, fitted on labelled traffic, makes them mean what they say. All numbers are in `assets/weights.toml`.

use super::knowledge::Knowledge;
use super::rule::{Clue, Out};
use crate::model::{Cause, Evidence, EvidenceKind};

const KINDS: [EvidenceKind; 4] =
    [EvidenceKind::Said, EvidenceKind::Shown, EvidenceKind::Differs, EvidenceKind::Behaved];

/// A cause with its probability and what supports it.
#[derive(Clone, Debug)]
pub struct Ranked {
    /// Cause.
    pub cause: Cause,
    /// Calibrated probability.
    pub confidence: f32,
    /// Strongest first.
    pub evidence: Vec<Evidence>,
}

/// Ranks the causes that have evidence, and `unknown`; `quality` (0–1) is less where evidence is damaged.
pub fn rank(knowledge: &Knowledge, out: &Out, quality: f32) -> Vec<Ranked> {
    let combine = &knowledge.combine;
    let mut scored: Vec<(Cause, f32, Vec<Evidence>)> = Cause::ALL
        .iter()
        .map(|cause| {
            let mut own: Vec<Evidence> = out
                .clues
                .iter()
                .filter(|clue| clue.cause == *cause)
                .map(|clue: &Clue| clue.evidence.clone())
                .collect();
            own.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
            let total: f32 = KINDS.iter().map(|kind| kind_score(knowledge, *kind, &own)).sum();
            (*cause, knowledge.prior(*cause) + total, own)
        })
        .collect();
    let most = scored.iter().map(|(_, score, _)| *score).fold(f32::MIN, f32::max);
    let sum: f32 = scored.iter().map(|(_, score, _)| ((score - most) / combine.temperature).exp()).sum();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    scored
        .into_iter()
        .map(|(cause, score, evidence)| {
            let raw = ((score - most) / combine.temperature).exp() / sum;
            let confidence = (knowledge.calibrate(raw) * (0.6 + 0.4 * quality)).min(combine.ceiling);
            Ranked { cause, confidence, evidence }
        })
        .filter(|ranked| ranked.confidence >= combine.floor)
        .collect()
}

fn kind_score(knowledge: &Knowledge, kind: EvidenceKind, own: &[Evidence]) -> f32 {
    let combine = &knowledge.combine;
    let cap = match kind {
        EvidenceKind::Said => combine.cap_said,
        EvidenceKind::Shown => combine.cap_shown,
        EvidenceKind::Differs => combine.cap_differs,
        EvidenceKind::Behaved => combine.cap_behaved,
    };
    let sum = |sign: f32| {
        let mut factor = 1.0;
        let mut total = 0.0;
        for one in own.iter().filter(|one| one.kind == kind && one.weight * sign > 0.0) {
            total += one.weight.abs() * factor;
            factor *= combine.damp;
        }
        total.min(cap)
    };
    sum(1.0) - sum(-1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(weights: &[(Cause, f32)]) -> Vec<Ranked> {
        let mut out = Out::default();
        for (cause, weight) in weights {
            out.add(*cause, *weight, EvidenceKind::Said, "x", Vec::new());
        }
        rank(&Knowledge::embedded().unwrap(), &out, 1.0)
    }

    #[test]
    fn nothing_to_go_on_is_unknown() {
        let ranked = ranked(&[]);
        assert_eq!(ranked[0].cause, Cause::Unknown);
        assert!(ranked[0].confidence < 0.6);
    }

    #[test]
    fn strong_evidence_is_confident_and_a_tie_is_not() {
        let strong = ranked(&[(Cause::Csrf, 6.0)]);
        assert_eq!(strong[0].cause, Cause::Csrf);
        assert!(strong[0].confidence > 0.8);
        let tie = ranked(&[(Cause::Csrf, 4.0), (Cause::Origin, 4.6)]);
        assert!(tie[0].confidence < 0.65);
        assert!(tie.iter().map(|one| one.confidence).sum::<f32>() <= 1.01);
    }
}
