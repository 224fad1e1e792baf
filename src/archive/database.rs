//! Opening a database: what it is, which version, who may read it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use rusqlite::{Connection, OpenFlags};

use super::ArchiveError;
use crate::edge::files;

/// `why4`, in the header of the file.
const APPLICATION: i64 = 0x7768_7934;
/// What brings each version to the next; the first makes version 1 of an empty file.
const STEPS: &[&str] = &[include_str!("schema/v1.sql")];
/// What every SQLite database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// How long somebody else's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The newest version of the schema.
pub(super) const VERSION: i64 = STEPS.len() as i64;

/// Whether the file at `path` is a SQLite database, by its first bytes.
pub fn is_database(path: &Path) -> bool {
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC;
    let Ok(file) = OpenOptions::new().read(true).custom_flags(flags).open(path) else { return false };
    let mut head = Vec::new();
    let regular = file.metadata().is_ok_and(|about| about.is_file());
    regular && file.take(16).read_to_end(&mut head).is_ok() && head == MAGIC
}

/// Opens the database at `path` for writing; makes or migrates it.
pub(super) fn writable(path: &Path) -> Result<Connection, ArchiveError> {
    create(path).map_err(|error| open_error(path, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(|error| sql(path, error))?;
    let version = version(&db, path)?;
    let failed = |error| sql(path, error);
    if version == 0 {
        db.pragma_update(None, "auto_vacuum", "INCREMENTAL").map_err(failed)?;
    }
    db.pragma_update(None, "journal_mode", "WAL").map_err(failed)?;
    db.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    db.pragma_update(None, "temp_store", "MEMORY").map_err(failed)?;
    db.pragma_update(None, "journal_size_limit", 16 << 20).map_err(failed)?;
    migrate(&mut db, version).map_err(failed)?;
    Ok(db)
}

/// Opens the database at `path` for reading.
pub(super) fn readable(path: &Path) -> Result<Connection, ArchiveError> {
    if !is_database(path) {
        return Err(match File::open(path) {
            Err(error) => open_error(path, &error),
            Ok(_) => ArchiveError::Foreign { path: path.to_owned(), what: "no database" },
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags).map_err(|error| sql(path, error))?;
    let mut found = version(&db, path);
    if let Err(ArchiveError::Sql { reason, .. }) = &found
        && reason.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)
    {
        // The files that SQLite keeps beside a database cannot be made here: nobody writes to it.
        let uri = format!("file:{}?immutable=1", escaped(path));
        let flags = flags | OpenFlags::SQLITE_OPEN_URI;
        db = Connection::open_with_flags(uri, flags).map_err(|error| sql(path, error))?;
        found = version(&db, path);
    }
    match found? {
        0 => Err(ArchiveError::Foreign { path: path.to_owned(), what: "an empty database" }),
        _ => Ok(db),
    }
}

/// `path` as a part of a URI.
fn escaped(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    percent_encoding::percent_encode(path.as_os_str().as_bytes(), percent_encoding::NON_ALPHANUMERIC)
        .to_string()
}

/// The version of the schema; 0 of an empty file.
fn version(db: &Connection, path: &Path) -> Result<i64, ArchiveError> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    db.busy_timeout(PATIENCE).map_err(|error| sql(path, error))?;
    let application = number("application_id").map_err(|error| not_a_database(path, error))?;
    let version = number("user_version").map_err(|error| sql(path, error))?;
    let tables = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    let empty = tables.map_err(|error| sql(path, error))? == 0;
    match (application, version) {
        (APPLICATION, version) if version > VERSION => {
            Err(ArchiveError::Newer { path: path.to_owned(), version, known: VERSION })
        }
        (APPLICATION, version) => Ok(version),
        (0, 0) if empty => Ok(0),
        _ => Err(ArchiveError::Foreign {
            path: path.to_owned(),
            what: "an SQLite database of another program",
        }),
    }
}

fn migrate(db: &mut Connection, from: i64) -> rusqlite::Result<()> {
    for (step, to) in STEPS.iter().zip(1..).skip(from as usize) {
        let change = db.transaction()?;
        change.execute_batch(step)?;
        change.pragma_update(None, "application_id", APPLICATION)?;
        change.pragma_update(None, "user_version", to)?;
        change.commit()?;
    }
    Ok(())
}

/// Makes the file, if there is none; it is readable by its owner alone, as are the files that SQLite makes beside it.
fn create(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => files::create_new(path).map(drop),
        Err(error) => Err(error),
        Ok(about) if !about.is_file() => Err(io::Error::other("it is no regular file")),
        Ok(_) => {
            let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)?;
            match file.set_permissions(fs::Permissions::from_mode(0o600)) {
                Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
                _ => Ok(()),
            }
        }
    }
}

fn open_error(path: &Path, error: &io::Error) -> ArchiveError {
    ArchiveError::Open { path: path.to_owned(), reason: error.to_string() }
}

fn not_a_database(path: &Path, error: rusqlite::Error) -> ArchiveError {
    if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
        return ArchiveError::Foreign { path: path.to_owned(), what: "no database" };
    }
    sql(path, error)
}

pub(super) fn sql(path: &Path, reason: rusqlite::Error) -> ArchiveError {
    ArchiveError::Sql { path: path.to_owned(), reason }
}
