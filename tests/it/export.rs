//! Exports: every format, with and without secrets, to files that nobody else can read.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use serde_json::Value;
use tempfile::tempdir;
use why403::synth::{Conversation, pcap};

use crate::captures::{SECRETS, START, answer, story, write};
use crate::support::{can_run, lines, why403};

fn export(file: &Path, words: &[&str]) -> Output {
    let output = Command::new(why403()).arg("-r").arg(file).args(words).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn secrets_stay_in_unless_they_are_let_out() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    for format in ["json", "har", "markdown", "raw", "curl"] {
        let hidden = String::from_utf8(export(&file, &["--export", format]).stdout).unwrap();
        let shown = String::from_utf8(export(&file, &["--export", format, "--with-secrets"]).stdout).unwrap();
        for secret in SECRETS {
            assert!(!hidden.contains(secret), "{format} shows {secret}: {hidden}");
            let in_response = secret == "S4" && format == "curl";
            assert!(in_response || shown.contains(secret), "{format} lacks {secret}: {shown}");
        }
    }
}

#[test]
fn a_har_is_one_document() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let har: Value = serde_json::from_slice(&export(&file, &["--export", "har", "-Y", ""]).stdout).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert_eq!((har["log"]["version"].as_str(), entries.len()), (Some("1.2"), 6));
    let refused = entries.iter().find(|entry| entry["response"]["status"] == 403).unwrap();
    let request = &refused["request"];
    assert!(request["url"].as_str().unwrap().starts_with("http://api.example.com/v1/items?api_key="));
    assert_eq!(request["postData"]["mimeType"], "application/json");
    for key in ["cookies", "headers", "queryString"] {
        assert!(request[key].is_array(), "{key}");
    }
    assert_eq!(refused["response"]["content"]["size"], 42);
    assert_eq!(refused["time"], 1.0);
    let none: Value =
        serde_json::from_slice(&export(&file, &["--export", "har", "-Y", "status:500"]).stdout).unwrap();
    assert_eq!(none["log"]["entries"], serde_json::json!([]));
}

#[test]
fn files_are_private_and_links_are_not_followed() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let (har, victim) = (dir.path().join("out.har"), dir.path().join("victim"));
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, &har).unwrap();
    let curl = dir.path().join("curl.sh");
    let words = [format!("--export=har={}", har.display()), format!("--export=curl={}", curl.display())];
    let output = export(&file, &[&words[0], &words[1], "--json"]);
    assert_eq!(lines(&output.stdout).len(), 1);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("1 exchange written to"), "{told}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    for path in [&har, &curl] {
        let meta = fs::symlink_metadata(path).unwrap();
        assert!(meta.is_file(), "{}", path.display());
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4, "no temporary file is left");
}

#[test]
fn the_frames_of_matching_connections() {
    let dir = tempdir().unwrap();
    let file = story(dir.path());
    let out = dir.path().join("out.pcapng");
    export(&file, &["-w", out.to_str().unwrap()]);
    let again = lines(&export(&out, &["-Y", ""]).stdout);
    let clients: Vec<&str> = again.iter().map(|line| line["client"].as_str().unwrap()).collect();
    assert!(clients.contains(&"192.0.2.3:49003"), "{clients:?}");
    assert!(!clients.contains(&"192.0.2.1:49001"), "{clients:?}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_curl_command_of_a_capture_sends_the_same_bytes() {
    if !can_run("the_curl_command_of_a_capture_sends_the_same_bytes", false, &["curl"]) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = listener.local_addr().unwrap();
    let body = "{\"q\":\"it's $HOME `id`\"}";
    let request = format!(
        "POST /a?x=1 HTTP/1.1\r\nHost: {server}\r\nContent-Type: application/json\r\nX-Odd: \u{e9}'\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let frames = Conversation::new("127.0.0.9:50000".parse().unwrap(), server)
        .handshake(START)
        .client(request.as_bytes(), START.plus(1000))
        .server(answer("403 Forbidden", "{}").as_bytes(), START.plus(2000))
        .into_frames();
    let dir = tempdir().unwrap();
    let file = write(dir.path(), "one.pcap", &pcap::to_bytes(&frames));
    let script = write(dir.path(), "again.sh", &export(&file, &["--export", "curl"]).stdout);
    let recorder = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut got = Vec::new();
        let mut chunk = [0; 4096];
        while !got.ends_with(body.as_bytes()) {
            let n = stream.read(&mut chunk).unwrap();
            assert_ne!(n, 0, "{}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&chunk[..n]);
        }
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(got).unwrap()
    });
    let sent = Command::new("sh").arg(&script).env("no_proxy", "*").output().unwrap();
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let got = recorder.join().unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&got), sorted(&request));
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let dir = tempdir().unwrap();
    let body = "````\n# forged <script>alert(1)</script>\x1b[2J";
    let request =
        format!("POST /`x`|<b> HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let frames = Conversation::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:80".parse().unwrap())
        .handshake(START)
        .client(request.as_bytes(), START.plus(1000))
        .server(answer("403 Forbidden", "{}").as_bytes(), START.plus(2000))
        .into_frames();
    let file = write(dir.path(), "one.pcap", &pcap::to_bytes(&frames));
    let text = String::from_utf8(export(&file, &["--export", "md", "-Y", ""]).stdout).unwrap();
    assert!(!text.contains('\u{1b}'));
    // The fence is longer than any run of backticks inside it.
    let fence = text.lines().find(|line| line.starts_with("`````")).unwrap();
    assert!(fence.ends_with("http"), "{text}");
    let outside: String = text.split("`````").step_by(2).collect();
    assert!(!outside.contains("forged"), "{outside}");
}
