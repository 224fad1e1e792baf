//! What readers of the mirror get.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

use super::{Tap, echo, noise, server};
use crate::support::{Nginx, can_run, run};

const SLOW: &[u8] = b"this reader was too slow";

fn exchange(tap: &Tap, count: usize) {
    let mut stream = tap.connect();
    for number in 0..count {
        // In one piece, since tshark guesses the protocol of unknown ports by the first one.
        let request =
            format!("POST /banned?n={number} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0; 4096];
        let mut got = 0;
        while !answer[..got].ends_with(b"</html>\r\n") {
            got += stream.read(&mut answer[got..]).unwrap();
        }
        assert!(answer.starts_with(b"HTTP/1.1 403 "));
    }
}

#[test]
fn tshark_counts_the_same_exchanges_and_finds_nothing_odd() {
    if !can_run("tshark_counts_the_same_exchanges_and_finds_nothing_odd", false, &["nginx", "tshark"]) {
        return;
    }
    let nginx = Nginx::on_loopback();
    let mut tap = Tap::start(nginx.address, &[]);
    let (one, two) = (tap.mirror(), tap.mirror());
    for _ in 0..10 {
        exchange(&tap, 7);
    }
    tap.stop();
    for mirror in [one, two] {
        let capture = mirror.whole();
        assert_eq!(capture.tshark("http.request.method == POST", &["ip.src"]), vec!["127.0.0.1"; 70]);
        assert_eq!(capture.tshark("http.response.code == 403", &["tcp.srcport"]).len(), 70);
        assert_eq!(capture.tshark("tcp.flags.syn == 1 && tcp.flags.ack == 0", &["frame.number"]).len(), 10);
        let oddities = capture
            .tshark("tcp.analysis.flags || tcp.checksum.status == 0 || _ws.malformed", &["frame.number"]);
        assert!(oddities.is_empty(), "{oddities:?}");
        let checked = capture.tshark("tcp", &["tcp.analysis.flags"]);
        assert!(checked.iter().all(String::is_empty), "{checked:?}");
    }
}

#[test]
fn a_reader_that_comes_late_sees_what_comes_then() {
    let mut tap = Tap::start(server(echo), &[]);
    let mut stream = tap.connect();
    stream.write_all(b"unseen").unwrap();
    stream.read_exact(&mut [0; 6]).unwrap();
    let mirror = tap.mirror();
    stream.write_all(b"seen").unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();
    drop(stream);
    tap.stop();
    let bytes = std::fs::read(mirror.whole().file).unwrap();
    assert_eq!(memchr::memmem::find_iter(&bytes, b"unseen").count(), 0);
    assert_eq!(memchr::memmem::find_iter(&bytes, b"seen").count(), 2);
}

#[test]
fn a_reader_that_sleeps_loses_frames_knows_it_and_holds_nobody_up() {
    let mut tap = Tap::start(server(echo), &["--mirror-buffer", "1MiB"]);
    let mut sleeper = UnixStream::connect(tap.mirror_path()).unwrap();
    let mut header = vec![0; 24];
    sleeper.read_exact(&mut header).unwrap();
    let mut stream = tap.connect();
    let bytes = noise(64 << 10);
    for _ in 0..160 {
        stream.write_all(&bytes).unwrap();
        let mut answer = vec![0; bytes.len()];
        stream.read_exact(&mut answer).unwrap();
        assert!(answer == bytes);
    }
    // It wakes up: what comes from now on reaches it again, after the notice.
    let (tell, told) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let (mut all, mut buffer) = (header, vec![0; 1 << 16]);
        while let Ok(count @ 1..) = sleeper.read(&mut buffer) {
            all.extend_from_slice(&buffer[..count]);
            if memchr::memmem::find(&all, SLOW).is_some() {
                let _ = tell.send(());
            }
        }
        all
    });
    crate::support::until("the notice", || {
        stream.write_all(b"awake").unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        told.try_recv().ok()
    });
    drop(stream);
    let said = tap.stop();
    reading.join().unwrap();
    assert!(!said.contains(" 0 lost by slow readers"), "{said}");
}

#[test]
fn the_socket_is_private() {
    let tap = Tap::start(server(echo), &[]);
    assert_eq!(tap.mirror_path().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    if !can_run("the_socket_is_private", true, &["setpriv", "python3"]) {
        return;
    }
    // Mode and directory keep others out; with both out of the way, the check of the peer's user does.
    std::fs::set_permissions(tap.mirror_path(), PermissionsExt::from_mode(0o666)).unwrap();
    for dir in [tap.mirror_path().parent().unwrap(), tap.dir.path()] {
        std::fs::set_permissions(dir, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let script = format!(
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('{}'); print(len(s.recv(24)))",
        tap.mirror_path().display()
    );
    let read_as = |user: &str| {
        let output = Command::new("setpriv")
            .args(["--reuid", user, "--clear-groups", "/usr/bin/python3", "-c", &script])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(read_as("0"), "24");
    assert_ne!(read_as("12345"), "24");
}

#[test]
fn a_mirror_that_others_could_reach_has_to_be_wanted() {
    let tap = |more: &[&str]| {
        let words = [
            "tap",
            "--listen-plain",
            "127.0.0.1:0",
            "--upstream",
            "127.0.0.1:1",
            "--mirror",
            "tcp:0.0.0.0:0",
        ];
        run(words.iter().chain(more))
    };
    let refused = tap(&[]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--mirror-expose"));
}
