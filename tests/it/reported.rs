//! Inputs that were once read or written wrongly, each with what is right. They are taken from `../shared/cases/faults` where that
//! exists; captures made with `synth` hold the same kinds in the unit tests of each area.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{run, why403};

/// The folder of reported inputs; says loudly when it is not there.
fn folder() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = ["../shared/cases/faults", "../../shared/cases/faults"]
        .map(|path| home.join(path))
        .into_iter()
        .find(|path| path.is_dir());
    if found.is_none() {
        eprintln!("SKIPPED reported inputs: there is no ../shared/cases/faults");
    }
    found
}

/// A capture, how it is read, what the output must hold and what it must not.
type Case = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);

const JSON: &[&str] = &["-Y", "", "--json"];
const CURL: &[&str] = &["-Y", "", "--export", "curl", "--with-secrets"];

const CASES: &[Case] = &[
    ("after-synack-gap/capture.pcap", JSON, &["\"target\":\"/Apcn/ApcRemoteServiXe\""], &[]),
    (
        "cl-short-form/capture.pcap",
        JSON,
        &["\"method\":\"GET\",\"target\":\"/b\"", "body-longer-than-content-length"],
        &["v2GET"],
    ),
    ("gzip-bad-crc/capture.pcap", JSON, &["hello world", "content-coding-damaged"], &[]),
    ("gzip-truncated/capture.pcap", JSON, &["hello world", "content-coding-damaged"], &[]),
    (
        "leading-sp-before-request-line/capture.pcap",
        JSON,
        &["\"target\":\"/p?x=1\"", "\"status\":403", "white-space-before-start-line"],
        &["orphan-response"],
    ),
    ("non-http-answer/capture.pcap", JSON, &["not-http-response", "\"not_http\":\"Hello World!\""], &[]),
    ("nul-before-status-line/capture.pcap", JSON, &["not-http-response", "\\u0000HTTP/1.1 403"], &[]),
    (
        "partial-request-line-then-408/capture.pcap",
        JSON,
        &["\"target\":\"/slow\"", "\"status\":408"],
        &["orphan-response"],
    ),
    ("proxy-v1/capture.pcap", JSON, &["\"client\":\"203.0.113.9:5555\"", "\"peer\":\"10.1.0.1:4000\""], &[]),
    ("proxy-v2/capture.pcap", JSON, &["\"client\":\"203.0.113.9:5555\"", "\"peer\":\"10.1.0.1:4000\""], &[]),
    (
        "te--chunked--deflate-resp/capture.pcap",
        JSON,
        &["\"text\":\"World\"", "\"outcome\":\"complete\""],
        &[],
    ),
    ("vxlan-reserved/capture.pcap", JSON, &["/?cmd=/etc/passwd", "\"status\":200"], &[]),
    ("capture-filter-tunnel-silent/vxlan.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/gre.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/mpls2.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/pppoe.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/sll-vlan.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/nflog.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("capture-filter-tunnel-silent/pktap.pcap", &["--json", "port", "8080"], &["\"target\":\"/l\""], &[]),
    ("curl-framing-dropped/chunked.pcap", CURL, &["-H 'Transfer-Encoding: chunked'"], &[]),
    ("curl-framing-dropped/connection-close.pcap", CURL, &["-H 'Connection: close'"], &[]),
    ("curl-framing-dropped/te-and-cl.pcap", CURL, &["# Note: Content-Length beside Transfer-Encoding"], &[]),
    ("curl-framing-dropped/dup-cl.pcap", CURL, &["# Note: Content-Length is sent 2 times"], &[]),
    ("curl-framing-dropped/obs-fold.pcap", CURL, &["# Note: a field whose value holds a line break"], &[]),
    (
        "filter-foreign-syntax-silent/har.pcap",
        &["--json", "-Y", "http.response.code == 403"],
        &["write `status:403`"],
        &["\"v\":1"],
    ),
    (
        "filter-foreign-syntax-silent/har.pcap",
        &["--json", "-Y", "host~api"],
        &["write `host:api`"],
        &["\"v\":1"],
    ),
    (
        "filter-foreign-syntax-silent/har.pcap",
        &["--json", "-Y", "~m POST"],
        &["write `method:POST`"],
        &["\"v\":1"],
    ),
    (
        "har-binary-request-body/har.pcap",
        &["-Y", "id:3 or id:4", "--export", "har"],
        &["\"params\"", "\"comment\""],
        &[],
    ),
    (
        "har-compressed-size/har.pcap",
        &["-Y", "id:5", "--export", "har"],
        &["\"size\": 165", "\"compression\": 109", "\"bodySize\": 56"],
        &[],
    ),
    (
        "har-set-cookie-attributes/har.pcap",
        &["-Y", "id:14", "--export", "har", "--with-secrets"],
        &["\"path\": \"/\"", "\"httpOnly\": true", "2027-06-09T10:18:14.000Z", "\"domain\": \".api.test\""],
        &[],
    ),
    (
        "har-url-not-absolute/har.pcap",
        &["-Y", "method:OPTIONS or method:CONNECT or id:22", "--export", "har"],
        &["http://api.test/*", "http://h.test:443/", "/%FF?q=%E9"],
        &[],
    ),
    ("text-escape-ambiguous/amb.pcap", &["--json"], &["tok\\\\xffen", "tok\\\\\\\\xffen"], &[]),
];

#[test]
fn reported_captures_give_what_is_right() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for (file, args, held, lacking) in CASES {
        let path = folder.join(file);
        let output = run(["-r", path.to_str().unwrap()].iter().chain(*args).copied());
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).replace("\": ", "\":");
        let has = |part: &&&str| text.contains(&part.replace("\": ", "\":"));
        wrong.extend(held.iter().filter(|part| !has(part)).map(|part| format!("{file} lacks {part}")));
        wrong.extend(lacking.iter().filter(has).map(|part| format!("{file} has {part}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_capture_that_comes_in_two_halves_is_no_step_of_the_clock() {
    let Some(folder) = folder() else { return };
    let bytes = std::fs::read(folder.join("follow-buffered-false-clock/buf.pcap")).unwrap();
    let mut child = Command::new(why403())
        .args(["-r", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &bytes).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn text_before_a_remote_capture_is_skipped() {
    let Some(folder) = folder() else { return };
    let script = folder.join("ssh-banner-before-capture/ssh-with-banner.sh");
    let output = run(["ssh", "--ssh", script.to_str().unwrap(), "box", "-Y", "", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("Welcome to box"), "{said}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\"target\":\"/slow\""));
}
