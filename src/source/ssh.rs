//! tcpdump on another host, through the user's own ssh: nothing is installed there, and keys, agents, jump hosts and aliases of
//! ~/.ssh/config work as they do in the shell.
//!
//! The far side is one line for any POSIX shell: it finds tcpdump, uses sudo where that asks for no password, leaves the ssh
//! connection itself out of the capture (else every frame would cause another one), and ends tcpdump when our end of the
//! connection closes, however that came about.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::savefile::{OpenFault, Savefile};
use super::{Sink, SourceError, SourceOptions, Stop, bpf};

/// Where and how to run tcpdump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshTarget {
    /// What ssh takes as its destination: `[user@]host`, a Host of ~/.ssh/config, or an `ssh://` URI.
    pub host: String,
    /// The interface over there.
    pub interface: String,
    /// The ssh program.
    pub program: PathBuf,
}

impl SshTarget {
    /// `any` on `host`, through the `ssh` of the search path.
    pub fn new(host: &str) -> Self {
        Self { host: host.to_owned(), interface: "any".to_owned(), program: "ssh".into() }
    }

    /// A destination that no option can hide in.
    fn checked_host(&self) -> Result<&str, SourceError> {
        let host = self.host.as_str();
        let is_odd = host.is_empty()
            || host.starts_with('-')
            || host.contains(|c: char| c.is_whitespace() || c.is_control());
        if is_odd { Err(SourceError::SshHost(self.host.clone())) } else { Ok(host) }
    }
}

/// Arguments: interface, snapshot length, buffer, expression, and 1 to look into VLANs. No single quotes, no newlines, so that it
/// passes through any login shell.
const SCRIPT: &str = concat!(
    r#"PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; i=$1; s=$2; b=$3; e=$4; v=$5; set -f; set -- $SSH_CONNECTION; "#,
    r#"[ $# -eq 4 ] && e="not (host ${1%%%*} and tcp port $2 and host ${3%%%*} and tcp port $4) and ($e)"; "#,
    r#"command -v tcpdump >/dev/null 2>&1 || { echo "tcpdump is not installed there" >&2; exit 127; }; "#,
    r#"r=; [ "$(id -u)" = 0 ] || { sudo -n tcpdump --version >/dev/null 2>&1 && r="sudo -n"; }; "#,
    r#"w="($e) or (vlan and ($e))"; "#,
    r#"[ "$v" = 1 ] && $r tcpdump -i "$i" -d "$w" >/dev/null 2>&1 && e=$w; "#,
    r#"exec 3<&0; $r tcpdump -i "$i" -s "$s" -B "$b" -n -U -w - "$e" </dev/null 3<&- & t=$!; "#,
    r#"(cat; kill $t) <&3 >/dev/null 2>&1 & k=$!; wait $t; c=$?; kill $k 2>/dev/null; exit $c"#,
);

/// Lines of standard error that are kept for an error message.
const KEPT_LINES: usize = 8;
/// How long the other side may take to go when it is told to.
const PATIENCE: Duration = Duration::from_millis(100);

/// A running ssh whose capture has begun.
pub(super) struct Ssh {
    host: String,
    child: Process,
    savefile: Savefile,
}

impl Ssh {
    /// Starts it and waits for the capture's header. ssh may ask for a password or passphrase on the terminal meanwhile.
    pub(super) fn open(
        target: &SshTarget,
        options: &SourceOptions,
        stop: &Stop,
    ) -> Result<Self, SourceError> {
        let host = target.checked_host()?.to_owned();
        let expression = options.filter.as_deref().filter(|text| !text.trim().is_empty());
        // A wrong expression is better found here than over there.
        options.frame_filter()?;
        let failed = |text: String| SourceError::Ssh { host: host.clone(), text };
        let mut child = Command::new(&target.program)
            .args(["-T", "-e", "none", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=15"])
            .args(["-o", "ServerAliveCountMax=3", "-o", "ClearAllForwardings=yes"])
            .args(["-o", "PermitLocalCommand=no", "-o", "RemoteCommand=none", "--", &host])
            .arg(remote_command(target, options, expression.unwrap_or(bpf::DEFAULT)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("cannot run {}: {error}", target.program.display())))?;
        let stdout = child.stdout.take();
        let mut child = Process::new(child);
        let stdout = stdout.ok_or_else(|| failed("no standard output".to_owned()))?;
        match Savefile::new(super::to_file(std::os::fd::OwnedFd::from(stdout)), false, stop) {
            Ok(savefile) => Ok(Self { host, child, savefile }),
            Err(_) if stop.is_set() => Err(failed("stopped while waiting for it".to_owned())),
            Err(OpenFault::Io(error)) => Err(failed(error.to_string())),
            Err(OpenFault::Fault(fault)) => {
                Err(failed(child.last_words().unwrap_or_else(|| fault.to_string())))
            }
        }
    }

    pub(super) fn run(mut self, name: &str, sink: &mut dyn Sink, stop: &Stop) -> Result<(), SourceError> {
        self.child.listen();
        if self.savefile.run(name, None, sink).is_break() || stop.is_set() {
            return Ok(());
        }
        match self.child.last_words() {
            Some(text) => Err(SourceError::Ssh { host: self.host, text: format!("it ended: {text}") }),
            None => Ok(()),
        }
    }
}

fn remote_command(target: &SshTarget, options: &SourceOptions, expression: &str) -> String {
    let (snaplen, buffer) = (options.snaplen.to_string(), options.buffer_kib.to_string());
    let tags = if options.see_through_vlan { "1" } else { "0" };
    let words = ["sh", "-c", SCRIPT, "why403", &target.interface, &snaplen, &buffer, expression, tags];
    // Quoting fails for NUL only, which no argument of ours can have.
    shlex::try_join(words).unwrap_or_default()
}

/// The ssh process. Dropping it ends both sides.
struct Process {
    child: Child,
    /// Its end is what tells the far side to go.
    stdin: Option<ChildStdin>,
    /// Not listened to yet: a thread must not begin before privileges are given up.
    stderr: Option<ChildStderr>,
    errors: Option<Receiver<Vec<String>>>,
}

impl Process {
    fn new(mut child: Child) -> Self {
        let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
        Self { child, stdin, stderr, errors: None }
    }

    /// Reads its standard error from now on, lest it wait for that.
    fn listen(&mut self) {
        if let Some(stderr) = self.stderr.take() {
            let (sender, errors) = channel();
            // Ends with the process, whose standard error it reads.
            thread::spawn(move || sender.send(last_lines(stderr)));
            self.errors = Some(errors);
        }
    }

    /// Its last lines, once it has ended.
    fn errors(&self, patience: Duration) -> Vec<String> {
        self.errors.as_ref().and_then(|errors| errors.recv_timeout(patience).ok()).unwrap_or_default()
    }

    /// What it said when it ended by itself; `None` after a good end.
    fn last_words(&mut self) -> Option<String> {
        self.stdin = None;
        self.listen();
        let status = self.child.wait().ok()?;
        if status.success() {
            return None;
        }
        let lines = self.errors(Duration::from_secs(2));
        let said = lines.join("; ");
        let advice = match status.code() {
            Some(255) => "; see whether ssh to it works by hand",
            Some(127) => "; install tcpdump there",
            _ if said.contains("ermission") || said.contains("not permitted") => {
                "; log in as root there, or allow sudo tcpdump without a password"
            }
            _ => "",
        };
        let said = if said.is_empty() { format!("{status}") } else { said };
        Some(format!("{said}{advice}"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stdin = None;
        self.listen();
        self.errors(PATIENCE);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a stream, without tcpdump's greetings, each bounded.
fn last_lines(stderr: ChildStderr) -> Vec<String> {
    let mut lines = VecDeque::new();
    let mut reader = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(500).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return lines.into(),
            Ok(_) => {}
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        let is_greeting =
            ["listening on", "data link type", "packets "].iter().any(|greeting| line.contains(greeting));
        if !line.is_empty() && !is_greeting {
            lines.push_back(line);
        }
        if lines.len() > KEPT_LINES {
            lines.pop_front();
        }
    }
}
