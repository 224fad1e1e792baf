//! Top causes of the exchanges that were shown, so that only what is visible is diagnosed, and only once.

use crate::diagnosis::quick;
use crate::inspector::Inspector;
use crate::memo::Memo;
use crate::model::{BaselineChoice, Cause, ExchangeId, Refuser};

/// Entries that are remembered; to start afresh costs a screenful of diagnoses.
const MAX: usize = 8192;

/// The top cause of an exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Brief {
    /// Which; `None` when the exchange is no refusal.
    pub cause: Option<(Cause, f32)>,
    /// Who refused.
    pub refuser: Refuser,
    /// Whether there was a success to compare with.
    pub compared: bool,
    /// Whether the endpoint had successes when this was found out.
    had_successes: bool,
    /// The last exchange known then.
    then: u64,
}

impl Brief {
    /// Whether it still holds when `last` is the last exchange.
    fn holds(&self, had_successes: bool, last: u64) -> bool {
        let guess = self.cause.is_some_and(|(_, confidence)| quick::is_guess(confidence));
        self.had_successes == had_successes && !(guess && last > quick::guess_lasts(self.then))
    }
}

/// The memory.
#[derive(Debug, Default)]
pub struct Causes {
    known: Memo<ExchangeId, Brief, MAX>,
}

impl Causes {
    /// What is known of `id`.
    pub fn get(&self, id: ExchangeId) -> Option<Brief> {
        self.known.get(&id).copied()
    }

    /// Finds out about `id` unless it is known and still right. Returns whether that took a diagnosis.
    pub fn learn(&mut self, id: ExchangeId, inspector: &Inspector) -> bool {
        let history = inspector.history();
        let Some(record) = history.get(id) else { return false };
        let successes = history.endpoint_state(record.endpoint).is_some_and(|state| state.successes > 0);
        let then = history.last_id().0;
        if self.known.get(&id).is_some_and(|brief| brief.holds(successes, then)) {
            return false;
        }
        if !record.exchange.is_refusal() {
            let brief = Brief {
                cause: None,
                refuser: Refuser::Unknown,
                compared: false,
                had_successes: successes,
                then,
            };
            self.known.put(id, brief);
            return false;
        }
        let Some(report) = inspector.report(id, BaselineChoice::default()) else { return false };
        let top = report.diagnosis.as_ref().and_then(|diagnosis| diagnosis.findings.first());
        let brief = Brief {
            cause: top.map(|finding| (finding.cause, finding.confidence)),
            refuser: report.diagnosis.as_ref().map_or(Refuser::Unknown, |diagnosis| diagnosis.refuser),
            compared: report.baseline.is_some(),
            had_successes: successes,
            then,
        };
        self.known.put(id, brief);
        true
    }
}
