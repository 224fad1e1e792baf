//! File descriptors that run out while the program is at work: what is open goes on, what cannot be opened is said, and once there
//! are some again it is as before.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sys::signal::Signal;
use why403::model::Timestamp;
use why403::synth::{Conversation, pcap};

use crate::sandbox::status;
use crate::support::{Nginx, Program, can_run, must, until, why403};
use crate::tap::{Tap, echo, server};
use crate::tui::Terminal;

/// Lets the running process `id` open no more files than it has, or as many as it likes. Whoever may set that is the user
/// that the process has become.
fn allow(id: u32, files: &str) {
    let (user, group) = (status(id, "Uid"), status(id, "Gid"));
    let [user, group] = [&user, &group].map(|ids| ids.split_whitespace().next().unwrap());
    let (id, limit) = (id.to_string(), format!("--nofile={files}:"));
    let prlimit = ["prlimit", "--pid", &id, &limit];
    if nix::unistd::geteuid().is_root() {
        let become_user = ["--reuid", user, "--regid", group, "--clear-groups"];
        must("setpriv", become_user.iter().chain(&prlimit));
    } else {
        must("prlimit", &prlimit[1..]);
    }
}

const NONE: &str = "3";
const ENOUGH: &str = "256";

/// A capture on the loopback interface that has begun.
fn watching(nginx: &Nginx, options: &[&str]) -> Program {
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    let mut program =
        Program::start(command.args(["-i", "lo", "--json"]).args(options).args(["tcp", "port", &port]));
    program.begins_to_see(|| nginx.refuse());
    program
}

#[test]
fn a_capture_goes_on_when_the_next_file_cannot_be_opened() {
    if !can_run("no descriptor for the next file", true, &["nginx", "curl", "prlimit", "setpriv", "tcpdump"])
    {
        return;
    }
    let (nginx, dir) = (Nginx::on_loopback(), tempfile::tempdir().unwrap());
    let kept = dir.path().join("kept.pcapng");
    let mut program = watching(&nginx, &["-w", kept.to_str().unwrap(), "-C", "1KiB"]);
    allow(program.id(), NONE);
    for _ in 0..5 {
        nginx.refuse();
        assert_eq!(program.next()["response"]["status"], 403);
    }
    program.says("Too many open files");
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().code(), Some(4), "{}", program.said());
    assert!(program.said().contains("raise the limit with ulimit -n"), "{}", program.said());
    let first = dir.path().join("kept-00001.pcapng");
    assert!(must("tcpdump", ["-n", "-r", first.to_str().unwrap()]).lines().count() > 4);
}

#[test]
fn a_command_for_matches_that_cannot_be_started_is_said_and_tried_again() {
    if !can_run("no descriptor for a command", true, &["nginx", "curl", "prlimit", "setpriv"]) {
        return;
    }
    let (nginx, dir) = (Nginx::on_loopback(), tempfile::tempdir().unwrap());
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = dir.path().join("ran");
    let mut program = watching(&nginx, &["--on-match", &format!("echo >>'{}'", ran.display())]);
    allow(program.id(), NONE);
    until("the command to fail", || {
        nginx.refuse();
        program.next();
        program.said().contains("--on-match was not run").then_some(())
    });
    allow(program.id(), ENOUGH);
    let before = fs::read(&ran).unwrap_or_default().len();
    until("the command to run again", || {
        nginx.refuse();
        program.next();
        (fs::read(&ran).unwrap_or_default().len() > before).then_some(())
    });
    assert_eq!(program.said().matches("--on-match was not run").count(), 1, "{}", program.said());
}

#[test]
fn a_file_that_grows_is_followed_without_another_descriptor() {
    if !can_run("no descriptor while following", false, &["prlimit", "setpriv"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("growing.pcap");
    let frames = |port: u16| {
        let start = Timestamp(i64::from(port) * 1_000_000);
        Conversation::new(([10, 0, 1, 1], port).into(), "10.0.0.1:80".parse().unwrap())
            .handshake(start)
            .client(b"POST /v1/x HTTP/1.1\r\nHost: api\r\nContent-Length: 2\r\n\r\nhi", start.plus(1_000))
            .server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n", start.plus(2_000))
            .fin(start.plus(3_000))
            .into_frames()
    };
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&pcap::to_bytes(&frames(2000))).unwrap();
    let mut command = Command::new(why403());
    let mut program = Program::start(command.args(["--json", "--follow", "-r"]).arg(&path));
    program.next();
    allow(program.id(), NONE);
    for port in 2001..2010 {
        // Behind the header, which the file has.
        file.write_all(&pcap::to_bytes(&frames(port))[24..]).unwrap();
        assert_eq!(program.next()["client"], format!("10.0.1.1:{port}"));
    }
    program.signal(Signal::SIGTERM);
    assert_eq!(program.ended().code(), Some(0), "{}", program.said());
}

#[test]
fn a_screen_says_that_it_cannot_save_and_saves_later() {
    if !can_run("no descriptor for an export", false, &["prlimit", "setpriv", "env"]) {
        return;
    }
    let (dir, file) = (tempfile::tempdir().unwrap(), crate::captures::story);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let (capture, place) = (file(dir.path()), dir.path().display().to_string());
    let words = [
        format!("--chdir={place}"),
        why403().display().to_string(),
        "-r".to_owned(),
        capture.display().to_string(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut terminal = Terminal::open("env", &words, (160, 40));
    // A row, and the end of the file.
    terminal.until_shown("403 POST  api.example.com");
    terminal.until_shown("of 6 match");
    let id = u32::try_from(terminal.pid().as_raw()).unwrap();
    allow(id, NONE);
    terminal.press("g\rec");
    terminal.until_shown("Too many open files");
    allow(id, ENOUGH);
    terminal.press("ec");
    terminal.until_shown("saved to");
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    let saved = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(saved, 2, "the capture and what was saved");
}

#[test]
fn a_tap_serves_who_is_there_and_lets_the_others_wait() {
    if !can_run("no descriptor for a connection", false, &["prlimit", "setpriv"]) {
        return;
    }
    let mut tap = Tap::start(server(echo), &[]);
    let mut first = tap.connect();
    let mut answer = [0; 5];
    first.write_all(b"first").unwrap();
    first.read_exact(&mut answer).unwrap();
    allow(tap.program.id(), NONE);
    // The kernel accepts for the tap, which cannot.
    let waiting = std::net::TcpStream::connect(tap.address).unwrap();
    tap.program.says("raise the limit with ulimit -n");
    first.write_all(b"still").unwrap();
    first.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"still");
    allow(tap.program.id(), ENOUGH);
    drop(waiting);
    let mut second = tap.connect();
    second.write_all(b"again").unwrap();
    second.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"again");
    drop((first, second));
    tap.stop();
}
