//! The ssh process and what it says on standard error.
//!
//! Between it and us stands a shell that outlives us: once our end of a pipe to it closes, however that came about,
//! ssh has a moment to go by itself and is ended then. We could not end it: by that time we have another user and may
//! signal nobody.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, PipeWriter, Read, pipe};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::source::Stop;

use super::lines::Lines;
use super::losses::Losses;
use super::output;
use super::output::{Beginning, NoCapture};

/// Its first argument is the number of the descriptor whose end is the sign to go.
const GUARD: &str = concat!(
    r#"exec 8</dev/fd/$1; shift; exec 3<&0; "$@" <&3 3<&- 8<&- & p=$!; exec 3<&-; "#,
    "(cat; sleep 1; kill $p; sleep 1; kill -9 $p) <&8 8<&- >/dev/null 2>&1 & k=$!; ",
    "exec 8<&-; wait $p; c=$?; kill $k 2>/dev/null; exit $c"
);

/// A running ssh. Dropping it ends both sides, without waiting for them.
pub(super) struct Process {
    child: Child,
    /// Its end is what tells the far side to go.
    stdin: Option<ChildStdin>,
    /// Its end is what tells the guard to go.
    guard: Option<PipeWriter>,
    /// Not listened to by a thread yet: none must begin before privileges are given up.
    stderr: Option<(ChildStderr, Lines)>,
    errors: Option<Receiver<Vec<String>>>,
    losses: Arc<Losses>,
}

impl Process {
    /// Starts `program` with `arguments`; its standard output comes back beside it.
    pub(super) fn start<S: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = S>,
    ) -> io::Result<(Self, File)> {
        let (ear, guard) = pipe()?;
        // The guard inherits it. No other process is started meanwhile.
        fcntl(&ear, FcntlArg::F_SETFD(FdFlag::empty()))?;
        let mut child = Command::new("/bin/sh")
            .args(["-c", GUARD, "why403", &ear.as_raw_fd().to_string()])
            .arg(find(program)?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        drop(ear);
        let losses = Arc::<Losses>::default();
        let lines = Lines::new(Arc::clone(&losses));
        let stdin = child.stdin.take();
        let stderr = child.stderr.take().map(|stderr| (stderr, lines));
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let stdout = File::from(OwnedFd::from(stdout));
        Ok((Self { child, stdin, guard: Some(guard), stderr, errors: None, losses }, stdout))
    }

    /// Waits for the capture on `stdout`.
    pub(super) fn beginning(
        &mut self,
        host: &str,
        stdout: &mut File,
        stop: &Stop,
    ) -> Result<Beginning, NoCapture> {
        match (&mut self.stdin, &mut self.stderr) {
            (Some(stdin), Some((stderr, lines))) => {
                output::beginning(host, stdout, stderr, stdin, lines, stop)
            }
            _ => Err(NoCapture::Stopped),
        }
    }

    /// Reads its standard error from now on, lest it wait for that.
    pub(super) fn listen(&mut self) {
        if let Some((mut stderr, mut lines)) = self.stderr.take() {
            let (sender, errors) = channel();
            // Ends with the process, whose standard error it reads.
            thread::spawn(move || {
                let mut chunk = [0; 4096];
                while let Ok(count @ 1..) = stderr.read(&mut chunk) {
                    lines.push(chunk.get(..count).unwrap_or_default());
                }
                sender.send(lines.finish())
            });
            self.errors = Some(errors);
        }
    }

    /// What the far side says it lost.
    pub(super) fn losses(&self) -> Arc<Losses> {
        Arc::clone(&self.losses)
    }

    fn close(&mut self) {
        (self.stdin, self.guard) = (None, None);
    }

    /// Tells the far side to go, and gives it a while to write its last lines.
    pub(super) fn dismiss(&mut self, patience: Duration) {
        self.close();
        self.listen();
        self.errors(patience);
    }

    /// Its last lines, once it has ended.
    fn errors(&self, patience: Duration) -> Vec<String> {
        self.errors.as_ref().and_then(|errors| errors.recv_timeout(patience).ok()).unwrap_or_default()
    }

    /// Why it ended by itself, in its own words; `None` after a good end.
    pub(super) fn last_words(&mut self) -> Option<String> {
        self.close();
        self.listen();
        let status = self.child.wait().ok()?;
        if status.success() {
            return None;
        }
        let text = self.errors(Duration::from_secs(2)).join("; ");
        let contains = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let advice = match status.code() {
            Some(255) => "; see whether ssh to it works by hand",
            Some(127) => "; install tcpdump there",
            _ if contains(&["ermission", "not permitted", "assword"]) => {
                "; log in as root there, or allow sudo tcpdump without a password"
            }
            _ if contains(&["No such device"]) => "; tcpdump -D there lists the interfaces, -i any takes all",
            _ => "",
        };
        let text = match (text.is_empty(), status.code()) {
            (false, _) => text,
            (true, Some(137 | 143)) => format!("tcpdump or its shell was ended there by a signal ({status})"),
            (true, _) => format!("{status}"),
        };
        Some(format!("{text}{advice}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close();
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
