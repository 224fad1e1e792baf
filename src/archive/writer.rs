//! The thread that writes: batches of at most a second, each one transaction.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, Statement, Transaction, params};

use super::database::{sql, writable};
use super::retain::{Bounds, trim};
use super::{ArchiveError, StoreKey};
use crate::model::{Endpoint, Timestamp};

/// Longest time between an exchange and its commit.
const BATCH_TIME: Duration = Duration::from_millis(900);
/// Messages of one transaction, at most.
const BATCH: usize = 4096;
/// Messages that wait for the writer, at most.
const QUEUE: usize = 8192;

/// What an exchange counts as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`crate::model::Exchange::is_success`].
    Success,
    /// [`crate::model::Exchange::is_refusal`].
    Refusal,
    /// Neither.
    Other,
}

impl Kind {
    /// As in the column `kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refusal => "refusal",
            Self::Other => "other",
        }
    }
}

/// An exchange that is to be kept.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its id, which is greater than those before.
    pub id: u64,
    /// Its endpoint.
    pub endpoint: Endpoint,
    /// When it began.
    pub started: Timestamp,
    /// Nanoseconds to the response.
    pub latency: Option<i64>,
    /// The client.
    pub client: std::net::SocketAddr,
    /// The server.
    pub server: std::net::SocketAddr,
    /// The method.
    pub method: String,
    /// The target, as text.
    pub target: String,
    /// The status.
    pub status: Option<u16>,
    /// [`crate::model::Outcome::as_str`].
    pub outcome: &'static str,
    /// What it counts as.
    pub kind: Kind,
    /// A keyed hash of who asked.
    pub identity: Option<u64>,
    /// What [`super::record::write()`] gave.
    pub record: String,
}

/// What was seen of an endpoint, kept or not, since the last time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Exchanges.
    pub exchanges: u64,
    /// Those that succeeded.
    pub successes: u64,
    /// Those that were refused.
    pub refusals: u64,
}

/// What the writer is told.
#[derive(Clone, Debug)]
pub enum Message {
    /// Keep this.
    Exchange(Box<Row>),
    /// Count this.
    Counts(Endpoint, Counts),
    /// An exchange has this cause, with this confidence, and was refused by this.
    Cause(u64, &'static str, f32, Option<String>),
    /// Commit what is there, then answer.
    Flush(SyncSender<()>),
}

/// The other end of the thread.
#[derive(Debug)]
pub struct Writer {
    queue: Option<SyncSender<Message>>,
    thread: Option<JoinHandle<()>>,
    /// Whether a full queue is waited for.
    wait: bool,
    /// What did not fit into the queue.
    pub lost: u64,
}

/// An open database, before its thread runs.
#[derive(Debug)]
pub struct Opened {
    db: Connection,
    path: PathBuf,
    /// The id of this run.
    pub run: u64,
    /// The highest id of an exchange.
    pub last: u64,
    /// Whether what was recorded before has pseudonyms of another key.
    pub key_changed: bool,
}

impl Writer {
    /// Opens the database at `path` for a run that watches `source`; `masked` says whether secrets are replaced.
    pub fn open(path: &Path, key: &StoreKey, source: &str, masked: bool) -> Result<Opened, ArchiveError> {
        let mut db = writable(path)?;
        let prepared = prepare(&mut db, &key.id(), source, masked);
        let (run, last, key_changed) = prepared.map_err(|error| sql(path, error))?;
        Ok(Opened { db, path: path.to_owned(), run, last, key_changed })
    }
    /// Hands `message` over. Where waiting costs nothing the queue is waited for; elsewhere what does not fit is counted.
    pub fn send(&mut self, message: Message) {
        let Some(queue) = &self.queue else { return };
        if self.wait {
            self.lost += u64::from(queue.send(message).is_err());
        } else if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = queue.try_send(message) {
            self.lost += 1;
        }
    }
    /// Waits until everything that was sent is on disk, or the disk has refused it.
    pub fn flush(&self) {
        let (done, committed) = mpsc::sync_channel(1);
        if let Some(queue) = &self.queue
            && queue.send(Message::Flush(done)).is_ok()
        {
            let _ = committed.recv();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Opened {
    /// Lets the file grow to so many pages and no further.
    #[cfg(test)]
    pub(super) fn limit_pages(&self, pages: u32) {
        self.db.pragma_update(None, "max_page_count", pages).unwrap();
    }
    /// Starts the thread. `wait` says whether a full queue is waited for; `say` is for people.
    pub fn start(
        self,
        bounds: Bounds,
        wait: bool,
        say: impl Fn(&str) + Send + 'static,
    ) -> std::io::Result<Writer> {
        let (queue, messages) = mpsc::sync_channel(QUEUE);
        let mut work = Work {
            db: self.db,
            path: self.path,
            bounds,
            say: Box::new(say),
            lost: 0,
            said: String::new(),
            since_trim: 0,
        };
        let thread = thread::Builder::new().name("history".into()).spawn(move || work.run(&messages))?;
        Ok(Writer { queue: Some(queue), thread: Some(thread), wait, lost: 0 })
    }
}

fn prepare(db: &mut Connection, key: &str, source: &str, masked: bool) -> rusqlite::Result<(u64, u64, bool)> {
    let change = db.transaction()?;
    let before: Option<String> =
        change.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0)).optional()?;
    change.execute("INSERT OR REPLACE INTO meta VALUES ('key', ?1)", [key])?;
    let now = jiff::Timestamp::now().as_nanosecond() as i64;
    change.execute(
        "INSERT INTO run (started, source, program, masked) VALUES (?1, ?2, ?3, ?4)",
        params![now, source, concat!("why403 ", env!("CARGO_PKG_VERSION")), masked],
    )?;
    let run = change.last_insert_rowid();
    let last: Option<i64> = change.query_row("SELECT max(id) FROM exchange", [], |row| row.get(0))?;
    change.commit()?;
    Ok((run as u64, last.unwrap_or_default() as u64, before.is_some_and(|before| before != key)))
}

/// The thread's own.
struct Work {
    db: Connection,
    path: PathBuf,
    bounds: Bounds,
    say: Box<dyn Fn(&str) + Send>,
    /// Exchanges that could not be written since the disk refused the first.
    lost: u64,
    /// What was said of it.
    said: String,
    /// Exchanges written since the bounds were looked at.
    since_trim: usize,
}

impl Work {
    fn run(&mut self, messages: &Receiver<Message>) {
        let mut batch = Vec::new();
        let mut until: Option<Instant> = None;
        loop {
            let message = match until {
                None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(until) => messages.recv_timeout(until.saturating_duration_since(Instant::now())),
            };
            let mut answer = None;
            let mut ended = false;
            match message {
                Ok(Message::Flush(done)) => answer = Some(done),
                Ok(message) => {
                    batch.push(message);
                    let until = *until.get_or_insert_with(|| Instant::now() + BATCH_TIME);
                    if batch.len() < BATCH && Instant::now() < until {
                        continue;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
            self.commit(&batch);
            batch.clear();
            until = None;
            if let Some(done) = answer {
                let _ = done.send(());
            }
            if ended {
                let _ = self.db.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);");
                return;
            }
        }
    }

    /// Writes a batch; what fails is lost, and said once.
    fn commit(&mut self, batch: &[Message]) {
        let exchanges = batch.iter().filter(|one| matches!(one, Message::Exchange(_))).count();
        if batch.is_empty() {
            return;
        }
        self.since_trim += exchanges;
        let written = write(&mut self.db, batch).and_then(|()| {
            if self.since_trim < 1000 && exchanges > 0 && !self.bounds.is_tight() {
                return Ok(());
            }
            self.since_trim = 0;
            trim(&mut self.db, &self.bounds)
        });
        match written {
            Ok(()) if self.said.is_empty() => {}
            Ok(()) => {
                (self.say)(&format!(
                    "history: recording again; {} exchanges were not kept meanwhile",
                    self.lost
                ));
                self.said.clear();
                self.lost = 0;
            }
            Err(error) => {
                self.lost += exchanges as u64;
                let reason = reason(&error);
                if self.said != reason {
                    (self.say)(&format!(
                        "history: {}: {reason}; nothing is recorded until that changes",
                        self.path.display()
                    ));
                    self.said = reason;
                }
            }
        }
    }
}

/// What to do about an error of SQLite.
fn reason(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "the disk is full, make room".into(),
        Some(rusqlite::ErrorCode::ReadOnly) => "the file cannot be written, check its owner and mode".into(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => {
            "the file is damaged, move it away (why403 -r FILE reads what is left)".into()
        }
        _ => error.to_string(),
    }
}

fn write(db: &mut Connection, batch: &[Message]) -> rusqlite::Result<()> {
    let change = db.transaction()?;
    insert(&change, batch)?;
    change.commit()
}

fn insert(change: &Transaction<'_>, batch: &[Message]) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(change)?;
    for message in batch {
        match message {
            Message::Exchange(row) => statements.exchange(row)?,
            Message::Counts(name, seen) => {
                let of = statements.endpoint(name)?;
                let (exchanges, successes, refusals) =
                    (seen.exchanges as i64, seen.successes as i64, seen.refusals as i64);
                statements.counts.execute(params![of, exchanges, successes, refusals])?;
            }
            Message::Cause(id, name, confidence, refuser) => {
                statements.cause.execute(params![*id as i64, name, f64::from(*confidence), refuser])?;
            }
            Message::Flush(_) => {}
        }
    }
    Ok(())
}

/// The statements of a batch.
struct Statements<'a> {
    run: i64,
    known: Statement<'a>,
    new: Statement<'a>,
    exchange: Statement<'a>,
    times: Statement<'a>,
    counts: Statement<'a>,
    success: Statement<'a>,
    cause: Statement<'a>,
}

impl<'a> Statements<'a> {
    fn prepare(change: &'a Transaction<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run: change.query_row("SELECT max(id) FROM run", [], |row| row.get(0))?,
            known: change
                .prepare("SELECT id FROM endpoint WHERE method = ?1 AND authority = ?2 AND template = ?3")?,
            new: change.prepare("INSERT INTO endpoint (method, authority, template) VALUES (?1, ?2, ?3)")?,
            exchange: change.prepare(
                "INSERT OR REPLACE INTO exchange (id, run, endpoint, started, latency, client, client_port, server, method, \
                 target, status, outcome, kind, identity, record) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            )?,
            times: change.prepare(
                "UPDATE endpoint SET first = min(coalesce(first, ?2), ?2), last = max(coalesce(last, ?2), ?2), \
                 last_success = CASE WHEN ?3 THEN ?4 ELSE last_success END WHERE id = ?1",
            )?,
            counts: change.prepare(
                "UPDATE endpoint SET exchanges = exchanges + ?2, successes = successes + ?3, \
                 refusals = refusals + ?4 WHERE id = ?1",
            )?,
            success: change.prepare("INSERT OR REPLACE INTO last_success VALUES (?1, ?2, ?3)")?,
            cause: change
                .prepare("UPDATE exchange SET cause = ?2, confidence = ?3, refuser = ?4 WHERE id = ?1")?,
        })
    }

    /// The number of an endpoint, which is entered when it is new.
    fn endpoint(&mut self, endpoint: &Endpoint) -> rusqlite::Result<i64> {
        let name = params![&*endpoint.method, &*endpoint.authority, &*endpoint.template];
        match self.known.query_row(name, |row| row.get(0)).optional()? {
            Some(id) => Ok(id),
            None => self.new.insert(name),
        }
    }

    fn exchange(&mut self, row: &Row) -> rusqlite::Result<()> {
        let of = self.endpoint(&row.endpoint)?;
        let (id, succeeded) = (row.id as i64, row.kind == Kind::Success);
        self.exchange.execute(params![
            id,
            self.run,
            of,
            row.started.0,
            row.latency,
            row.client.ip().to_string(),
            row.client.port(),
            row.server.to_string(),
            row.method,
            row.target,
            row.status,
            row.outcome,
            row.kind.as_str(),
            row.identity.map(u64::cast_signed),
            row.record
        ])?;
        self.times.execute(params![of, row.started.0, succeeded, id])?;
        if succeeded {
            let identity = row.identity.unwrap_or_default().cast_signed();
            self.success.execute(params![of, identity, id])?;
        }
        Ok(())
    }
}
