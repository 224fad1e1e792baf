//! Servers that are down or slow, readers that are killed, taps that are killed.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use nix::sys::signal::Signal;

use super::{Tap, echo, server};
use crate::support::{PATIENCE, until, why403};

fn nobody_listens() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn a_server_that_is_down_is_a_reset_and_a_notice() {
    let mut tap = Tap::start(nobody_listens(), &[]);
    let mirror = tap.mirror();
    let mut stream = tap.connect();
    let _ = stream.write_all(b"POST / HTTP/1.1\r\n\r\n");
    let error = stream.read(&mut [0; 8]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    tap.program.says("cannot be reached");
    tap.stop();
    let bytes = std::fs::read(mirror.whole().file).unwrap();
    assert!(memchr::memmem::find(&bytes, b"cannot be reached").is_some());
}

#[test]
fn a_server_that_is_slow_is_waited_for_and_keeps_nobody_else_waiting() {
    let (asked, is_asked) = channel();
    let (answer, may_answer) = channel::<()>();
    let may_answer = Mutex::new(may_answer);
    let address = server(move |mut socket| {
        let mut question = [0; 4];
        socket.read_exact(&mut question).unwrap();
        if &question == b"slow" {
            asked.send(()).unwrap();
            may_answer.lock().unwrap().recv().unwrap();
        }
        socket.write_all(&question).unwrap();
    });
    let tap = Tap::start(address, &[]);
    let mut slow = tap.connect();
    slow.write_all(b"slow").unwrap();
    is_asked.recv_timeout(PATIENCE).unwrap();
    for _ in 0..20 {
        let mut quick = tap.connect();
        quick.write_all(b"soon").unwrap();
        quick.read_exact(&mut [0; 4]).unwrap();
    }
    answer.send(()).unwrap();
    let mut late = [0; 4];
    slow.read_exact(&mut late).unwrap();
    assert_eq!(&late, b"slow");
}

#[test]
fn a_reader_that_goes_is_no_matter() {
    let tap = Tap::start(server(echo), &[]);
    let mut stream = tap.connect();
    for _ in 0..5 {
        let mut reader = UnixStream::connect(tap.mirror_path()).unwrap();
        reader.read_exact(&mut [0; 24]).unwrap();
        stream.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        drop(reader);
        stream.write_all(b"y").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
}

#[test]
fn after_a_kill_the_next_tap_starts_in_the_same_place() {
    let tap = Tap::start(server(echo), &[]);
    let path = tap.mirror_path();
    tap.program.signal(Signal::SIGKILL);
    let Tap { mut program, dir, .. } = tap;
    assert!(!program.ended().success());
    until("the keeper to clean up", || (!path.exists()).then_some(()));
    // Even a socket that was left behind, with the keeper killed as well, is no obstacle.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    if nix::unistd::geteuid().is_root() {
        assert!(path.exists());
    }
    let tap = Tap::start_in(dir, server(echo), &["--self-signed", "localhost"]);
    let mut stream = tap.connect();
    stream.write_all(b"again").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
}

#[test]
fn at_the_end_open_connections_may_finish() {
    let mut tap = Tap::start(server(echo), &[]);
    let mut stream = tap.connect();
    stream.write_all(b"before").unwrap();
    stream.read_exact(&mut [0; 6]).unwrap();
    tap.program.signal(Signal::SIGTERM);
    tap.program.says("stopping");
    stream.write_all(b"after").unwrap();
    stream.read_exact(&mut [0; 5]).unwrap();
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    drop(stream);
    assert!(tap.program.ended().success());
    assert!(tap.program.said().contains("1 connections, 0 failed"), "{}", tap.program.said());
}

#[test]
fn everything_is_given_up_after_the_start() {
    let tap = Tap::start(server(echo), &[]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", tap.program.id())).unwrap();
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("CapEff:"), "0000000000000000");
    assert_eq!(field("CapPrm:"), "0000000000000000");
    assert_eq!(field("Seccomp:"), "2");
    assert!(!field("Uid:").split_whitespace().any(|uid| uid == "0"));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", tap.program.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let files: Vec<&str> = files.split_whitespace().collect();
    assert_eq!(files[3], files[4], "the soft limit was raised to the hard one");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    let mut stream = tap.connect();
    stream.sock.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn out_of_descriptors_it_says_so_and_recovers() {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 48 && exec \"$@\"", "sh"]).arg(why403());
    let dir = tempfile::tempdir().unwrap();
    let mut tap = Tap::start_by(command, dir, server(echo), &["--self-signed", "localhost"]);
    let crowd: Vec<_> = (0..60).map(|_| std::net::TcpStream::connect(tap.address).unwrap()).collect();
    tap.program.says("raise the limit with ulimit -n");
    drop(crowd);
    let mut stream = tap.connect();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}
