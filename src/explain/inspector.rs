//! The consumer's half of the program: history, difference and diagnosis together, for whoever shows them.

use crate::explain::diagnoser::Diagnoser;
use crate::explain::difference;
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::explain::request::principal::{credential_of, own_credential};
use crate::explain::top_cause::{Top, likeness};
use crate::history::{History, Record};
use crate::logs::{self, Journal, Patterns};
use crate::model::{
    Baseline, BaselineChoice, Cause, Diagnosis, Difference, DifferenceKind, Exchange, ExchangeId, LogMatch,
    Separates, Significance,
};

/// Everything known about one exchange.
#[derive(Clone, Debug)]
pub struct Report {
    /// The success it is compared with.
    pub baseline: Option<Baseline>,
    /// Differences to the baseline; empty without one.
    pub differences: Vec<Difference>,
    /// Why it was refused; `None` when it was not (no 4xx status).
    pub diagnosis: Option<Diagnosis>,
    /// What the server's log says about it, best first; empty without logs.
    pub log: Vec<LogMatch>,
}

/// Owns the history and explains what is in it.
#[derive(Debug)]
pub struct Inspector {
    history: History,
    diagnoser: Diagnoser,
    logs: Option<ServerLogs>,
}

/// What a server logged, and what is known of the words of logs.
#[derive(Debug)]
pub struct ServerLogs {
    /// The records.
    pub journal: Journal,
    /// The words.
    pub patterns: Patterns,
}

impl Inspector {
    /// Over an empty history.
    pub fn new(history: History, diagnoser: Diagnoser) -> Self {
        Self { history, diagnoser, logs: None }
    }
    /// Takes an exchange in.
    pub fn push(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.add(exchange);
        while let Some(leaving) = self.history.leaving() {
            self.history.remove(leaving);
        }
        id
    }
    /// Takes an exchange in as [`Inspector::push`] does, but gives nothing up: for whoever wants to see what leaves first.
    pub fn add(&mut self, exchange: Exchange) -> ExchangeId {
        let record = self.note(exchange);
        self.history.keep(record)
    }
    /// Gives an exchange its id and counts it. It is not in the history before [`Inspector::keep`].
    pub fn note(&mut self, exchange: Exchange) -> Record {
        let mut record = self.history.note(exchange);
        let credential = own_credential(&record.exchange).unwrap_or_else(|| {
            self.history.name_principal(&mut record);
            credential_of(&record)
        });
        self.diagnoser.observe_as(&record, &self.history, credential);
        self.history.reserve(self.diagnoser.memory());
        record
    }
    /// Keeps what [`Inspector::note`] gave last.
    pub fn keep(&mut self, record: Record) -> ExchangeId {
        self.history.keep(record)
    }
    /// Takes `id` out, which nobody needs any more.
    pub fn forget(&mut self, id: ExchangeId) -> Option<Exchange> {
        self.history.forget(id)
    }
    /// Equal for refusals that [`Inspector::top_cause`] gives one answer.
    pub fn likeness(&self, record: &Record) -> u64 {
        likeness(record, &self.history)
    }
    /// What has to be given up next to keep within the budget; goes with [`Inspector::evict`].
    pub fn leaving(&mut self) -> Option<ExchangeId> {
        self.history.leaving()
    }
    /// Gives `id` up.
    pub fn evict(&mut self, id: ExchangeId) -> Option<Exchange> {
        self.history.remove(id)
    }
    /// Takes the server's logs, which [`Inspector::join_logs`] ties to the refusals.
    pub fn set_logs(&mut self, logs: Option<ServerLogs>) {
        self.logs = logs;
    }
    /// Ties the log records to the refusals that are in the history; whether there are logs at all.
    pub fn join_logs(&mut self) -> bool {
        let Some(logs) = &self.logs else { return false };
        self.diagnoser.set_logs(logs::join(&logs.journal, &self.history, &logs.patterns));
        true
    }
    /// The exchanges.
    pub fn history(&self) -> &History {
        &self.history
    }
    /// The top cause of a refusal with its confidence; `None` for what was not refused. Cheap where refusals are alike.
    pub fn top_cause(&self, id: ExchangeId) -> Option<(Cause, f32)> {
        self.top(id).map(|top| (top.cause, top.confidence))
    }
    /// The same, and who refused.
    pub fn top(&self, id: ExchangeId) -> Option<Top> {
        let record = self.history.get(id).filter(|record| record.exchange.is_refusal())?;
        Some(self.diagnoser.top_of(&self.history, record))
    }
    /// The same as [`Inspector::top_cause`] for many refusals, in their order, on all cores.
    pub fn top_causes(&self, refusals: &[&Record]) -> Vec<(Cause, f32)> {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.diagnoser.tops(&self.history, refusals, workers)
    }
    /// What is known about `id` against the chosen baseline.
    pub fn report(&self, id: ExchangeId, choice: BaselineChoice) -> Option<Report> {
        let record = self.history.get(id)?;
        let baseline = self.history.baseline(id, choice);
        let compared: Option<&Record> = baseline.as_ref().and_then(|baseline| self.history.get(baseline.id));
        let this = ParsedExchange::of(record);
        let compare =
            |compared| difference::compare_parsed(&self.history, &this, &ParsedExchange::of(compared));
        let mut differences = compared.map(compare).unwrap_or_default();
        let diagnosis = record
            .exchange
            .is_refusal()
            .then(|| self.diagnoser.diagnose_parsed(&self.history, &this, compared.is_some(), &differences));
        let leading = diagnosis.as_ref().and_then(|one| one.findings.first()?.separates.as_ref());
        if let Some(separates) = leading.filter(|_| compared.is_some()) {
            lead(separates, &mut differences);
        }
        let log = self.diagnoser.logs(id).to_vec();
        Some(Report { baseline, differences, diagnosis, log })
    }
}

/// Puts the attribute that separates at the head of the differences, as a suspect: the diagnosis and the differences name one.
fn lead(separates: &Separates, differences: &mut Vec<Difference>) {
    let name = separates.name.split(" (").next().unwrap_or_default();
    let is = |one: &Difference| one.part == separates.part && one.name.eq_ignore_ascii_case(name);
    let mut leading = match differences.iter().position(is) {
        Some(at) => differences.remove(at),
        None => Difference {
            part: separates.part,
            name: name.to_owned(),
            kind: match (&separates.this, &separates.accepted_value) {
                (None, _) => DifferenceKind::Removed,
                (Some(_), None) => DifferenceKind::Added,
                _ => DifferenceKind::Changed,
            },
            significance: Significance::Suspect,
            baseline: separates.accepted_value.as_ref().map(|value| value.clone().into_bytes()),
            this: separates.this.as_ref().map(|value| value.clone().into_bytes()),
            note: None,
        },
    };
    leading.significance = Significance::Suspect;
    leading.note = Some(separates.sentence());
    differences.insert(0, leading);
}
