//! `--log`: the server's own words beside the capture.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Nginx, Program, can_run, lines, must, run, until, why403};

/// The best log record of every refused exchange in the labelled captures that have a server's log.
#[test]
fn the_right_record_comes_first_on_labelled_captures() {
    let Ok(folders) = std::fs::read_dir("../shared/cases") else {
        return crate::support::skipped(
            "the_right_record_comes_first_on_labelled_captures",
            "no ../shared/cases",
        );
    };
    let (mut refusals, mut right, mut wrong, mut missed) = (0, 0, 0, Vec::new());
    for folder in folders.map(|entry| entry.unwrap().path()) {
        let Ok(label) = std::fs::read(folder.join("label.json")) else { continue };
        let label: Value = serde_json::from_slice(&label).unwrap();
        let Some(wanted) = label["server_log"].as_str().filter(|_| folder.join("server.log").is_file())
        else {
            continue;
        };
        let wanted = plain(wanted);
        for line in refused(&folder, label["method"].as_str().unwrap()) {
            refusals += 1;
            let best = &line["log"][0];
            let first = best["text"].as_str().unwrap_or_default().lines().next().unwrap_or("nothing");
            if wanted.contains(&first.chars().take(60).collect::<String>()) {
                right += 1;
                continue;
            }
            missed.push(format!("{}: {first}", folder.display()));
            if best["confidence"].as_f64().is_some_and(|confidence| confidence >= 0.8) {
                wrong += 1;
            }
        }
    }
    assert!(refusals > 100, "{refusals} refusals");
    assert!(right * 100 >= refusals * 97, "{right} of {refusals} right; {missed:#?}");
    assert!(wrong * 100 <= refusals, "{wrong} of {refusals} wrong with a confidence of 0.8 and more");
}

/// Without terminal colours.
fn plain(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

fn refused(folder: &Path, method: &str) -> Vec<Value> {
    let mut words = vec!["-r".to_owned(), folder.join("capture.pcap").display().to_string()];
    words.extend(["--json", "-Y", "status:403", "--sandbox", "off"].map(str::to_owned));
    words.extend(["--log".to_owned(), folder.join("*.log").display().to_string()]);
    let mut all = lines(&run(words).stdout);
    all.retain(|line| line["request"]["method"] == method);
    all
}

#[test]
fn a_log_has_to_exist() {
    for (words, says) in [
        (&["-r", "-", "--log", "-", "--json"][..], "both read standard input"),
        (&["-i", "lo", "--log", "/no/such.log", "--json"], "--log /no/such.log"),
        (&["-r", "Cargo.toml", "--log", "/no/such.log", "--json"], "--log /no/such.log"),
        (&["-r", "Cargo.toml", "--log", "/no/such*.log", "--json"], "no such file"),
    ] {
        let output = run(words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(says), "{text}");
    }
}

const TOOLS: &[&str] = &["nginx", "curl"];

/// An inspector that watches `nginx` with what else `words` say, until it sees.
fn watching(nginx: &Nginx, words: &[&str]) -> Program {
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    command.args(["-i", "lo", "--json"]).args(words).args(["tcp", "port", &port]);
    let mut program = Program::start(&mut command);
    program.begins_to_see(|| nginx.refuse());
    program
}

/// The line of the refusal at `path`; those of the probes before may still come.
fn line_of(watch: &mut Program, path: &str) -> Value {
    std::iter::from_fn(|| Some(watch.next())).find(|line| line["request"]["target"] == path).unwrap()
}

fn post(nginx: &Nginx, path: &str) {
    must("curl", ["-s", "-o", "/dev/null", "-d", "a=1", &format!("http://{}{path}", nginx.address)]);
}

/// The text of the best record.
fn best(line: &Value) -> String {
    let best = &line["log"][0];
    assert!(best["confidence"].as_f64().is_none_or(|sure| sure >= 0.8), "{best}");
    best["text"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn live_a_refusal_carries_the_record_of_a_log_in_another_zone() {
    if !can_run("live logs", true, TOOLS) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nginx = Nginx::logging(dir.path(), "Asia/Tokyo");
    let pattern = dir.path().join("*.log").display().to_string();
    let mut watch = watching(&nginx, &["--log", &pattern]);
    post(&nginx, "/readonly");
    let line = line_of(&mut watch, "/readonly");
    let text = best(&line);
    assert!(text.contains("access forbidden by rule") && text.contains("POST /readonly"), "{line}");
    assert_eq!(line["log"][0]["file"], "error.log", "{line}");
    assert!(line["log"][0]["line"].as_u64().unwrap() > 1, "{line}");
    // The access log has it too, with another path for each.
    for path in ["/v1/a", "/v1/b", "/typed"] {
        post(&nginx, path);
        let line = line_of(&mut watch, path);
        assert!(best(&line).contains(&format!("POST {path} HTTP/1.1\" 403")), "{line}");
    }
    watch.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(watch.ended().code(), Some(0), "{}", watch.said());
}

#[test]
fn live_logs_are_followed_through_rotation() {
    if !can_run("live log rotation", true, TOOLS) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nginx = Nginx::logging(dir.path(), "UTC");
    let log = dir.path().join("access.log");
    let mut watch = watching(&nginx, &["--log", &log.display().to_string()]);
    let mut refused = |path: &str| {
        post(&nginx, path);
        let line = line_of(&mut watch, path);
        assert!(best(&line).contains(&format!("POST {path} HTTP/1.1\" 403")), "{path}: {line}");
        line["log"][0]["line"].as_u64().unwrap()
    };
    let before = refused("/v1/before");
    // As logrotate's create.
    fs::rename(&log, dir.path().join("access.log.1")).unwrap();
    assert_eq!(refused("/v1/renamed"), before + 1);
    nginx.reopen_logs();
    until("nginx to open its log again", || log.exists().then_some(()));
    assert_eq!(refused("/v1/created"), 1);
    // As its copytruncate.
    fs::copy(&log, dir.path().join("access.log.2")).unwrap();
    OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    assert_eq!(refused("/v1/truncated"), 1);
    assert_eq!(refused("/v1/after"), 2);
}

#[test]
fn live_a_log_on_standard_input_whose_clock_is_wrong_is_joined() {
    if !can_run("a live log on standard input", true, TOOLS) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nginx = Nginx::logging(dir.path(), "UTC");
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    command.args(["-i", "lo", "--json", "--log", "-", "tcp", "port", &port]);
    let (mut watch, mut input) = Program::start_fed(&mut command);
    watch.begins_to_see(|| nginx.refuse());
    for number in 0..3 {
        let path = format!("/v1/orders/{number}");
        post(&nginx, &path);
        // Five seconds ahead, without a zone.
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(5);
        let time = ahead.strftime("%Y-%m-%d %H:%M:%S");
        writeln!(input, "{time} WARN denied: role missing for POST {path}").unwrap();
        let line = line_of(&mut watch, &path);
        assert!(best(&line).contains(&format!("role missing for POST {path}")), "{line}");
    }
}

/// The process that follows logs holds nothing but what it reads, and ends with the inspector.
#[test]
fn live_the_log_reader_process_is_confined_and_ends_with_the_inspector() {
    if !can_run("the log reader process", true, TOOLS) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let nginx = Nginx::logging(dir.path(), "UTC");
    let log = dir.path().join("access.log").display().to_string();
    let mut watch = watching(&nginx, &["--log", &log]);
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", watch.id())).unwrap();
    let is_reader = |child: &&str| {
        let command = fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        command.split(|byte| *byte == 0).any(|argument| argument == b"logs")
    };
    let child: u32 = children.split_whitespace().find(is_reader).unwrap().parse().unwrap();
    let status = fs::read_to_string(format!("/proc/{child}/status")).unwrap();
    let value =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(value("Seccomp:"), "2");
    assert_eq!(value("NoNewPrivs:"), "1");
    // CAP_DAC_READ_SEARCH.
    assert_eq!(value("CapEff:"), "0000000000000004");
    watch.signal(nix::sys::signal::Signal::SIGINT);
    watch.ended();
    until("the log reader process to end", || {
        let state = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        (state.is_empty() || state.contains(") Z ")).then_some(())
    });
}
