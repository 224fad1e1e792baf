//! The TLS tap: stands in front of a server, terminates TLS, relays the bytes unchanged and mirrors the plaintext.
//!
//! The tap holds the private key and parses TLS and PROXY headers; it knows nothing of HTTP. The plaintext leaves as a
//! pcap stream over a Unix socket, so that what parses hostile bytes is another process. In the order of a byte:
//! `accept::listener` accepts and hands out, `accept::worker` is one thread with its connections, `accept::connection` is
//! one of them from PROXY header and handshake (`relay::side`, `tls::session`) to `relay`, which tells `mirror` what passes.

mod accept;
pub mod args;
mod beside;
mod config;
mod control;
mod error;
mod events;
mod forward;
mod keeper;
mod mirror;
mod relay;
mod run;
#[cfg(any(test, fuzzing))]
pub(crate) mod targets;
mod tls;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ipnet::IpNet;
use rustls::ServerConfig;

pub use args::TapArgs;
pub use beside::Beside;
pub use error::TapError;
pub use relay::proxy_header::ProxyVersion;
pub use run::run;

use events::Reporter;
use forward::Forward;
use mirror::Hub;
use relay::upstream::Upstream;

/// What all connections share.
struct Shared {
    /// How to speak TLS to clients; replaced when certificates are read again.
    server_tls: RwLock<Option<Arc<ServerConfig>>>,
    upstream: Upstream,
    /// What the forward proxy needs, where there is one.
    forward: Option<Forward>,
    /// Whose PROXY headers are expected and believed; none where clients send none.
    accept_proxy: Option<Vec<IpNet>>,
    limits: Limits,
    hub: Arc<Hub>,
    reporter: Reporter,
    counters: Counters,
}

impl Shared {
    fn server_config(&self) -> Option<Arc<ServerConfig>> {
        self.server_tls.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    fn replace_server_config(&self, config: Arc<ServerConfig>) {
        *self.server_tls.write().unwrap_or_else(PoisonError::into_inner) = Some(config);
    }
}

/// What bounds a connection. How many there may be is in [`accept::admission`].
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// PROXY header and TLS handshake together.
    handshake: Duration,
    /// Without a byte in either direction.
    idle: Option<Duration>,
    /// What connections get to finish after SIGTERM.
    drain: Duration,
}

/// What was served.
#[derive(Default)]
struct Counters {
    /// Connections that got through their handshake.
    connections: AtomicU64,
    /// Handshakes that failed.
    failed: AtomicU64,
}
