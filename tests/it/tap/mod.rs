//! The tap between real clients and real servers.

mod clients;
mod faults;
mod inspector;
mod launch;
mod limits;
mod mirror;
mod node;
mod relay;
mod tls;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::sys::signal::Signal;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tempfile::TempDir;

use crate::support::{PATIENCE, Program, must, why403};

/// A tap with its mirror in a directory of its own. Killed when dropped.
pub(crate) struct Tap {
    pub program: Program,
    pub address: SocketAddr,
    pub dir: TempDir,
}

impl Tap {
    /// With certificates of the local CA, on a port that the system chooses.
    pub(crate) fn start(upstream: SocketAddr, more: &[&str]) -> Self {
        Self::start_in(
            tempfile::tempdir().unwrap(),
            upstream,
            &[&["--self-signed", "localhost", "127.0.0.1"], more].concat(),
        )
    }

    /// With certificates as `more` says.
    pub(crate) fn start_in(dir: TempDir, upstream: SocketAddr, more: &[&str]) -> Self {
        Self::start_by(Command::new(why403()), dir, upstream, more)
    }

    /// By a command to which the tap's arguments are added.
    pub(crate) fn start_by(mut command: Command, dir: TempDir, upstream: SocketAddr, more: &[&str]) -> Self {
        command.env("XDG_STATE_HOME", dir.path()).env_remove("SUDO_UID").arg("tap");
        if !more.contains(&"--listen-plain") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        let mirror = format!("unix:{}", dir.path().join("mirror/tap.sock").display());
        command.args(["--upstream", &upstream.to_string(), "--mirror", &mirror]).args(more);
        let mut program = Program::start(&mut command);
        program.says("watch with");
        let line = program.said().lines().find(|line| line.contains('→')).unwrap().to_owned();
        let address = line.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
        Self { program, address, dir }
    }

    pub(crate) fn mirror_path(&self) -> PathBuf {
        self.dir.path().join("mirror/tap.sock")
    }
    /// Reads the mirror from now on.
    pub(crate) fn mirror(&self) -> Mirror {
        Mirror::connect(&self.mirror_path())
    }
    /// The local CA's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.dir.path().join("why403/tap-ca.pem")
    }
    /// A TLS connection by a client that trusts the local CA.
    pub(crate) fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        connect(self.address, trusting(&self.ca()))
    }
    /// Tells it to end and waits for that.
    pub(crate) fn stop(&mut self) -> String {
        self.program.signal(Signal::SIGTERM);
        assert!(self.program.ended().success(), "{}", self.program.said());
        self.program.said().to_owned()
    }
    /// `https://localhost:PORT` and the path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.address.port())
    }
}

pub(crate) fn trusting(ca: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    Arc::new(
        builder
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
}

pub(crate) fn connect(
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> StreamOwned<ClientConnection, TcpStream> {
    let socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(config, name).unwrap(), socket)
}

/// Reads a mirror to its end in the background.
pub(crate) struct Mirror {
    thread: JoinHandle<Vec<u8>>,
}

impl Mirror {
    pub(crate) fn connect(path: &Path) -> Self {
        let mut socket = UnixStream::connect(path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // The header comes once the tap knows of the reader.
        let mut bytes = vec![0; 24];
        socket.read_exact(&mut bytes).unwrap();
        let thread = std::thread::spawn(move || {
            socket.read_to_end(&mut bytes).unwrap();
            bytes
        });
        Self { thread }
    }
    /// Everything, once the tap has ended.
    pub(crate) fn whole(self) -> Capture {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("mirror.pcap");
        std::fs::write(&file, self.thread.join().unwrap()).unwrap();
        Capture { file, _dir: dir }
    }
}

/// What the mirror gave, as a file.
pub(crate) struct Capture {
    pub file: PathBuf,
    _dir: TempDir,
}

impl Capture {
    /// The values of some fields of the frames that match, by tshark, a line a frame.
    pub(crate) fn tshark(&self, filter: &str, fields: &[&str]) -> Vec<String> {
        let file = self.file.to_str().unwrap();
        let mut words = vec!["-n", "-r", file, "-Y", filter, "-T", "fields"];
        words.extend(fields.iter().flat_map(|field| ["-e", field]));
        must("tshark", words).lines().map(str::to_owned).collect()
    }
}

/// A server that answers each connection with `serve`, in a thread each.
pub(crate) fn server(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            socket.set_nodelay(true).unwrap();
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(socket));
        }
    });
    address
}

/// Sends back what comes until the client is done.
pub(crate) fn echo(mut socket: TcpStream) {
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = socket.read(&mut buffer) {
        if socket.write_all(&buffer[..count]).is_err() {
            return;
        }
    }
}

/// Bytes that do not repeat early.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}
