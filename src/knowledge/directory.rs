//! The files of a directory that a user names (`--knowledge DIR`): regular ones only, few and small.

use std::fs;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Error, File, Kind};

/// Most files that are read from one directory.
pub const MAX_FILES: usize = 64;
/// Most bytes of one file.
pub const MAX_FILE: u64 = 1 << 20;

/// The files called `*.toml` in `path`, by name.
pub fn directory(path: &Path) -> Result<Vec<(Kind, File)>, Error> {
    let whole = |message: String| Error { file: path.display().to_string(), line: None, message };
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| whole(error.to_string()))? {
        let entry = entry.map_err(|error| whole(error.to_string()))?;
        if entry.path().extension().is_some_and(|extension| extension == "toml") {
            names.push(entry.path());
        }
        if names.len() > MAX_FILES {
            return Err(whole(format!("more than {MAX_FILES} files; join some of them")));
        }
    }
    if names.is_empty() {
        return Err(whole("no file *.toml in it; docs/knowledge.md says what they are called".into()));
    }
    names.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let kinds = Kind::names().collect::<Vec<_>>().join(", ");
        let unknown = || Error {
            file: path.display().to_string(),
            line: None,
            message: format!("the name must begin with one of {kinds}"),
        };
        Ok((Kind::of(&name).ok_or_else(unknown)?, file(path)?))
    };
    names.iter().map(read).collect()
}

/// The file at `path`, if it is a regular one of at most [`MAX_FILE`] bytes in UTF-8.
pub fn file(path: &Path) -> Result<File, Error> {
    let failed = |message: String| Error { file: path.display().to_string(), line: None, message };
    // A pipe without a writer would block; a regular file is opened as always.
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_CLOEXEC;
    let opened = fs::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let opened = opened.map_err(|error| failed(error.to_string()))?;
    if !opened.metadata().map_err(|error| failed(error.to_string()))?.is_file() {
        return Err(failed("not a regular file".into()));
    }
    let mut text = String::new();
    opened.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed("more than 1 MiB".into()));
    }
    Ok(File::of_user(path, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_small_regular_files_with_known_names_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert!(directory(folder.path()).unwrap_err().message.contains("no file"));
        fs::write(path("names-b.toml"), "name = []").unwrap();
        fs::write(path("lexicon.toml"), "concept = []").unwrap();
        fs::write(path("README"), "not read").unwrap();
        let kinds: Vec<Kind> = directory(folder.path()).unwrap().into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, [Kind::Lexicon, Kind::Names]);
        fs::write(path("rules.toml"), "").unwrap();
        assert!(directory(folder.path()).unwrap_err().to_string().contains("rules.toml: the name must"));
        fs::remove_file(path("rules.toml")).unwrap();
        fs::write(path("weights.toml"), vec![b'#'; 1 + usize::try_from(MAX_FILE).unwrap()]).unwrap();
        assert!(directory(folder.path()).unwrap_err().message.contains("1 MiB"));
        fs::remove_file(path("weights.toml")).unwrap();
        fs::create_dir(path("causes.toml")).unwrap();
        assert!(directory(folder.path()).unwrap_err().message.contains("regular"));
        assert!(file(Path::new("/dev/zero")).unwrap_err().message.contains("regular"));
    }
}
