//! Certificates and keys: read from PEM, chosen by the name that the client asks for.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::tap::error::TapError;
use crate::tap::tls::session;

/// The bytes of a certificate file and its key file.
#[derive(Clone)]
pub(in crate::tap) struct Pair<'a> {
    /// For messages.
    pub(in crate::tap) cert_path: &'a Path,
    /// PEM, leaf first.
    pub(in crate::tap) cert: &'a [u8],
    /// For messages.
    pub(in crate::tap) key_path: &'a Path,
    /// PEM.
    pub(in crate::tap) key: &'a [u8],
}

impl Pair<'_> {
    /// Parses both and checks that they belong together.
    pub(in crate::tap) fn certified(&self) -> Result<CertifiedKey, TapError> {
        let chain = chain(self.cert_path, self.cert)?;
        let key = PrivateKeyDer::from_pem_slice(self.key).map_err(|error| TapError::File {
            path: self.key_path.to_owned(),
            why: format!("no private key ({error})"),
            next: "it must be PEM: PKCS#8, PKCS#1 or SEC1, without a passphrase",
        })?;
        CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| TapError::File {
            path: self.key_path.to_owned(),
            why: format!("cannot be used with {} ({error})", self.cert_path.display()),
            next: "give --cert and --key in pairs, an ECDSA, RSA or Ed25519 key each",
        })
    }
}

/// The certificates in a PEM file.
pub(in crate::tap) fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TapError> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let refuse = |why: String| TapError::File {
        path: path.to_owned(),
        why,
        next: "it must be PEM (-----BEGIN CERTIFICATE-----), the server's own certificate first",
    };
    match chain {
        Err(error) => Err(refuse(format!("not a certificate ({error})"))),
        Ok(chain) if chain.is_empty() => Err(refuse("no certificate in it".to_owned())),
        Ok(chain) => Ok(chain),
    }
}

/// Chooses among the pairs of the command line.
pub(in crate::tap) struct Chooser {
    keys: Vec<Arc<CertifiedKey>>,
    strict: bool,
}

impl Chooser {
    /// The first pair serves clients that ask for no name, and when not `strict`, for an unknown one.
    pub(in crate::tap) const fn new(keys: Vec<Arc<CertifiedKey>>, strict: bool) -> Self {
        Self { keys, strict }
    }
    fn choose(&self, name: Option<&str>, fits: impl Fn(&CertifiedKey) -> bool) -> Choice {
        let covering = |name: &str| {
            let name = ServerName::try_from(name).ok()?;
            let mut covering = self.keys.iter().filter(|key| covers(key, &name)).peekable();
            let first = covering.peek().copied();
            covering.find(|key| fits(key)).or(first)
        };
        let any = || self.keys.iter().find(|key| fits(key)).or(self.keys.first()).cloned();
        match name {
            None => Choice { key: any(), covered: true },
            Some(name) => match covering(name) {
                Some(key) => Choice { key: Some(Arc::clone(key)), covered: true },
                None if self.strict => Choice { key: None, covered: false },
                None => Choice { key: any(), covered: false },
            },
        }
    }
}

struct Choice {
    key: Option<Arc<CertifiedKey>>,
    covered: bool,
}

fn covers(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    key.end_entity_cert()
        .ok()
        .and_then(|cert| ParsedCertificate::try_from(cert).ok())
        .is_some_and(|cert| verify_server_name(&cert, name).is_ok())
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let choice = self
            .choose(hello.server_name(), |key| key.key.choose_scheme(hello.signature_schemes()).is_some());
        session::note_asked_name(hello.server_name(), choice.covered);
        choice.key
    }
}

impl fmt::Debug for Chooser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chooser").field("keys", &self.keys.len()).field("strict", &self.strict).finish()
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

    use super::*;

    fn key(names: &[&str], ed25519: bool) -> Arc<CertifiedKey> {
        let algorithm = if ed25519 { &PKCS_ED25519 } else { &PKCS_ECDSA_P256_SHA256 };
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let cert = CertificateParams::new(names).unwrap().self_signed(&pair).unwrap();
        let (cert, key) = (cert.pem(), pair.serialize_pem());
        let path = Path::new("x.pem");
        let pair = Pair { cert_path: path, cert: cert.as_bytes(), key_path: path, key: key.as_bytes() };
        Arc::new(pair.certified().unwrap())
    }

    #[test]
    fn the_name_chooses_and_the_first_is_the_fallback() {
        let keys = vec![key(&["a.test"], false), key(&["*.b.test"], true), key(&["*.b.test"], false)];
        let chooser = Chooser::new(keys.clone(), false);
        let chosen = |name: Option<&str>, ed25519: bool| {
            let choice = chooser
                .choose(name, |key| ed25519 || key.key.algorithm() != rustls::SignatureAlgorithm::ED25519);
            let at = choice.key.and_then(|key| keys.iter().position(|other| Arc::ptr_eq(other, &key)));
            (at, choice.covered)
        };
        assert_eq!(chosen(None, true), (Some(0), true));
        assert_eq!(chosen(Some("a.test"), true), (Some(0), true));
        assert_eq!(chosen(Some("x.b.test"), true), (Some(1), true));
        assert_eq!(chosen(Some("x.b.test"), false), (Some(2), true));
        assert_eq!(chosen(Some("c.test"), true), (Some(0), false));
        let strict = Chooser::new(keys, true).choose(Some("c.test"), |_| true);
        assert!(strict.key.is_none() && !strict.covered);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said() {
        let one = KeyPair::generate().unwrap();
        let other = KeyPair::generate().unwrap();
        let cert =
            CertificateParams::new(vec!["a.test".to_owned()]).unwrap().self_signed(&one).unwrap().pem();
        let path = Path::new("x.pem");
        let failure = |cert: &str, key: &str| {
            let pair = Pair { cert_path: path, cert: cert.as_bytes(), key_path: path, key: key.as_bytes() };
            pair.certified().unwrap_err().to_string()
        };
        assert!(failure("", &one.serialize_pem()).contains("no certificate"));
        assert!(failure(&cert, "nonsense").contains("no private key"));
        assert!(failure(&cert, &other.serialize_pem()).contains("in pairs"));
    }
}
