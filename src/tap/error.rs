//! What stops the tap from starting or running.

use std::io;
use std::path::PathBuf;

/// Why the tap did not start or did not go on. Every text says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum TapError {
    /// The command line does not make sense.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be used.
    #[error("{path}: {why}; {next}", path = path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
        /// What to do.
        next: &'static str,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {addr}: {source}; {next}", next = listen_advice(source))]
    Listen {
        /// The address as typed.
        addr: String,
        /// What the system said.
        source: io::Error,
    },
    /// The mirror's socket cannot be made.
    #[error("cannot offer the mirror at {place}: {why}")]
    Mirror {
        /// Where.
        place: String,
        /// What is wrong and what to do.
        why: String,
    },
    /// TLS cannot be set up.
    #[error("TLS: {0}; check that the certificate and the key belong together")]
    Tls(#[from] rustls::Error),
    /// The privileges could not be given up.
    #[error("{0}")]
    Sandbox(String),
    /// Anything else that the system refused.
    #[error("{what}: {source}; see `why403 doctor`")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl TapError {
    /// 3 when permission is missing, 2 for everything else that stops a start.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Listen { source, .. } | Self::System { source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                3
            }
            _ => 2,
        }
    }
    pub(super) fn usage(text: impl Into<String>) -> Self {
        Self::Usage(text.into())
    }
    pub(super) const fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}

fn listen_advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something else listens there: choose another port or stop it (ss -ltnp shows it)"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 need root: use sudo or another port",
        io::ErrorKind::AddrNotAvailable => {
            "no interface has that address: ip addr lists those that are there"
        }
        _ => "choose another address",
    }
}
