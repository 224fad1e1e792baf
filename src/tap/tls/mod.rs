//! How we speak TLS: to clients and to the server.

pub(in crate::tap) mod alert;
pub(in crate::tap) mod certs;
pub(in crate::tap) mod local_ca;
pub(in crate::tap) mod session;
pub(in crate::tap) mod subject;

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::server::{ResolvesServerCert, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::tap::error::TapError;
use crate::tap::tls::certs::Pair;

/// Who may be a client.
pub(in crate::tap) struct ClientAuth {
    /// CAs of client certificates.
    pub(in crate::tap) roots: Arc<RootCertStore>,
    /// Whether a client without a certificate is let in.
    pub(in crate::tap) optional: bool,
}

/// What stays the same when certificates are read again.
pub(in crate::tap) struct ServerSettings {
    /// Protocols to offer, best first.
    pub(in crate::tap) alpn: Vec<Vec<u8>>,
    /// Makes session tickets; outlives a reload so that sessions do, too, where anybody may be a client.
    tickets: Arc<dyn rustls::server::ProducesTickets>,
}

impl ServerSettings {
    pub(in crate::tap) fn new(alpn: &[String]) -> Result<Self, TapError> {
        let alpn = alpn.iter().filter(|name| !name.is_empty()).map(|name| name.as_bytes().to_vec()).collect();
        Ok(Self { alpn, tickets: ring::Ticketer::new()? })
    }

    /// TLS 1.2 and 1.3 with tickets; `client_auth` says who may be a client, everyone when `None`.
    pub(in crate::tap) fn config(
        &self,
        certificates: Arc<dyn ResolvesServerCert>,
        client_auth: Option<&ClientAuth>,
    ) -> Result<Arc<ServerConfig>, TapError> {
        let builder =
            ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        let builder = match client_auth {
            None => builder.with_no_client_auth(),
            Some(auth) => {
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::clone(&auth.roots), provider());
                let verifier = if auth.optional { verifier.allow_unauthenticated() } else { verifier };
                let verifier = verifier.build().map_err(|error| {
                    TapError::usage(format!(
                        "--client-ca: {error}; the file must hold the CAs of your clients"
                    ))
                })?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_cert_resolver(certificates);
        config.alpn_protocols.clone_from(&self.alpn);
        // A session that goes on shows no certificate again, so tickets end with the CAs they were given under.
        config.ticketer =
            if client_auth.is_some() { ring::Ticketer::new()? } else { Arc::clone(&self.tickets) };
        // Tickets without state may be used again, so one is enough.
        config.send_tls13_tickets = 1;
        Ok(Arc::new(config))
    }
}

/// How we speak to the server.
pub(in crate::tap) fn client_config(
    roots: RootCertStore,
    identity: Option<&Pair<'_>>,
) -> Result<Arc<ClientConfig>, TapError> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let certified = Arc::new(pair.certified()?);
            builder.with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)))
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The CAs in a PEM file.
pub(in crate::tap) fn roots(path: &Path, pem: &[u8]) -> Result<RootCertStore, TapError> {
    add(RootCertStore::empty(), certs::chain(path, pem)?, path)
}

fn add(
    mut store: RootCertStore,
    certs: Vec<CertificateDer<'static>>,
    path: &Path,
) -> Result<RootCertStore, TapError> {
    for cert in certs {
        store.add(cert).map_err(|error| TapError::File {
            path: path.to_owned(),
            why: format!("not a CA certificate ({error})"),
            next: "give the certificates of the CAs themselves, in PEM",
        })?;
    }
    Ok(store)
}

/// The CAs that the system trusts.
pub(in crate::tap) fn system_roots() -> Result<RootCertStore, TapError> {
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if added == 0 {
        return Err(TapError::usage(
            "the system has no CA certificates to verify the server with: install ca-certificates or give --upstream-ca",
        ));
    }
    Ok(store)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
