//! The clients that people use: curl, openssl, Python, Node, a browser.

use std::process::{Command, Stdio};

use super::Tap;
use crate::support::{Nginx, can_run, happens_to_have, must};

/// Runs one client against nginx behind the tap, and checks that the mirror shows its POST refused, from its address.
fn post_is_seen(test: &str, tools: &[&str], client: impl FnOnce(&Tap)) {
    if !can_run(test, false, &[&["nginx", "tshark"], tools].concat()) {
        return;
    }
    let nginx = Nginx::on_loopback();
    let mut tap = Tap::start(nginx.address, &[]);
    let mirror = tap.mirror();
    client(&tap);
    tap.stop();
    let capture = mirror.whole();
    let seen =
        capture.tshark("http.request.method == POST", &["ip.src", "http.request.uri", "http.file_data"]);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen[0].starts_with("127.0.0.1\t/v1/users?from="), "{seen:?}");
    assert_eq!(capture.tshark("http.response.code == 403", &["tcp.dstport"]).len(), 1);
}

fn curl(tap: &Tap, more: &[&str]) -> String {
    let ca = tap.ca();
    let mut words = vec![
        "-sS",
        "--cacert",
        ca.to_str().unwrap(),
        "-o",
        "/dev/null",
        "-w",
        "%{http_version} %{http_code}",
    ];
    words.extend(more);
    let url = tap.url("/v1/users?from=curl");
    words.extend(["-d", "{\"a\":1}", &url]);
    must("curl", words)
}

#[test]
fn curl_over_http_1() {
    post_is_seen("curl_over_http_1", &["curl"], |tap| assert_eq!(curl(tap, &["--http1.1"]), "1.1 403"));
}

#[test]
fn curl_that_would_rather_speak_http_2() {
    post_is_seen("curl_that_would_rather_speak_http_2", &["curl"], |tap| {
        assert_eq!(curl(tap, &["--http2"]), "1.1 403");
    });
}

#[test]
fn openssl_with_either_version_of_tls() {
    for version in ["-tls1_2", "-tls1_3"] {
        post_is_seen("openssl_with_either_version_of_tls", &["openssl"], |tap| {
            let mut child = Command::new("openssl")
                .args(["s_client", "-quiet", version, "-verify_return_error", "-servername", "localhost"])
                .args(["-verify_hostname", "localhost", "-CAfile"])
                .arg(tap.ca())
                .args(["-connect", &tap.address.to_string()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let request = "POST /v1/users?from=openssl HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
            std::io::Write::write_all(child.stdin.as_mut().unwrap(), request.as_bytes()).unwrap();
            let mut answer = String::new();
            std::io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut answer).unwrap();
            child.wait().unwrap();
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
        });
    }
}

#[test]
fn python_requests() {
    let has_requests =
        Command::new("python3").args(["-c", "import requests"]).status().is_ok_and(|status| status.success());
    let tools: &[&str] = if has_requests { &["python3"] } else { &["python3-requests"] };
    post_is_seen("python_requests", tools, |tap| {
        let script = format!(
            "import requests; print(requests.post('{}', json={{'a': 1}}, verify='{}').status_code)",
            tap.url("/v1/users?from=python"),
            tap.ca().display()
        );
        assert_eq!(must("python3", ["-c", &script]).trim(), "403");
    });
}

#[test]
fn node_fetch() {
    post_is_seen("node_fetch", &["node"], |tap| {
        let script = format!(
            "fetch('{}', {{method: 'POST', body: '{{}}', headers: {{'content-type': 'application/json'}}}})\
             .then(r => console.log(r.status))",
            tap.url("/v1/users?from=node")
        );
        let output =
            Command::new("node").args(["-e", &script]).env("NODE_EXTRA_CA_CERTS", tap.ca()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "403", "{output:?}");
    });
}

#[test]
fn a_browser() {
    if !happens_to_have("a_browser", "chromium") {
        return;
    }
    let page = |tap: &Tap| {
        let profile = tempfile::tempdir().unwrap();
        // The page's script posts by fetch and puts the status where --dump-dom shows it.
        let target = tap.url("/v1/users?from=browser");
        let script = format!(
            "<script>fetch('{target}',{{method:'POST',mode:'no-cors',body:'x'}})\
             .then(r=>document.title='done '+r.type)</script>"
        );
        let file = profile.path().join("page.html");
        std::fs::write(&file, script).unwrap();
        let output = Command::new("chromium")
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--ignore-certificate-errors",
                "--dump-dom",
            ])
            .args(["--disable-background-networking", "--no-first-run", "--virtual-time-budget=10000"])
            .arg(format!("--user-data-dir={}", profile.path().join("profile").display()))
            .arg(format!("file://{}", file.display()))
            .output()
            .unwrap();
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(dom.contains("done opaque"), "{dom}");
    };
    post_is_seen("a_browser", &["chromium"], page);
}
