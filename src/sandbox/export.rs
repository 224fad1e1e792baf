//! Where files can still be made by the user that the process becomes.

use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, chown, mkdtemp};

use super::Identity;

/// `preferred` if the user to become can make files there, or else a new private directory below the temporary one.
/// Call it before [`super::enter`], put the answer into the policy, and tell the user where the files go.
pub fn export_dir(preferred: &Path) -> io::Result<PathBuf> {
    let target = Identity::target();
    if !target.is_change() || target.may_write(&std::fs::metadata(preferred)?) {
        return Ok(preferred.to_owned());
    }
    let dir = mkdtemp(&std::env::temp_dir().join("why403-XXXXXX"))?;
    chown(&dir, Some(target.uid), Some(target.gid))?;
    Ok(dir)
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
    use super::*;

    #[test]
    fn a_directory_that_is_not_there_is_unwritable() {
        let dirs = [PathBuf::from("/nowhere/at/all")];
        assert_eq!(unwritable(&dirs), dirs);
    }
}
