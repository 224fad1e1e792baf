//! The consumer without a screen: takes exchanges in, picks, explains and writes them.
//!
//! Where everything is at hand (a file), nothing is written before all of it was read: the successes after a refusal say
//! as much as those before it. Everything else is written as soon as nothing waits to be taken in: in a burst that is later,
//! so that the capture loses nothing to the writing. What the history has to give up on the way is written before it goes.

use std::mem;
use std::num::NonZero;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::AppError;
use super::capture::Matched;
use super::capture::reclaim::Returns;
use super::lines::{LineMakers, Scene};
use super::on_match::OnMatch;
use super::output::Outputs;
use super::say;
use super::tally::Tally;
use super::waiter::{Waited, Waiter};
use crate::app::check::Verdict;
use crate::app::summary::Summary;
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::export::{Item, ndjson};
use crate::feed::{Ended, Message, Receiver};
use crate::filter::{Context, Filter};
use crate::history::Record;
use crate::hops::Arrival;
use crate::model::{BaselineChoice, Counters, ExchangeId, SourceCounters};

/// Matches that are explained together, at most.
const TOGETHER: usize = 1024;
/// Bytes of exchanges that are explained together, about; their lines are in memory until they are written.
const TOGETHER_BYTES: u64 = 4 << 20;

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
    /// The last exchange of the history that the capture is checked against.
    pub check: Option<ExchangeId>,
    /// Whether the server's logs are to be tied to the refusals.
    pub logs: bool,
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
    /// What a check came to.
    pub verdict: Option<Verdict>,
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
    makers: LineMakers,
    /// Exchanges that came when the time to end was up.
    left: u64,
    /// When the clock of what comes began.
    start: Instant,
}

impl Headless {
    /// Takes in what comes until it ends or enough has matched.
    pub(super) fn run(mut self, mut feed: Receiver) -> Result<(Totals, Option<Summary>), AppError> {
        let tally = self.only_counts().then(Tally::default);
        // Live, the other processors are somebody else's.
        let threads = if self.whole { thread::available_parallelism().map_or(1, NonZero::get) } else { 1 };
        let makers = LineMakers::new(threads);
        if self.whole {
            self.inspector.be_patient();
        }
        let waiter = Waiter::new(!self.whole)?;
        let done = self.inspector.history().last_id();
        let mut run = Run {
            headless: self,
            totals: Totals::default(),
            done,
            tally,
            makers,
            left: 0,
            start: Instant::now(),
        };
        while run.headless.whole || !run.is_enough() {
            let message = match feed.try_recv() {
                Ok(message) => Some(message),
                Err(_) if run.lags() => {
                    run.next()?;
                    continue;
                }
                Err(_) => {
                    run.arrivals(false)?;
                    if run.lags() {
                        continue;
                    }
                    run.headless.outputs.flush()?;
                    match waiter.next(&mut feed, run.held_for()) {
                        Waited::Message(message) => message,
                        Waited::Over => continue,
                    }
                }
            };
            let Some(message) = message else { break };
            let is_end = matches!(message, Message::Ended(_));
            run.take(message)?;
            if is_end {
                run.end(&mut feed, &waiter)?;
                if run.headless.logs && waiter.is_timed() {
                    // The logs go on, the capture does not.
                    break;
                }
            }
        }
        run.tell_what_is_left();
        run.explain_none();
        run.sum_up();
        let Run { headless, totals, .. } = run;
        let Self { mut inspector, filter, mut outputs, summary, on_match, stats, .. } = headless;
        inspector.close_writer();
        // The process is about to end, and its memory with it: to free a million exchanges one by one takes a tenth of a second.
        mem::forget(inspector);
        if stats {
            outputs.line(&super::session::stats_line(filter.text(), &totals))?;
        }
        Self::end(outputs, on_match)?;
        Ok((totals, summary))
    }

    /// Whether nothing but counts is asked for, and nothing that comes later can change what matches.
    fn only_counts(&self) -> bool {
        let nothing_else =
            !self.logs && self.outputs.is_empty() && self.on_match.is_none() && self.recording.is_none();
        let ungrouped = self.summary.as_ref().is_some_and(|summary| !summary.is_grouped());
        self.whole && ungrouped && nothing_else && !self.bell && self.filter.is_lasting()
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
    /// What there is to say of the history at the end.
    fn sum_up(&mut self) {
        let Headless { inspector, redactor, check, .. } = &self.headless;
        let history = inspector.history();
        self.totals.evicted = history.evicted();
        (self.totals.kept, self.totals.kept_bytes) = (history.len() as u64, history.memory());
        self.totals.verdict = check.map(|last| Verdict::of(inspector, last, redactor));
    }
    /// Says why a query found nothing in a capture that was read to its end.
    fn explain_none(&self) {
        let Headless { inspector, filter, outputs, whole, .. } = &self.headless;
        let ended = *whole && self.totals.failed.is_none() && !outputs.headway.is_overdue();
        if ended && self.totals.matched == 0 && !filter.is_empty() {
            let history = inspector.history();
            let context = Context { history, now: history.now(), cause: &|_| None };
            say(&filter.explain_none(self.totals.counters.exchanges, &context));
        }
    }

    fn is_enough(&self) -> bool {
        self.headless.limit.is_some_and(|limit| self.totals.matched >= limit)
    }

    fn take(&mut self, message: Message) -> Result<(), AppError> {
        match message {
            Message::Exchanges(batch) => batch.into_iter().try_for_each(|exchange| {
                if self.headless.outputs.headway.is_overdue() {
                    self.left += 1;
                    return Ok(());
                }
                self.headless.inspector.arrive(exchange, self.start.elapsed());
                self.arrivals(false)
            }),
            Message::Logs(batch) => {
                self.headless.inspector.take_logs(batch, self.start.elapsed());
                Ok(())
            }
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

    /// Takes in what need not be held back any more; with `flush` everything.
    fn arrivals(&mut self, flush: bool) -> Result<(), AppError> {
        while let Some(arrival) = self.headless.inspector.next_arrival(self.start.elapsed(), flush) {
            self.exchange(arrival)?;
        }
        Ok(())
    }

    fn exchange(&mut self, arrival: Arrival) -> Result<(), AppError> {
        if self.is_enough() && !self.headless.whole {
            return Ok(());
        }
        if self.tally.is_some() {
            self.tally(arrival);
            return Ok(());
        }
        let mut leaving: Result<(), AppError> = Ok(());
        let is_leg = arrival.place.outer.is_some();
        let id = self.headless.inspector.add_arrival(arrival);
        if !is_leg {
            self.headless.inspector.await_log(id, self.start.elapsed());
        }
        let Headless { inspector, summary, .. } = &mut self.headless;
        if let (Some(summary), Some(record), false) = (summary, inspector.history().get(id), is_leg) {
            summary.see(inspector, record);
        }
        while let Some(next) = self.headless.inspector.leaving() {
            if next > self.done && leaving.is_ok() && self.is_wanted(next) {
                // What comes soon is judged with it, so that there is work for all threads.
                let ahead = self.headless.inspector.history().len().min(8 * TOGETHER) as u64 / 8;
                leaving = self.up_to(ExchangeId(next.0 + ahead));
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

    fn tally(&mut self, arrival: Arrival) {
        let Headless { inspector, filter, limit, summary, returns, .. } = &mut self.headless;
        let (Some(tally), Some(summary)) = (&mut self.tally, summary) else { return };
        returns.extend(tally.take(arrival, inspector, filter, *limit));
        while let Some(next) = inspector.leaving() {
            tally.leaves(next, inspector, summary);
            returns.extend(inspector.evict(next));
        }
        self.totals.matched = tally.matched;
    }

    /// The capture has ended: takes in what was held back, and judges it.
    fn end(&mut self, feed: &mut Receiver, waiter: &Waiter) -> Result<(), AppError> {
        self.arrivals(true)?;
        if self.headless.logs {
            self.await_logs(feed, waiter)?;
        }
        self.rest()?;
        // Whoever waits for the last matching connections can go on.
        self.headless.recording = None;
        Ok(())
    }

    /// Judges and writes everything that was not yet, at the end.
    fn rest(&mut self) -> Result<(), AppError> {
        if let (Some(tally), Some(summary)) = (&mut self.tally, &mut self.headless.summary) {
            tally.finish(&self.headless.inspector, summary, &self.headless.outputs.headway);
            return Ok(());
        }
        self.headless.inspector.join_logs();
        self.up_to(self.headless.inspector.history().last_id())
    }

    /// Says what the end of time has left undone.
    fn tell_what_is_left(&self) {
        let last = self.headless.inspector.history().last_id();
        let unjudged = if self.tally.is_some() || self.is_enough() { 0 } else { last.0 - self.done.0 };
        if self.headless.outputs.headway.is_overdue() && unjudged + self.left > 0 {
            say(&format!(
                "stopped: {} exchanges that were captured were not looked at",
                unjudged + self.left
            ));
        }
    }

    /// Whether nothing more is to be judged.
    fn is_over(&self) -> bool {
        self.is_enough() || self.headless.outputs.headway.is_overdue()
    }

    /// Whether something is to be judged before the end and was not yet.
    fn lags(&mut self) -> bool {
        !self.headless.whole && !self.is_over() && {
            let ready = self.ready();
            self.done < ready
        }
    }

    /// The last exchange that can be judged: those from the first refusal on that waits for its log record wait with it.
    fn ready(&mut self) -> ExchangeId {
        let inspector = &mut self.headless.inspector;
        let now = self.start.elapsed();
        inspector.join_recent(now);
        let last = inspector.history().last_id();
        inspector.first_held(now).map_or(last, |held| ExchangeId(held.0 - 1))
    }

    /// How long to wait for a message before a refusal is judged without its log record.
    fn held_for(&self) -> Option<Duration> {
        self.headless.inspector.held_for(self.start.elapsed())
    }

    /// Takes in what the logs still have to say about the last refusals.
    fn await_logs(&mut self, feed: &mut Receiver, waiter: &Waiter) -> Result<(), AppError> {
        while let Some(wait) = self.held_for() {
            match waiter.next(feed, Some(wait)) {
                Waited::Message(Some(message)) => self.take(message)?,
                Waited::Message(None) => break,
                Waited::Over => {}
            }
            self.headless.inspector.join_recent(self.start.elapsed());
        }
        Ok(())
    }

    /// Judges until something matches, or until everything was judged.
    fn next(&mut self) -> Result<(), AppError> {
        let (matched, last) = (self.totals.matched, self.ready());
        while self.done < last && !self.is_over() && self.totals.matched == matched {
            self.judge(last, 1)?;
        }
        Ok(())
    }

    /// Judges everything after `done` up to `last`, in order.
    fn up_to(&mut self, last: ExchangeId) -> Result<(), AppError> {
        let last = last.min(self.headless.inspector.history().last_id());
        while self.done < last && !self.is_over() {
            self.judge(last, TOGETHER)?;
        }
        Ok(())
    }

    /// Judges exchanges after `done` up to `last`: as many as can be explained together, and no more than `most` matches.
    fn judge(&mut self, last: ExchangeId, most: usize) -> Result<(), AppError> {
        let Headless { outputs, summary, on_match, .. } = &self.headless;
        if outputs.is_empty() || !outputs.are_lines() || summary.is_some() || on_match.is_some() {
            self.done = ExchangeId(self.done.0 + 1);
            return if self.is_wanted(self.done) { self.matched(self.done) } else { Ok(()) };
        }
        let mut ids = self.wanted(last, most);
        let Headless { inspector, outputs, redactor, .. } = &mut self.headless;
        let scene = Scene { inspector, redactor, headway: &outputs.headway };
        let made = self.makers.make(scene, &ids);
        if let Some(unmade) = ids.get(made.exchanges) {
            self.done = ExchangeId(unmade.0 - 1);
            ids.truncate(made.exchanges);
        }
        outputs.write_lines(&made.pieces, ids.len() as u64)?;
        self.totals.matched += ids.len() as u64;
        for id in ids {
            self.record(id);
            if self.headless.bell {
                super::ring();
            }
        }
        Ok(())
    }

    /// The next matches after `done` up to `last`, which come to be judged together.
    fn wanted(&mut self, last: ExchangeId, most: usize) -> Vec<ExchangeId> {
        let room = self.headless.limit.map_or(most, |limit| {
            usize::try_from(limit.saturating_sub(self.totals.matched)).map_or(most, |room| room.min(most))
        });
        let (mut ids, mut bytes) = (Vec::new(), 0);
        while self.done < last && ids.len() < room && bytes < TOGETHER_BYTES {
            if self.headless.outputs.headway.is_overdue() {
                break;
            }
            self.done = ExchangeId(self.done.0 + 1);
            if self.is_wanted(self.done) {
                let row = self.headless.inspector.history().row_of(self.done);
                bytes += row.map_or(0, |row| u64::from(row.size));
                ids.push(self.done);
            }
        }
        ids
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
            let _ = recording.send((record.exchange.peer(), record.exchange.server));
        }
    }
}
