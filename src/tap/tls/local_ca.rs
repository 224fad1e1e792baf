//! A certificate authority of one's own, for `--self-signed`: kept in the state directory, mode 0600.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use nix::unistd::Uid;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

use crate::memo::Memo;
use crate::tap::error::TapError;
use crate::tap::tls::session;

const CERT: &str = "tap-ca.pem";
const KEY: &str = "tap-ca.key";
/// Names that have a certificate at once. When there are more, all are forgotten and minted again when asked for.
const MINTED: usize = 512;
/// Certificates by name.
type Minted = Memo<String, Arc<CertifiedKey>, MINTED>;
/// The longest validity that browsers accept from a private CA.
const LEAF_DAYS: i32 = 397;
const CA_DAYS: i32 = 3_650;

/// The authority.
pub(in crate::tap) struct LocalCa {
    /// Its certificate.
    pub(in crate::tap) pem: String,
    /// Where that lies.
    pub(in crate::tap) path: PathBuf,
    issuer: Issuer<'static, KeyPair>,
}

impl LocalCa {
    /// Loads the authority of this user, or makes one.
    pub(in crate::tap) fn open() -> Result<Self, TapError> {
        Self::open_in(&state_dir()?)
    }

    /// An authority for this run: its key is in memory only, its certificate is written to `path`.
    pub(in crate::tap) fn in_memory(path: &Path) -> Result<Self, TapError> {
        let (pem, key) = make()?;
        let refuse = |why: String| TapError::File {
            path: path.to_owned(),
            why,
            next: "name a file that does not exist, in a directory that you may write to",
        };
        let key = KeyPair::from_pem(&key).map_err(|error| generation(&error))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|error| generation(&error))?;
        store(path, &pem).map_err(|error| refuse(error.to_string()))?;
        Ok(Self { pem, path: path.to_owned(), issuer })
    }

    fn open_in(dir: &Path) -> Result<Self, TapError> {
        let (path, key_path) = (dir.join(CERT), dir.join(KEY));
        let refuse = |path: &Path, why: String| TapError::File {
            path: path.to_owned(),
            why,
            next: "remove it to have a new authority made (clients must then trust that one)",
        };
        if !path.exists() && !key_path.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(dir)
                .map_err(|error| refuse(dir, error.to_string()))?;
            let (cert, key) = make()?;
            store(&key_path, &key).map_err(|error| refuse(&key_path, error.to_string()))?;
            store(&path, &cert).map_err(|error| refuse(&path, error.to_string()))?;
        }
        let pem = load(&path).map_err(|error| refuse(&path, error))?;
        let key = load(&key_path).map_err(|error| refuse(&key_path, error))?;
        let key = KeyPair::from_pem(&key).map_err(|error| refuse(&key_path, error.to_string()))?;
        let issuer = Issuer::from_ca_cert_pem(&pem, key).map_err(|error| refuse(&path, error.to_string()))?;
        Ok(Self { pem, path, issuer })
    }
}

/// `$XDG_STATE_HOME/why403`, or `~/.local/state/why403`.
fn state_dir() -> Result<PathBuf, TapError> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("why403"))
        .ok_or_else(|| {
            TapError::usage("there is no home directory to keep the local CA in: set HOME or XDG_STATE_HOME")
        })
}

fn make() -> Result<(String, String), TapError> {
    let key = KeyPair::generate().map_err(|error| generation(&error))?;
    let mut params = valid_for(CertificateParams::default(), CA_DAYS);
    let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    params.distinguished_name.push(DnType::CommonName, format!("why403 tap CA on {host}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let cert = params.self_signed(&key).map_err(|error| generation(&error))?;
    Ok((cert.pem(), key.serialize_pem()))
}

fn generation(error: &rcgen::Error) -> TapError {
    TapError::usage(format!(
        "a certificate could not be made ({error}); bring your own with --cert and --key"
    ))
}

/// From yesterday (clocks differ) for `days` days.
fn valid_for(mut params: CertificateParams, days: i32) -> CertificateParams {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |offset: i32| {
        let date = today.saturating_add(jiff::Span::new().days(offset));
        rcgen::date_time_ymd(i32::from(date.year()), date.month() as u8, date.day() as u8)
    };
    params.not_before = day(-1);
    params.not_after = day(days - 1);
    params
}

/// A new file, never through a link.
fn store(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// A file of this user that nobody else can read or change.
fn load(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "it is missing, its other half is there".to_owned(),
        _ => error.to_string(),
    })?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if meta.uid() != Uid::effective().as_raw() || meta.mode() & 0o077 != 0 {
        return Err("others may read or change it".to_owned());
    }
    let mut text = String::new();
    file.take(1 << 16).read_to_string(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Mints a certificate for whatever name a client asks for.
pub(in crate::tap) struct Minter {
    ca: LocalCa,
    ca_der: CertificateDer<'static>,
    leaf: KeyPair,
    signing: Arc<dyn SigningKey>,
    names: Vec<String>,
    strict: bool,
    minted: Mutex<Minted>,
}

impl Minter {
    /// `names` are the ones that were given; the first serves clients that ask for none, together with the rest.
    pub(in crate::tap) fn new(ca: LocalCa, names: &[String], strict: bool) -> Result<Self, TapError> {
        let leaf = KeyPair::generate().map_err(|error| generation(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf.serialize_der()));
        let signing = ring::default_provider().key_provider.load_private_key(key)?;
        let ca_der = CertificateDer::from_pem_slice(ca.pem.as_bytes())
            .map_err(|error| TapError::usage(format!("{}: {error}", ca.path.display())))?;
        let names = names.iter().map(|name| name.trim_end_matches('.').to_ascii_lowercase()).collect();
        let minter = Self { ca, ca_der, leaf, signing, names, strict, minted: Mutex::default() };
        minter.mint(&minter.names).map_err(|error| {
            TapError::usage(format!(
                "--self-signed: no certificate for these names ({error}); give host names or addresses"
            ))
        })?;
        Ok(minter)
    }

    /// The certificate for a name.
    pub(in crate::tap) fn certified(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let name = name.unwrap_or_default();
        if let Some(known) = self.lock().get(name) {
            return Some(Arc::clone(known));
        }
        let listed = self.names.iter().any(|listed| matches(listed, name));
        let made = if name.is_empty() || (listed && self.names.iter().any(|listed| listed == name)) {
            self.mint(&self.names)
        } else if listed || !self.strict {
            self.mint(&[name.to_owned()])
        } else {
            return None;
        };
        let made = Arc::new(made.ok()?);
        self.lock().put(name.to_owned(), Arc::clone(&made));
        Some(made)
    }

    fn mint(&self, names: &[String]) -> Result<CertifiedKey, rcgen::Error> {
        let mut params = valid_for(CertificateParams::new(names)?, LEAF_DAYS);
        params.distinguished_name = rcgen::DistinguishedName::new();
        let common = names.first().filter(|name| name.len() <= 64).cloned();
        params.distinguished_name.push(DnType::CommonName, common.unwrap_or_else(|| "why403 tap".to_owned()));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.leaf, &self.ca.issuer)?;
        Ok(CertifiedKey::new(vec![leaf.der().clone(), self.ca_der.clone()], Arc::clone(&self.signing)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Minted> {
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a listed name, which may begin with `*.`, covers `name`.
fn matches(listed: &str, name: &str) -> bool {
    listed == name
        || listed.strip_prefix("*.").is_some_and(|parent| {
            name.split_once('.').is_some_and(|(first, rest)| !first.is_empty() && rest == parent)
        })
}

impl ResolvesServerCert for Minter {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().filter(|name| name.parse::<IpAddr>().is_err());
        let made = self.certified(name.map(str::to_ascii_lowercase).as_deref());
        session::note_asked_name(hello.server_name(), made.is_some());
        made
    }
}

impl fmt::Debug for Minter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Minter")
            .field("names", &self.names)
            .field("strict", &self.strict)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustls::client::verify_server_name;
    use rustls::pki_types::ServerName;
    use rustls::server::ParsedCertificate;

    use super::*;

    fn covers(key: &CertifiedKey, name: &str) -> bool {
        let cert = ParsedCertificate::try_from(key.end_entity_cert().unwrap()).unwrap();
        verify_server_name(&cert, &ServerName::try_from(name).unwrap()).is_ok()
    }

    #[test]
    fn the_authority_is_private_and_stays_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state/why403");
        let first = LocalCa::open_in(&state).unwrap();
        for name in [CERT, KEY] {
            assert_eq!(state.join(name).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(LocalCa::open_in(&state).unwrap().pem, first.pem);
        std::fs::set_permissions(state.join(KEY), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(LocalCa::open_in(&state).err().unwrap().to_string().contains("others may read"));
        std::fs::remove_file(state.join(KEY)).unwrap();
        assert!(LocalCa::open_in(&state).err().unwrap().to_string().contains("missing"));
    }

    #[test]
    fn names_are_minted_as_asked_and_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let given = vec!["a.test".to_owned(), "127.0.0.1".to_owned(), "*.b.test".to_owned()];
        let minter = Minter::new(LocalCa::open_in(dir.path()).unwrap(), &given, false).unwrap();
        let default = minter.certified(None).unwrap();
        assert!(covers(&default, "a.test") && covers(&default, "127.0.0.1") && covers(&default, "x.b.test"));
        assert!(covers(&minter.certified(Some("other.test")).unwrap(), "other.test"));
        for n in 1..MINTED {
            minter.certified(Some(&format!("n{n}.test"))).unwrap();
        }
        assert!(minter.lock().get("n1.test").is_none());
        let strict = Minter::new(LocalCa::open_in(dir.path()).unwrap(), &given, true).unwrap();
        assert!(strict.certified(Some("other.test")).is_none());
        assert!(covers(&strict.certified(Some("x.b.test")).unwrap(), "x.b.test"));
    }
}
