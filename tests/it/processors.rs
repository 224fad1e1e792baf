//! What is written does not depend on how many processors there are, and so neither on which thread is ahead of which.

use std::path::Path;

use serde_json::Value;

use crate::captures;
use crate::support::{can_run, lines, must, why403};

/// The first processor that this process may use.
fn one_processor() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    list.trim().chars().take_while(char::is_ascii_digit).collect()
}

/// The output with `options`, on one processor and on all.
fn on_one_and_on_all(capture: &Path, options: &[&str]) -> [String; 2] {
    let arguments = [&["-r", capture.to_str().unwrap()][..], options].concat();
    let (program, processor) = (why403().to_str().unwrap(), one_processor());
    let pinned = [&["-c", processor.as_str(), program][..], &arguments].concat();
    [must("taskset", pinned), must(program, &arguments)]
}

/// Without hashes that have a key of their run: who asked, and the words about secrets.
fn comparable(output: &str) -> Vec<Value> {
    let mut lines = lines(output.as_bytes());
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        for keyed in ["principal", "differences"] {
            line.remove(keyed);
        }
        for finding in line.get_mut("diagnosis").into_iter().filter_map(Value::as_array_mut).flatten() {
            finding.as_object_mut().unwrap().retain(|key, _| key == "cause" || key == "confidence");
        }
    }
    lines
}

#[test]
fn one_processor_and_all_of_them_write_the_same() {
    if !can_run("one_processor_and_all_of_them_write_the_same", false, &["taskset"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for capture in [captures::story(dir.path()), captures::many(dir.path(), 400)] {
        for options in [&["--summary"][..], &["--summary", "--json"], &["--summary", "-Y", ""]] {
            let [one, all] = on_one_and_on_all(&capture, options);
            assert_eq!(one, all, "{options:?}");
        }
        let [one, all] = on_one_and_on_all(&capture, &["--json", "-Y", "", "--with-secrets"]);
        assert_eq!(comparable(&one), comparable(&all));
    }
}
