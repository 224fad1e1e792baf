//! Top causes of the exchanges that were shown, so that only what is visible is diagnosed, and only once.

use crate::explain::inspector::{Inspector, Report};
use crate::explain::top_cause;
use crate::history::{History, Record};
use crate::memo::Memo;
use crate::model::{Cause, ExchangeId, Refuser};

/// Entries that are remembered; to start afresh costs a screenful of diagnoses.
const MAX: usize = 8192;

/// The top cause of an exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowCause {
    /// Which; `None` when the exchange is no refusal.
    pub cause: Option<(Cause, f32)>,
    /// Who refused.
    pub refuser: Refuser,
    /// Whether the endpoint had successes when this was found out.
    had_successes: bool,
    /// The last exchange known then.
    then: u64,
}

impl RowCause {
    /// Whether it still holds when `last` is the last exchange.
    fn holds(&self, had_successes: bool, last: u64) -> bool {
        let guess = self.cause.is_some_and(|(_, confidence)| top_cause::is_guess(confidence));
        self.had_successes == had_successes && !(guess && last > top_cause::guess_lasts(self.then))
    }
}

/// The memory.
#[derive(Debug, Default)]
pub struct Causes {
    known: Memo<ExchangeId, RowCause, MAX>,
}

impl Causes {
    /// What is known of `id`.
    pub fn get(&self, id: ExchangeId) -> Option<RowCause> {
        self.known.get(&id).copied()
    }

    /// Forgets everything: more has become known than the traffic.
    pub fn forget(&mut self) {
        self.known = Memo::default();
    }

    /// Finds out about `id` unless it is known and still right. Returns whether that took a diagnosis.
    pub fn learn(&mut self, id: ExchangeId, inspector: &Inspector) -> bool {
        let history = inspector.history();
        let Some(record) = history.get(id) else { return false };
        let successes = has_successes(record, history);
        if self.known.get(&id).is_some_and(|known| known.holds(successes, history.last_id().0)) {
            return false;
        }
        let top = inspector.top(id);
        let refuser = top.map_or(Refuser::Unknown, |top| top.refuser);
        self.put(record, top.map(|top| (top.cause, top.confidence)), refuser, history);
        top.is_some()
    }

    /// Takes what was found out about `record` elsewhere, set against the usual baseline; returns the top cause.
    pub fn note(&mut self, record: &Record, report: &Report, history: &History) -> Option<(Cause, f32)> {
        let diagnosis = report.diagnosis.as_ref();
        let top = diagnosis.and_then(|diagnosis| diagnosis.findings.first());
        let cause = top.map(|finding| (finding.cause, finding.confidence));
        self.put(record, cause, diagnosis.map_or(Refuser::Unknown, |diagnosis| diagnosis.refuser), history);
        cause
    }

    fn put(&mut self, record: &Record, cause: Option<(Cause, f32)>, refuser: Refuser, history: &History) {
        let had_successes = has_successes(record, history);
        let known = RowCause { cause, refuser, had_successes, then: history.last_id().0 };
        self.known.put(record.exchange.id, known);
    }
}

fn has_successes(record: &Record, history: &History) -> bool {
    history.endpoint_state(record.endpoint).is_some_and(|state| state.successes > 0)
}
