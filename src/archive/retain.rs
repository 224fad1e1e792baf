//! What leaves the database when it has grown beyond its bounds: the oldest successes first, never an endpoint's last one.

use rusqlite::{Connection, params};

use crate::model::Timestamp;

/// Exchanges that leave in one transaction, at most.
const STEP: i64 = 2000;

/// Bounds of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the database (`--history-size`); the write-ahead log comes in addition, 16 MiB between two batches.
    pub bytes: u64,
    /// Nanoseconds that an exchange is kept (`--history-age`), counted from the newest one.
    pub age: Option<i64>,
}

impl Bounds {
    /// Whether they have to be looked at after every batch.
    pub(super) const fn is_tight(&self) -> bool {
        self.bytes < 16 << 20
    }
}

/// What may leave, in this order. The last success of an endpoint is in none of them.
const PHASES: [&str; 3] = [
    "kind <> 'refusal' AND id NOT IN (SELECT exchange FROM last_success)",
    "kind <> 'refusal'",
    "kind = 'refusal'",
];

/// Brings the database back within `bounds`.
pub(super) fn trim(db: &mut Connection, bounds: &Bounds) -> rusqlite::Result<()> {
    if let Some(age) = bounds.age {
        let newest: Option<i64> = db.query_row("SELECT max(started) FROM exchange", [], |row| row.get(0))?;
        let oldest = Timestamp(newest.unwrap_or_default()).plus(-age).0;
        while remove("TRUE", "started < ?2", db, (STEP, oldest))? > 0 {}
    }
    let mut phases = PHASES.iter();
    let mut phase = phases.next();
    // A little more than needed leaves, so that not every batch has to clean up.
    let target = if used(db)? > bounds.bytes { bounds.bytes - bounds.bytes / 20 } else { return Ok(()) };
    while let Some(which) = phase {
        let now = used(db)?;
        if now <= target {
            break;
        }
        let exchanges: i64 = db.query_row("SELECT count(*) FROM exchange", [], |row| row.get(0))?;
        let share = (now - target) as f64 / now as f64;
        let most = ((exchanges as f64 * share) as i64).clamp(1, STEP);
        if remove(which, "?2 = 0", db, (most, 0))? == 0 {
            phase = phases.next();
        }
    }
    // Each page is a step of the statement.
    db.pragma(None, "incremental_vacuum", 4096, |_| Ok(()))
}

/// Bytes of pages that hold something.
fn used(db: &Connection) -> rusqlite::Result<u64> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    Ok(((number("page_count")? - number("freelist_count")?) * number("page_size")?) as u64)
}

fn remove(which: &str, old: &str, db: &mut Connection, (most, than): (i64, i64)) -> rusqlite::Result<usize> {
    let change = db.transaction()?;
    let text = format!(
        "DELETE FROM exchange WHERE id IN (SELECT id FROM exchange WHERE {which} AND {old} \
         AND id NOT IN (SELECT last_success FROM endpoint WHERE last_success IS NOT NULL) ORDER BY id LIMIT ?1)"
    );
    let gone = change.execute(&text, params![most, than])?;
    if gone > 0 {
        change.execute("DELETE FROM last_success WHERE exchange NOT IN (SELECT id FROM exchange)", [])?;
    }
    change.commit()?;
    Ok(gone)
}
