//! What the arguments mean.

use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::server::ResolvesServerCert;

use super::Limits;
use super::args::TapArgs;
use super::error::TapError;
use crate::edge::files;
use crate::tap::accept::connection::Entrance;
use crate::tap::forward::Forward;
use crate::tap::tls::certs::{Chooser, Pair};

use super::tls::{self, ClientAuth, ServerSettings};
use crate::tap::relay::upstream::{self, Upstream, UpstreamTls};
use crate::tap::tls::local_ca::{LocalCa, Minter};

/// A few milliseconds of a busy relay; with less, readers that are not slow would lose frames.
const MIN_MIRROR_BUFFER: u64 = 1 << 20;

/// The largest file of certificates or keys that is read; a bundle of all public authorities has 250 KiB.
pub(super) const MOST_CERTIFICATES: u64 = 1 << 20;

/// A file that was read.
type Read<'a> = dyn Fn(&Path) -> Result<Vec<u8>, TapError> + 'a;

/// Reads a file of certificates or keys.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TapError> {
    files::read_named(path, MOST_CERTIFICATES).map_err(|error| TapError::File {
        path: path.to_owned(),
        why: error.to_string(),
        next: "check the path, and that you may read it (sudo, if it is root's)",
    })
}

/// Checks what fits together before anything is opened.
pub(super) fn check(args: &TapArgs) -> Result<(), TapError> {
    if args.upstream_ca.is_some() && !args.upstream_tls && args.proxy.is_empty() {
        return Err(TapError::usage("--upstream-ca needs --upstream-tls or --proxy"));
    }
    if args.listen.is_empty() && args.listen_plain.is_empty() && args.proxy.is_empty() {
        return Err(TapError::usage(
            "say where to listen: --listen 0.0.0.0:8443 (TLS) or --listen-plain 0.0.0.0:8080",
        ));
    }
    if args.mirror_buffer < MIN_MIRROR_BUFFER {
        return Err(TapError::usage("--mirror-buffer: give at least 1MiB"));
    }
    if args.cert.len() != args.key.len() {
        return Err(TapError::usage("give as many --key as --cert: they go in pairs, in order"));
    }
    if !args.listen.is_empty() && args.cert.is_empty() && args.self_signed.is_empty() {
        return Err(TapError::usage(
            "--listen needs a certificate: --cert FILE --key FILE, or --self-signed NAME",
        ));
    }
    Ok(())
}

/// How TLS is spoken to clients, and where certificates come from.
pub(super) struct ServerTls {
    settings: ServerSettings,
    /// CAs of client certificates.
    client_ca: Option<PathBuf>,
    /// Whether a client without a certificate is let in.
    client_optional: bool,
    pairs: Vec<(PathBuf, PathBuf)>,
    strict: bool,
    minter: Option<Arc<Minter>>,
}

impl ServerTls {
    /// `None` when there is no TLS listener.
    pub(super) fn new(args: &TapArgs) -> Result<Option<Self>, TapError> {
        if args.listen.is_empty() {
            return Ok(None);
        }
        let minter = match args.self_signed.as_slice() {
            [] => None,
            names => Some(Arc::new(Minter::new(LocalCa::open()?, names, args.strict_sni)?)),
        };
        Ok(Some(Self {
            settings: ServerSettings::new(&args.alpn)?,
            client_ca: args.client_ca.clone(),
            client_optional: args.client_cert_optional,
            pairs: args.cert.iter().cloned().zip(args.key.iter().cloned()).collect(),
            strict: args.strict_sni,
            minter,
        }))
    }

    /// The files that [`ServerTls::load`] reads.
    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.pairs.iter().flat_map(|(cert, key)| [cert, key]).chain(&self.client_ca)
    }

    /// Reads the certificates, by `read`, and makes a configuration of them.
    pub(super) fn load(&self, read: &Read<'_>) -> Result<Arc<rustls::ServerConfig>, TapError> {
        let client_auth = match &self.client_ca {
            None => None,
            Some(path) => {
                let roots = Arc::new(tls::roots(path, &read(path)?)?);
                Some(ClientAuth { roots, optional: self.client_optional })
            }
        };
        let client_auth = client_auth.as_ref();
        if let Some(minter) = &self.minter {
            let minter = Arc::clone(minter) as Arc<dyn ResolvesServerCert>;
            return self.settings.config(minter, client_auth);
        }
        let mut keys = Vec::new();
        for (cert_path, key_path) in &self.pairs {
            let (cert, key) = (read(cert_path)?, read(key_path)?);
            keys.push(Arc::new(Pair { cert_path, cert: &cert, key_path, key: &key }.certified()?));
        }
        self.settings.config(Arc::new(Chooser::new(keys, self.strict)), client_auth)
    }
}

/// Where the server is and how to speak to it.
pub(super) fn upstream(args: &TapArgs) -> Result<Upstream, TapError> {
    if !args.proxy.is_empty() {
        // Every client names its own.
        let typed = "the servers that clients name".to_owned();
        let timeout = seconds(args.connect_timeout);
        return Ok(Upstream { addresses: Vec::new(), tls: None, proxy: None, timeout, typed });
    }
    let typed = args
        .upstream
        .clone()
        .ok_or_else(|| TapError::usage("say which server to relay to: --upstream 127.0.0.1:8080"))?;
    let tls = if args.upstream_tls { Some(upstream_tls(args, &typed)?) } else { None };
    Ok(Upstream {
        addresses: upstream::resolve(&typed)?,
        tls,
        proxy: args.proxy_protocol,
        timeout: seconds(args.connect_timeout),
        typed,
    })
}

/// What the forward proxy needs; `None` where there is none. The certificate of a CA for this run is written here.
pub(super) fn forward(args: &TapArgs) -> Result<Option<Forward>, TapError> {
    if args.proxy.is_empty() {
        return Ok(None);
    }
    let ca = match &args.proxy_ca {
        Some(path) => LocalCa::in_memory(path)?,
        None => LocalCa::open()?,
    };
    let mut roots = match (tls::system_roots(), &args.upstream_ca) {
        (Ok(roots), _) => roots,
        (Err(_), Some(_)) => rustls::RootCertStore::empty(),
        (Err(error), None) => return Err(error),
    };
    if let Some(path) = &args.upstream_ca {
        roots.extend(tls::roots(path, &read(path)?)?.roots);
    }
    let passthrough: Result<Vec<_>, _> = args
        .passthrough
        .iter()
        .map(|text| {
            glob::Pattern::new(&text.to_ascii_lowercase())
                .map_err(|error| TapError::usage(format!("--passthrough {text}: {error}")))
        })
        .collect();
    let minter = Minter::new(ca, &["why403.invalid".to_owned()], false)?;
    let client = tls::client_config(roots, None)?;
    Ok(Some(Forward::new(
        ServerSettings::new(&args.alpn)?,
        minter,
        client,
        passthrough?,
        seconds(args.connect_timeout),
    )))
}

fn upstream_tls(args: &TapArgs, typed: &str) -> Result<UpstreamTls, TapError> {
    let name = |name: &str| {
        ServerName::try_from(name.to_owned()).map_err(|_| {
            TapError::usage(format!("{name:?} is no name a server can have: give --upstream-name"))
        })
    };
    let roots = match &args.upstream_ca {
        Some(path) => tls::roots(path, &read(path)?)?,
        None => tls::system_roots()?,
    };
    let identity = match (&args.upstream_cert, &args.upstream_key) {
        (Some(cert), Some(key)) => Some((cert, read(cert)?, key, read(key)?)),
        _ => None,
    };
    let pair =
        identity.as_ref().map(|(cert_path, cert, key_path, key)| Pair { cert_path, cert, key_path, key });
    let host = typed.rsplit_once(':').map_or(typed, |(host, _)| host);
    Ok(UpstreamTls {
        config: tls::client_config(roots, pair.as_ref())?,
        fixed: args.upstream_name.as_deref().map(name).transpose()?,
        host: name(host.trim_start_matches('[').trim_end_matches(']'))?,
    })
}

/// What bounds a connection.
pub(super) fn limits(args: &TapArgs) -> Limits {
    Limits {
        handshake: seconds(args.handshake_timeout),
        idle: Some(seconds(args.idle_timeout)).filter(|timeout| !timeout.is_zero()),
        drain: seconds(args.drain_timeout),
    }
}

/// Threads that relay.
pub(super) fn workers(args: &TapArgs) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(8);
    args.workers.map_or_else(cores, usize::from)
}

/// The listening sockets, and what clients speak on each.
pub(super) fn bind(args: &TapArgs) -> Result<Vec<(std::net::TcpListener, Entrance)>, TapError> {
    let tls = args.listen.iter().map(|addr| (addr, Entrance::Tls));
    let plain = args.listen_plain.iter().map(|addr| (addr, Entrance::Plain));
    let proxy = args.proxy.iter().map(|addr| (addr, Entrance::Proxy));
    tls.chain(plain).chain(proxy).map(|(addr, entrance)| Ok((listen(addr)?, entrance))).collect()
}

fn listen(addr: &str) -> Result<std::net::TcpListener, TapError> {
    let refuse = |source| TapError::Listen { addr: addr.to_owned(), source };
    let addresses: Vec<_> = addr
        .to_socket_addrs()
        .map_err(|_| {
            TapError::usage(format!("{addr} is no address to listen on; write 0.0.0.0:8443 or [::]:8443"))
        })?
        .collect();
    let listener = std::net::TcpListener::bind(addresses.as_slice()).map_err(refuse)?;
    listener.set_nonblocking(true).map_err(refuse)?;
    // Listening again sets a longer queue than the standard library's.
    let _ = nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::MAXCONN);
    Ok(listener)
}

fn seconds(count: u32) -> Duration {
    Duration::from_secs(u64::from(count))
}
