//! Whom the process becomes when it was started as root.

use std::fmt;

use nix::unistd::{Gid, Uid, User, geteuid, getgid, getuid, setgroups, setresgid, setresuid};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Already,
    SetUserId,
    Sudo,
    Nobody,
}

impl Identity {
    /// The user that [`super::enter`] switches to: the one who is running, the one behind a set-user-id bit or sudo, or nobody.
    pub fn target() -> Self {
        let (real, effective) = (getuid(), geteuid());
        if !effective.is_root() {
            return Self { uid: effective, gid: nix::unistd::getegid(), why: Why::Already };
        }
        if !real.is_root() {
            return Self { uid: real, gid: getgid(), why: Why::SetUserId };
        }
        sudo(std::env::var("SUDO_UID").ok().as_deref(), std::env::var("SUDO_GID").ok().as_deref())
            .unwrap_or_else(nobody)
    }

    /// Whether anything changes by becoming this user.
    pub fn is_change(&self) -> bool {
        self.why != Why::Already
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            Why::Already => "as started",
            Why::SetUserId => "who started it",
            Why::Sudo => "who called sudo",
            Why::Nobody => "nobody",
        };
        write!(f, "uid {} gid {} ({why})", self.uid, self.gid)
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

/// Switches user, group and supplementary groups for good, and makes sure that there is no way back.
pub(super) fn become_user(target: &Identity) -> State {
    if !target.is_change() {
        return State::On(target.to_string());
    }
    let switched = setgroups(&[target.gid])
        .and_then(|()| setresgid(target.gid, target.gid, target.gid))
        .and_then(|()| setresuid(target.uid, target.uid, target.uid));
    match switched {
        Err(error) => State::Missing(format!("still root: {error}")),
        Ok(()) if nix::unistd::setuid(Uid::from_raw(0)).is_ok() => {
            State::Missing("root could be regained".to_owned())
        }
        Ok(()) => State::On(target.to_string()),
    }
}

#[cfg(test)]
mod tests {
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
}
