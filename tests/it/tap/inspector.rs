//! The inspector over the mirror: in another terminal, in the same one, and afterwards.

use std::io::{Read, Write};
use std::process::Command;

use super::{Tap, server};
use crate::support::{Program, can_run, lines, run, why403};
use crate::tui::Terminal;

/// Answers every request with 403.
fn refusing() -> std::net::SocketAddr {
    server(|mut socket| {
        let mut buffer = [0; 4096];
        while let Ok(1..) = socket.read(&mut buffer) {
            let _ = socket.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
        }
    })
}

/// Sends a POST and gives the client's address.
fn post(tap_address: std::net::SocketAddr, ca: &std::path::Path, path: &str) -> String {
    let mut stream = super::connect(tap_address, super::trusting(ca));
    let request = format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 44];
    stream.read_exact(&mut answer).unwrap();
    stream.sock.local_addr().unwrap().to_string()
}

#[test]
fn a_capture_of_the_mirror_has_every_exchange_and_the_clients_addresses() {
    let mut tap = Tap::start(refusing(), &[]);
    let mirror = tap.mirror();
    let clients: Vec<String> = (0..20).map(|n| post(tap.address, &tap.ca(), &format!("/v1/{n}"))).collect();
    let server = tap.address.to_string();
    tap.stop();
    let capture = mirror.whole();
    let output = run(["-r", capture.file.to_str().unwrap(), "--json"]);
    let exchanges = lines(&output.stdout);
    let mut seen: Vec<&str> = exchanges.iter().map(|exchange| exchange["client"].as_str().unwrap()).collect();
    assert!(exchanges.iter().all(|exchange| exchange["server"] == server.as_str()));
    assert!(exchanges.iter().all(|exchange| exchange["outcome"] == "complete"));
    let mut wanted: Vec<&str> = clients.iter().map(String::as_str).collect();
    seen.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
}

#[test]
fn the_inspector_watches_the_mirror_live() {
    let tap = Tap::start(refusing(), &[]);
    let source = format!("unix:{}", tap.mirror_path().display());
    let mut program = Program::start(Command::new(why403()).args(["-i", &source, "--json"]));
    // The reader has to be there before the first exchange: the mirror keeps nothing for those who come later.
    let mut clients = Vec::new();
    crate::support::until("an exchange that is seen", || {
        clients.push(post(tap.address, &tap.ca(), "/live"));
        let line = program.next_within(std::time::Duration::from_millis(200))?;
        assert_eq!(line["request"]["target"], "/live");
        // It may be one of those before, when the machine is busy.
        assert!(clients.iter().any(|client| line["client"] == client.as_str()), "{line}");
        Some(())
    });
    // A client that gives up is seen as well.
    if can_run("the_inspector_watches_the_mirror_live", false, &["curl"]) {
        let _ = Command::new("curl").args(["-sS", "-m", "10", &tap.url("/")]).output();
        program.says("unknown_ca");
    }
}

#[test]
fn with_tui_both_run_in_one_place() {
    // Without a terminal the exchanges come as NDJSON; the tap and the mirror are the same.
    let dir = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address: std::net::SocketAddr = ([127, 0, 0, 1], port).into();
    let mirror = format!("unix:{}", dir.path().join("m/tap.sock").display());
    let upstream = refusing().to_string();
    let listen = address.to_string();
    let mut program = Program::start(
        Command::new(why403())
            .env("XDG_STATE_HOME", dir.path())
            .args([
                "tap",
                "--tui",
                "--listen",
                &listen,
                "--upstream",
                &upstream,
                "--self-signed",
                "localhost",
            ])
            .args(["--mirror", &mirror]),
    );
    let ca = dir.path().join("why403/tap-ca.pem");
    crate::support::until("the tap to listen", || std::net::TcpStream::connect(address).ok());
    let line = crate::support::until("an exchange", || {
        post(address, &ca, "/together");
        program.next_within(std::time::Duration::from_millis(200))
    });
    assert_eq!(line["request"]["target"], "/together");
    program.signal(nix::sys::signal::Signal::SIGTERM);
    program.ended();
    // The tap goes with it.
    crate::support::until("the tap to end", || std::net::TcpStream::connect(address).is_err().then_some(()));
}

#[test]
fn a_tap_that_cannot_start_says_why_beside_the_inspector_too() {
    let output = run(["tap", "--tui", "--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--self-signed"), "{output:?}");
}

#[test]
fn with_tui_the_screen_shows_what_the_tap_relays() {
    let dir = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address: std::net::SocketAddr = ([127, 0, 0, 1], port).into();
    let (state, mirror) = (
        format!("XDG_STATE_HOME={}", dir.path().display()),
        format!("unix:{}/m/tap.sock", dir.path().display()),
    );
    let (listen, upstream) = (address.to_string(), refusing().to_string());
    let words = [state.as_str(), why403().to_str().unwrap(), "tap", "--tui", "--listen", &listen];
    let more = ["--upstream", &upstream, "--self-signed", "localhost", "--mirror", &mirror];
    let mut terminal = Terminal::open("env", &[&words[..], &more[..]].concat(), (120, 40));
    terminal.until_shown("method:POST status:403");
    crate::support::until("the tap to listen", || std::net::TcpStream::connect(address).ok());
    post(address, &dir.path().join("why403/tap-ca.pem"), "/v1/drawn");
    terminal.until_shown("/v1/drawn");
    terminal.until_shown("1 of 1 match");
    terminal.press("k\r");
    terminal.until_shown("Compared with nothing");
    terminal.press("qq");
    terminal.until_shown("only in memory");
    terminal.press("q");
    assert_eq!(terminal.end(), 0);
    crate::support::until("the tap to end", || std::net::TcpStream::connect(address).is_err().then_some(()));
}
