//! The ssh process and what it says on standard error.
//!
//! Between it and us stands a shell that outlives us: once our end of its standard input closes, however that came about,
//! ssh has a moment to go by itself and is ended then. We could not end it: by that time we have another user and may
//! signal nobody.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::losses::Losses;

/// Nobody writes to standard input, so that both readers of it see nothing but its end.
const GUARD: &str = concat!(
    r#"exec 3<&0; "$@" <&3 3<&- & p=$!; "#,
    "(cat; sleep 1; kill $p; sleep 1; kill -9 $p) <&3 3<&- >/dev/null 2>&1 & k=$!; ",
    "exec 3<&-; wait $p; c=$?; kill $k 2>/dev/null; exit $c"
);

/// Lines of standard error that are kept for an error message.
const KEPT_LINES: usize = 8;
/// Longest line that is looked at.
const LINE: u64 = 500;

/// A running ssh. Dropping it ends both sides, without waiting for them.
pub(super) struct Process {
    child: Child,
    /// Its end is what tells the far side to go.
    stdin: Option<ChildStdin>,
    /// Not listened to yet: a thread must not begin before privileges are given up.
    stderr: Option<ChildStderr>,
    errors: Option<Receiver<Vec<String>>>,
    losses: Arc<Losses>,
}

impl Process {
    /// Starts `program` with `arguments`; its standard output comes back beside it.
    pub(super) fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> io::Result<(Self, ChildStdout)> {
        let mut child = Command::new("/bin/sh")
            .args(["-c", GUARD, "why403"])
            .arg(find(program)?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let losses = Arc::default();
        Ok((Self { child, stdin, stderr, errors: None, losses }, stdout))
    }

    /// Reads its standard error from now on, lest it wait for that.
    pub(super) fn listen(&mut self) {
        if let Some(stderr) = self.stderr.take() {
            let (sender, errors) = channel();
            let losses = Arc::clone(&self.losses);
            // Ends with the process, whose standard error it reads.
            thread::spawn(move || sender.send(last_lines(stderr, &losses)));
            self.errors = Some(errors);
        }
    }

    /// What the far side says it lost.
    pub(super) fn losses(&self) -> Arc<Losses> {
        Arc::clone(&self.losses)
    }

    /// Tells the far side to go, and gives it a while to say its last words.
    pub(super) fn dismiss(&mut self, patience: Duration) {
        self.stdin = None;
        self.listen();
        self.errors(patience);
    }

    /// Its last lines, once it has ended.
    fn errors(&self, patience: Duration) -> Vec<String> {
        self.errors.as_ref().and_then(|errors| errors.recv_timeout(patience).ok()).unwrap_or_default()
    }

    /// What it said when it ended by itself; `None` after a good end.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.stdin = None;
        self.listen();
        let status = self.child.wait().ok()?;
        if status.success() {
            return None;
        }
        let said = self.errors(Duration::from_secs(2)).join("; ");
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let advice = match status.code() {
            Some(255) => "; see whether ssh to it works by hand",
            Some(127) => "; install tcpdump there",
            _ if says(&["ermission", "not permitted"]) => {
                "; log in as root there, or allow sudo tcpdump without a password"
            }
            _ if says(&["No such device"]) => "; tcpdump -D there lists the interfaces, -i any takes all",
            _ => "",
        };
        let said = if said.is_empty() { format!("{status}") } else { said };
        Some(format!("{said}{advice}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        // Takes its end in, should it have ended; its guard sees to the rest.
        let _ = self.child.try_wait();
    }
}

/// Where the program is: the shell between us would say that less well.
fn find(program: &Path) -> io::Result<PathBuf> {
    let missing = || io::Error::new(io::ErrorKind::NotFound, "there is no such program; name it with --ssh");
    if program.components().count() > 1 {
        return if program.is_file() { Ok(program.to_owned()) } else { Err(missing()) };
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file()).ok_or_else(missing)
}

/// The last lines of a stream, without tcpdump's greetings, each bounded. Its counts go where they belong as they come.
fn last_lines(stderr: ChildStderr, losses: &Losses) -> Vec<String> {
    let mut lines = VecDeque::new();
    let mut reader = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return lines.into(),
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let is_greeting = ["listening on", "data link type"].iter().any(|greeting| line.contains(greeting));
        if !line.is_empty() && !losses.take_in(&line) && !is_greeting {
            lines.push_back(line);
        }
        if lines.len() > KEPT_LINES {
            lines.pop_front();
        }
    }
}
