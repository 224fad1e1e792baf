//! The database as its users see it: bounds, versions, damage, keys, several readers.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::mpsc;

use rusqlite::Connection;

use super::record;
use super::{
    ArchiveError, Bounds, Counts, Kind, Message, Period, Reader, Row, StoreKey, Writer, is_database,
};
use crate::features::tests::{exchange, request, response};
use crate::model::{Endpoint, Timestamp};

const WIDE: Bounds = Bounds { bytes: 1 << 30, age: None };

fn endpoint(template: &str) -> Endpoint {
    Endpoint { method: "POST".into(), authority: "h".into(), template: template.into() }
}

fn row(id: u64, template: &str, status: u16, identity: u64) -> Row {
    let request = request("POST", template, &[("Host", "h")], &[b'x'; 400]);
    let mut one = exchange("10.0.0.1", id as i64, request, response(status, &[], b"answer"));
    one.id.0 = id;
    Row {
        id,
        endpoint: endpoint(template),
        started: Timestamp(id as i64 * 1_000_000_000),
        latency: Some(1_000_000),
        client: one.client,
        server: one.server,
        method: "POST".into(),
        target: template.into(),
        status: Some(status),
        outcome: "complete",
        kind: if status < 300 { Kind::Success } else { Kind::Refusal },
        identity: Some(identity),
        record: record::write(1, &one),
    }
}

fn write(path: &Path, bounds: Bounds, rows: impl IntoIterator<Item = Row>) -> StoreKey {
    let key = StoreKey::open(path).unwrap();
    let mut writer =
        Writer::open(path, &key, "test", true).unwrap().start(bounds, true, |text| panic!("{text}")).unwrap();
    for row in rows {
        let endpoint = row.endpoint.clone();
        writer.send(Message::Exchange(Box::new(row)));
        writer.send(Message::Counts(endpoint, Counts { exchanges: 1, successes: 1, refusals: 0 }));
    }
    key
}

fn ids(path: &Path) -> Vec<u64> {
    let mut reader = Reader::open(path, Period::default()).unwrap();
    let mut ids = Vec::new();
    loop {
        let page = reader.page().unwrap();
        if page.is_empty() {
            return ids;
        }
        ids.extend(page.iter().map(|read| read.exchange.id.0));
    }
}

fn check(path: &Path) {
    let db = Connection::open(path).unwrap();
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

#[test]
fn what_is_written_is_read_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    drop(write(&path, WIDE, (1..=1500).map(|id| row(id, "/a", 200, 1))));
    drop(write(&path, WIDE, (1501..=1600).map(|id| row(id, "/b", 403, 1))));
    assert!(ids(&path).into_iter().eq(1..=1600));
    check(&path);
    let db = Connection::open(&path).unwrap();
    let counted: (i64, i64) = db
        .query_row("SELECT sum(exchanges), count(*) FROM endpoints", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(counted, (1600, 2));
    let period = Period { since: 10_000_000_000, until: 20_000_000_000 };
    let page = Reader::open(&path, period).unwrap().page().unwrap();
    assert!(page.iter().map(|read| read.exchange.id.0).eq(10..20));
}

#[test]
fn files_are_the_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let key = StoreKey::open(&path).unwrap();
    let opened = Writer::open(&path, &key, "test", true).unwrap();
    let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let all: Vec<_> = names.collect();
    assert!(all.len() >= 3, "{all:?}");
    for file in all {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
    assert!(matches!(StoreKey::open(&path), Err(ArchiveError::Busy { .. })), "one writer");
    drop(opened);
}

#[test]
fn the_oldest_successes_leave_first_and_the_last_of_an_endpoint_never() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let bounds = Bounds { bytes: 600_000, age: None };
    let rows = (1..=200)
        .map(|id| row(id, if id <= 3 { "/rare" } else { "/refused" }, if id <= 3 { 200 } else { 403 }, id));
    drop(write(&path, bounds, rows.chain((201..=4000).map(|id| row(id, "/busy", 200, id % 3)))));
    let left = ids(&path);
    assert!(left.contains(&3), "the last success of a rare endpoint");
    assert!((4..=200).all(|id| left.contains(&id)), "refusals stay while successes can leave");
    assert!(left.contains(&4000) && !left.contains(&300));
    let size = fs::metadata(&path).unwrap().len();
    assert!(size < 900_000, "{size}");
    drop(write(&path, bounds, (4001..=9000).map(|id| row(id, "/refused", 403, id))));
    let left = ids(&path);
    assert!(left.contains(&3) && left.contains(&4000) && left.contains(&9000) && !left.contains(&4));
    check(&path);
}

#[test]
fn what_is_too_old_leaves() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let bounds = Bounds { bytes: 1 << 20, age: Some(100 * 1_000_000_000) };
    drop(write(&path, bounds, (1..=500).map(|id| row(id, "/a", if id % 2 == 0 { 403 } else { 200 }, 1))));
    let left = ids(&path);
    assert!(left.iter().all(|id| *id >= 400), "{left:?}");
    assert!(left.len() >= 100, "{}", left.len());
}

#[test]
fn other_files_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    fs::write(&path, b"\xd4\xc3\xb2\xa1 a capture").unwrap();
    assert!(!is_database(&path));
    let open = |path: &Path| {
        let key = StoreKey::open(path).unwrap();
        Writer::open(path, &key, "test", true).map(|_| ()).unwrap_err().to_string()
    };
    assert!(open(&path).contains("no database"), "{}", open(&path));
    let other = dir.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(open(&other).contains("another program"), "{}", open(&other));
    let newer = dir.path().join("newer.db");
    drop(write(&newer, WIDE, [row(1, "/a", 200, 1)]));
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    for text in [open(&newer), Reader::open(&newer, Period::default()).map(|_| ()).unwrap_err().to_string()] {
        assert!(text.contains("version 99") && text.contains("use a newer why403"), "{text}");
    }
}

#[test]
fn a_lost_key_is_noticed_and_a_spoilt_one_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    drop(write(&path, WIDE, [row(1, "/a", 200, 1)]));
    let file = super::key::key_path(&path);
    let old = StoreKey::open(&path).unwrap();
    assert!(!Writer::open(&path, &old, "test", true).unwrap().key_changed);
    fs::remove_file(&file).unwrap();
    let new = StoreKey::open(&path).unwrap();
    assert!(new.is_new && new.bytes() != old.bytes());
    assert!(Writer::open(&path, &new, "test", true).unwrap().key_changed);
    fs::write(&file, b"abc").unwrap();
    let error = StoreKey::open(&path).unwrap_err().to_string();
    assert!(error.contains("64 hexadecimal digits"), "{error}");
}

#[test]
fn readers_see_what_is_committed_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let key = StoreKey::open(&path).unwrap();
    let mut writer = Writer::open(&path, &key, "test", true).unwrap().start(WIDE, true, |_| ()).unwrap();
    let (mut one, mut two) =
        (Reader::open(&path, Period::default()).unwrap(), Reader::open(&path, Period::default()).unwrap());
    for id in 1..=5 {
        writer.send(Message::Exchange(Box::new(row(id, "/a", 200, 1))));
        writer.flush();
        for reader in [&mut one, &mut two] {
            let page = reader.page().unwrap();
            assert!(page.iter().map(|read| read.exchange.id.0).eq([id]));
            assert!(reader.page().unwrap().is_empty());
        }
    }
}

#[test]
fn damaged_pages_are_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    drop(write(&path, WIDE, (1..=4000).map(|id| row(id, "/a", 200, 1))));
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 3 * 4096].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let mut reader = Reader::open(&path, Period::default()).unwrap();
    let (mut read, mut last) = (0, 0);
    loop {
        let page = reader.page().unwrap();
        if page.is_empty() {
            break;
        }
        read += page.len();
        last = page.last().map_or(0, |read| read.exchange.id.0);
    }
    assert!(reader.damaged > 0 && reader.damage.is_some());
    // A page of the tree may be among them, with some hundred leaves below it.
    assert!((2000..4000).contains(&read), "{read} of 4000 were read");
    assert_eq!(last, 4000, "what comes behind the damage is read");
}

#[test]
fn a_full_disk_is_said_once_and_recording_goes_on_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let key = StoreKey::open(&path).unwrap();
    let opened = Writer::open(&path, &key, "test", true).unwrap();
    // SQLite reports a database at its limit as it reports a full disk.
    opened.limit_pages(60);
    let (said, heard) = mpsc::channel();
    let mut writer = opened.start(WIDE, true, move |text| said.send(text.to_owned()).unwrap()).unwrap();
    let mut id = 0;
    for _ in 0..20 {
        for _ in 0..50 {
            id += 1;
            writer.send(Message::Exchange(Box::new(row(id, "/a", 200, 1))));
        }
        writer.flush();
    }
    let said: Vec<String> = heard.try_iter().collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("the disk is full"), "{said:?}");
    drop(writer);
    check(&path);
    let before = ids(&path).len();
    assert!((50..1000).contains(&before), "{before}");
}

/// A file as version 1 made it: what comes later must bring it to the newest version and keep everything.
#[test]
fn older_versions_are_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("h.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(include_str!("schema/v1.sql")).unwrap();
    db.execute_batch("PRAGMA application_id = 0x77687934; PRAGMA user_version = 1;").unwrap();
    db.execute_batch("INSERT INTO endpoint (id, method, authority, template) VALUES (1, 'POST', 'h', '/a')")
        .unwrap();
    let old = row(7, "/a", 200, 1);
    db.execute(
        "INSERT INTO exchange (id, run, endpoint, started, client, client_port, server, method, target, status, outcome, \
         kind, record) VALUES (7, 1, 1, 7, 'c', 1, 's', 'POST', '/a', 200, 'complete', 'success', ?1)",
        [old.record],
    )
    .unwrap();
    drop(db);
    drop(write(&path, WIDE, [row(8, "/a", 403, 1)]));
    assert_eq!(ids(&path), [7, 8]);
    let db = Connection::open(&path).unwrap();
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, super::database::VERSION);
}
