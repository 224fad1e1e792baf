//! Whom the process becomes when it was started as root.

use std::fmt;
use std::fs::Metadata;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{
    Gid, Uid, User, fchown, getegid, geteuid, getgid, getuid, setgroups, setresgid, setresuid, setuid,
};

use super::State;

/// A user to run as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub uid: Uid,
    /// The only group.
    pub gid: Gid,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Already,
    SetUserId,
    Sudo,
    Nobody,
    /// Files are to be made in a directory of this user's, in which the ones above cannot.
    OwnerOf(PathBuf),
}

impl Identity {
    /// Whoever is running, is behind a set-user-id bit or sudo, or nobody.
    pub fn target() -> Self {
        let (real, effective) = (getuid(), geteuid());
        if !effective.is_root() {
            return Self { uid: effective, gid: getegid(), why: Why::Already };
        }
        if !real.is_root() {
            return Self { uid: real, gid: getgid(), why: Why::SetUserId };
        }
        sudo(std::env::var("SUDO_UID").ok().as_deref(), std::env::var("SUDO_GID").ok().as_deref())
            .unwrap_or_else(nobody)
    }

    /// The user that [`super::enter`] switches to, who has to be able to make files in `dirs`: [`Self::target`] if that one
    /// can, else the owner of the first of them. That may be root, who then has no capabilities left and only the
    /// files that Landlock leaves.
    pub fn for_files_in<P: AsRef<Path>>(dirs: &[P]) -> Self {
        let target = Self::target();
        if !target.is_change() {
            return target;
        }
        let known: Vec<(&Path, Metadata)> =
            dirs.iter().filter_map(|dir| Some((dir.as_ref(), std::fs::metadata(dir).ok()?))).collect();
        match known.iter().find(|(_, dir)| !target.may_write(dir)) {
            None => target,
            Some((path, dir)) => Self {
                uid: Uid::from_raw(dir.uid()),
                gid: Gid::from_raw(dir.gid()),
                why: Why::OwnerOf((*path).to_owned()),
            },
        }
    }

    /// Whether anything changes by becoming this user.
    pub fn is_change(&self) -> bool {
        self.why != Why::Already
    }

    /// Makes a file that was opened before the switch this user's own, so that it can be read, and renamed in a directory
    /// with the sticky bit.
    pub fn own(&self, file: impl AsFd) -> io::Result<()> {
        if self.is_change() {
            fchown(file, Some(self.uid), Some(self.gid))?;
        }
        Ok(())
    }

    /// Whether the mode of `dir` lets this user make files in it.
    pub(super) fn may_write(&self, dir: &Metadata) -> bool {
        let shift = match () {
            () if dir.uid() == self.uid.as_raw() => 6,
            () if dir.gid() == self.gid.as_raw() => 3,
            () => 0,
        };
        dir.is_dir() && (dir.mode() >> shift) & 0o3 == 0o3
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {} gid {} (", self.uid, self.gid)?;
        match &self.why {
            Why::Already => f.write_str("as started)"),
            Why::SetUserId => f.write_str("who started it)"),
            Why::Sudo => f.write_str("who called sudo)"),
            Why::Nobody => f.write_str("nobody)"),
            Why::OwnerOf(dir) => write!(f, "who can make files in {})", dir.display()),
        }
    }
}

fn sudo(uid: Option<&str>, gid: Option<&str>) -> Option<Identity> {
    let uid: u32 = uid?.parse().ok().filter(|uid| *uid != 0)?;
    let gid: u32 = gid?.parse().ok().filter(|gid| *gid != 0)?;
    Some(Identity { uid: Uid::from_raw(uid), gid: Gid::from_raw(gid), why: Why::Sudo })
}

fn nobody() -> Identity {
    let (uid, gid) = match User::from_name("nobody") {
        Ok(Some(user)) if !user.uid.is_root() => (user.uid, user.gid),
        _ => (Uid::from_raw(65_534), Gid::from_raw(65_534)),
    };
    Identity { uid, gid, why: Why::Nobody }
}

/// Switches user, group and supplementary groups for good, and makes sure that there is no way back. Root is only
/// acceptable where Landlock holds the files.
pub(super) fn become_user(target: &Identity, files_are_held: bool) -> State {
    if !target.is_change() {
        return State::On(target.to_string());
    }
    let switched = setgroups(&[target.gid])
        .and_then(|()| setresgid(target.gid, target.gid, target.gid))
        .and_then(|()| setresuid(target.uid, target.uid, target.uid));
    match switched {
        Err(error) => State::Missing(format!("still root: {error}")),
        Ok(()) if target.uid.is_root() && files_are_held => State::Partly(target.to_string()),
        Ok(()) if target.uid.is_root() => State::Missing(format!("still {target}")),
        Ok(()) if setuid(Uid::from_raw(0)).is_ok() => State::Missing("root could be regained".to_owned()),
        Ok(()) => State::On(target.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn sudo_names_the_user_and_never_root() {
        let user = sudo(Some("1000"), Some("1001")).unwrap();
        assert_eq!((user.uid.as_raw(), user.gid.as_raw()), (1000, 1001));
        assert_eq!(sudo(Some("0"), Some("0")), None);
        assert_eq!(sudo(Some("1000"), None), None);
        assert_eq!(sudo(Some("-1"), Some("1000")), None);
        assert_eq!(sudo(Some("1000"), Some("0")), None);
    }

    #[test]
    fn nobody_is_never_root() {
        assert!(!nobody().uid.is_root());
    }

    #[test]
    fn a_directory_is_writable_by_owner_group_or_others_as_its_mode_says() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |mode: u32| {
            set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            metadata(dir.path()).unwrap()
        };
        let owner = Identity { uid: geteuid(), gid: getegid(), why: Why::Already };
        let stranger =
            Identity { uid: Uid::from_raw(4_000_000), gid: Gid::from_raw(4_000_000), why: Why::Nobody };
        let friend = Identity { gid: owner.gid, ..stranger.clone() };
        for (bits, by_owner, by_group, by_others) in [
            (0o700, true, false, false),
            (0o500, false, false, false),
            (0o770, true, true, false),
            (0o1777, true, true, true),
        ] {
            let dir = mode(bits);
            let all = [owner.may_write(&dir), friend.may_write(&dir), stranger.may_write(&dir)];
            assert_eq!(all, [by_owner, by_group, by_others], "{bits:o}");
        }
    }

    #[test]
    fn who_can_make_the_files_is_the_target_or_the_owner_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        let chosen = Identity::for_files_in(&[dir.path()]);
        if Identity::target().is_change() {
            // Made by root for root alone.
            assert_eq!(chosen.why, Why::OwnerOf(dir.path().to_owned()));
            set_permissions(dir.path(), Permissions::from_mode(0o1777)).unwrap();
        }
        assert_eq!(Identity::for_files_in(&[dir.path()]), Identity::target());
    }
}
