//! Everything that can go wrong with a source, said so that the reader knows what to do.

use std::io;

use super::savefile::Fault;

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The interface is not there.
    #[error("there is no interface {name}; there are: {known} (why403 -D says more)")]
    NoInterface {
        /// What was asked for.
        name: String,
        /// The names that would do.
        known: String,
    },
    /// A file or named pipe where an interface is wanted.
    #[error(
        "{0} is a file or a named pipe, no interface; read it with -r {0}, a Unix socket with -i unix:{0}"
    )]
    FileAsInterface(String),
    /// Capturing needs a privilege that the process lacks.
    #[error(
        "no permission to capture on {name}; give this binary the capability once: sudo setcap cap_net_raw+ep {binary}, \
         or run it with sudo"
    )]
    Permission {
        /// The interface.
        name: String,
        /// This program's path, quoted for a shell.
        binary: String,
    },
    /// libpcap could not open the interface.
    #[error("cannot capture on {name}: {reason}")]
    Interface {
        /// The interface.
        name: String,
        /// libpcap's words.
        reason: String,
    },
    /// The interface's frames cannot be read.
    #[error("cannot read the frames of {name}: its link type {link} is not supported; -i any usually works")]
    LinkType {
        /// The interface.
        name: String,
        /// Its LINKTYPE_ number.
        link: u16,
    },
    /// The capture filter is wrong.
    #[error(
        "the capture filter '{text}' is wrong: {reason}; man pcap-filter has the language, -Y filters exchanges"
    )]
    Filter {
        /// What was typed.
        text: String,
        /// libpcap's words.
        reason: String,
    },
    /// A file, pipe or socket could not be opened.
    #[error("cannot open {name}: {reason}{}", advice(reason))]
    Open {
        /// The file, `standard input` or an address.
        name: String,
        /// The system's words.
        reason: io::Error,
    },
    /// What was opened is no capture that can be read.
    #[error("cannot read {name}: {fault}")]
    Savefile {
        /// The file, `standard input` or an address.
        name: String,
        /// What is wrong with it.
        fault: Fault,
    },
    /// What was opened is no record that can be read.
    #[error("cannot read {name}: {reason}")]
    Record {
        /// The file, or `standard input`.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// ssh or the tcpdump behind it failed.
    #[error("no capture from {host}: {text}")]
    Ssh {
        /// The host as typed.
        host: String,
        /// What ssh and tcpdump said, and what to do.
        text: String,
    },
    /// A destination that ssh would take for an option.
    #[error("'{0}' is no host name; write [user@]host, or a Host of ~/.ssh/config")]
    SshHost(String),
    /// A live capture ended against its will.
    #[error(
        "the capture on {name} ended: {reason}; start it again, or watch -i any, which outlives its interfaces"
    )]
    Lost {
        /// The interface.
        name: String,
        /// libpcap's words.
        reason: String,
    },
}

impl SourceError {
    /// The process's exit code: 3 without permission to capture, else 2.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Permission { .. } => 3,
            _ => 2,
        }
    }
}

/// What to do about it, as far as that can be told.
fn advice(reason: &io::Error) -> &'static str {
    match reason.kind() {
        io::ErrorKind::NotFound => "; check the name",
        io::ErrorKind::PermissionDenied => "; read it as a user who may: sudo cat … | why403 -r -",
        io::ErrorKind::ConnectionRefused => "; start what sends the capture there first",
        io::ErrorKind::InvalidInput => "; write TCP@HOST:PORT",
        io::ErrorKind::TimedOut => "; is the address right, and the port open?",
        _ => "",
    }
}
