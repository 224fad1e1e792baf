//! Records of other programs in place of captures.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::tempdir;

use crate::captures::{story, write};
use crate::support::{lines, why403};

fn read(file: &Path, words: &[&str]) -> Output {
    Command::new(why403()).arg("-r").arg(file).args(words).output().unwrap()
}

/// The exchanges of a file, without what a record cannot have.
fn told(file: &Path, words: &[&str]) -> Vec<Value> {
    let output = read(file, words);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let mut all = lines(&output.stdout);
    for one in &mut all {
        let one = one.as_object_mut().unwrap();
        one.remove("source");
        one.remove("connection");
    }
    all
}

#[test]
fn a_capture_exported_as_har_and_read_again_is_the_same() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let har = dir.path().join("story.bin");
    let export = format!("--export=har={}", har.display());
    assert!(read(&file, &["-Y", "", "--with-secrets", &export]).status.success());
    let words = ["-Y", "", "--with-secrets", "--json"];
    let (before, after) = (told(&file, &words), told(&har, &words));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        for key in ["started", "client", "server", "endpoint", "baseline", "differences", "outcome"] {
            assert_eq!(before[key], after[key], "{key}");
        }
        // Not their confidence: an archive does not tell that a connection was captured from its middle.
        let findings = |exchange: &Value| -> Vec<(Value, Value)> {
            let all = exchange["diagnosis"].as_array().unwrap();
            all.iter().map(|one| (one["cause"].clone(), one["at"].clone())).collect()
        };
        assert_eq!(findings(before), findings(after));
        for key in ["headers", "body", "method", "target", "version"] {
            assert_eq!(before["request"][key], after["request"][key], "{key}");
            assert_eq!(before["response"].get(key), after["response"].get(key), "{key}");
        }
    }
}

#[test]
fn an_archive_is_told_by_its_content_compressed_or_piped() {
    let dir = tempdir().unwrap();
    let har = br#"{"log":{"entries":[{"request":{"method":"POST","url":"https://a.test/x","headers":[]},
        "response":{"status":403,"headers":[],"content":{"text":"{\"error\":\"insufficient_scope\"}"}}}]}}"#;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(har).unwrap();
    let gzip = gzip.finish().unwrap();
    for bytes in [&har[..], &gzip] {
        let file = write(dir.path(), "any.name", bytes);
        let line = &lines(&read(&file, &["--json"]).stdout)[0];
        assert_eq!(line["diagnosis"][0]["cause"], "insufficient-scope");
        assert_eq!((&line["source"]["format"], &line["source"]["entry"]), (&"har".into(), &1.into()));
        assert!(line["source"]["absent"]["client"].is_string());
    }
    let mut piped = Command::new(why403())
        .args(["-r", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    piped.stdin.take().unwrap().write_all(har).unwrap();
    assert_eq!(lines(&piped.wait_with_output().unwrap().stdout).len(), 1);
}

#[test]
fn a_damaged_archive_gives_one_error_and_what_was_read() {
    let dir = tempdir().unwrap();
    let entry =
        r#"{"request":{"method":"POST","url":"https://a.test/x","headers":[]},"response":{"status":403}}"#;
    let file =
        write(dir.path(), "cut.har", format!("{{\"log\":{{\"entries\":[{entry},\n{entry},\n{{").as_bytes());
    let output = read(&file, &["--json"]);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), lines(&output.stdout).len()), (Some(2), 2), "{stderr}");
    assert!(
        stderr.contains("line 3, column 2") && stderr.contains("the 2 entries before that are used"),
        "{stderr}"
    );
    let other = write(dir.path(), "other.json", br#"{"openapi":"3.1.0"}"#);
    let output = read(&other, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no HAR"));
}

#[test]
fn frames_are_not_made_up() {
    let dir = tempdir().unwrap();
    let har = write(
        dir.path(),
        "a.har",
        br#"{"log":{"entries":[{"request":{"method":"POST","url":"https://a.test/x","headers":[]},"response":{"status":403}}]}}"#,
    );
    let out = dir.path().join("out.pcapng");
    let output = read(&har, &["--json", "-w", out.to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("-w writes frames"));
    assert_eq!(output.status.code(), Some(4));
    let output = read(&har, &["--summary", "tcp", "port", "80"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("-Y filters exchanges"));
    assert!(String::from_utf8_lossy(&output.stdout).contains('1'), "{}", fs::metadata(&har).unwrap().len());
}
