//! The way to the server.

use std::future::poll_fn;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::error::TapError;
use super::proxy::{self, ProxyVersion};
use super::scratch;
use super::session::Session;
use super::side::Side;

/// Where the server is and how to speak to it.
pub(super) struct Upstream {
    /// As typed.
    pub(super) typed: String,
    /// Tried in this order.
    pub(super) addresses: Vec<SocketAddr>,
    /// TLS, when it speaks that.
    pub(super) tls: Option<UpstreamTls>,
    /// The PROXY header to begin with.
    pub(super) proxy: Option<ProxyVersion>,
    /// For connecting, and for its TLS handshake.
    pub(super) timeout: Duration,
}

/// TLS towards the server.
pub(super) struct UpstreamTls {
    pub(super) config: Arc<ClientConfig>,
    /// Whom to ask for whatever the client asked for.
    pub(super) fixed: Option<ServerName<'static>>,
    /// Whom to ask for when the client asked for nobody.
    pub(super) host: ServerName<'static>,
}

/// Resolves what was typed.
pub(super) fn resolve(typed: &str) -> Result<Vec<SocketAddr>, TapError> {
    let found = typed.to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    match found {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(TapError::usage(format!("--upstream {typed}: that name has no address"))),
        Err(error) => Err(TapError::usage(format!(
            "--upstream {typed}: {error}; write HOST:PORT, such as 127.0.0.1:8080"
        ))),
    }
}

impl Upstream {
    /// A connected side, and what the server said before it was asked.
    pub(super) async fn connect(
        &self,
        addresses: proxy::Addresses,
        name: Option<&str>,
    ) -> Result<(Side, Vec<u8>), String> {
        let socket = self.reach().await?;
        let _ = socket.set_nodelay(true);
        let mut side = Side::new(socket);
        let mut greeting = Vec::new();
        if let Some(version) = self.proxy {
            let header = proxy::write(version, addresses);
            let sent = poll_fn(|cx| side.send_raw(cx, &header).into()).await;
            sent.map_err(|error| format!("the server {} hung up: {error}", self.typed))?;
        }
        if let Some(tls) = &self.tls {
            let asked = tls.fixed.clone().or_else(|| ServerName::try_from(name?.to_owned()).ok());
            let asked = asked.unwrap_or_else(|| tls.host.clone());
            let refuse = |why: String| {
                format!("TLS with the server {} (as {}) failed: {why}", self.typed, asked.to_str())
            };
            let session = Session::connect(Arc::clone(&tls.config), asked.clone());
            side.start_tls(session.map_err(|error| refuse(error.to_string()))?);
            let handshake =
                poll_fn(|cx| scratch::with(|scratch| side.poll_handshake(cx, scratch, &mut greeting)));
            match timeout(self.timeout, handshake).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(refuse(error.to_string())),
                Err(_) => return Err(refuse("no answer in --connect-timeout".to_owned())),
            }
        }
        Ok((side, greeting))
    }

    async fn reach(&self) -> Result<TcpStream, String> {
        let mut last = String::new();
        for address in &self.addresses {
            match timeout(self.timeout, TcpStream::connect(address)).await {
                Ok(Ok(socket)) => return Ok(socket),
                Ok(Err(error)) => last = format!("the server {address} cannot be reached: {error}"),
                Err(_) => last = format!("the server {address} did not answer in --connect-timeout"),
            }
        }
        Err(last)
    }
}
