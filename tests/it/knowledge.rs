//! A directory of a user's own knowledge: the examples of docs/knowledge.md do what they say, mistakes have file and line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::tempdir;
use why403::synth::{merge, pcap};

use crate::captures::{answer, talk, write};
use crate::support::why403;

/// The examples of the document, by file name.
fn examples() -> Vec<(String, String)> {
    let document = include_str!("../../docs/knowledge.md");
    let blocks = document.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let named = |text: &str| {
        let name = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        (name.to_owned(), text.to_owned())
    };
    blocks.map(named).collect()
}

fn post(space: &str, body: &str) -> String {
    format!(
        "POST /v1/items HTTP/1.1\r\nX-Acme-Badge: badge-{space}-93b1\r\nHost: api.example.com\r\nAuthorization: Bearer T\r\nX-Acme-Space: {space}\r\nX-Acme-Hop: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len() * 7,
        body.len()
    )
}

/// Successes, then what Acme Gate says when there are no seats, then a refusal of a macro by something else.
fn capture(dir: &Path) -> PathBuf {
    let created = || answer("201 Created", "{\"id\":1}");
    let gate =
        answer("403 Forbidden", "{\"message\":\"Seat pool exhausted. Acme Gate protects this site.\"}")
            .replace("\r\n\r\n", "\r\nServer: acme-gate/2.1\r\n\r\n");
    let plain = answer("403 Forbidden", "{}");
    let blue = |body: &str| (post("blue", body), created());
    let frames = merge([
        talk(1, 0, &[blue("{\"n\":1}"), blue("{\"n\":2}"), blue("{\"n\":30}"), blue("{\"n\":4}")]),
        talk(2, 100, &[(post("red", "{\"n\":5}"), gate)]),
        talk(3, 200, &[(post("blue", "{\"n\":\"{{acme:drop}}\"}"), plain)]),
    ]);
    write(dir, "acme.pcap", &pcap::to_bytes(&frames))
}

fn run(capture: &Path, knowledge: Option<&Path>) -> Output {
    let mut command = Command::new(why403());
    command.env_clear().arg("-r").arg(capture);
    command.args(knowledge.map(|folder| format!("--knowledge={}", folder.display())));
    command.output().unwrap()
}

#[test]
fn the_examples_of_the_document_do_what_they_say() {
    let dir = tempdir().unwrap();
    let capture = capture(dir.path());
    let folder = dir.path().join("acme");
    fs::create_dir(&folder).unwrap();
    let examples = examples();
    assert_eq!(examples.len(), 9);
    for (name, text) in &examples {
        write(&folder, name, text.as_bytes());
    }
    let diagnoses = |knowledge| {
        let output = run(&capture, knowledge);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let of = |line| serde_json::from_slice::<serde_json::Value>(line).unwrap()["diagnosis"].clone();
        lines.map(of).collect::<Vec<_>>()
    };
    let before = diagnoses(None);
    let after = diagnoses(Some(&folder));
    assert_eq!((before.len(), after.len()), (2, 2));
    let (gate, text) = (&after[0][0], after[0].to_string());
    assert_eq!(gate["cause"], "quota", "{text}");
    assert!(gate["confidence"].as_f64().unwrap() > 0.8, "{text}");
    for part in [
        "Acme Gate gate.log: look for `seats=0 POST /v1/items`",
        "Open the workspace in the Acme console",
        "x-acme-space",
    ] {
        assert!(text.contains(part), "{part} in {text}");
        assert!(!before[0].to_string().contains(part) || part == "x-acme-space", "{part}");
    }
    assert!(!text.contains("x-acme-hop"), "{text}");
    // The catalogue makes a secret of what would be shown otherwise.
    assert!(before[0].to_string().contains("badge-red-93b1"), "{}", before[0]);
    assert!(!text.contains("badge-red-93b1"), "{text}");
    let log = write(
        dir.path(),
        "gate.log",
        b"2026-11-22T07:52:00.102Z 192.0.2.2 POST /v1/items decision=deny reason=seats workspace=red\n",
    );
    let mut command = Command::new(why403());
    command.env_clear().arg("-r").arg(&capture).arg("--log").arg(&log).arg("--knowledge").arg(&folder);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("Acme Gate") && text.contains("workspace"), "{text}");
    assert_eq!(after[1][0]["cause"], "waf", "{}", after[1]);
    assert!(after[1].to_string().contains("Acme macro"), "{}", after[1]);
    assert!(!before[1].to_string().contains("Acme macro"));
}

#[test]
fn each_example_stands_alone_and_a_mistake_in_it_has_file_and_line() {
    let dir = tempdir().unwrap();
    let capture = capture(dir.path());
    for (name, text) in examples() {
        let folder = dir.path().join(name.replace('.', "-"));
        fs::create_dir(&folder).unwrap();
        write(&folder, &name, text.as_bytes());
        let output = run(&capture, Some(&folder));
        assert_eq!(output.status.code(), Some(0), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        write(&folder, &name, format!("{text}\n[[oops]]\nx = 1\n").as_bytes());
        let output = run(&capture, Some(&folder));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.starts_with("why403: ") && said.matches('\n').count() == 1, "{said}");
        let place = format!("{}:", folder.join(&name).display());
        let line = said.split(&place).nth(1).and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
        assert!(line.is_some(), "{said}");
    }
}

#[test]
fn folders_that_are_not_knowledge_are_refused() {
    let dir = tempdir().unwrap();
    let capture = capture(dir.path());
    for (name, part) in [("rules.toml", "rules.toml: the name must begin with one of"), ("README", "no file")]
    {
        let folder = dir.path().join(name.replace('.', "-"));
        fs::create_dir(&folder).unwrap();
        write(&folder, name, b"");
        let output = run(&capture, Some(&folder));
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(part));
    }
    assert_eq!(run(&capture, Some(Path::new("/nonexistent"))).status.code(), Some(2));
}
