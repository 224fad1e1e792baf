//! A second small process that keeps what the tap gives up: reading its certificates again, and removing its socket.
//!
//! The tap starts it first and talks to it over a socket pair: one byte asks for the files that were named at the start,
//! and end of file means that the tap is gone, however it went. The keeper parses nothing and takes no paths from the
//! tap, so a tap that was taken over learns nothing from it that it did not have.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::edge::files;
use crate::sandbox;

use super::config::MOST_CERTIFICATES;
use super::error::TapError;

/// The most bytes of a file that are read.
const MAX_FILE: u64 = MOST_CERTIFICATES;
/// How long the keeper may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
const ASK: u8 = b'R';

/// The tap's end.
pub(super) struct Keeper {
    stream: UnixStream,
}

impl Keeper {
    /// Starts the process, in a group of its own so that Ctrl-C in the terminal does not reach it.
    pub(super) fn start(files: &[PathBuf], socket: Option<&Path>) -> Result<Self, TapError> {
        let failed = |source| TapError::System { what: "starting the keeper process", source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["tap", "keeper"]);
        for file in files {
            command.arg("--file").arg(file);
        }
        if let Some(socket) = socket {
            command.arg("--socket").arg(socket);
        }
        let stdin: OwnedFd = theirs.into();
        command.stdin(Stdio::from(stdin)).stdout(Stdio::null()).process_group(0);
        command.spawn().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        Ok(Self { stream: ours })
    }

    /// From now on within a runtime.
    pub(super) fn attach(self) -> io::Result<Attached> {
        Ok(Attached { stream: tokio::net::UnixStream::from_std(self.stream)? })
    }
}

/// The tap's end within a runtime. The keeper ends when this is dropped.
pub(super) struct Attached {
    stream: tokio::net::UnixStream,
}

impl Attached {
    /// Has `count` files read again, in the order in which they were named.
    pub(super) async fn read(&mut self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        timeout(PATIENCE, self.ask(count)).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn ask(&mut self, count: usize) -> io::Result<Vec<Vec<u8>>> {
        self.stream.write_all(&[ASK]).await?;
        let mut files = Vec::new();
        let mut failure = None;
        for _ in 0..count {
            let good = self.stream.read_u8().await? == 1;
            let length = u64::from(self.stream.read_u32().await?).min(MAX_FILE);
            let mut bytes = Vec::new();
            (&mut self.stream).take(length).read_to_end(&mut bytes).await?;
            if !good {
                failure = Some(io::Error::other(String::from_utf8_lossy(&bytes).into_owned()));
            }
            files.push(bytes);
        }
        failure.map_or(Ok(files), Err)
    }
}

/// The keeper's whole life. Standard input is the other end.
pub(super) fn keep(files: &[PathBuf], socket: Option<&Path>) -> Result<(), TapError> {
    // What the kernel lacks is in the tap's own report.
    sandbox::confine_keeper(files, socket);
    let inode = socket.and_then(inode);
    let result = answer(files).map_err(TapError::system("the keeper process"));
    if let Some(path) = socket.filter(|path| inode.is_some() && self::inode(path) == inode) {
        let _ = std::fs::remove_file(path);
    }
    result
}

fn answer(files: &[PathBuf]) -> io::Result<()> {
    let stdin = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    let mut stream = UnixStream::from(stdin);
    let mut asked = [0];
    while stream.read(&mut asked)? == 1 {
        for path in files {
            let (good, bytes) = match files::read_named(path, MAX_FILE) {
                Ok(bytes) => (1, bytes),
                Err(error) => (0, format!("{}: {error}", path.display()).into_bytes()),
            };
            stream.write_all(&[good])?;
            stream.write_all(&(bytes.len() as u32).to_be_bytes())?;
            stream.write_all(&bytes)?;
        }
    }
    Ok(())
}

/// Which socket it is, so that one that another tap made since is left alone.
fn inode(path: &Path) -> Option<(u64, u64)> {
    let meta = std::fs::symlink_metadata(path).ok().filter(|meta| meta.file_type().is_socket())?;
    Some((meta.dev(), meta.ino()))
}
