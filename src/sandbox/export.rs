//! Where files can still be made by the user that the process becomes.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, chown, mkdtemp};

use super::Identity;

/// `preferred` if the user to become can make files there, or else a new private directory below the temporary one.
/// Call it before [`super::enter`], put the answer into the policy, and tell the user where the files go.
pub fn export_dir(preferred: &Path) -> io::Result<PathBuf> {
    let target = Identity::target();
    if !target.is_change() || may_write(&std::fs::metadata(preferred)?, &target) {
        return Ok(preferred.to_owned());
    }
    let dir = mkdtemp(&std::env::temp_dir().join("why403-XXXXXX"))?;
    chown(&dir, Some(target.uid), Some(target.gid))?;
    Ok(dir)
}

fn may_write(dir: &Metadata, user: &Identity) -> bool {
    let shift = if dir.uid() == user.uid.as_raw() {
        6
    } else if dir.gid() == user.gid.as_raw() {
        3
    } else {
        0
    };
    dir.is_dir() && (dir.mode() >> shift) & 0o3 == 0o3
}

/// Those of `dirs` in which this process, as it is now, cannot make files.
pub(super) fn unwritable(dirs: &[PathBuf]) -> Vec<PathBuf> {
    dirs.iter()
        .filter(|dir| access(dir.as_path(), AccessFlags::W_OK | AccessFlags::X_OK).is_err())
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_is_writable_by_owner_group_or_others_as_its_mode_says() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |mode: u32| {
            set_permissions(dir.path(), Permissions::from_mode(mode)).unwrap();
            metadata(dir.path()).unwrap()
        };
        let user = Identity::target();
        if !user.is_change() {
            assert!(may_write(&mode(0o700), &user));
            assert!(!may_write(&mode(0o500), &user));
            return;
        }
        assert!(!may_write(&mode(0o700), &user));
        assert!(may_write(&mode(0o1777), &user));
    }

    #[test]
    fn a_directory_that_is_not_there_is_unwritable() {
        let dirs = [PathBuf::from("/nowhere/at/all")];
        assert_eq!(unwritable(&dirs), dirs);
    }
}
