//! What the fuzz targets of this module run.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::tls;
use crate::tap::relay::proxy_header::{self, Header, ProxyVersion};
use crate::tap::relay::scratch::{Out, PARTIAL};
use crate::tap::tls::certs::{Chooser, Pair};
use crate::tap::tls::session::Session;

/// A PROXY header: its end is where it was found whatever follows, nothing before is whole, and its addresses survive.
pub(crate) fn proxy(data: &[u8]) {
    let read = proxy_header::parse(data);
    if let Header::Complete(used, addresses) = read {
        assert!(used <= data.len() && used <= proxy_header::MAX_V2);
        assert_eq!(proxy_header::parse(data.get(..used).unwrap_or_default()), read);
        for cut in 0..used {
            assert_eq!(
                proxy_header::parse(data.get(..cut).unwrap_or_default()),
                Header::Partial,
                "cut at {cut}"
            );
        }
        for version in [ProxyVersion::V1, ProxyVersion::V2] {
            let Some(addresses) = addresses else { continue };
            let written = proxy_header::write(version, addresses);
            assert_eq!(proxy_header::parse(&written), Header::Complete(written.len(), Some(addresses)));
        }
    }
    if read == Header::Partial {
        assert!(data.len() < proxy_header::MAX_V2);
    }
}

/// What is needed to speak TLS, made once.
struct Configs {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

fn configs() -> Option<&'static Configs> {
    static CONFIGS: OnceLock<Option<Configs>> = OnceLock::new();
    let make = || {
        let key = KeyPair::generate().ok()?;
        let cert = CertificateParams::new(vec!["a.test".to_owned()]).ok()?.self_signed(&key).ok()?;
        let (cert, key, path) = (cert.pem(), key.serialize_pem(), Path::new("x.pem"));
        let pair = Pair { cert_path: path, cert: cert.as_bytes(), key_path: path, key: key.as_bytes() };
        let chooser = Arc::new(Chooser::new(vec![Arc::new(pair.certified().ok()?)], false));
        let server = tls::ServerSettings::new(&["http/1.1".to_owned()]).ok()?.config(chooser, None).ok()?;
        Some(Configs { server, client: tls::client_config(RootCertStore::empty(), None).ok()? })
    };
    CONFIGS.get_or_init(make).as_ref()
}

/// Bytes to a TLS session of ours, the first of them says which side, the second where they are cut.
pub(crate) fn session(data: &[u8]) {
    let Some(configs) = configs() else { return };
    let Some(([side, cut], data)) = data.split_first_chunk() else { return };
    let name = ServerName::try_from("a.test");
    let session = match (side & 1, name) {
        (0, _) => Session::accept(Arc::clone(&configs.server)),
        (_, Ok(name)) => Session::connect(Arc::clone(&configs.client), name),
        (_, Err(_)) => return,
    };
    let Ok(mut session) = session else { return };
    let mut out = Out::default();
    let mut plain = 0;
    for piece in data.chunks(usize::from(*cut) * 4 + 1) {
        let mut incoming = session.take_partial();
        if incoming.len() > PARTIAL {
            return; // The connection gives up here.
        }
        incoming.extend_from_slice(piece);
        if session.receive(&mut incoming, &mut out, &mut |bytes| plain += bytes.len()).is_err() {
            return; // The connection sends the alert and ends.
        }
    }
    let _ = session.send(b"hello", &mut out);
    let _ = session.close(&mut out);
    assert!(plain <= data.len(), "no more plaintext than ciphertext");
    assert!(out.filled().len() <= (1 << 16) + data.len(), "what is said is bounded");
}
