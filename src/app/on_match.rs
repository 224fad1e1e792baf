//! `--on-match COMMAND`: a shell command for a match, with the exchange as JSON on its standard input.
//!
//! It runs beside everything else, one at a time and once a second at most; matches in between are counted and told to
//! the next run in `WHY403_SKIPPED`, so that a storm of refusals is no storm of processes.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::bug;

/// Least time between the starts of two commands.
const PACE: Duration = Duration::from_secs(1);
/// How long commands are waited for at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// Runs the command for what it is given.
#[derive(Debug)]
pub(super) struct OnMatch {
    jobs: Option<SyncSender<Job>>,
    skipped: u64,
    last: Option<Instant>,
    /// Says when the runner has come to its end.
    done: Receiver<()>,
}

#[derive(Debug)]
struct Job {
    json: String,
    skipped: u64,
}

impl OnMatch {
    /// A runner for `command`. Starts a thread: to be called after the sandbox is entered.
    pub(super) fn new(command: &str) -> std::io::Result<Self> {
        let (jobs, inbox) = sync_channel(1);
        let command = command.to_owned();
        let (finished, done) = sync_channel(1);
        thread::Builder::new().name("on-match".into()).spawn(move || {
            run(&command, &inbox);
            let _ = finished.send(());
        })?;
        Ok(Self { jobs: Some(jobs), skipped: 0, last: None, done })
    }

    /// Runs the command with what `json` gives, unless it is too soon or the last one still runs. Never waits.
    pub(super) fn matched(&mut self, json: impl FnOnce() -> String) {
        let now = Instant::now();
        let due = self.last.is_none_or(|last| now.duration_since(last) >= PACE);
        let Some(jobs) = self.jobs.as_ref().filter(|_| due) else {
            self.skipped += 1;
            return;
        };
        match jobs.try_send(Job { json: json(), skipped: self.skipped }) {
            Ok(()) => {
                self.skipped = 0;
                self.last = Some(now);
            }
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => self.skipped += 1,
        }
    }
}

impl Drop for OnMatch {
    /// Lets the command that runs, and the one that waits, come to their end, but not for ever.
    fn drop(&mut self) {
        drop(self.jobs.take());
        let _ = self.done.recv_timeout(PATIENCE);
    }
}

fn run(command: &str, inbox: &Receiver<Job>) {
    let mut failing = false;
    for job in inbox {
        let child = Command::new("/bin/sh")
            .args(["-c", command])
            .env("WHY403_SKIPPED", job.skipped.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    bug::tell(format!(
                        "--on-match was not run: {error}; it is tried again at the next match"
                    ));
                }
                continue;
            }
        };
        failing = false;
        if let Some(mut input) = child.stdin.take() {
            // A command that does not read is no fault.
            let _ = input.write_all(job.json.as_bytes());
        }
        let _ = child.wait();
    }
}
