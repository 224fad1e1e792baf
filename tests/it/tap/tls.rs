//! Versions, names, certificates of either side, and what is said when TLS fails.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::sys::signal::Signal;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use tempfile::TempDir;

use super::{Tap, connect, echo, server, trusting};
use crate::support::{can_run, why403};

/// A CA and what it signed, as files.
struct Authority {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "test CA");
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { dir, issuer: Issuer::new(params, key) }
    }
    fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }
    /// Certificate and key for `name`; files of that name are replaced.
    fn sign(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let (cert_path, key_path) =
            (self.dir.path().join(format!("{name}.pem")), self.dir.path().join(format!("{name}.key")));
        std::fs::write(&cert_path, cert.pem()).unwrap();
        std::fs::write(&key_path, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&key_path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        (cert_path, key_path)
    }
    fn tap(&self, upstream: SocketAddr, names: &[&str], more: &[&str]) -> Tap {
        let mut words = Vec::new();
        for name in names {
            let (cert, key) = self.sign(name);
            words.extend([
                "--cert".to_owned(),
                cert.display().to_string(),
                "--key".to_owned(),
                key.display().to_string(),
            ]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).chain(more.iter().copied()).collect();
        Tap::start_in(tempfile::tempdir().unwrap(), upstream, &words)
    }
}

/// The name in the certificate that a client asking for `name` gets.
fn certificate_for(tap: &Tap, ca: &Path, name: &str) -> Result<(), rustls::Error> {
    let mut tls =
        rustls::ClientConnection::new(trusting(ca), ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut socket = TcpStream::connect(tap.address).unwrap();
    match tls.complete_io(&mut socket) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.downcast::<rustls::Error>().unwrap()),
    }
}

#[test]
fn the_name_chooses_the_certificate_and_an_unknown_one_is_said() {
    let authority = Authority::new();
    let mut tap = authority.tap(server(echo), &["one.test", "two.test"], &[]);
    certificate_for(&tap, &authority.ca(), "one.test").unwrap();
    certificate_for(&tap, &authority.ca(), "two.test").unwrap();
    assert!(certificate_for(&tap, &authority.ca(), "three.test").is_err());
    // The client is the one that refuses, by an alert that has a name.
    tap.program.says("bad_certificate");
    tap.program.says("[name three.test, which no certificate covers]");
}

#[test]
fn strict_sni_refuses_unknown_names() {
    let authority = Authority::new();
    let mut tap = authority.tap(server(echo), &["one.test"], &["--strict-sni"]);
    certificate_for(&tap, &authority.ca(), "one.test").unwrap();
    assert!(matches!(
        certificate_for(&tap, &authority.ca(), "two.test"),
        Err(rustls::Error::AlertReceived(_))
    ));
    tap.program.says("no certificate covers two.test");
}

#[test]
fn certificates_are_read_again_without_dropping_connections() {
    let authority = Authority::new();
    let mut tap = authority.tap(server(echo), &["one.test"], &[]);
    let name = ServerName::try_from("one.test").unwrap();
    let tls = rustls::ClientConnection::new(trusting(&authority.ca()), name).unwrap();
    let mut open = StreamOwned::new(tls, TcpStream::connect(tap.address).unwrap());
    open.write_all(b"before").unwrap();
    open.read_exact(&mut [0; 6]).unwrap();

    let other = Authority::new();
    let (cert, key) = other.sign("one.test");
    std::fs::copy(cert, authority.dir.path().join("one.test.pem")).unwrap();
    std::fs::copy(key, authority.dir.path().join("one.test.key")).unwrap();
    tap.program.signal(Signal::SIGHUP);
    tap.program.says("certificates read again");
    certificate_for(&tap, &other.ca(), "one.test").unwrap();
    open.write_all(b"after").unwrap();
    open.read_exact(&mut [0; 5]).unwrap();

    std::fs::write(authority.dir.path().join("one.test.pem"), "nonsense").unwrap();
    tap.program.signal(Signal::SIGHUP);
    tap.program.says("the old certificates stay in use");
    certificate_for(&tap, &other.ca(), "one.test").unwrap();
}

#[test]
fn a_client_that_does_not_trust_the_certificate_is_seen_with_its_alert() {
    let test = "a_client_that_does_not_trust_the_certificate_is_seen_with_its_alert";
    if !can_run(test, false, &["curl", "tshark"]) {
        return;
    }
    let mut tap = Tap::start(server(echo), &[]);
    let mirror = tap.mirror();
    let curl = |more: &[&str]| {
        let url = tap.url("/");
        Command::new("curl").args(["-sS", "-m", "10"]).args(more).arg(url).output().unwrap().status.success()
    };
    assert!(!curl(&[]));
    let openssl = Command::new("openssl")
        .args(["s_client", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-connect", &tap.address.to_string()])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(!openssl.status.success());
    let mut plain = TcpStream::connect(tap.address).unwrap();
    plain.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let _ = plain.read(&mut [0; 16]);
    tap.program.says("unknown_ca");
    tap.program.says("shares no version of TLS");
    tap.program.says("spoke plain HTTP");
    tap.stop();
    let notices = mirror.whole().tshark("syslog", &["syslog.msg"]);
    for (kind, text) in [
        ("client-alert", "unknown_ca"),
        ("server-alert", "shares no version"),
        ("server-alert", "plain HTTP"),
    ] {
        assert!(notices.iter().any(|notice| notice.contains(kind) && notice.contains(text)), "{notices:?}");
    }
}

#[test]
fn only_http_1_is_offered_unless_told_otherwise() {
    for (more, wanted) in [
        (&[][..], Some(&b"http/1.1"[..])),
        (&["--alpn", "h2,http/1.1"], Some(b"h2")),
        (&["--alpn", ""], None),
    ] {
        let tap = Tap::start(server(echo), more);
        let mut config = ClientConfig::clone(&trusting(&tap.ca()));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut stream = connect(tap.address, Arc::new(config));
        stream.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        assert_eq!(stream.conn.alpn_protocol(), wanted);
    }
}

#[test]
fn sessions_are_resumed_with_either_version() {
    if !can_run("sessions_are_resumed_with_either_version", false, &["openssl"]) {
        return;
    }
    let tap = Tap::start(server(echo), &[]);
    for version in ["-tls1_2", "-tls1_3"] {
        let session = tap.dir.path().join(version);
        let client = |flag: &str| {
            let mut openssl = Command::new("openssl");
            openssl.args(["s_client", version, flag]).arg(&session);
            until_echoed(openssl.args(["-connect", &tap.address.to_string()]))
        };
        client("-sess_out");
        assert!(client("-sess_in").contains("\nReused, "), "{version}");
    }
}

/// What a client says until a line that it sent has come back, and with it whatever the server had to say before.
fn until_echoed(client: &mut Command) -> String {
    let mut client =
        client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = client.stdin.take().unwrap();
    input.write_all(b"echoed\n").unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    for line in lines.by_ref().take_while(|line| line != "echoed") {
        said.extend([line.as_str(), "\n"]);
    }
    drop(input);
    lines.for_each(drop);
    assert!(client.wait().unwrap().success(), "{said}");
    said
}

#[test]
fn client_certificates_are_asked_for_and_shown() {
    let authority = Authority::new();
    let ca = authority.ca().display().to_string();
    let mut tap = Tap::start(server(echo), &["--client-ca", &ca]);
    let mirror = tap.mirror();
    let alice = presenting(&tap, authority.sign("alice"));
    let mut stream = connect(tap.address, alice);
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    drop(stream);

    let mut without = tap.connect();
    let _ = without.write_all(b"x");
    assert!(without.read_exact(&mut [0]).is_err());
    tap.program.says("certificate_required");
    tap.stop();
    let bytes = std::fs::read(mirror.whole().file).unwrap();
    assert!(memchr::memmem::find(&bytes, b"subject=\"CN=alice\"").is_some());
}

/// A client that trusts the local CA and has a certificate of its own.
fn presenting(tap: &Tap, (cert, key): (PathBuf, PathBuf)) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(tap.ca()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let chain = vec![CertificateDer::from_pem_file(cert).unwrap()];
    Arc::new(builder.with_client_auth_cert(chain, PrivateKeyDer::from_pem_file(key).unwrap()).unwrap())
}

#[test]
fn the_cas_of_clients_are_read_again_and_old_sessions_do_not_go_on() {
    let (authority, other) = (Authority::new(), Authority::new());
    let ca = authority.ca();
    let mut tap = Tap::start(server(echo), &["--client-ca", ca.to_str().unwrap()]);
    let (alice, bob) = (presenting(&tap, authority.sign("alice")), presenting(&tap, other.sign("bob")));
    let passes = |tap: &Tap, client: &Arc<ClientConfig>| {
        let mut stream = connect(tap.address, Arc::clone(client));
        stream.write_all(b"x").is_ok() && stream.read_exact(&mut [0]).is_ok()
    };
    let mut open = connect(tap.address, Arc::clone(&alice));
    open.write_all(b"before").unwrap();
    open.read_exact(&mut [0; 6]).unwrap();
    assert!(passes(&tap, &alice));
    assert!(!passes(&tap, &bob));

    std::fs::copy(other.ca(), &ca).unwrap();
    tap.program.signal(Signal::SIGHUP);
    tap.program.says("certificates read again");
    assert!(passes(&tap, &bob));
    assert!(!passes(&tap, &alice), "neither by her certificate nor by a ticket");
    open.write_all(b"after").unwrap();
    open.read_exact(&mut [0; 5]).unwrap();
}

/// An echo server behind TLS that wants a certificate of `authority` when `mutual`.
fn tls_server(authority: &Authority, name: &str, mutual: bool) -> SocketAddr {
    let (cert, key) = authority.sign(name);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = if mutual {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority.ca()).unwrap()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder
        .with_single_cert(
            vec![CertificateDer::from_pem_file(cert).unwrap()],
            PrivateKeyDer::from_pem_file(key).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    server(move |socket| {
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket);
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..count]).is_err() {
                return;
            }
        }
    })
}

#[test]
fn the_server_is_verified_by_ca_and_name() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (ca, wrong_ca) = (authority.ca().display().to_string(), other.ca().display().to_string());
    let upstream = tls_server(&authority, "localhost", false);
    let good = Tap::start(upstream, &["--upstream-tls", "--upstream-ca", &ca]);
    let mut stream = good.connect();
    stream.write_all(b"twice encrypted").unwrap();
    stream.read_exact(&mut [0; 15]).unwrap();
    for (more, why) in [
        (&["--upstream-tls", "--upstream-ca", &wrong_ca][..], "invalid peer certificate"),
        (&["--upstream-tls", "--upstream-ca", &ca, "--upstream-name", "other.test"], "not valid for name"),
        (&["--upstream-tls"], "UnknownIssuer"),
    ] {
        let mut bad = Tap::start(upstream, more);
        let mut stream = bad.connect();
        let _ = stream.write_all(b"x");
        assert!(stream.read_exact(&mut [0]).is_err());
        bad.program.says("TLS with the server");
        bad.program.says(why);
    }
}

#[test]
fn the_server_gets_our_certificate() {
    let authority = Authority::new();
    let upstream = tls_server(&authority, "localhost", true);
    let (cert, key) = authority.sign("tap");
    let (ca, cert, key) = (authority.ca(), cert.display().to_string(), key.display().to_string());
    let ca = ca.display().to_string();
    let tap = Tap::start(
        upstream,
        &["--upstream-tls", "--upstream-ca", &ca, "--upstream-cert", &cert, "--upstream-key", &key],
    );
    let mut stream = tap.connect();
    stream.write_all(b"x").unwrap();
    stream.read_exact(&mut [0]).unwrap();
}

#[test]
fn proxy_headers_are_written_and_read() {
    for version in ["v1", "v2"] {
        // One tap as the balancer, one behind it; the server sees what the second one writes.
        let (sender, headers) = std::sync::mpsc::channel();
        let upstream = server(move |mut socket| {
            let mut buffer = vec![0; 256];
            let mut all = Vec::new();
            while let Ok(count @ 1..) = socket.read(&mut buffer) {
                all.extend_from_slice(&buffer[..count]);
                if all.ends_with(b"end") {
                    break;
                }
            }
            let _ = sender.send(all);
        });
        let inner = Tap::start_in(
            tempfile::tempdir().unwrap(),
            upstream,
            &["--listen-plain", "127.0.0.1:0", "--accept-proxy", "--proxy-protocol", "v1"],
        );
        let outer = Tap::start(inner.address, &["--proxy-protocol", version]);
        let mut stream = outer.connect();
        stream.write_all(b"the end").unwrap();
        let client = stream.sock.local_addr().unwrap().port();
        let seen = String::from_utf8(headers.recv().unwrap()).unwrap();
        let wanted = format!("PROXY TCP4 127.0.0.1 127.0.0.1 {client} {}\r\nthe end", outer.address.port());
        assert_eq!(seen, wanted);
        let mut refused = TcpStream::connect(inner.address).unwrap();
        refused.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(refused.read(&mut [0; 8]).unwrap_or(0), 0);
    }
}

#[test]
fn the_local_ca_is_printed_with_the_way_to_trust_it() {
    let home = tempfile::tempdir().unwrap();
    let print = || {
        let output =
            Command::new(why403()).env("XDG_STATE_HOME", home.path()).args(["tap", "ca"]).output().unwrap();
        assert!(output.status.success());
        output
    };
    let (first, second) = (print(), print());
    assert_eq!(first.stdout, second.stdout);
    assert_eq!(first.stdout, std::fs::read(home.path().join("why403/tap-ca.pem")).unwrap());
    assert!(String::from_utf8_lossy(&first.stderr).contains("update-ca-certificates"));
}
