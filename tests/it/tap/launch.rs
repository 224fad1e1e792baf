//! `why403 run`: a command's own requests, over HTTP and HTTPS, by real clients.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Output;

use crate::support::{can_run, lines, run};
use crate::tap::{Tap, server};

/// Reads a request and refuses it, until the client is done.
fn refuse(mut socket: TcpStream) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut content = vec![0; length];
        if line != "\r\n" || std::io::Read::read_exact(&mut reader, &mut content).is_err() {
            return;
        }
        let answer = r#"{"error":"insufficient_scope"}"#;
        let head = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n";
        write!(socket, "{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).unwrap();
    }
}

/// The NDJSON that follows the command's own output.
fn seen(output: &Output) -> Vec<serde_json::Value> {
    let own = output.stdout.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    lines(&output.stdout[own..])
}

#[test]
fn a_command_over_http_and_https() {
    if !can_run("why403 run", false, &["curl"]) {
        return;
    }
    let plain = server(refuse);
    let tap = Tap::start(plain, &[]);
    let ca = tap.ca().display().to_string();
    for url in [format!("http://{plain}/v1/things"), tap.url("/v1/things")] {
        let curl = ["curl", "-s", "-d", "{}", "-H", "Content-Type: application/json", &url];
        let output = run([&["run", "--json", "--upstream-ca", &ca, "--"], &curl[..]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(
            output.stdout.starts_with(br#"{"error":"insufficient_scope"}"#),
            "curl's own output comes first"
        );
        let seen = seen(&output);
        assert_eq!(seen.len(), 1, "{}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(seen[0]["response"]["status"], 403, "{}", seen[0]);
        assert_eq!(seen[0]["diagnosis"][0]["cause"], "insufficient-scope", "{}", seen[0]);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_never_accepted() {
    if !can_run("why403 run and a certificate", false, &["curl"]) {
        return;
    }
    let tap = Tap::start(server(refuse), &[]);
    let url = tap.url("/");
    let output = run(["run", "--json", "--", "curl", "-s", "-d", "{}", &url]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("UnknownIssuer") && !said.contains("insufficient_scope"), "{said}");
}

#[test]
fn the_command_keeps_its_exit_code_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(crate::support::why403())
        .args(["run", "--", "sh", "-c", "echo out; echo error >&2; exit 7"])
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(7), &b"out\n"[..]));
    assert!(String::from_utf8_lossy(&output.stderr).contains("error\n"));
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
