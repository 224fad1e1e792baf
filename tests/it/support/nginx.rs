//! A real nginx with reasons to refuse.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{find, must, until};

/// What the server refuses, each for a reason of its own; everything else is accepted.
const LOCATIONS: &str = r#"
    location /v1/ {
        if ($http_authorization = "") { return 403 '{"error":"missing token"}'; }
        default_type application/json;
        return 201 '{"ok":true}';
    }
    location /typed { if ($content_type !~ "json") { return 403; } return 200 "typed\n"; }
    location /readonly { limit_except GET { deny all; } return 200 "readable\n"; }
    location /banned { deny all; }
    location /large { client_max_body_size 64m; proxy_pass http://unix:@SOCKET@:/; }
"#;

/// A proxy, the application behind it, and who it asks.
const PROXY: &str = r#"
  server { listen @PROXY@;
    location / { proxy_pass http://@APPLICATION@; }
    location /stripped/ { proxy_set_header Authorization ""; proxy_pass http://@APPLICATION@/internal/; }
    location /guarded/ { auth_request /ask; proxy_pass http://@APPLICATION@; }
    location /own { return 403 "own"; }
    location = /ask { internal; proxy_pass http://@AUTHORIZATION@/may; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header X-Original-URI $request_uri; }
  }
  server { listen @APPLICATION@; if ($http_authorization = "") { return 403 "no token"; }
    location / { return 201 "ok"; } }
  server { listen @AUTHORIZATION@; location / { return 403; } }
"#;

/// A running nginx, killed when dropped.
pub(crate) struct Nginx {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    _dir: TempDir,
}

impl Nginx {
    /// Starts it on a free port of the loopback interface.
    pub(crate) fn on_loopback() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let nginx = Self::spawn(SocketAddr::from(([127, 0, 0, 1], port)), &[]);
        until("nginx to accept", || TcpStream::connect(nginx.address).ok());
        nginx
    }

    /// Starts it at `address` in a network namespace.
    pub(crate) fn in_namespace(namespace: &str, address: SocketAddr) -> Self {
        let nginx = Self::spawn(address, &["ip", "netns", "exec", namespace]);
        until("nginx to listen", || {
            let table = std::fs::read_to_string(format!("/proc/{}/net/tcp", nginx.child.id())).ok()?;
            let port = format!(":{:04X} 00000000:0000 0A", address.port());
            table.contains(&port).then_some(())
        });
        nginx
    }

    /// Starts it on a free port of the loopback interface with `access.log` and `error.log` in `logs`; its clock shows the time of
    /// the zone `zone`.
    pub(crate) fn logging(logs: &Path, zone: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let dir = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let shown = logs.display();
        let config = config(dir.path(), address)
            .replace("access_log off;", &format!("access_log {shown}/access.log;"))
            .replace("error_log stderr;", &format!("error_log {shown}/error.log;"));
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(find("nginx").unwrap());
        command.args(["-e", "stderr", "-c"]).arg(&file).env("TZ", zone);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let nginx = Self { child: command.spawn().unwrap(), address, _dir: dir };
        until("nginx to accept", || TcpStream::connect(address).ok());
        nginx
    }

    /// Starts three servers on free ports of the loopback interface: a proxy in front of an application, which asks an
    /// authorization server for what is below `/guarded/` and drops the Authorization field below `/stripped/`.
    pub(crate) fn before_application() -> (Self, [SocketAddr; 3]) {
        let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [proxy, application, authorization] = listeners.map(|one| one.local_addr().unwrap());
        let dir = tempfile::tempdir().unwrap();
        let servers = PROXY
            .replace("@PROXY@", &proxy.to_string())
            .replace("@APPLICATION@", &application.to_string())
            .replace("@AUTHORIZATION@", &authorization.to_string());
        let config = config(dir.path(), proxy);
        let end = config.find("  server {").unwrap();
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, format!("{}{servers}}}\n", &config[..end])).unwrap();
        let mut command = Command::new(find("nginx").unwrap());
        command.args(["-e", "stderr", "-c"]).arg(&file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let nginx = Self { child: command.spawn().unwrap(), address: proxy, _dir: dir };
        until("nginx to accept", || TcpStream::connect(proxy).ok());
        (nginx, [proxy, application, authorization])
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes it open its logs again.
    pub(crate) fn reopen_logs(&self) {
        let id = nix::unistd::Pid::from_raw(self.child.id() as i32);
        nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGUSR1).unwrap();
    }

    /// Asks for what is refused.
    pub(crate) fn refuse(&self) {
        must("curl", ["-s", "-o", "/dev/null", "-d", "a=1", &format!("http://{}/banned", self.address)]);
    }

    fn spawn(address: SocketAddr, prefix: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("nginx.conf");
        std::fs::write(&file, config(dir.path(), address)).unwrap();
        let nginx = find("nginx").unwrap();
        let mut words: Vec<&std::ffi::OsStr> = prefix.iter().map(AsRef::as_ref).collect();
        words.extend([nginx.as_os_str(), "-e".as_ref(), "stderr".as_ref(), "-c".as_ref(), file.as_os_str()]);
        let child = Command::new(words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address, _dir: dir }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn config(dir: &Path, address: SocketAddr) -> String {
    let socket = dir.join("upstream.sock");
    let dir = dir.display();
    let locations = LOCATIONS.replace("@SOCKET@", &socket.display().to_string());
    format!(
        "daemon off; master_process off; pid {dir}/pid; error_log stderr;
events {{ }}
http {{
  access_log off; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  server {{ listen {address};{locations}}}
  server {{ listen unix:{}; client_max_body_size 64m; return 403 'too much\n'; }}
}}
",
        socket.display()
    )
}
