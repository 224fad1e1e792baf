//! The forward proxy: clients name the server themselves, with CONNECT or an absolute URL.
//!
//! TLS inside a CONNECT is ended here with a certificate made for the name that the client asks for; towards the server it
//! is spoken anew, and the server's certificate is always verified.

pub(in crate::tap) mod head;

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::memo::Memo;
use crate::model::NoticeKind;
use crate::tap::Shared;
use crate::tap::accept::connection::{Client, LINGER, tell_failure, tell_peculiarities};
use crate::tap::error::TapError;
use crate::tap::relay::scratch;
use crate::tap::relay::side::{Side, SideError};
use crate::tap::relay::upstream::{Upstream, UpstreamTls};
use crate::tap::tls::ServerSettings;
use crate::tap::tls::local_ca::Minter;
use crate::tap::tls::session::{self, Session};
use head::{Head, Wanted};

/// Hosts whose configuration is kept.
const CONFIGS: usize = 256;
/// Hosts that are remembered as refusing our certificates; more are forgotten together.
const PINNED: usize = 1024;

/// What the proxy needs.
pub(in crate::tap) struct Forward {
    pub(in crate::tap) settings: ServerSettings,
    pub(in crate::tap) minter: Arc<Minter>,
    /// How to speak to servers.
    pub(in crate::tap) client: Arc<ClientConfig>,
    /// Hosts whose connections are not opened.
    pub(in crate::tap) passthrough: Vec<glob::Pattern>,
    /// For connecting.
    pub(in crate::tap) timeout: Duration,
    /// Bound: [`CONFIGS`].
    configs: Mutex<Memo<String, Arc<ServerConfig>, CONFIGS>>,
    /// Hosts for which a client refused our certificate. Bound: [`PINNED`].
    pinned: Mutex<HashSet<String>>,
}

/// A certificate for the name in the client hello, or else for the host of the CONNECT.
struct OfHost {
    minter: Arc<Minter>,
    host: String,
}

impl fmt::Debug for OfHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfHost").field("host", &self.host).finish_non_exhaustive()
    }
}

impl ResolvesServerCert for OfHost {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or(&self.host);
        session::note_asked_name(Some(name), true);
        self.minter.certified(Some(name))
    }
}

impl Forward {
    pub(in crate::tap) fn new(
        settings: ServerSettings,
        minter: Minter,
        client: Arc<ClientConfig>,
        passthrough: Vec<glob::Pattern>,
        timeout: Duration,
    ) -> Self {
        Self {
            settings,
            minter: Arc::new(minter),
            client,
            passthrough,
            timeout,
            configs: Mutex::default(),
            pinned: Mutex::default(),
        }
    }

    fn config(&self, host: &str) -> Result<Arc<ServerConfig>, TapError> {
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = configs.get(host) {
            return Ok(Arc::clone(known));
        }
        let resolver = OfHost { minter: Arc::clone(&self.minter), host: host.to_owned() };
        let made = self.settings.config(Arc::new(resolver), None)?;
        configs.put(host.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    fn passes(&self, host: &str) -> bool {
        self.passthrough.iter().any(|pattern| pattern.matches(host))
            || self.pinned.lock().unwrap_or_else(PoisonError::into_inner).contains(host)
    }

    fn pin(&self, host: &str) {
        let mut pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner);
        if pinned.len() >= PINNED {
            pinned.clear();
        }
        pinned.insert(host.to_owned());
    }

    fn upstream(&self, wanted: &Wanted, addresses: Vec<SocketAddr>, tls: bool) -> Option<Upstream> {
        let host = || ServerName::try_from(wanted.host.clone()).ok();
        let tls = if tls {
            Some(UpstreamTls { config: Arc::clone(&self.client), fixed: None, host: host()? })
        } else {
            None
        };
        let typed = format!("{}:{}", wanted.host, wanted.port);
        Some(Upstream { typed, addresses, tls, proxy: None, timeout: self.timeout })
    }
}

/// Learns where a client wants to go, and ends its TLS. What goes wrong is told here.
pub(in crate::tap) async fn receive(
    shared: &Shared,
    forward: &Forward,
    mut socket: TcpStream,
    addresses: (SocketAddr, SocketAddr),
) -> Option<Client> {
    let wanted = match read_head(&socket).await {
        Ok(wanted) => wanted,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return None,
        Err(error) => {
            shared.reporter.warn(addresses, NoticeKind::Handshake, format!("closed: {error}"));
            refuse(&mut socket, "400 Bad Request", &error.to_string()).await;
            return None;
        }
    };
    let (host, port) = (wanted.host.clone(), wanted.port);
    let found = timeout(forward.timeout, lookup_host((host.as_str(), port))).await;
    let resolved: Vec<SocketAddr> =
        found.ok().and_then(Result::ok).map(Iterator::collect).unwrap_or_default();
    let Some(first) = resolved.first().copied() else {
        let why = format!("the name {host} has no address");
        shared.reporter.warn(addresses, NoticeKind::Upstream, why.clone());
        refuse(&mut socket, "502 Bad Gateway", &why).await;
        return None;
    };
    let addresses = (addresses.0, first);
    if wanted.connect {
        socket.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.ok()?;
    }
    let is_tls = wanted.connect && {
        let mut byte = [0];
        socket.peek(&mut byte).await.ok()? > 0 && byte == [0x16]
    };
    let opens = is_tls && !forward.passes(&host);
    let upstream = forward.upstream(&wanted, resolved, opens);
    let mut client = Client {
        side: Side::new(socket),
        addresses,
        early: wanted.head,
        name: None,
        upstream,
        is_mirrored: opens || !is_tls,
    };
    if opens {
        handshake(shared, forward, client, &host).await
    } else {
        client.upstream.take().map(|upstream| Client { upstream: Some(upstream), ..client })
    }
}

/// The client's TLS inside a CONNECT.
async fn handshake(shared: &Shared, forward: &Forward, mut client: Client, host: &str) -> Option<Client> {
    let config = forward.config(host).ok()?;
    client.side.start_tls(Session::accept(config).ok()?);
    let Client { side, early, .. } = &mut client;
    let result = poll_fn(|cx| scratch::with(|scratch| side.poll_handshake(cx, scratch, early))).await;
    match result {
        Ok(()) => {
            tell_peculiarities(shared, &mut client);
            client.upstream.is_some().then_some(client)
        }
        Err(error) => {
            tell_failure(shared, &client, &error);
            let is_pinned = matches!(&error, SideError::Tls(failure) if matches!(failure.error, rustls::Error::AlertReceived(_)));
            if is_pinned {
                forward.pin(host);
                let text = format!(
                    "{host} is passed through unopened from now on, since a client refused the certificate"
                );
                shared.reporter.warn(client.addresses, NoticeKind::Handshake, text);
            }
            let _ = timeout(LINGER, client.side.linger()).await;
            None
        }
    }
}

/// Reads the head and nothing beyond it.
async fn read_head(socket: &TcpStream) -> io::Result<Wanted> {
    let mut read = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    loop {
        let seen = socket.peek(&mut buffer).await?;
        if seen == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let before = read.len();
        read.extend_from_slice(buffer.get(..seen).unwrap_or_default());
        let (wanted, outcome) = match head::parse(&read) {
            Head::Complete(length, wanted) => (length - before, Some(wanted)),
            Head::Partial => (seen, None),
            Head::Invalid(why) => return Err(io::Error::new(io::ErrorKind::InvalidData, why)),
        };
        // These bytes were seen, so they are there.
        let taken = socket.try_read(buffer.get_mut(..wanted).unwrap_or_default())?;
        match outcome {
            Some(wanted) => return Ok(wanted),
            None => read.truncate(before + taken),
        }
    }
}

/// An answer of the proxy's own.
pub(in crate::tap) fn answer(status: &str, why: &str) -> String {
    let body = format!("why403: {why}\n");
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\nVia: 1.1 why403\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn refuse(socket: &mut TcpStream, status: &str, why: &str) {
    // Whoever has gone does not want to know.
    let _ = socket.write_all(answer(status, why).as_bytes()).await;
    let _ = socket.shutdown().await;
}
