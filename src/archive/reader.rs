//! Reading a database: its exchanges in the order in which they were taken in, whatever of it is damaged.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Row as SqlRow, params};

use super::ArchiveError;
use super::database::{readable, sql};
use super::record::{self, RecordError};
use crate::model::{Exchange, ExchangeId};

/// Exchanges that are read at once.
const PAGE: i64 = 512;

/// A part of the time, in nanoseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first instant that belongs to it.
    pub since: i64,
    /// The first instant that no longer does.
    pub until: i64,
}

impl Default for Period {
    fn default() -> Self {
        Self { since: i64::MIN, until: i64::MAX }
    }
}

/// A database that is read.
#[derive(Debug)]
pub struct Reader {
    db: Connection,
    path: PathBuf,
    period: Period,
    /// The last id that was read.
    at: i64,
    /// Up to this id only last successes are read.
    recent: i64,
    /// Whether ids are given anew, because they are too far apart.
    renumber: bool,
    /// Records and pages that could not be read.
    pub damaged: u64,
    /// What was wrong with the first of them.
    pub damage: Option<String>,
}

/// An exchange that was read.
#[derive(Debug)]
pub struct Read {
    /// The exchange with the id that it has in the database.
    pub exchange: Exchange,
    /// Whether its secrets are pseudonyms.
    pub masked: bool,
}

impl Reader {
    /// Opens the database at `path`.
    pub fn open(path: &Path, period: Period) -> Result<Self, ArchiveError> {
        let db = readable(path)?;
        let far = db.query_row(
            "SELECT coalesce(max(id), 0) > 1000 * count(*) + 10000000 FROM exchange",
            [],
            |row| row.get::<_, bool>(0),
        );
        // Damage is met again where it can be passed over.
        let renumber = far.unwrap_or_default();
        Ok(Self { db, path: path.to_owned(), period, at: 0, recent: 0, renumber, damaged: 0, damage: None })
    }
    /// Goes on after the exchange `id`.
    pub fn seek(&mut self, id: u64) {
        self.at = id as i64;
    }
    /// The number of exchanges in the period.
    pub fn count(&self) -> Result<u64, ArchiveError> {
        let count = self.db.query_row(
            "SELECT count(*) FROM exchange WHERE started >= ?1 AND started < ?2",
            params![self.period.since, self.period.until],
            |row| row.get::<_, i64>(0),
        );
        Ok(count.map_err(|error| sql(&self.path, error))? as u64)
    }
    /// Reads only the newest `most` exchanges and, of what is older, the last success of each endpoint and identity.
    pub fn recent(&mut self, most: u64) -> Result<(), ArchiveError> {
        let id = self.db.query_row(
            "SELECT coalesce((SELECT id FROM exchange ORDER BY id DESC LIMIT 1 OFFSET ?1), 0)",
            [most as i64],
            |row| row.get::<_, i64>(0),
        );
        self.recent = id.map_err(|error| sql(&self.path, error))?;
        Ok(())
    }
    /// Whether nothing more can come: what is added now began after the period.
    pub fn is_finished(&self) -> bool {
        let now = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX);
        // A recorder hands over what it has within a second; its capture may lag a little more.
        self.period.until.saturating_add(5_000_000_000) < now
    }
    /// The next exchanges, at most some hundreds; none when there are no more for now.
    pub fn page(&mut self) -> Result<Vec<Read>, ArchiveError> {
        loop {
            let from = self.at;
            let (texts, failed) = self.texts(from);
            let mut exchanges = Vec::with_capacity(texts.len());
            for (id, text, masked) in texts {
                self.at = id;
                match record::read(&text) {
                    Ok(recorded) => {
                        let mut exchange = recorded.exchange;
                        exchange.id = ExchangeId(if self.renumber { 0 } else { id as u64 });
                        exchanges.push(Read { exchange, masked });
                    }
                    Err(error @ RecordError::Newer(_)) => {
                        let path = self.path.clone();
                        return Err(ArchiveError::Open { path, reason: error.to_string() });
                    }
                    Err(error) => self.damage(format!("exchange {id}: {error}")),
                }
            }
            if let Some(error) = failed {
                if !is_damage(&error) {
                    return Err(sql(&self.path, error));
                }
                self.damage(error.to_string());
                if !self.skip() {
                    return Ok(exchanges);
                }
            }
            if !exchanges.is_empty() || self.at == from {
                return Ok(exchanges);
            }
        }
    }

    fn texts(&self, from: i64) -> (Vec<(i64, String, bool)>, Option<rusqlite::Error>) {
        let mut texts = Vec::new();
        let failed = self.read_page(from, &mut texts).err();
        (texts, failed)
    }

    fn read_page(&self, from: i64, texts: &mut Vec<(i64, String, bool)>) -> rusqlite::Result<()> {
        let mut select = self.db.prepare(
            "SELECT x.id, x.record, coalesce((SELECT masked FROM run WHERE run.id = x.run), 1) FROM exchange x \
             WHERE x.id > ?1 AND x.started >= ?2 AND x.started < ?3 AND length(x.record) <= ?4 \
             AND (x.id > ?6 OR x.id IN (SELECT exchange FROM last_success)) ORDER BY x.id LIMIT ?5",
        )?;
        let bounds =
            params![from, self.period.since, self.period.until, record::MAX_RECORD as i64, PAGE, self.recent];
        let mut rows = select.query(bounds)?;
        while let Some(row) = rows.next()? {
            texts.push(text_of(row)?);
        }
        Ok(())
    }

    /// Goes on behind what cannot be read; says whether there is something.
    fn skip(&mut self) -> bool {
        // Ids from which nothing can be read lie together: the end of them is searched for.
        let (mut bad, mut good) = (0, 1);
        while self.probe(self.at.saturating_add(good)).is_err() {
            if good > 1 << 40 {
                return false;
            }
            (bad, good) = (good, good * 2);
        }
        while good - bad > 1 {
            let middle = bad + (good - bad) / 2;
            match self.probe(self.at.saturating_add(middle)) {
                Ok(_) => good = middle,
                Err(_) => bad = middle,
            }
        }
        match self.probe(self.at.saturating_add(good)) {
            Ok(Some(id)) => {
                self.at = id - 1;
                true
            }
            _ => false,
        }
    }

    /// The first exchange after `from`.
    fn probe(&self, from: i64) -> rusqlite::Result<Option<i64>> {
        use rusqlite::OptionalExtension as _;
        let found = self.db.query_row(
            "SELECT id, length(record) FROM exchange WHERE id > ?1 ORDER BY id LIMIT 1",
            [from],
            |row| row.get(0),
        );
        found.optional()
    }

    fn damage(&mut self, what: String) {
        self.damaged += 1;
        self.damage.get_or_insert(what);
    }
}

fn text_of(row: &SqlRow<'_>) -> rusqlite::Result<(i64, String, bool)> {
    let record = row.get_ref(1)?;
    // What is no text is no record: the record itself says so.
    let record = record.as_bytes().map(String::from_utf8_lossy).unwrap_or_default().into_owned();
    Ok((row.get(0)?, record, row.get(2)?))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
    )
}
