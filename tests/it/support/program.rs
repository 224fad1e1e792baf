//! The program under test while it runs: its lines as they come, its signals, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::{PATIENCE, until};

/// A running program whose standard output is NDJSON. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
    said: String,
}

impl Program {
    /// Starts `command` with both outputs read line by line.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::of(command.stdin(Stdio::null()))
    }

    /// The same with a pipe to its standard input.
    pub(crate) fn start_fed(command: &mut Command) -> (Self, ChildStdin) {
        let mut program = Self::of(command.stdin(Stdio::piped()));
        let input = program.child.stdin.take().unwrap();
        (program, input)
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = follow(child.stdout.take().unwrap());
        let errors = follow(child.stderr.take().unwrap());
        Self { child, lines, errors, said: String::new() }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line, if one comes within `wait`.
    pub(crate) fn next_within(&mut self, wait: Duration) -> Option<Value> {
        self.lines.recv_timeout(wait).ok().map(|line| serde_json::from_str(&line).unwrap())
    }

    /// Asks until an answer is seen: a capture needs a moment to begin and has no other sign of it. The lines of all that was
    /// asked for are taken.
    pub(crate) fn begins_to_see(&mut self, mut ask: impl FnMut()) {
        const MOMENT: Duration = Duration::from_millis(200);
        until("the capture to begin", || {
            ask();
            self.next_within(MOMENT)
        });
        while self.next_within(MOMENT).is_some() {}
    }

    /// The next line; it has to come.
    pub(crate) fn next(&mut self) -> Value {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).unwrap(),
            Err(error) => panic!("no line came ({error}); it said: {}", self.said()),
        }
    }

    /// Every line that is still to come until the output ends.
    pub(crate) fn rest(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.lines.recv_timeout(PATIENCE).ok())
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect()
    }

    /// Waits for a line on standard error that contains `part`.
    pub(crate) fn says(&mut self, part: &str) {
        while !self.said.contains(part) {
            match self.errors.recv_timeout(PATIENCE) {
                Ok(line) => self.said.extend([line.as_str(), "\n"]),
                Err(error) => panic!("never said '{part}' ({error}); it said: {}", self.said),
            }
        }
    }

    /// Everything on standard error so far.
    pub(crate) fn said(&mut self) -> &str {
        self.said.extend(self.errors.try_iter().flat_map(|line| [line, "\n".to_owned()]));
        &self.said
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id() as i32), signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        // Its outputs close when it ends, so that the wait below is short.
        while self.lines.recv_timeout(PATIENCE).is_ok() {}
        let status = until("the end of the program", || self.child.try_wait().unwrap());
        self.said.extend(self.errors.iter().flat_map(|line| [line, "\n".to_owned()]));
        status
    }

    /// Stops reading its output, as `head` does.
    pub(crate) fn stop_reading(&mut self) {
        self.lines = channel().1;
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
