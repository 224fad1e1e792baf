//! The consumer without a screen: takes exchanges in, picks, explains and writes them.
//!
//! Where everything is at hand (a file), nothing is written before all of it was read: the successes after a refusal say
//! as much as those before it. Everything else is written as soon as nothing waits to be taken in: in a burst that is later,
//! so that the capture loses nothing to the writing. What the history has to give up on the way is written before it goes.

use std::sync::mpsc;

use super::AppError;
use super::capture::Matched;
use super::capture::reclaim::Returns;
use super::on_match::OnMatch;
use super::output::Outputs;
use super::say;
use super::server_logs::ServerLogs;
use super::tally::Tally;
use crate::app::summary::Summary;
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::export::{Item, ndjson};
use crate::feed::{Ended, Message, Receiver};
use crate::filter::{Context, Filter};
use crate::history::Record;
use crate::model::{BaselineChoice, Counters, Exchange, ExchangeId, SourceCounters};

/// A run without a screen.
pub(super) struct Headless {
    /// History and diagnosis.
    pub inspector: Inspector,
    /// What to pick.
    pub filter: Filter,
    /// Where it goes.
    pub outputs: Outputs,
    /// Takes secrets out.
    pub redactor: Redactor,
    /// Counts instead of exchanges.
    pub summary: Option<Summary>,
    /// Stop after so many matches.
    pub limit: Option<u64>,
    /// Whether everything is read before anything is written.
    pub whole: bool,
    /// Run for a match.
    pub on_match: Option<OnMatch>,
    /// Takes back what is not needed any more.
    pub returns: Returns,
    /// Told about connections with a match (`-w`).
    pub recording: Option<mpsc::Sender<Matched>>,
    /// Ring the bell for a match.
    pub bell: bool,
    /// Totals as the last line.
    pub stats: bool,
    /// What the server logged, to be tied to the refusals.
    pub logs: Option<ServerLogs>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Totals {
    /// Exchanges that matched.
    pub matched: u64,
    /// What the pipeline saw.
    pub counters: Counters,
    /// What the source lost.
    pub source: SourceCounters,
    /// Exchanges that the history gave up.
    pub evicted: u64,
    /// Exchanges kept at the end.
    pub kept: u64,
    /// Bytes that they take up, with the columns beside them and what was learnt.
    pub kept_bytes: u64,
    /// Why the source failed, if it did.
    pub failed: Option<String>,
}

/// Where a run stands.
struct Run {
    headless: Headless,
    totals: Totals,
    /// Everything up to here was judged.
    done: ExchangeId,
    /// Counts what passes, when nothing but counts is asked for.
    tally: Option<Tally>,
}

impl Headless {
    /// Takes in what comes until it ends or enough has matched.
    pub(super) fn run(self, mut feed: Receiver) -> Result<(Totals, Option<Summary>), AppError> {
        let tally = self.only_counts().then(Tally::default);
        let mut run = Run { headless: self, totals: Totals::default(), done: ExchangeId(0), tally };
        while run.headless.whole || !run.is_enough() {
            let message = match feed.try_recv() {
                Ok(message) => Some(message),
                Err(_) if run.lags() => {
                    run.next()?;
                    continue;
                }
                Err(_) => {
                    run.headless.outputs.flush()?;
                    feed.blocking_recv()
                }
            };
            let Some(message) = message else { break };
            let is_end = matches!(message, Message::Ended(_));
            run.take(message)?;
            if is_end {
                run.rest()?;
                // Whoever waits for the last matching connections can go on.
                run.headless.recording = None;
            }
        }
        let history = run.headless.inspector.history();
        run.totals.evicted = history.evicted();
        (run.totals.kept, run.totals.kept_bytes) = (history.len() as u64, history.memory());
        let Run { mut headless, totals, .. } = run;
        if headless.stats {
            headless.outputs.line(&super::session::stats_line(headless.filter.text(), &totals))?;
        }
        Self::end(headless.outputs, headless.on_match)?;
        Ok((totals, headless.summary))
    }

    /// Whether nothing but counts is asked for, and nothing that comes later can change what matches.
    fn only_counts(&self) -> bool {
        let nothing_else = self.logs.is_none()
            && self.outputs.is_empty()
            && self.on_match.is_none()
            && self.recording.is_none();
        self.whole && self.summary.is_some() && nothing_else && !self.bell && self.filter.is_lasting()
    }

    fn end(outputs: Outputs, on_match: Option<OnMatch>) -> Result<(), AppError> {
        for line in outputs.finish()? {
            say(&line);
        }
        drop(on_match);
        Ok(())
    }
}

impl Run {
    fn is_enough(&self) -> bool {
        self.headless.limit.is_some_and(|limit| self.totals.matched >= limit)
    }

    fn take(&mut self, message: Message) -> Result<(), AppError> {
        match message {
            Message::Exchanges(batch) => batch.into_iter().try_for_each(|exchange| self.exchange(exchange)),
            Message::Counters(counters) => {
                self.totals.counters = *counters;
                Ok(())
            }
            Message::Source(source) => {
                self.totals.source = source;
                Ok(())
            }
            Message::Warning(text) => {
                say(&text);
                Ok(())
            }
            Message::Ended(Ended::Failed(why)) => {
                self.totals.failed = Some(why);
                Ok(())
            }
            Message::Progress(_) | Message::Ended(Ended::Whole | Ended::Stopped(_)) => Ok(()),
        }
    }

    fn exchange(&mut self, exchange: Exchange) -> Result<(), AppError> {
        if self.is_enough() && !self.headless.whole {
            return Ok(());
        }
        if self.tally.is_some() {
            self.tally(exchange);
            return Ok(());
        }
        let mut leaving: Result<(), AppError> = Ok(());
        let id = self.headless.inspector.add(exchange);
        while let Some(next) = self.headless.inspector.leaving() {
            if next > self.done && leaving.is_ok() && self.is_wanted(next) {
                leaving = self.up_to(next);
            }
            let gone = self.headless.inspector.evict(next);
            self.headless.returns.extend(gone);
        }
        leaving?;
        if self.headless.recording.is_some() && self.is_wanted(id) {
            self.record(id);
        }
        Ok(())
    }

    fn tally(&mut self, exchange: Exchange) {
        let Headless { inspector, filter, limit, summary, returns, .. } = &mut self.headless;
        let (Some(tally), Some(summary)) = (&mut self.tally, summary) else { return };
        returns.extend(tally.take(exchange, inspector, filter, *limit));
        while let Some(next) = inspector.leaving() {
            tally.leaves(next, inspector, summary);
            returns.extend(inspector.evict(next));
        }
        self.totals.matched = tally.matched;
    }

    /// Judges and writes everything that was not yet, at the end.
    fn rest(&mut self) -> Result<(), AppError> {
        if let (Some(tally), Some(summary)) = (&mut self.tally, &mut self.headless.summary) {
            tally.finish(&self.headless.inspector, summary);
            return Ok(());
        }
        let Headless { inspector, logs, .. } = &mut self.headless;
        if let Some(logs) = logs {
            inspector.join_logs(&logs.journal, &logs.patterns);
        }
        self.up_to(self.headless.inspector.history().last_id())
    }

    /// Whether something is to be judged before the end and was not yet.
    fn lags(&self) -> bool {
        !self.headless.whole && !self.is_enough() && self.done < self.headless.inspector.history().last_id()
    }

    /// Judges until something matches, or until everything was judged.
    fn next(&mut self) -> Result<(), AppError> {
        let matched = self.totals.matched;
        while self.lags() && self.totals.matched == matched {
            self.judge()?;
        }
        Ok(())
    }

    /// Judges everything after `done` up to `last`, in order.
    fn up_to(&mut self, last: ExchangeId) -> Result<(), AppError> {
        while self.done < last && !self.is_enough() {
            self.judge()?;
        }
        Ok(())
    }

    /// Judges the exchange after `done`.
    fn judge(&mut self) -> Result<(), AppError> {
        self.done = ExchangeId(self.done.0 + 1);
        if self.is_wanted(self.done) { self.matched(self.done) } else { Ok(()) }
    }

    fn is_wanted(&self, id: ExchangeId) -> bool {
        let Headless { inspector, filter, .. } = &self.headless;
        let history = inspector.history();
        let cause = |record: &Record| Some(inspector.top_cause(record.exchange.id)?.0);
        let context = Context { history, now: history.now(), cause: &cause };
        history.get(id).is_some_and(|record| filter.matches(record, &context))
    }

    fn matched(&mut self, id: ExchangeId) -> Result<(), AppError> {
        self.totals.matched += 1;
        self.record(id);
        let Headless { inspector, outputs, redactor, summary, on_match, bell, .. } = &mut self.headless;
        let Some(record) = inspector.history().get(id) else { return Ok(()) };
        if let Some(summary) = summary {
            summary.count(inspector, record);
        }
        if *bell {
            super::ring();
        }
        if outputs.is_empty() && on_match.is_none() {
            return Ok(());
        }
        let Some(report) = inspector.report(id, BaselineChoice::LastSuccess) else { return Ok(()) };
        let item = Item::new(inspector, record, &report);
        for warning in outputs.write(&item, redactor)? {
            say(&format!("exchange {}: {warning}", id.0));
        }
        if let Some(on_match) = on_match {
            on_match.matched(|| {
                let mut json = Vec::new();
                // Writing to memory does not fail.
                let _ = ndjson::write(&mut json, &item, redactor);
                String::from_utf8(json).unwrap_or_default()
            });
        }
        Ok(())
    }

    fn record(&self, id: ExchangeId) {
        let Headless { inspector, recording, .. } = &self.headless;
        if let (Some(recording), Some(record)) = (recording, inspector.history().get(id)) {
            let _ = recording.send((record.exchange.client, record.exchange.server));
        }
    }
}
