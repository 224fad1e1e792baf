//! Enters the inspector's sandbox and tries from inside what must not work.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::{Uid, getppid, setuid};

use super::{Mark, Row, mechanisms};
use crate::sandbox::{self, Policy};

pub(super) fn rows() -> Vec<Row> {
    let report = match sandbox::enter(&Policy::default()) {
        Ok(report) => report,
        Err(error) => {
            return vec![Row { name: "sandbox", mark: Mark::Bad, text: error.to_string(), fix: None }];
        }
    };
    let mut rows = mechanisms(&report);
    rows.extend([
        refused("read a secret", "/etc/shadow", File::open("/etc/shadow").map(drop)),
        refused("read a file", "/etc/passwd", File::open("/etc/passwd").map(drop)),
        refused("write a file", "in the temporary directory", make_a_file()),
        refused("run a program", "/bin/true", Command::new("/bin/true").spawn().map(drop)),
        refused("connect", "to 127.0.0.1", connect()),
        refused("capture again", "on 'any'", capture()),
        refused("become root", "by setuid", setuid(Uid::from_raw(0)).map_err(io::Error::from)),
        refused("signal", "the parent process", kill(getppid(), None).map_err(io::Error::from)),
    ]);
    rows
}

fn refused(name: &'static str, what: &str, result: io::Result<()>) -> Row {
    let (mark, text) = match result {
        Err(error) => (Mark::Good, format!("refused: {what} ({error})")),
        Ok(()) => (Mark::Bad, format!("ALLOWED: {what}")),
    };
    Row { name, mark, text, fix: None }
}

fn make_a_file() -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("why403-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)
}

fn connect() -> io::Result<()> {
    match TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], 9)), Duration::from_secs(1)) {
        // Nobody listens there: the call itself was allowed.
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        other => other.map(drop),
    }
}

fn capture() -> io::Result<()> {
    pcap::Capture::from_device("any")
        .and_then(pcap::Capture::open)
        .map(drop)
        .map_err(|e| io::Error::other(e.to_string()))
}
