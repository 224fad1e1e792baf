//! Where the mirror is offered: a Unix socket or TCP.

use std::fmt;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, chown};

use crate::tap::error::TapError;

/// Where readers find the mirror.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::tap) enum Place {
    /// A Unix socket, mode 0600.
    Unix(PathBuf),
    /// A TCP address.
    Tcp(SocketAddr),
    /// Nowhere.
    None,
}

/// The listening socket.
#[derive(Debug)]
pub(in crate::tap) enum Socket {
    /// With the users that may connect.
    Unix(UnixListener, Vec<Uid>),
    Tcp(TcpListener),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(addr) => write!(f, "TCP@{addr}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl Place {
    /// What was typed after `--mirror`.
    pub(in crate::tap) fn parse(text: &str, expose: bool) -> Result<Self, TapError> {
        if text == "none" {
            return Ok(Self::None);
        }
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Ok(Self::Unix(path.into()));
        }
        let Some(addr) = text.strip_prefix("tcp:").and_then(|addr| addr.parse::<SocketAddr>().ok()) else {
            return Err(TapError::usage(format!(
                "--mirror {text}: write unix:/path/to.sock, tcp:127.0.0.1:4403 or none"
            )));
        };
        if !addr.ip().to_canonical().is_loopback() && !expose {
            return Err(TapError::usage(format!(
                "--mirror tcp:{addr} would hand the plaintext to anyone who connects; use a loopback address, or add \
                 --mirror-expose if that is what you want"
            )));
        }
        Ok(Self::Tcp(addr))
    }

    /// Where it is when nothing was typed: the runtime directory of the user that the tap runs as.
    pub(in crate::tap) fn default_for(user: Uid) -> Self {
        let runtime = PathBuf::from(format!("/run/user/{user}"));
        let owned =
            |path: &Path| path.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == user.as_raw());
        if owned(&runtime) {
            Self::Unix(runtime.join("why403/tap.sock"))
        } else if Uid::effective().is_root() {
            Self::Unix(format!("/run/why403/{user}/tap.sock").into())
        } else {
            Self::Unix(std::env::temp_dir().join(format!("why403-{user}")).join("tap.sock"))
        }
    }

    /// Listens, as long as privileges are still there. The socket is given to `user`.
    pub(in crate::tap) fn bind(&self, user: Uid, group: Gid) -> Result<Option<Socket>, TapError> {
        match self {
            Self::None => Ok(None),
            Self::Tcp(addr) => match TcpListener::bind(addr) {
                Ok(listener) => Ok(Some(Socket::Tcp(listener))),
                Err(source) => Err(TapError::Listen { addr: addr.to_string(), source }),
            },
            Self::Unix(path) => {
                let refuse = |why: String| TapError::Mirror { place: self.to_string(), why };
                prepare_directory(path, user, group).map_err(&refuse)?;
                clear_stale(path, user).map_err(&refuse)?;
                let before = umask(Mode::from_bits_truncate(0o177));
                let bound = UnixListener::bind(path);
                umask(before);
                let listener = bound.map_err(|error| refuse(format!("{error}; choose another --mirror")))?;
                if Uid::effective().is_root() {
                    chown(path, Some(user), Some(group)).map_err(|error| refuse(error.to_string()))?;
                }
                Ok(Some(Socket::Unix(listener, vec![user, Uid::from_raw(0), Uid::current()])))
            }
        }
    }
}

/// Makes the socket's own directory (0700), and refuses one that somebody else could swap.
fn prepare_directory(path: &Path, user: Uid, group: Gid) -> Result<(), String> {
    let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) else { return Ok(()) };
    if let Some(above) = dir.parent().filter(|above| !above.exists()) {
        std::fs::create_dir_all(above).map_err(|error| format!("{}: {error}", above.display()))?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(dir) {
        Ok(()) if Uid::effective().is_root() => {
            chown(dir, Some(user), Some(group)).map_err(|error| format!("{}: {error}", dir.display()))
        }
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let meta = std::fs::symlink_metadata(dir).map_err(|error| error.to_string())?;
            let ours = [0, user.as_raw(), Uid::effective().as_raw()].contains(&meta.uid());
            if meta.is_symlink() || (!ours && meta.mode() & 0o1000 == 0) {
                return Err(format!(
                    "{} belongs to somebody else; choose a directory of yours with --mirror",
                    dir.display()
                ));
            }
            Ok(())
        }
        Err(error) => Err(format!("{}: {error}; choose another --mirror", dir.display())),
    }
}

/// Removes a socket that a killed tap left behind; anything else that is there is left alone.
fn clear_stale(path: &Path, user: Uid) -> Result<(), String> {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Ok(()) };
    if !meta.file_type().is_socket() {
        return Err(
            "something that is not a socket is there; remove it or choose another --mirror".to_owned()
        );
    }
    if ![user.as_raw(), Uid::effective().as_raw()].contains(&meta.uid()) {
        return Err(format!("the socket there belongs to user {}; choose another --mirror", meta.uid()));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| error.to_string())
        }
        Ok(_) => Err("another tap is mirroring there; stop it or choose another --mirror".to_owned()),
        Err(error) => Err(format!("{error}; choose another --mirror")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn ids() -> (Uid, Gid) {
        (Uid::effective(), Gid::effective())
    }

    #[test]
    fn reads_what_is_typed() {
        assert_eq!(Place::parse("none", false).unwrap(), Place::None);
        assert_eq!(Place::parse("unix:/a/b", false).unwrap(), Place::Unix("/a/b".into()));
        assert_eq!(Place::parse("tcp:[::1]:1", false).unwrap(), Place::Tcp("[::1]:1".parse().unwrap()));
        assert!(Place::parse("tcp:0.0.0.0:1", false).unwrap_err().to_string().contains("--mirror-expose"));
        assert!(Place::parse("tcp:0.0.0.0:1", true).is_ok());
        for wrong in ["", "unix:", "tcp:", "tcp:localhost", "/a/b"] {
            assert!(Place::parse(wrong, false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_socket_is_private_and_a_stale_one_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (user, group) = ids();
        let path = dir.path().join("below/tap.sock");
        let place = Place::Unix(path.clone());
        let first = place.bind(user, group).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(path.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(place.bind(user, group).unwrap_err().to_string().contains("another tap"));
        drop(first);
        assert!(path.exists());
        place.bind(user, group).unwrap();
    }

    #[test]
    fn files_and_links_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (user, group) = ids();
        let file = dir.path().join("file");
        std::fs::write(&file, "precious").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for path in [&file, &link] {
            assert!(
                Place::Unix(path.clone()).bind(user, group).unwrap_err().to_string().contains("not a socket")
            );
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    }
}
