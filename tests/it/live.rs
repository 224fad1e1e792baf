//! Live captures of a real nginx and a real curl, on loopback and between two network namespaces.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Nginx, Pair, Program, can_run, lines, run, until, why403};

const TOOLS: &[&str] = &["nginx", "curl", "ip", "tcpdump"];

fn curl(command: &mut Command, arguments: &[&str]) -> String {
    let output =
        command.args(["--silent", "--show-error", "--write-out", "%{http_code}", "--output", "/dev/null"]);
    let output = output.args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "curl: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn names(differences: &Value) -> Vec<&str> {
    differences.as_array().unwrap().iter().filter_map(|difference| difference["name"].as_str()).collect()
}

#[test]
fn loopback_a_refused_post_is_set_beside_the_accepted_one() {
    if !can_run("live loopback", true, TOOLS) {
        return;
    }
    let nginx = Nginx::on_loopback();
    let port = nginx.address.port().to_string();
    let url = |path: &str| format!("http://{}{path}", nginx.address);
    let post = |arguments: &[&str]| curl(&mut Command::new("curl"), arguments);
    let mut watch = Program::start(Command::new(why403()).args(["-i", "lo", "--json", "tcp", "port", &port]));
    watch.begins_to_see(|| assert_eq!(post(&["-d", "probe", &url("/banned")]), "403"));

    let body = r#"{"name":"Ada"}"#;
    let json = "Content-Type: application/json";
    let accepted =
        post(&["-H", json, "-H", "Authorization: Bearer abc", "-d", body, &url("/v1/users/7/profile?v=2")]);
    assert_eq!(accepted, "201");
    assert_eq!(post(&["-H", json, "-d", body, &url("/v1/users/8/profile?v=2")]), "403");

    let refused = watch.next();
    assert_eq!(refused["response"]["status"], 403);
    assert_eq!(refused["outcome"], "complete");
    assert_eq!(refused["request"]["target"], "/v1/users/8/profile?v=2");
    assert_eq!(refused["request"]["body"]["text"], body);
    assert_eq!(refused["endpoint"], format!("POST {}/v1/users/{{id}}/profile", nginx.address));
    assert_eq!(refused["server"], nginx.address.to_string());
    assert!(refused["baseline"]["id"].is_u64(), "{refused}");
    assert!(names(&refused["differences"]).contains(&"authorization"), "{refused}");
    assert!(!refused["diagnosis"].as_array().unwrap().is_empty());

    watch.signal(nix::sys::signal::Signal::SIGINT);
    assert_eq!(watch.ended().code(), Some(0), "{}", watch.said());
}

#[test]
fn namespaces_what_is_seen_live_is_what_a_capture_of_the_same_frames_gives() {
    if !can_run("live namespaces", true, TOOLS) {
        return;
    }
    let pair = Pair::new();
    let nginx = Nginx::in_namespace(&pair.server, (Pair::SERVER, 80).into());
    let dir = tempfile::tempdir().unwrap();
    let capture = dir.path().join("same.pcap");
    let file = capture.to_str().unwrap();
    let mut dump = Program::start(pair.at_server("tcpdump").args([
        "-U",
        "-B",
        "32768",
        "-Z",
        "root",
        "-i",
        &pair.interface,
        "-w",
        file,
    ]));
    dump.says("listening on");
    let mut watch = Program::start(pair.at_server(why403()).args(["-i", &pair.interface, "--json"]));
    let post = |arguments: &[&str]| curl(&mut pair.at_client("curl"), arguments);
    let url = |path: &str| format!("http://{}{path}", nginx.address.ip());
    watch.begins_to_see(|| assert_eq!(post(&["-d", "probe", &url("/banned")]), "403"));

    let large = dir.path().join("large.json");
    std::fs::write(&large, vec![b'7'; 3_000_000]).unwrap();
    let upload = format!("@{}", large.display());
    let refused: [&[&str]; 5] = [
        &["-d", "a=1", &url("/v1/orders")],
        &["-d", "a=1", &url("/typed")],
        &["-d", "a=1", &url("/readonly")],
        &["--data-binary", &upload, "-H", "Expect:", &url("/large")],
        &["-H", "Transfer-Encoding: chunked", "-d", "in chunks", &url("/v1/orders")],
    ];
    for arguments in refused {
        assert_eq!(post(arguments), "403", "{arguments:?}");
    }
    // Three on one connection, of which the middle one is accepted.
    let token = ["-H", "Authorization: Bearer abc"];
    let one = ["-d", "a=1", &url("/v1/a")];
    let last = ["-d", "a=1", &url("/v1/last")];
    let together = [
        &one[..],
        &["--next", "-s", "-o", "/dev/null"],
        &token,
        &one,
        &["--next", "-s", "-o", "/dev/null"],
        &last,
    ]
    .concat();
    post(&together);

    let seen: Vec<Value> = (0..refused.len() + 2).map(|_| watch.next()).collect();
    let bodies: Vec<u64> =
        seen.iter().filter_map(|exchange| exchange["request"]["body"]["bytes"].as_u64()).collect();
    assert_eq!(bodies, [3, 3, 3, 3_000_000, 9, 3, 3]);
    replays_alike(&capture, &seen);
    dump.signal(nix::sys::signal::Signal::SIGINT);
    dump.ended();
}

/// The probes come first in the file; what follows has to be the same exchanges.
fn replays_alike(capture: &Path, seen: &[Value]) {
    // tcpdump writes what it has read, and reads when it gets to it.
    let replayed = until("the same exchanges in the file", || {
        let output = run([Path::new("-r"), capture, Path::new("--json")]);
        Some(lines(&output.stdout))
            .filter(|all| all.last().is_some_and(|last| last["request"] == seen[seen.len() - 1]["request"]))
    });
    for live in seen {
        let same = |file: &&Value| {
            file["client"] == live["client"] && file["request"]["target"] == live["request"]["target"]
        };
        let file = replayed.iter().find(same).unwrap_or_else(|| panic!("not in the file: {live}"));
        for part in ["server", "endpoint", "request", "response", "outcome"] {
            assert_eq!(live[part], file[part], "{part}");
        }
    }
}

#[test]
fn any_sees_each_exchange_once_on_the_loopback_of_a_namespace() {
    if !can_run("live any", true, TOOLS) {
        return;
    }
    let pair = Pair::new();
    let nginx = Nginx::in_namespace(&pair.server, (Pair::SERVER, 80).into());
    let mut watch = Program::start(pair.at_server(why403()).args(["--json", "-c", "1000"]));
    let url = |path: &str| format!("http://{}{path}", nginx.address.ip());
    let post = |path: &str| curl(&mut pair.at_server("curl"), &["-d", "a=1", &url(path)]);
    watch.begins_to_see(|| assert_eq!(post("/banned"), "403"));
    for number in 0..5 {
        assert_eq!(post(&format!("/v1/things/{number}")), "403");
    }
    let targets: Vec<Value> = (0..5).map(|_| watch.next()["request"]["target"].clone()).collect();
    let expected: Vec<Value> = (0..5).map(|number| format!("/v1/things/{number}").into()).collect();
    assert_eq!(targets, expected);
    watch.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(watch.ended().code(), Some(0));
    assert!(watch.rest().is_empty());
}
