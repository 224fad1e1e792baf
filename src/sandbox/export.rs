//! Where files can still be made by the user that the process becomes.

use std::io;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, chown, mkdtemp};

use super::Identity;

/// A directory for files that the user may ask for while the program runs. One that was made for them leaves with this
/// value when nothing was put into it.
#[derive(Debug)]
pub struct ExportDir {
    path: PathBuf,
    /// Where it was made, if it was.
    made_in: Option<PathBuf>,
}

impl ExportDir {
    /// `preferred` as it is.
    pub fn only(preferred: &Path) -> Self {
        Self { path: preferred.to_owned(), made_in: None }
    }

    /// `preferred` if the user to become can make files there, or else a new private directory below the temporary one.
    /// Call it before [`super::enter`], put the answer into the policy, and tell the user where the files go.
    pub fn choose(preferred: &Path) -> io::Result<Self> {
        let target = Identity::target();
        if !target.is_change() || target.may_write(&std::fs::metadata(preferred)?) {
            return Ok(Self::only(preferred));
        }
        let temporary = std::env::temp_dir();
        let path = mkdtemp(&temporary.join("why403-XXXXXX"))?;
        let made = Self { path, made_in: Some(temporary) };
        chown(&made.path, Some(target.uid), Some(target.gid))?;
        Ok(made)
    }

    /// Where the files go.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What has to allow that an empty directory is removed from it, if anything has.
    pub fn parent(&self) -> Option<&Path> {
        self.made_in.as_deref()
    }
}

impl Drop for ExportDir {
    fn drop(&mut self) {
        if self.made_in.is_some() {
            // The kernel keeps one that holds a file.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
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
