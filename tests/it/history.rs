//! `--history`: what a run leaves for the next one, and what a kill leaves of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use rusqlite::Connection;
use serde_json::Value;
use tempfile::tempdir;
use why403::synth::{MadeFrame, merge, pcap};

use crate::captures::{answer, post, talk, write};
use crate::support::{PATIENCE, Program, lines, until, why403};

fn accepted(client: u8, ms: i64) -> Vec<MadeFrame> {
    let talks = (0..6).map(|n| {
        let body = format!("{{\"n\":{n}}}");
        talk(
            client + n,
            ms + 10 * i64::from(n),
            &[(post("tokenOfTheFirst1", &body), answer("201 Created", "{\"id\":1}"))],
        )
    });
    merge(talks)
}

fn refused(client: u8, ms: i64) -> Vec<MadeFrame> {
    let no = answer("403 Forbidden", "{\"error\":\"insufficient_scope\",\"message\":\"write is needed\"}");
    merge([talk(client, ms, &[(post("tokenOfAnother22", "{\"n\":9}"), no)])])
}

fn capture(dir: &Path, name: &str, frames: &[&[MadeFrame]]) -> PathBuf {
    let mut all: Vec<MadeFrame> = frames.concat();
    all.sort_by_key(|frame| frame.time);
    write(dir, name, &pcap::to_bytes(&all))
}

fn run(arguments: &[&std::ffi::OsStr]) -> Vec<Value> {
    let output = Command::new(why403()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output.stdout)
}

fn with_history(capture: &Path, history: &Path) -> Vec<Value> {
    run(&["-r".as_ref(), capture.as_ref(), "--json".as_ref(), "--history".as_ref(), history.as_ref()])
}

#[test]
fn the_first_refusal_after_a_restart_is_explained_as_if_the_program_had_run_on() {
    let dir = tempdir().unwrap();
    let (good, bad) = (accepted(1, 0), refused(9, 5000));
    let whole = capture(dir.path(), "whole.pcap", &[&good, &bad]);
    let first = capture(dir.path(), "first.pcap", &[&good]);
    let second = capture(dir.path(), "second.pcap", &[&bad]);
    let (one, two) = (dir.path().join("one.db"), dir.path().join("two.db"));
    let expected = with_history(&whole, &one);
    std::fs::copy(dir.path().join("one.db.key"), dir.path().join("two.db.key")).unwrap();
    assert!(with_history(&first, &two).is_empty());
    let actual = with_history(&second, &two);
    assert_eq!((expected.len(), actual.len()), (1, 1));
    for name in ["id", "endpoint", "baseline", "differences", "diagnosis"] {
        assert_eq!(actual[0][name], expected[0][name], "{name}");
    }
    assert!(actual[0]["baseline"].is_object());
    // The database is a source like any other.
    let all = run(&["-r".as_ref(), two.as_ref(), "--json".as_ref(), "-Y".as_ref(), "".as_ref()]);
    assert_eq!(all.len(), 7);
    assert_eq!(all[6]["diagnosis"][0]["cause"], expected[0]["diagnosis"][0]["cause"]);
    let none =
        run(&["-r".as_ref(), two.as_ref(), "--json".as_ref(), "--until".as_ref(), "2001-01-01".as_ref()]);
    assert!(none.is_empty());
    let bytes = std::fs::read(&two).unwrap();
    let holds = |text: &str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
    assert!(!holds("tokenOfTheFirst1") && !holds("tokenOfAnother22") && holds("insufficient_scope"));
}

/// The frames as a stream: the header of the file only once.
fn stream(frames: &[MadeFrame]) -> Vec<u8> {
    pcap::to_bytes(frames).split_off(24)
}

fn kept(history: &Path) -> Option<i64> {
    let db = Connection::open(history).ok()?;
    db.query_row("SELECT count(*) FROM exchange", [], |row| row.get(0)).ok()
}

#[test]
fn a_kill_loses_nothing_that_was_committed() {
    let dir = tempdir().unwrap();
    let history = dir.path().join("h.db");
    let rounds = std::env::var("WHY403_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let mut expected = 0;
    for round in 0..rounds {
        let mut command = Command::new(why403());
        command.args(["-r", "-", "--json", "-Y", "", "--history"]).arg(&history);
        let (mut program, mut input) = Program::start_fed(&mut command);
        input.write_all(&pcap::to_bytes(&[])).unwrap();
        input.write_all(&stream(&accepted(1, round * 1000))).unwrap();
        input.flush().unwrap();
        for _ in 0..6 {
            program.next();
        }
        // Every second time the batch is committed, the other times the kill comes somewhere in it.
        if round % 2 == 0 {
            until("the batch", || kept(&history).filter(|kept| *kept >= expected + 6));
        }
        program.signal(Signal::SIGKILL);
        program.ended();
        let db = Connection::open(&history).unwrap();
        let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok", "round {round}");
        let now = kept(&history).unwrap();
        let least = expected + if round % 2 == 0 { 6 } else { 0 };
        assert!((least..=expected + 6).contains(&now), "round {round}: {now}, at least {least}");
        expected = now;
    }
}

#[test]
fn the_queries_of_the_document_run() {
    let dir = tempdir().unwrap();
    let history = dir.path().join("h.db");
    let (good, bad) = (accepted(1, 0), refused(9, 5000));
    with_history(&capture(dir.path(), "a.pcap", &[&good, &bad]), &history);
    let db = Connection::open(&history).unwrap();
    let document = include_str!("../../docs/history.md");
    let queries: Vec<&str> =
        document.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(queries.len() >= 12);
    let mut empty = 0;
    for query in &queries {
        let mut statement = db.prepare(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        let rows = statement.query_map([], |_| Ok(())).unwrap().map(Result::unwrap).count();
        empty += usize::from(rows == 0);
    }
    // The capture is old, has one endpoint, and its caller was never let through.
    assert!(empty <= 4, "{empty} of {} queries found nothing", queries.len());
    let columns = |view: &str| -> Vec<String> {
        let statement = db.prepare(&format!("SELECT * FROM {view}")).unwrap();
        statement.column_names().into_iter().map(ToOwned::to_owned).collect()
    };
    for view in ["refusals", "endpoints", "incidents"] {
        let row = document.lines().find(|line| line.starts_with(&format!("| `{view}`"))).unwrap();
        for column in columns(view) {
            let implied = ["id", "endpoint", "status", "cause"].contains(&column.as_str());
            assert!(implied || row.contains(&format!("`{column}`")), "{view}.{column} is not documented");
        }
    }
}

#[test]
fn a_database_of_another_version_is_refused_with_one_line() {
    let dir = tempdir().unwrap();
    let history = dir.path().join("h.db");
    with_history(&capture(dir.path(), "a.pcap", &[&accepted(1, 0)]), &history);
    Connection::open(&history).unwrap().execute_batch("PRAGMA user_version = 77").unwrap();
    let output = Command::new(why403()).arg("-r").arg(&history).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("version 77") && said.lines().count() == 1, "{said}");
}

fn check(history: &Path, capture: &Path, format: &str) -> (Option<i32>, String) {
    let mut command = Command::new(why403());
    command.arg("check").arg("--history").arg(history).arg("-r").arg(capture).args(["--format", format]);
    let output = command.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_check_fails_on_what_was_accepted_and_is_refused_now() {
    let dir = tempdir().unwrap();
    let history = dir.path().join("h.db");
    with_history(&capture(dir.path(), "a.pcap", &[&accepted(1, 0)]), &history);
    let before = kept(&history);
    let broken = capture(dir.path(), "b.pcap", &[&refused(9, 5000)]);
    let (code, text) = check(&history, &broken, "text");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("POST api.example.com/v1/items: was accepted before, is refused now: 403"),
        "{text}"
    );
    assert!(check(&history, &broken, "junit").1.contains("failures=\"1\""));
    assert!(check(&history, &broken, "github").1.starts_with("::error title=403 "));
    let (code, text) = check(&history, &capture(dir.path(), "c.pcap", &[&accepted(1, 9000)]), "text");
    assert_eq!((code, text.as_str()), (Some(0), "1 endpoints checked, 0 regressions\n"));
    assert_eq!(kept(&history), before, "a check keeps nothing");
}

#[test]
fn the_recorder_tells_systemd_and_prints_a_unit() {
    let dir = tempdir().unwrap();
    let (socket, history) = (dir.path().join("notify"), dir.path().join("h.db"));
    let listener = std::os::unix::net::UnixDatagram::bind(&socket).unwrap();
    listener.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = Command::new(why403());
    command.args(["record", "-r", "-", "--history"]).arg(&history).env("NOTIFY_SOCKET", &socket);
    let (mut program, mut input) = Program::start_fed(&mut command);
    input.write_all(&pcap::to_bytes(&accepted(1, 0))).unwrap();
    let mut told = [0; 64];
    let length = listener.recv(&mut told).unwrap();
    assert_eq!(&told[..length], b"READY=1");
    drop(input);
    assert!(program.rest().is_empty(), "nothing on standard output");
    assert!(program.ended().success());
    assert_eq!(kept(&history), Some(6));
    let output =
        Command::new(why403()).args(["record", "--install", "-i", "any", "tcp port 80"]).output().unwrap();
    let unit = String::from_utf8(output.stdout).unwrap();
    assert!(
        unit.contains("Type=notify\n") && unit.contains("record --history /var/lib/why403/history.db"),
        "{unit}"
    );
    assert!(unit.contains("-i any \"tcp port 80\"\n"), "{unit}");
}
