//! Evidence into probabilities, in one place.
//!
//! Each piece of evidence is a log-likelihood ratio for one cause. Pieces of one kind are not independent, so within a kind the
//! strongest counts fully and each further one `damp` times the weight of the one before, up to the kind's cap. A cause's
//! score is its prior plus the kinds together; the softmax of the scores over `temperature` gives raw probabilities, and a
//! calibration map, fitted on labelled traffic, makes them mean what they say. All numbers are in `assets/weights.toml`.

use crate::explain::knowledge::{Combine, Knowledge};
use crate::explain::rules::{Clue, EvidenceSink};
use crate::model::{Cause, Evidence, EvidenceKind};

const KINDS: [EvidenceKind; 5] = [
    EvidenceKind::Said,
    EvidenceKind::Shown,
    EvidenceKind::Differs,
    EvidenceKind::Behaved,
    EvidenceKind::Logged,
];

/// Evidence that weighs no more is left out.
pub const NEGLIGIBLE: f32 = 0.01;
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

/// The causes that have evidence, and `unknown`, with their probabilities, likeliest first; `quality` (0–1) is less where
/// evidence is damaged.
pub fn judge(knowledge: &Knowledge, out: &mut EvidenceSink, quality: f32) -> Vec<(Cause, f32)> {
    let combine = knowledge.combine();
    out.clues.sort_by(|a, b| a.cause.cmp(&b.cause).then(b.weight.abs().total_cmp(&a.weight.abs())));
    let mut scored: Vec<(Cause, f32)> =
        Cause::ALL.iter().map(|cause| (*cause, knowledge.prior(*cause))).collect();
    for own in out.clues.chunk_by(|a, b| a.cause == b.cause) {
        let Some(cause) = own.first().map(|clue| clue.cause) else { continue };
        if let Some((_, score)) = scored.get_mut(cause as usize) {
            *score += total(combine, own);
        }
    }
    let most = scored.iter().map(|(_, score)| *score).fold(f32::MIN, f32::max);
    let share = |score: f32| ((score - most) / combine.temperature).exp();
    let sum: f32 = scored.iter().map(|(_, score)| share(*score)).sum();
    scored.sort_by(|a, b| b.1.total_cmp(&a.1));
    let strongest = |cause| {
        let start = out.clues.partition_point(|clue| clue.cause < cause);
        let own = out.clues.iter().skip(start).take_while(|clue| clue.cause == cause);
        own.map(|clue| clue.weight).fold(0.0, f32::max)
    };
    let confidence = |(cause, score): (Cause, f32)| {
        let confidence = knowledge.calibrate(share(score) / sum) * (0.6 + 0.4 * quality);
        (cause, confidence.min(combine.ceiling).min(thin(strongest(cause))))
    };
    let found = scored.into_iter().map(confidence);
    found.take_while(|(_, confidence)| *confidence >= combine.floor).take(MAX_FINDINGS).collect()
}

/// The same with what supports them.
pub fn rank(knowledge: &Knowledge, out: &mut EvidenceSink, quality: f32) -> Vec<Ranked> {
    let judged = judge(knowledge, out, quality);
    let ranked = |(cause, confidence)| {
        let start = out.clues.partition_point(|clue| clue.cause < cause);
        let own = out.clues.iter().skip(start).take_while(|clue| clue.cause == cause);
        Ranked {
            cause,
            confidence,
            evidence: own.take(SHOWN).filter_map(|clue| evidence(out, clue)).collect(),
        }
    };
    judged.into_iter().map(ranked).collect()
}

fn evidence(out: &EvidenceSink, clue: &Clue) -> Option<Evidence> {
    let note = out.notes.get(clue.note)?;
    Some(Evidence {
        kind: clue.kind,
        text: note.text.clone(),
        weight: clue.weight,
        pointers: note.pointers.clone(),
    })
}

/// How sure a cause may be whose strongest evidence weighs so much: where it is thin, many pieces make no certainty.
fn thin(strongest: f32) -> f32 {
    match strongest {
        ..2.2 => 0.58,
        ..3.0 => 0.76,
        _ => 1.0,
    }
}

/// All clues for one cause, strongest first, together.
fn total(combine: &Combine, own: &[Clue]) -> f32 {
    let mut kinds = KINDS.map(|_| [(0.0, 1.0); 2]);
    for clue in own {
        let sums = KINDS.iter().position(|kind| *kind == clue.kind).and_then(|at| kinds.get_mut(at));
        let side = usize::from(clue.weight < 0.0);
        if let Some((total, factor)) = sums.and_then(|sums| sums.get_mut(side)) {
            *total += clue.weight.abs() * *factor;
            *factor *= combine.damp;
        }
    }
    let caps =
        [combine.cap_said, combine.cap_shown, combine.cap_differs, combine.cap_behaved, combine.cap_logged];
    let kind = |([(up, _), (down, _)], cap): ([(f32, f32); 2], f32)| up.min(cap) - down.min(cap);
    kinds.into_iter().zip(caps).map(kind).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(weights: &[(Cause, f32)]) -> Vec<Ranked> {
        let mut out = EvidenceSink::default();
        for (cause, weight) in weights {
            out.add(*cause, *weight, EvidenceKind::Said, "x", Vec::new());
        }
        rank(&Knowledge::current().unwrap(), &mut out, 1.0)
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
