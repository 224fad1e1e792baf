//! The consumer's half of the program: history, difference and diagnosis together, for whoever shows them.

use crate::diagnosis::Diagnoser;
use crate::diff;
use crate::history::{History, Record};
use crate::model::{Baseline, BaselineChoice, Cause, Diagnosis, Difference, Exchange, ExchangeId};

/// Everything known about one exchange.
#[derive(Clone, Debug)]
pub struct Report {
    /// The success it is compared with.
    pub baseline: Option<Baseline>,
    /// Differences to the baseline; empty without one.
    pub differences: Vec<Difference>,
    /// Why it was refused; `None` when it was not (no 4xx status).
    pub diagnosis: Option<Diagnosis>,
}

/// Owns the history and explains what is in it.
#[derive(Debug)]
pub struct Inspector {
    history: History,
    diagnoser: Diagnoser,
}

impl Inspector {
    /// Over an empty history.
    pub fn new(history: History, diagnoser: Diagnoser) -> Self {
        Self { history, diagnoser }
    }
    /// Takes an exchange in.
    pub fn push(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.history.insert(exchange);
        if let Some(record) = self.history.get(id) {
            self.diagnoser.observe(record, &self.history);
        }
        id
    }
    /// Takes an exchange in as [`Inspector::push`] does, but gives nothing up: for whoever wants to see what leaves first.
    pub fn add(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.history.add(exchange);
        if let Some(record) = self.history.get(id) {
            self.diagnoser.observe(record, &self.history);
        }
        id
    }
    /// Takes an exchange in as [`Inspector::add`] does, but keeps it only if it is refused or `wanted`: for counts, to which
    /// nothing else can ever matter.
    pub fn count(
        &mut self,
        exchange: Exchange,
        wanted: impl FnOnce(&History, &Record) -> bool,
    ) -> ExchangeId {
        let record = self.history.note(exchange);
        let id = record.exchange.id;
        self.diagnoser.observe(&record, &self.history);
        if record.exchange.is_refusal() || wanted(&self.history, &record) {
            self.history.keep(record);
        }
        id
    }
    /// What has to be given up next to keep within the budget; goes with [`Inspector::evict`].
    pub fn leaving(&mut self) -> Option<ExchangeId> {
        self.history.leaving()
    }
    /// Gives `id` up.
    pub fn evict(&mut self, id: ExchangeId) {
        self.history.remove(id);
    }
    /// The exchanges.
    pub fn history(&self) -> &History {
        &self.history
    }
    /// The top cause of a refusal with its confidence; `None` for what was not refused. Cheap where refusals are alike.
    pub fn top_cause(&self, id: ExchangeId) -> Option<(Cause, f32)> {
        let record = self.history.get(id).filter(|record| record.exchange.is_refusal())?;
        Some(self.diagnoser.top(&self.history, record))
    }
    /// The same for many, in their order, on all cores.
    pub fn top_causes(&self, records: &[&Record]) -> Vec<Option<(Cause, f32)>> {
        let refused: Vec<&Record> =
            records.iter().copied().filter(|record| record.exchange.is_refusal()).collect();
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut causes = self.diagnoser.tops(&self.history, &refused, workers).into_iter();
        let cause = |record: &&Record| if record.exchange.is_refusal() { causes.next() } else { None };
        records.iter().map(cause).collect()
    }
    /// What is known about `id` against the chosen baseline.
    pub fn report(&self, id: ExchangeId, choice: BaselineChoice) -> Option<Report> {
        let record = self.history.get(id)?;
        let baseline = self.history.baseline(id, choice);
        let compared: Option<&Record> = baseline.as_ref().and_then(|baseline| self.history.get(baseline.id));
        let differences =
            compared.map(|compared| diff::compare(&self.history, record, compared)).unwrap_or_default();
        let diagnosis = record
            .exchange
            .is_refusal()
            .then(|| self.diagnoser.diagnose(&self.history, record, compared, &differences));
        Some(Report { baseline, differences, diagnosis })
    }
}
