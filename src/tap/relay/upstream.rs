//! The way to the server.

use std::future::poll_fn;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tap::error::TapError;
use crate::tap::relay::proxy_header::{self, ProxyVersion};
use crate::tap::relay::scratch;
use crate::tap::relay::side::Side;
use crate::tap::tls::session::Session;

/// Where the server is and how to speak to it.
pub(in crate::tap) struct Upstream {
    /// As typed.
    pub(in crate::tap) typed: String,
    /// Tried in this order.
    pub(in crate::tap) addresses: Vec<SocketAddr>,
    /// TLS, when it speaks that.
    pub(in crate::tap) tls: Option<UpstreamTls>,
    /// The PROXY header to begin with.
    pub(in crate::tap) proxy: Option<ProxyVersion>,
    /// For connecting, and for its TLS handshake.
    pub(in crate::tap) timeout: Duration,
}

/// TLS towards the server.
pub(in crate::tap) struct UpstreamTls {
    pub(in crate::tap) config: Arc<ClientConfig>,
    /// Whom to ask for whatever the client asked for.
    pub(in crate::tap) fixed: Option<ServerName<'static>>,
    /// Whom to ask for when the client asked for nobody.
    pub(in crate::tap) host: ServerName<'static>,
}

/// Resolves what was typed.
pub(in crate::tap) fn resolve(typed: &str) -> Result<Vec<SocketAddr>, TapError> {
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
    pub(in crate::tap) async fn connect(
        &self,
        addresses: proxy_header::Addresses,
        name: Option<&str>,
    ) -> Result<(Side, Vec<u8>), String> {
        let socket = self.reach().await?;
        let _ = socket.set_nodelay(true);
        let mut side = Side::new(socket);
        let mut greeting = Vec::new();
        if let Some(version) = self.proxy {
            let header = proxy_header::write(version, addresses);
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
