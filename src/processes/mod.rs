//! Which process answers at an address of this machine.
//!
//! After the privileges are gone nothing can be learnt of other processes. So a process of its own is started before
//! ([`Finder::start`]), which keeps the capability to look at them and nothing else, and answers one question: who listens at
//! this address? ([`answer`])

mod cgroup;
mod lookup;
mod sockets;

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lookup::Lookup;

use crate::model::ServerProcess;
use crate::sandbox;

/// Bytes of one line between the two, at most.
const MAX_LINE: u64 = 4096;
/// How long an answer is waited for; without one it is not known.
const PATIENCE: Duration = Duration::from_millis(500);

/// The inspector's end.
#[derive(Debug)]
pub struct Finder {
    stream: BufReader<UnixStream>,
    child: Child,
}

impl Finder {
    /// Starts the process. Start it before privileges are given up.
    pub fn start() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PATIENCE))?;
        ours.set_write_timeout(Some(PATIENCE))?;
        let mut command = Command::new("/proc/self/exe");
        command.args(["helper", "processes"]).stdin(Stdio::from(OwnedFd::from(theirs)));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn()?;
        Ok(Self { stream: BufReader::new(ours), child })
    }

    /// Who listens at `address`; `None` where nobody of this machine does, or it cannot be seen.
    pub fn find(&mut self, address: SocketAddr) -> Option<ServerProcess> {
        writeln!(self.stream.get_mut(), "{address}").ok()?;
        // What was asked before may have been answered too late.
        for _ in 0..16 {
            let mut line = String::new();
            let count = (&mut self.stream).take(MAX_LINE).read_line(&mut line).ok()?;
            if count == 0 {
                return None;
            }
            let (asked, found) = line.trim_end().split_once('\t')?;
            if asked == address.to_string() {
                return read(found);
            }
        }
        None
    }
}

impl Drop for Finder {
    fn drop(&mut self) {
        // Takes its end in, should it have ended; else the end of the socket ends it.
        let _ = self.child.try_wait();
    }
}

/// The life of the process: answers questions on standard input until it ends.
pub fn answer() -> io::Result<()> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    sandbox::confine_process_finder();
    let mut output = stream.try_clone()?;
    let mut input = BufReader::new(stream);
    let mut lookup = Lookup::new(Path::new("/"));
    loop {
        let mut line = String::new();
        if (&mut input).take(MAX_LINE).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let found = line.trim_end().parse().ok().and_then(|address| lookup.find(address));
        let found = found.map(|found| write(&found)).unwrap_or_default();
        writeln!(output, "{}\t{found}", line.trim_end())?;
    }
}

/// As fields with tabs between them; what is not there is empty.
fn write(process: &ServerProcess) -> String {
    let ServerProcess { pid, program, user, unit, container, image } = process;
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(256).collect() };
    let some = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
    let (program, user) = (plain(program), plain(user));
    format!("{pid}\t{program}\t{user}\t{}\t{}\t{}", some(unit), some(container), some(image))
}

fn read(text: &str) -> Option<ServerProcess> {
    let mut fields = text.split('\t');
    let mut next = || fields.next().map(str::to_owned);
    let pid = next()?.parse().ok()?;
    let (program, user) = (next()?, next()?);
    let mut some = || next().filter(|text| !text.is_empty());
    Some(ServerProcess { pid, program, user, unit: some(), container: some(), image: some() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let process = ServerProcess {
            pid: 7,
            program: "gunicorn".into(),
            user: "www-data".into(),
            unit: Some("web.service".into()),
            container: None,
            image: Some("app:1".into()),
        };
        assert_eq!(read(&write(&process)), Some(process));
        assert_eq!(read(""), None);
    }

    #[test]
    fn a_listener_of_this_process_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = Lookup::new(Path::new("/")).find(listener.local_addr().unwrap()).unwrap();
        assert_eq!(found.pid, std::process::id());
        assert!(!found.program.is_empty() && !found.user.is_empty());
        let any = std::net::TcpListener::bind("0.0.0.0:0").unwrap();
        let port = any.local_addr().unwrap().port();
        let find = |text: String| Lookup::new(Path::new("/")).find(text.parse().unwrap());
        assert_eq!(find(format!("127.0.0.1:{port}")).map(|found| found.pid), Some(std::process::id()));
        assert_eq!(find(format!("203.0.113.9:{port}")), None, "not an address of this machine");
    }
}
