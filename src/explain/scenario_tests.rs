//! The scenario files of `tests/scenarios`, each with the bars that it must not fall under.

use crate::explain::diagnoser::Diagnoser;
use crate::explain::fixture;
use crate::explain::inspector::Inspector;
use crate::history::History;
use crate::model::{BaselineChoice, Diagnosis, Exchange};

/// Confidence from which on a wrong answer counts as overconfident.
const SURE: f32 = 0.8;

/// Diagnoses every 403 of `exchanges`, all of them known.
fn diagnose(exchanges: Vec<Exchange>) -> Vec<Diagnosis> {
    let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
    let ids: Vec<_> = exchanges.into_iter().map(|exchange| inspector.push(exchange)).collect();
    let status = |id| inspector.history().get(id).and_then(|record| record.exchange.status());
    let refused = ids.into_iter().filter(|id| status(*id) == Some(403));
    refused.filter_map(|id| inspector.report(id, BaselineChoice::default())?.diagnosis).collect()
}

/// A share as two counts.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    right: u32,
    all: u32,
}

impl Count {
    fn add(&mut self, right: bool) {
        self.right += u32::from(right);
        self.all += 1;
    }
    fn share(self) -> f64 {
        if self.all == 0 { 1.0 } else { f64::from(self.right) / f64::from(self.all) }
    }
}

/// What a scenario file gave; everything but `refuser` and `traps` counts refusals.
#[derive(Debug, Default)]
struct Score {
    first: Count,
    three: Count,
    overconfident: Count,
    refuser: Count,
    traps: Count,
    /// By confidence of the first finding, in tenths.
    bins: [Count; 10],
}

impl Score {
    fn of(text: &str) -> Self {
        let mut score = Self::default();
        for scenario in fixture::scenarios(text) {
            let right = |id: &str| id == scenario.cause || scenario.accept.iter().any(|other| other == id);
            let diagnoses = diagnose(scenario.exchanges);
            assert!(!diagnoses.is_empty(), "{}: no refusal", scenario.name);
            let mut held = true;
            for one in &diagnoses {
                let hits: Vec<bool> =
                    one.findings.iter().take(3).map(|finding| right(finding.cause.id())).collect();
                let (first, confidence) = (hits.first() == Some(&true), one.findings[0].confidence);
                held &= first;
                score.first.add(first);
                score.three.add(hits.contains(&true));
                score.overconfident.add(!first && confidence >= SURE);
                score.bins[((confidence * 10.0) as usize).min(9)].add(first);
            }
            if scenario.trap {
                score.traps.add(held);
            }
            if !scenario.refusers.is_empty() {
                let named = diagnoses[0].refuser.as_str();
                score.refuser.add(scenario.refusers.iter().any(|layer| layer == named));
            }
        }
        score
    }
}

#[test]
fn scenarios_keep_their_score() {
    for (name, text, bar) in [
        ("said", include_str!("../../tests/scenarios/said.txt"), 0.95),
        ("vague", include_str!("../../tests/scenarios/vague.txt"), 0.9),
        ("hard", include_str!("../../tests/scenarios/hard.txt"), 0.8),
        ("separates", include_str!("../../tests/scenarios/separates.txt"), 0.9),
        ("course", include_str!("../../tests/scenarios/course.txt"), 0.8),
        ("identity", include_str!("../../tests/scenarios/identity.txt"), 0.9),
        ("words", include_str!("../../tests/scenarios/words.txt"), 0.9),
        ("elsewhere", include_str!("../../tests/scenarios/elsewhere.txt"), 0.9),
        ("refusers", include_str!("../../tests/scenarios/refusers.txt"), 0.8),
        ("public", include_str!("../../tests/scenarios/public.txt"), 0.9),
    ] {
        let score = Score::of(text);
        let (first, three, over) = (score.first.share(), score.three.share(), score.overconfident.share());
        assert!(first >= bar && three >= 0.95 && over <= 0.05, "{name}: {first} {three} {over}");
    }
}

/// Families of systems, each with the shares that it must keep: first, among three, refuser.
#[test]
fn families_of_systems_keep_their_score() {
    let mut bins = [Count::default(); 10];
    for (name, text, [first, three, refuser]) in [
        ("apis", include_str!("../../tests/scenarios/apis.txt"), [0.96, 0.98, 0.88]),
        ("frameworks", include_str!("../../tests/scenarios/frameworks.txt"), [0.95, 0.98, 0.85]),
        ("wafs", include_str!("../../tests/scenarios/wafs.txt"), [0.97, 0.98, 0.92]),
        ("gateways", include_str!("../../tests/scenarios/gateways.txt"), [0.96, 0.98, 0.92]),
        ("outbound", include_str!("../../tests/scenarios/outbound.txt"), [0.96, 0.98, 0.96]),
        ("traps", include_str!("../../tests/scenarios/traps.txt"), [0.9, 0.96, 0.92]),
        ("mixed", include_str!("../../tests/scenarios/mixed.txt"), [0.95, 0.97, 0.88]),
        ("further", include_str!("../../tests/scenarios/further.txt"), [0.95, 0.95, 0.8]),
        ("differs", include_str!("../../tests/scenarios/differs.txt"), [0.95, 0.97, 0.95]),
        ("languages", include_str!("../../tests/scenarios/languages.txt"), [0.97, 0.98, 0.88]),
    ] {
        let score = Score::of(text);
        let kept = score.first.share() >= first
            && score.three.share() >= three
            && score.refuser.share() >= refuser
            && score.overconfident.share() <= 0.02
            && score.traps.share() >= 0.85;
        assert!(kept, "{name}: {score:?}");
        for (sum, one) in bins.iter_mut().zip(score.bins) {
            *sum = Count { right: sum.right + one.right, all: sum.all + one.all };
        }
    }
    // Confidence is no more than the share that is right, where there are enough to tell.
    for (tenth, count) in bins.iter().enumerate().filter(|(_, count)| count.all >= 20) {
        assert!(count.share() >= tenth as f64 / 10.0, "confidence 0.{tenth}: {count:?} of {bins:?}");
    }
}
