//! Where frames come from. Opening does all that needs a privilege or may fail for the user's reasons; running needs neither.
//!
//! A source runs on one thread and calls its [`Sink`] inline: there is no queue between the capture and the pipeline but the
//! kernel's own.

mod bpf;
mod error;
mod interfaces;
mod live;
pub mod logs;
mod pace;
mod record;
pub mod savefile;
mod ssh;
mod stop;

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::{Annotation, Exchange, Frame, SourceCounters, Timestamp};

pub use error::SourceError;
pub use interfaces::{Interface, interfaces};
pub use ssh::SshTarget;
pub use stop::Stop;

use bpf::{Expression, FrameFilter};
use live::Live;
use savefile::{OpenFault, Opened, Savefile};
use ssh::Ssh;

/// What a source calls. Breaking ends the capture.
pub trait Sink {
    /// A frame, borrowed until the call returns.
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()>;
    /// Whether notes of a capture file are of use ([`Sink::annotation`]).
    fn wants_annotations(&self) -> bool {
        false
    }
    /// What a capture file says of the section, an interface or the frame that comes next.
    fn annotation(&mut self, _annotation: Annotation<'_>) {}
    /// An exchange that was read from a record of another program, in place of frames.
    fn exchange(&mut self, _exchange: Exchange) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    /// No frame came for a while (about ten times a second); `now` is the time in the capture's own clock, which the last
    /// frame told, so there is none before the first.
    fn tick(&mut self, now: Timestamp) -> ControlFlow<()>;
    /// Nothing more is at hand: a good moment to pass on what was gathered. Called often, must be cheap.
    fn pause(&mut self) {}
    /// What was received and lost so far, about once a second or once a block.
    fn counters(&mut self, counters: SourceCounters);
    /// Something the user should know, one line, not yet escaped for a terminal.
    fn warning(&mut self, text: String);
    /// The capture is damaged or cut short: nothing more will come of it. One line, as a warning is.
    fn damage(&mut self, text: String) {
        self.warning(text);
    }
}

/// Where to capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A network interface; `any` for all.
    Interface(String),
    /// A pcap stream at `host:port`.
    Tcp(String),
    /// A pcap stream at a Unix socket.
    Unix(PathBuf),
    /// A capture file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// tcpdump on another host.
    Ssh(SshTarget),
}

impl Origin {
    /// What `-i` takes: an interface, `TCP@host:port` or `unix:path`.
    pub fn of_interface(text: &str) -> Self {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::Unix(path.into());
        }
        match text.split_at_checked(4) {
            Some((scheme, address)) if scheme.eq_ignore_ascii_case("tcp@") => Self::Tcp(address.to_owned()),
            _ => Self::Interface(text.to_owned()),
        }
    }
    /// What `-r` takes: a file, or `-` for standard input.
    pub fn of_file(path: &OsStr) -> Self {
        if path == "-" { Self::Stdin } else { Self::File(path.into()) }
    }
    /// Its name in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Interface(name) => name.clone(),
            Self::Tcp(address) => format!("TCP@{address}"),
            Self::Unix(path) => format!("unix:{}", path.display()),
            Self::File(path) => path.display().to_string(),
            Self::Stdin => "standard input".to_owned(),
            Self::Ssh(target) => format!("ssh {}", target.host),
        }
    }
}

/// How to capture.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// A filter in tcpdump's language.
    pub filter: Option<String>,
    /// Whether the filter also holds inside VLAN tags.
    pub see_through_vlan: bool,
    /// Bytes kept of each frame (`-s`).
    pub snaplen: u32,
    /// The kernel's buffer in KiB (`-B`).
    pub buffer_kib: u32,
    /// Whether the interface takes in frames that are not for it.
    pub promiscuous: bool,
    /// Whether a file's end is waited at.
    pub follow: bool,
    /// Bytes kept of each body, where messages are read that were not captured.
    pub body_limit: usize,
}

impl Default for SourceOptions {
    fn default() -> Self {
        Self {
            filter: None,
            see_through_vlan: true,
            snaplen: 262_144,
            buffer_kib: 16 << 10,
            promiscuous: true,
            follow: false,
            body_limit: 64 << 10,
        }
    }
}

impl SourceOptions {
    fn expression(&self) -> Option<Expression> {
        let text = self.filter.as_ref().filter(|text| !text.trim().is_empty())?;
        Some(Expression { text: text.clone(), with_tags: self.see_through_vlan })
    }
    /// The filter for frames that are read, checked.
    fn frame_filter(&self) -> Result<Option<FrameFilter>, SourceError> {
        let Some(expression) = self.expression() else { return Ok(None) };
        let text = expression.text.clone();
        FrameFilter::new(expression).map(Some).map_err(|reason| SourceError::Filter { text, reason })
    }
}

/// An open source.
pub struct Source {
    name: String,
    kind: Kind,
}

enum Kind {
    Live(Box<Live>),
    Savefile(Savefile, Option<FrameFilter>),
    Record(record::Recorded),
    Ssh(Ssh),
}

/// How long a connection to a pcap stream may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

impl Source {
    /// Opens it: asks the kernel for the interface, reads a capture's header, waits for the other host's tcpdump. `stop` ends
    /// the waiting.
    pub fn open(origin: &Origin, options: &SourceOptions, stop: &Stop) -> Result<Self, SourceError> {
        let name = origin.name();
        let failed = |reason| SourceError::Open { name: name.clone(), reason };
        let file = match origin {
            Origin::Interface(interface) => {
                let live =
                    Live::open(interface, options).map_err(|error| is_a_file(interface).unwrap_or(error))?;
                return Ok(Self { name, kind: Kind::Live(Box::new(live)) });
            }
            Origin::Ssh(target) => {
                let ssh = Ssh::open(target, options, stop)?;
                return Ok(Self { name, kind: Kind::Ssh(ssh) });
            }
            Origin::Tcp(address) => connect(address).map_err(failed)?,
            Origin::Unix(path) => UnixStream::connect(path).map(to_file).map_err(failed)?,
            Origin::File(path) => open_file(path).map_err(failed)?,
            Origin::Stdin => io::stdin().as_fd().try_clone_to_owned().map(File::from).map_err(failed)?,
        };
        let filter = options.frame_filter()?;
        let opened = Savefile::open(file, options.follow, stop).map_err(|fault| match fault {
            OpenFault::Io(reason) => SourceError::Open { name: name.clone(), reason },
            OpenFault::Fault(fault) => SourceError::Savefile { name: name.clone(), fault },
        })?;
        let kind = match opened {
            Opened::Frames(savefile) => Kind::Savefile(savefile, filter),
            Opened::Record(record) => {
                Kind::Record(record::Recorded::new(record, options.body_limit, filter.is_some()))
            }
        };
        Ok(Self { name, kind })
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Hands its frames to the sink until it ends, the sink breaks, or `stop` is thrown; the last is no error.
    pub fn run(self, sink: &mut dyn Sink, stop: &Stop) -> Result<(), SourceError> {
        match self.kind {
            Kind::Live(live) => live.run(sink, stop),
            Kind::Savefile(savefile, mut filter) => {
                let flow = savefile.run(&self.name, filter.as_mut(), sink);
                let Some(filter) = filter else { return Ok(()) };
                if let Some(reason) = filter.unusable() {
                    return Err(SourceError::Filter {
                        text: filter.text().to_owned(),
                        reason: reason.to_owned(),
                    });
                }
                if let Some(text) = filter.last_words().filter(|_| flow.is_continue() && !stop.is_set()) {
                    sink.warning(format!("{}: {text}", self.name));
                }
                Ok(())
            }
            Kind::Record(record) => record.run(&self.name, sink),
            Kind::Ssh(ssh) => ssh.run(&self.name, sink, stop),
        }
    }
}

/// The error for a path that was given in place of an interface.
fn is_a_file(name: &str) -> Option<SourceError> {
    let is_interface = !name.contains('/') && Path::new("/sys/class/net").join(name).exists();
    (!is_interface && Path::new(name).exists()).then(|| SourceError::FileAsInterface(name.to_owned()))
}

/// Opens a file; of a named pipe, once somebody writes to it.
fn open_file(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    Ok(file)
}

/// Any stream as a file, which is all that reading needs.
fn to_file(stream: impl Into<OwnedFd>) -> File {
    File::from(stream.into())
}

/// Tries each address that the name has.
fn connect(address: &str) -> io::Result<File> {
    let mut last = io::Error::other("the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => return Ok(to_file(stream)),
            Err(error) => last = error,
        }
    }
    Err(last)
}
