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

/// Findings at most.
const MAX_FINDINGS: usize = 6;
/// Pieces of evidence for one finding at most.
const SHOWN: usize = 8;

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
    let mut clues: Vec<Clue> = out.clues.clone();
    clues.sort_by(|a, b| a.cause.cmp(&b.cause).then(b.weight.abs().total_cmp(&a.weight.abs())));
    let own = |cause: Cause| {
        let start = clues.partition_point(|clue| clue.cause < cause);
        let end = clues.partition_point(|clue| clue.cause <= cause);
        clues.get(start..end).unwrap_or_default()
    };
    let score = |cause: &Cause| {
        let total: f32 = KINDS.iter().map(|kind| kind_score(knowledge, *kind, own(*cause))).sum();
        (*cause, knowledge.prior(*cause) + total)
    };
    let mut scored: Vec<(Cause, f32)> = Cause::ALL.iter().map(score).collect();
    let most = scored.iter().map(|(_, score)| *score).fold(f32::MIN, f32::max);
    let sum: f32 = scored.iter().map(|(_, score)| ((score - most) / combine.temperature).exp()).sum();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let confident = |(cause, score): (Cause, f32)| {
        let raw = ((score - most) / combine.temperature).exp() / sum;
        let confidence = (knowledge.calibrate(raw) * (0.6 + 0.4 * quality)).min(combine.ceiling);
        (confidence >= combine.floor).then(|| Ranked {
            cause,
            confidence,
            evidence: own(cause).iter().take(SHOWN).filter_map(|clue| evidence(out, clue)).collect(),
        })
    };
    scored.into_iter().filter_map(confident).take(MAX_FINDINGS).collect()
}

fn evidence(out: &Out, clue: &Clue) -> Option<Evidence> {
    let note = out.notes.get(clue.note)?;
    Some(Evidence {
        kind: clue.kind,
        text: note.text.clone(),
        weight: clue.weight,
        pointers: note.pointers.clone(),
    })
}

/// Strongest first in `own`.
fn kind_score(knowledge: &Knowledge, kind: EvidenceKind, own: &[Clue]) -> f32 {
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
        for clue in own.iter().filter(|clue| clue.kind == kind && clue.weight * sign > 0.0) {
            total += clue.weight.abs() * factor;
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
