//! `why403 record` as a service: the unit for systemd, and telling systemd that the capture has begun.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;

use super::AppError;

/// Where systemd listens; nothing without systemd.
#[derive(Debug, Default)]
pub(super) struct Notifier(Option<UnixDatagram>);

impl Notifier {
    /// Connects to `$NOTIFY_SOCKET` for a service, while sockets can still be made.
    pub(super) fn connect(is_service: bool) -> Result<Self, AppError> {
        if !is_service {
            return Ok(Self::default());
        }
        Self::to_systemd().map_err(|reason| AppError::System { what: "cannot reach $NOTIFY_SOCKET", reason })
    }
    fn to_systemd() -> io::Result<Self> {
        let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Self(None));
        };
        let socket = UnixDatagram::unbound()?;
        match name.as_bytes() {
            [b'@', name @ ..] => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
            _ => socket.connect(Path::new(&name))?,
        }
        Ok(Self(Some(socket)))
    }
    /// Sends `state`; nobody is waited for.
    pub(super) fn tell(&self, state: &str) {
        if let Some(socket) = &self.0 {
            // Without an answer systemd ends the service, and says so.
            let _ = socket.send(state.as_bytes());
        }
    }
}

/// The unit that runs `arguments` of `program`, which keeps its history in `history`.
pub(super) fn unit(program: &Path, arguments: &[String]) -> String {
    let words = std::iter::once(program.display().to_string()).chain(arguments.iter().cloned());
    let command = words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ");
    format!(
        "\
[Unit]
Description=why403: record why requests are refused
After=network.target

[Service]
Type=notify
ExecStart={command}
Restart=on-failure
RestartSec=2
DynamicUser=yes
StateDirectory=why403
StateDirectoryMode=0700
UMask=0077
AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN
CapabilityBoundingSet=CAP_NET_RAW CAP_NET_ADMIN
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK AF_PACKET
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service @sandbox
MemoryMax=512M
CPUWeight=20
IOSchedulingClass=idle

[Install]
WantedBy=multi-user.target
"
    )
}

/// A word of a command line as systemd reads it.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "/.-_=:@%$,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{quoted, unit};

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        assert_eq!(quoted("tcp port 80"), "\"tcp port 80\"");
        assert_eq!(quoted("/a/b%c"), "/a/b%%c");
        assert_eq!(quoted("a\"b\\c"), "\"a\\\"b\\\\c\"");
        assert_eq!(quoted(""), "\"\"");
        let unit = unit(Path::new("/usr/bin/why403"), &["record".into(), "port 80".into()]);
        assert!(unit.contains("\nExecStart=/usr/bin/why403 record \"port 80\"\n"), "{unit}");
    }
}
