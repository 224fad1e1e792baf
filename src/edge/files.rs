//! Files that hold what was on the wire: readable by their owner alone, never written through somebody else's link.
//!
//! A capture is often taken as root and exported into `/tmp`, where anybody may have planted a name. So the bytes
//! go to a new file (`O_EXCL`, `O_NOFOLLOW`, mode 0600) beside the target and are renamed over it when they are
//! complete: a reader sees the old file or the whole new one, and a planted symbolic link is replaced, not followed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use crate::sandbox::Identity;

/// Names tried for a temporary or a fresh file before giving up.
const ATTEMPTS: u32 = 10_000;

/// A file in the making; without [`PrivateFile::commit`] it leaves nothing behind.
#[derive(Debug)]
pub struct PrivateFile {
    writer: Option<BufWriter<File>>,
    /// Where the bytes are until then; `None` for a pipe or device, which is written in place.
    temporary: Option<PathBuf>,
    target: PathBuf,
}

impl PrivateFile {
    /// Begins a file that is to appear at `target`. A named pipe or a device is opened as it is.
    pub fn create(target: &Path) -> io::Result<Self> {
        if let Some(file) = open_in_place(target)? {
            return Ok(Self::over(file, None, target));
        }
        if target.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory: name a file in it"));
        }
        let name = target.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        for attempt in 0..ATTEMPTS {
            let mut temporary = std::ffi::OsString::from(".");
            temporary.push(name);
            temporary.push(format!(".{}-{attempt}", std::process::id()));
            let temporary = target.with_file_name(temporary);
            match create_new(&temporary) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => return Ok(Self::over(created?, Some(temporary), target)),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }

    fn over(file: File, temporary: Option<PathBuf>, target: &Path) -> Self {
        Self { writer: Some(BufWriter::new(file)), temporary, target: target.to_owned() }
    }

    /// Writes everything out and gives the file its name.
    pub fn commit(mut self) -> io::Result<()> {
        if let Some(mut writer) = self.writer.take() {
            writer.flush()?;
        }
        match self.temporary.as_ref() {
            Some(temporary) => fs::rename(temporary, &self.target)?,
            None => return Ok(()),
        }
        self.temporary = None;
        Ok(())
    }
}

impl Write for PrivateFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::Error::from(io::ErrorKind::BrokenPipe)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(temporary);
        }
    }
}

/// Writes `bytes` to `target` in one go.
pub fn write(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = PrivateFile::create(target)?;
    file.write_all(bytes)?;
    file.commit()
}

/// Writes `bytes` to a file of a name not yet taken, `STEM.EXT` or `STEM-2.EXT` and so on, and says which.
pub fn write_fresh(directory: &Path, stem: &str, extension: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    for number in 1..=ATTEMPTS {
        let suffix = if number == 1 { String::new() } else { format!("-{number}") };
        let target = directory.join(format!("{stem}{suffix}.{extension}"));
        match create_new(&target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => {
                let written = created?.write_all(bytes);
                if written.is_err() {
                    let _ = fs::remove_file(&target);
                }
                return written.map(|()| target);
            }
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

/// A new file that only its owner can read; fails when the name is taken, be it by a symbolic link. Root makes it the
/// property of the user that the process is about to become, who has to be able to rename it.
pub fn create_new(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // Once the sandbox is entered this cannot be done any more, and need not be.
    let _ = Identity::for_files_in(&[dir]).own(&file);
    Ok(file)
}

/// Opens what must not be replaced by a file: a named pipe, a device, `/dev/stdout`. `None` for everything else.
pub fn open_in_place(path: &Path) -> io::Result<Option<File>> {
    // Links that nobody but root can plant.
    let is_descriptor = path
        .parent()
        .is_some_and(|parent| ["/dev", "/dev/fd", "/proc/self/fd"].iter().any(|dir| parent == *dir));
    if is_descriptor && path.exists() {
        return OpenOptions::new().write(true).open(path).map(Some);
    }
    if fs::symlink_metadata(path).is_ok_and(|meta| is_special(&meta)) {
        let file = OpenOptions::new().write(true).custom_flags(OFlag::O_NOFOLLOW.bits()).open(path)?;
        return Ok(Some(file));
    }
    Ok(None)
}

fn is_special(meta: &fs::Metadata) -> bool {
    let kind = meta.file_type();
    kind.is_fifo() || kind.is_char_device()
}

/// The bytes of a file that somebody named. A device, a pipe or a file of more than `most` bytes is an error, so that a wrong
/// name costs neither memory nor time.
pub fn read_named(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // A pipe without a writer would block; a regular file is opened as always.
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let about = file.metadata()?;
    if about.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if !about.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!("it has more than {} KiB", most >> 10)));
    }
    Ok(bytes)
}

/// As [`read_named`], for text.
pub fn read_named_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_named(path, most)?).map_err(|_| io::Error::other("it is no UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::{PrivateFile, read_named, read_named_text, write, write_fresh};
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use std::path::Path;
    fn mode(path: &std::path::Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn only_the_owner_can_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write(&path, b"x").unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read(&path).unwrap(), b"x");
    }

    #[test]
    fn a_planted_link_is_replaced_and_its_target_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, b"precious").unwrap();
        let path = dir.path().join("out.har");
        symlink(&victim, &path).unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn an_open_file_of_others_does_not_stay_open_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        fs::write(&path, b"old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        write(&path, b"secret").unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn an_unfinished_file_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut file = PrivateFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn fresh_names_never_overwrite() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/nonexistent/planted", dir.path().join("curl.sh")).unwrap();
        let first = write_fresh(dir.path(), "curl", "sh", b"1").unwrap();
        let second = write_fresh(dir.path(), "curl", "sh", b"2").unwrap();
        assert_eq!(first, dir.path().join("curl-2.sh"));
        assert_eq!(second, dir.path().join("curl-3.sh"));
        assert_eq!(mode(&second), 0o600);
    }

    #[test]
    fn devices_and_descriptors_stay_what_they_are() {
        for path in ["/dev/null", "/dev/fd/2"].map(std::path::Path::new) {
            let before = fs::symlink_metadata(path).unwrap().file_type();
            write(path, b"").unwrap();
            assert_eq!(fs::symlink_metadata(path).unwrap().file_type(), before);
        }
    }

    #[test]
    fn a_directory_is_refused_with_advice() {
        let dir = tempfile::tempdir().unwrap();
        let error = PrivateFile::create(dir.path()).unwrap_err();
        assert!(error.to_string().contains("name a file"), "{error}");
    }

    #[test]
    fn only_regular_files_of_a_bounded_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, b"12345").unwrap();
        assert_eq!(read_named(&file, 5).unwrap(), b"12345");
        assert!(read_named(&file, 4).unwrap_err().to_string().contains("more than"));
        let fifo = dir.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for (path, wanted) in [
            (Path::new("/dev/zero"), "no regular file"),
            (&fifo, "no regular file"),
            (dir.path(), "directory"),
        ] {
            assert!(read_named(path, 5).unwrap_err().to_string().contains(wanted), "{}", path.display());
        }
        fs::write(&file, b"\xff").unwrap();
        assert!(read_named_text(&file, 5).is_err());
    }
}
