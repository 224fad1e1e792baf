//! A panic in a thread of the real program: what was captured is kept, one line says so, and the exit code is 101.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};

use crate::support::{Nginx, Program, can_run, fault, must, until, why403};
use crate::tui::Terminal;

const TOOLS: &[&str] = &["cc", "nginx", "curl", "tcpdump"];
const CODE: i32 = 101;

/// A capture on the loopback interface that writes `kept`; the thread `name` panics after SIGUSR2.
fn watching(nginx: &Nginx, kept: &str, name: &str, options: &[&str]) -> Program {
    let port = nginx.address.port().to_string();
    let mut command = Command::new(why403());
    command.args(["-i", "lo", "--json", "--stats", "-w", kept]).args(options).args(["tcp", "port", &port]);
    let mut program = Program::start(command.envs(fault(name)));
    program.begins_to_see(|| nginx.refuse());
    program
}

fn ended_by_a_bug(program: &mut Program, kept: &str) {
    assert_eq!(program.ended().code(), Some(CODE), "{}", program.said());
    let said = program.said();
    assert_eq!(said.matches("a bug in why403").count(), 1, "{said}");
    assert!(said.contains("please report it"), "{said}");
    let frames = must("tcpdump", ["-n", "-r", kept]).lines().count();
    assert!(frames >= 8, "{frames} frames were kept");
}

#[test]
fn a_bug_in_the_capture_thread_keeps_the_exchanges_and_the_file_and_ends_with_101() {
    if !can_run("bug in the capture thread", true, TOOLS) {
        return;
    }
    let (nginx, dir) = (Nginx::on_loopback(), tempfile::tempdir().unwrap());
    let kept = dir.path().join("kept.pcapng");
    let kept = kept.to_str().unwrap();
    let mut program = watching(&nginx, kept, "capture", &[]);
    nginx.refuse();
    assert_eq!(program.next()["response"]["status"], 403);
    program.signal(Signal::SIGUSR2);
    let rest = program.rest();
    assert_eq!(rest.last().unwrap()["type"], "summary", "{rest:?}");
    ended_by_a_bug(&mut program, kept);
}

#[test]
fn a_bug_in_the_consumer_completes_the_file_and_ends_with_101() {
    if !can_run("bug in the consumer", true, TOOLS) {
        return;
    }
    let (nginx, dir) = (Nginx::on_loopback(), tempfile::tempdir().unwrap());
    let kept = dir.path().join("kept.pcapng");
    let kept = kept.to_str().unwrap();
    // The clock of the consumer is looked at before a command is run.
    let mut program = watching(&nginx, kept, "why403", &["--on-match", "true"]);
    program.signal(Signal::SIGUSR2);
    nginx.refuse();
    ended_by_a_bug(&mut program, kept);
}

#[test]
fn a_bug_in_the_capture_thread_leaves_the_screen_with_what_was_seen() {
    if !can_run("bug under the screen", true, TOOLS) {
        return;
    }
    let nginx = Nginx::on_loopback();
    let port = nginx.address.port().to_string();
    let environment = fault("capture").map(|(name, value)| format!("{name}={value}"));
    let [preload, name] = &environment;
    let program = why403().to_str().unwrap();
    let mut terminal =
        Terminal::open("env", &[preload, name, program, "-i", "lo", "tcp", "port", &port], (120, 40));
    terminal.until_shown("0 of 0 match");
    until("the capture to begin", || {
        nginx.refuse();
        terminal.shows_within(Duration::from_millis(300), "POST").then_some(())
    });
    kill(terminal.pid(), Signal::SIGUSR2).unwrap();
    terminal.until_shown("a bug in why403");
    terminal.press("g\r");
    terminal.until_shown("/banned");
    terminal.press("qqq");
    assert_eq!(terminal.end(), CODE as u32);
    assert!(terminal.is_given_back());
}
