//! `--log`: the server's own words beside the capture.

use std::path::Path;

use serde_json::Value;

use crate::support::{lines, run};

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
fn a_log_goes_with_a_capture_file_and_has_to_exist() {
    for (words, says) in [
        (&["-i", "lo", "--log", "x.log", "--json"][..], "--log is read together with a capture file"),
        (&["-r", "Cargo.toml", "--log", "/no/such.log", "--json"], "--log /no/such.log"),
        (&["-r", "Cargo.toml", "--log", "/no/such*.log", "--json"], "no such file"),
    ] {
        let output = run(words);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(says), "{text}");
    }
}
