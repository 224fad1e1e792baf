//! tcpdump on another host, through the user's own ssh: nothing is installed there, and keys, agents, jump hosts and aliases of
//! ~/.ssh/config work as they do in the shell.
//!
//! The far side is one line for any POSIX shell: it finds tcpdump, uses sudo (whose password is asked for on
//! the terminal here), leaves the ssh
//! connection itself out of the capture (else every frame would cause another one), and ends tcpdump when our end of the
//! connection closes, however that came about.

mod lines;
mod losses;
mod output;
mod password;
mod process;

use std::path::PathBuf;
use std::time::Duration;

use super::savefile::{OpenFault, Savefile};
use super::{Sink, SourceError, SourceOptions, Stop, bpf};
use losses::WithLosses;
use output::NoCapture;
use process::Process;

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

/// Arguments: interface, snapshot length, buffer, expression, 1 to look into VLANs, and 1 where a password can be asked for. No single quotes, no newlines, so that it
/// passes through any login shell.
const SCRIPT: &str = concat!(
    r#"PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin; i=$1; s=$2; b=$3; e=$4; v=$5; a=$6; set -f; set -- $SSH_CONNECTION; "#,
    r#"[ $# -eq 4 ] && e="not (host ${1%%%*} and tcp port $2 and host ${3%%%*} and tcp port $4) and ($e)"; "#,
    r#"command -v tcpdump >/dev/null 2>&1 || { echo "tcpdump is not installed there" >&2; exit 127; }; "#,
    r#"r=; [ "$(id -u)" = 0 ] || { sudo -n tcpdump --version >/dev/null 2>&1 && r="sudo -n"; }; "#,
    r#"[ -n "$r" ] || [ "$(id -u)" = 0 ] || [ "$a" != 1 ] || tcpdump -i "$i" -L >/dev/null 2>&1 || "#,
    r#"{ command -v sudo >/dev/null 2>&1 && echo "why403: sudo password?" >&2 && IFS= read -r q && "#,
    r#"printf "%s\n" "$q" | sudo -S -p "" -v && r="sudo -n"; q=; }; "#,
    r#"w="($e) or (vlan and ($e))"; "#,
    r#"[ "$v" = 1 ] && $r tcpdump -i "$i" -d "$w" >/dev/null 2>&1 && e=$w; "#,
    r#"exec 3<&0; $r tcpdump -i "$i" -s "$s" -B "$b" -n -U -w - "$e" </dev/null 3<&- & t=$!; "#,
    r#"(cat; kill $t || $r kill $t) <&3 >/dev/null 2>&1 & k=$!; "#,
    r#"(while sleep 2; do kill -INFO $t || kill -USR1 $t || exit; done) </dev/null >/dev/null 2>&1 3<&- & u=$!; "#,
    r#"exec 3<&-; wait $t; c=$?; "#,
    r#"kill $k $u 2>/dev/null; exit $c"#,
);

/// Nothing but the capture, and a connection that is noticed when it breaks.
const ARGUMENTS: [&str; 16] = [
    "-T",
    "-e",
    "none",
    "-o",
    "ConnectTimeout=15",
    "-o",
    "ServerAliveInterval=15",
    "-o",
    "ServerAliveCountMax=3",
    "-o",
    "ClearAllForwardings=yes",
    "-o",
    "PermitLocalCommand=no",
    "-o",
    "RemoteCommand=none",
    "--",
];

/// How long the other side may take to go when it is told to.
const PATIENCE: Duration = Duration::from_millis(100);

/// A running ssh whose capture has begun.
pub(super) struct Ssh {
    host: String,
    child: Process,
    savefile: Savefile,
    /// What the far side wrote before the capture, for people.
    skipped: Option<String>,
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
        let arguments = ARGUMENTS.iter().copied().map(str::to_owned);
        let command = remote_command(target, options, expression.unwrap_or(bpf::DEFAULT));
        let (mut child, mut stdout) =
            Process::start(&target.program, arguments.chain([host.clone(), command]))
                .map_err(|error| failed(format!("cannot run {}: {error}", target.program.display())))?;
        let beginning = match child.beginning(&host, &mut stdout, stop) {
            Ok(beginning) => beginning,
            Err(NoCapture::Stopped) => return Err(failed("stopped while waiting for it".to_owned())),
            Err(NoCapture::Failed(error)) => return Err(failed(error.to_string())),
            Err(NoCapture::Ended(output)) => {
                let output = output.map(|output| format!("it wrote only: {output}"));
                let nothing =
                    || output.clone().unwrap_or_else(|| "it ended before a capture began".to_owned());
                return Err(failed(child.last_words().unwrap_or_else(nothing)));
            }
            Err(NoCapture::SomethingElse(output)) => {
                return Err(failed(format!(
                    "it writes something else than a capture: {output}; silence what the shell there prints at its start"
                )));
            }
        };
        match Savefile::after(beginning.capture, stdout, false, stop) {
            Ok(savefile) => Ok(Self { host, child, savefile, skipped: beginning.skipped }),
            Err(OpenFault::Io(error)) => Err(failed(error.to_string())),
            Err(OpenFault::Fault(fault)) => {
                Err(failed(child.last_words().unwrap_or_else(|| fault.to_string())))
            }
        }
    }

    pub(super) fn run(mut self, name: &str, sink: &mut dyn Sink, stop: &Stop) -> Result<(), SourceError> {
        self.child.listen();
        let losses = self.child.losses();
        if let Some(text) = &self.skipped {
            sink.warning(format!("{name}: skipped what the shell there wrote before the capture: {text}"));
        }
        let mut sink = WithLosses::new(sink, &losses);
        let is_wanted = self.savefile.run(name, None, &mut sink).is_break() || stop.is_set();
        let last_words = if is_wanted { None } else { self.child.last_words() };
        self.child.dismiss(PATIENCE);
        sink.finish();
        match last_words {
            Some(text) => Err(SourceError::Ssh { host: self.host, text: format!("it ended: {text}") }),
            None => Ok(()),
        }
    }
}

fn remote_command(target: &SshTarget, options: &SourceOptions, expression: &str) -> String {
    let (snaplen, buffer) = (options.snaplen.to_string(), options.buffer_kib.to_string());
    let tags = if options.see_through_vlan { "1" } else { "0" };
    let may_ask = if password::can_ask() { "1" } else { "0" };
    let words =
        ["sh", "-c", SCRIPT, "why403", &target.interface, &snaplen, &buffer, expression, tags, may_ask];
    // Quoting fails for NUL only, which no argument of ours can have.
    shlex::try_join(words).unwrap_or_default()
}
