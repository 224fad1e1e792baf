//! A tap beside the inspector: `--tui` starts the tap as a process of its own and watches its mirror.
//!
//! The private key stays with the tap, and what parses hostile bytes stays without it, in one terminal as in two.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use super::error::TapError;

/// What the tap says before the place of its mirror; [`super::run()`] writes it.
pub(super) const WATCH_WITH: &str = "watch with: why403 -i unix:";
/// What the tap says before the address of its forward proxy.
pub(super) const PROXY_AT: &str = "forward proxy at http://";

/// A tap that runs as a child. It ends when this is dropped, or when this process is gone.
#[derive(Debug)]
pub struct Beside {
    /// The socket of its mirror.
    pub mirror: PathBuf,
    /// The address of its forward proxy, where it is one.
    pub proxy: Option<String>,
    /// Kept open; the tap says nothing on it any more, since its notices are in the mirror.
    _stderr: BufReader<ChildStderr>,
    child: Child,
    /// Its standard input; it ends when this closes.
    leash: Option<UnixStream>,
}

impl Beside {
    /// Starts the tap with the arguments of this process, but without `--tui`, and waits until its mirror is there.
    pub fn start() -> Result<Self, TapError> {
        Self::start_with(std::env::args_os().skip(1).filter(|word| word != "--tui"))
    }

    /// Starts a forward proxy on loopback whose mirror is at `mirror`, and whose CA is written to `ca`.
    pub fn proxy(mirror: &Path, ca: &Path, more: &[OsString]) -> Result<Self, TapError> {
        let mut place = OsString::from("unix:");
        place.push(mirror);
        let fixed: [OsString; 9] = [
            "tap".into(),
            "--proxy".into(),
            "127.0.0.1:0".into(),
            "--mirror".into(),
            place,
            "--proxy-ca".into(),
            ca.into(),
            "--drain-timeout".into(),
            "1".into(),
        ];
        Self::start_with(fixed.into_iter().chain(more.iter().cloned()))
    }

    fn start_with(words: impl Iterator<Item = OsString>) -> Result<Self, TapError> {
        let failed = |source| TapError::System { what: "starting the tap", source };
        let (leash, theirs) = UnixStream::pair().map_err(failed)?;
        let stdin: OwnedFd = theirs.into();
        let mut child = Command::new("/proc/self/exe")
            .args(words)
            .arg("--leashed")
            .stdin(Stdio::from(stdin))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(failed)?;
        let mut stderr =
            BufReader::new(child.stderr.take().ok_or_else(|| failed(std::io::ErrorKind::Other.into()))?);
        match mirror_of(&mut stderr) {
            Ok((mirror, proxy)) => Ok(Self { mirror, proxy, _stderr: stderr, child, leash: Some(leash) }),
            Err(said) => {
                let _ = child.wait();
                Err(TapError::Usage(said))
            }
        }
    }
}

/// Reads until the tap says where its mirror is; if it ends first, what it said last.
fn mirror_of(stderr: &mut BufReader<ChildStderr>) -> Result<(PathBuf, Option<String>), String> {
    let mut proxy = None;
    let mut last = "the tap ended at once; run it without --tui to see why".to_owned();
    let mut line = String::new();
    while stderr.read_line(&mut line).is_ok_and(|count| count > 0) {
        let text = line.trim_end();
        if let Some((_, path)) = text.split_once(WATCH_WITH) {
            return Ok((path.into(), proxy));
        }
        if let Some((_, address)) = text.split_once(PROXY_AT) {
            proxy = Some(address.to_owned());
        }
        text.trim_start_matches("why403: ").clone_into(&mut last);
        line.clear();
    }
    Err(last)
}

impl Drop for Beside {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.child.wait();
    }
}
