//! The consumer's half of the program: history, difference and diagnosis together, for whoever shows them.

use std::sync::Arc;
use std::time::Duration;

use crate::explain::diagnoser::Diagnoser;
use crate::explain::difference;
use crate::explain::legs::{Legs, Path};
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::explain::request::principal::{credential_of, own_credential};
use crate::explain::servers::{FindProcess, Servers};
use crate::explain::top_cause::{Top, likeness};
use crate::history::{History, Record};
use crate::hops::{Arrival, Hops};
use crate::logs::{self, Journal, LiveJoin, LogBatch, Patterns};
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
    /// Its legs through proxies, and which of them refused; empty where it has one leg.
    pub path: Path,
}

/// Keeps what passes for later runs.
pub trait HistoryWriter: std::fmt::Debug + Send + Sync {
    /// Prepares an exchange before anything is learnt from it: what is learnt must be what a later run will read.
    fn prepare(&mut self, exchange: &mut Exchange);
    /// An exchange has its id and its endpoint.
    fn noted(&mut self, record: &Record, history: &History);
    /// Refusals whose cause is to be told now; all of them when nothing more comes.
    fn due(&mut self, ended: bool) -> Vec<ExchangeId>;
    /// The cause of a refusal.
    fn explained(&mut self, id: ExchangeId, top: &Top);
}

/// Owns the history and explains what is in it.
#[derive(Debug)]
pub struct Inspector {
    history: History,
    diagnoser: Diagnoser,
    logs: Option<ServerLogs>,
    /// Where logs are followed: which refusals still wait for their record.
    live: Option<LiveJoin>,
    writer: Option<Box<dyn HistoryWriter>>,
    /// Exchanges that may be inner legs are held back in it.
    hops: Hops,
    legs: Legs,
    servers: Servers,
}

/// What a server logged, and what is known of the words of logs.
#[derive(Debug)]
pub struct ServerLogs {
    /// The records.
    pub journal: Journal,
    /// The words.
    pub patterns: Arc<Patterns>,
}

/// What comes to the inspector, in the order in which it comes.
#[derive(Debug)]
pub enum Observation {
    /// A finished exchange with its place among the legs of a request.
    Exchange(Box<Arrival>),
    /// Lines of the server's logs.
    Logs(LogBatch),
}

impl Inspector {
    /// Over an empty history.
    pub fn new(history: History, diagnoser: Diagnoser) -> Self {
        Self {
            history,
            diagnoser,
            logs: None,
            live: None,
            writer: None,
            hops: Hops::default(),
            legs: Legs::default(),
            servers: Servers::default(),
        }
    }
    /// Takes an exchange in that came at `now`. Those that need not be held back any more come out of [`Inspector::next_arrival`].
    pub fn arrive(&mut self, exchange: Exchange, now: Duration) {
        self.hops.push(exchange, now);
    }
    /// The next exchange that has come, in order, unless it may be an inner leg of one that is still to come; with `flush` it
    /// comes anyway.
    pub fn next_arrival(&mut self, now: Duration, flush: bool) -> Option<Arrival> {
        self.hops.next(now, flush)
    }
    /// From now on `find` says who listens at the addresses that refuse.
    pub fn find_processes(&mut self, find: FindProcess) {
        self.servers.ask(find);
    }
    /// Holds exchanges back wherever that may help: the capture is read whole.
    pub fn be_patient(&mut self) {
        self.hops = Hops::patient();
    }
    /// Adds what [`Inspector::next_arrival`] gave, but gives nothing up.
    pub fn add_arrival(&mut self, arrival: Arrival) -> ExchangeId {
        let record = self.note_arrival(arrival);
        let (id, is_refusal) = (record.exchange.id, record.exchange.is_refusal() && !record.is_leg);
        self.keep(record);
        let path = if is_refusal { self.legs.of(id, &self.history) } else { None };
        if let Some(path) = path.filter(Path::has_suspects) {
            self.diagnoser.set_path(id, path);
        }
        id
    }
    /// As [`Inspector::note`] for what [`Inspector::next_arrival`] gave.
    pub fn note_arrival(&mut self, arrival: Arrival) -> Record {
        let Arrival { exchange, place } = arrival;
        let mut record = if place.outer.is_some() {
            let mut record = self.history.note(exchange);
            self.history.mark_leg(&mut record);
            record
        } else {
            self.note(exchange)
        };
        self.legs.note(record.exchange.id, &place, record.exchange.is_refusal());
        record.is_leg = place.outer.is_some();
        record.process = self.servers.of(&record.exchange);
        record
    }
    /// Takes in what comes at `now`, by any clock that does not go back; the id of an exchange. Gives up what no longer fits.
    pub fn observe(&mut self, observation: Observation, now: Duration) -> Option<ExchangeId> {
        match observation {
            Observation::Exchange(arrival) => {
                let id = self.add_arrival(*arrival);
                while let Some(leaving) = self.history.leaving() {
                    self.evict(leaving);
                }
                self.await_log(id, now);
                Some(id)
            }
            Observation::Logs(batch) => {
                self.take_logs(batch, now);
                None
            }
        }
    }
    /// Takes an exchange in.
    pub fn push(&mut self, exchange: Exchange) -> ExchangeId {
        let id = self.add(exchange);
        while let Some(leaving) = self.history.leaving() {
            self.evict(leaving);
        }
        id
    }
    /// Takes an exchange in as [`Inspector::push`] does, but gives nothing up: for whoever wants to see what leaves first.
    pub fn add(&mut self, exchange: Exchange) -> ExchangeId {
        let record = self.note(exchange);
        self.keep(record)
    }
    /// Gives an exchange its id and counts it. It is not in the history before [`Inspector::keep`].
    pub fn note(&mut self, mut exchange: Exchange) -> Record {
        if let Some(writer) = &mut self.writer {
            writer.prepare(&mut exchange);
        }
        let mut record = self.history.note(exchange);
        let credential = own_credential(&record.exchange).unwrap_or_else(|| {
            self.history.name_principal(&mut record);
            credential_of(&record)
        });
        self.diagnoser.observe_as(&record, &self.history, credential);
        self.history.reserve(self.diagnoser.memory());
        if let Some(writer) = &mut self.writer {
            writer.noted(&record, &self.history);
        }
        record
    }
    /// Keeps what [`Inspector::note`] gave last.
    pub fn keep(&mut self, record: Record) -> ExchangeId {
        let id = self.history.keep(record);
        if self.writer.is_some() {
            self.write_causes(false);
        }
        id
    }
    /// Takes an exchange of an earlier run in again, with the id that it has.
    pub fn replay(&mut self, exchange: Exchange) -> ExchangeId {
        let writer = self.writer.take();
        let id = self.push(exchange);
        self.writer = writer;
        id
    }
    /// Keeps what comes from now on for later runs; ids go on after `last`.
    pub fn set_writer(&mut self, writer: Box<dyn HistoryWriter>, last: ExchangeId) {
        self.history.continue_after(last);
        self.writer = Some(writer);
    }
    /// Nothing more comes: tells the causes that are left, and waits until everything is written.
    pub fn close_writer(&mut self) {
        self.write_causes(true);
        self.writer = None;
    }

    fn write_causes(&mut self, ended: bool) {
        let Some(mut writer) = self.writer.take() else { return };
        for id in writer.due(ended) {
            if let Some(top) = self.top(id) {
                writer.explained(id, &top);
            }
        }
        self.writer = Some(writer);
    }

    /// Takes `id` out, which nobody needs any more.
    pub fn forget(&mut self, id: ExchangeId) -> Option<Exchange> {
        self.diagnoser.forget_logs(id);
        self.legs.forget(id);
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
        self.diagnoser.forget_logs(id);
        self.legs.forget(id);
        self.history.remove(id)
    }
    /// Takes lines of logs that are followed, which came at `now`.
    pub fn take_logs(&mut self, batch: LogBatch, now: Duration) {
        if let (Some(logs), Some(live)) = (&mut self.logs, &mut self.live) {
            logs.journal.take(batch, now);
            live.logged();
        }
    }
    /// Lets a refusal that came at `now` wait for its log record, where logs are followed.
    pub fn await_log(&mut self, id: ExchangeId, now: Duration) {
        let record = self.history.get(id).filter(|record| record.exchange.is_refusal());
        if let (Some(record), Some(live)) = (record, &mut self.live) {
            live.refused(record, now);
        }
    }
    /// The first refusal that is held back for its log record at `now`.
    pub fn first_held(&self, now: Duration) -> Option<ExchangeId> {
        self.live.as_ref()?.first_held(now)
    }
    /// How long until something that is held back is not any more, should nothing come.
    pub fn held_for(&self, now: Duration) -> Option<Duration> {
        let log = self.live.as_ref().and_then(|live| live.held_for(now));
        [log, self.hops.held_for(now)].into_iter().flatten().min()
    }
    /// Ties log records that came lately to refusals that came lately; whether something was tied.
    pub fn join_recent(&mut self, now: Duration) -> bool {
        let (Some(logs), Some(live)) = (&self.logs, &mut self.live) else { return false };
        let Some(found) = live.join(&logs.journal, &self.history, &logs.patterns, now) else { return false };
        let any = !found.is_empty();
        self.diagnoser.add_logs(found);
        any
    }
    /// Takes the server's logs that are followed.
    pub fn follow_logs(&mut self, logs: ServerLogs) {
        (self.logs, self.live) = (Some(logs), Some(LiveJoin::default()));
    }
    /// Takes the server's logs, which [`Inspector::join_logs`] ties to the refusals.
    pub fn set_logs(&mut self, logs: Option<ServerLogs>) {
        self.logs = logs;
    }
    /// Ties the log records to the refusals that are in the history; whether there are logs at all.
    pub fn join_logs(&mut self) -> bool {
        let Some(logs) = self.logs.as_ref().filter(|_| self.live.is_none()) else { return false };
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
        let path = self.legs.of(id, &self.history).unwrap_or_default();
        Some(Report { baseline, differences, diagnosis, log, path })
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
