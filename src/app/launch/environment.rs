//! The environment in which programs use the proxy and trust its CA (docs/run.md says which programs read what).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The largest file of CAs that is added.
const MOST: u64 = 1 << 20;

/// Variables that name the proxy.
const PROXY: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// Variables that name a file of CAs, which programs take in place of the system's.
const BUNDLE: [&str; 15] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "DENO_CERT",
    "PERL_LWP_SSL_CA_FILE",
    "HTTPLIB2_CA_CERTS",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    "NIX_SSL_CERT_FILE",
    "BUNDLE_SSL_CA_CERT",
    "HEX_CACERTS_PATH",
    "NODE_EXTRA_CA_CERTS",
];

/// What is set and what is taken away.
pub(super) struct Environment {
    set: Vec<(&'static str, OsString)>,
}

impl Environment {
    pub(super) fn apply(&self, command: &mut tokio::process::Command) {
        // Hosts that the user's own proxy leaves out are the ones under test here.
        command.env_remove("NO_PROXY").env_remove("no_proxy");
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }
}

/// Writes the CAs of the system together with those in `ca` and `more`, and says where they are.
pub(super) fn prepare(dir: &Path, ca: &Path, more: Option<&Path>, proxy: &str) -> io::Result<Environment> {
    let mut pem = fs::read_to_string(ca)?;
    if let Some(path) = more {
        pem.push_str(&crate::edge::files::read_named_text(path, MOST).map_err(io::Error::other)?);
    }
    for cert in rustls_native_certs::load_native_certs().certs {
        pem.push_str("\n-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(&cert).as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    let bundle = dir.join("bundle.pem");
    fs::write(&bundle, pem)?;
    let url = OsString::from(format!("http://{proxy}"));
    let mut set: Vec<(&'static str, OsString)> = PROXY.iter().map(|name| (*name, url.clone())).collect();
    set.extend(BUNDLE.iter().map(|name| (*name, bundle.clone().into_os_string())));
    set.push(("NODE_USE_ENV_PROXY", "1".into()));
    set.push(("DENO_TLS_CA_STORE", "system".into()));
    set.push(("WGETRC", wgetrc(dir, &bundle)?));
    Ok(Environment { set })
}

/// wget takes its CAs from its configuration: the user's, and a line of ours.
fn wgetrc(dir: &Path, bundle: &Path) -> io::Result<OsString> {
    let usual = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".wgetrc"));
    let own = std::env::var_os("WGETRC").map(Into::into).or_else(usual);
    let mut text = own.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    for part in ["\nca_certificate = ", &bundle.to_string_lossy(), "\n"] {
        text.push_str(part);
    }
    let path = dir.join("wgetrc");
    fs::write(&path, text)?;
    Ok(path.into_os_string())
}
