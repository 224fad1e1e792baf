//! The server's logs that the user named: files, patterns, standard input, and what other programs print of a log.
//!
//! Beside a capture file they are read to their end ([`LogInput`]). Beside a live capture they are followed by a process of its own
//! (`helper`), which the inspector starts ([`LogReader`]) before it gives up its privileges.

mod helper;
mod lines;
mod message;
mod reader;
mod tail;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use thiserror::Error;

pub use helper::follow_logs;
pub use message::LogEvent;
pub use reader::LogReader;

/// Files that one pattern may name.
const MAX_FILES: usize = 256;
/// Bytes of one line that are kept; the rest of the line is skipped.
const MAX_LINE: u64 = 64 << 10;

/// A log cannot be read.
#[derive(Debug, Error)]
pub enum LogError {
    /// A pattern that names nothing.
    #[error("--log {0}: no such file; why403 doctor lists the logs of what listens here")]
    Missing(String),
    /// A pattern that cannot be read.
    #[error("--log {0}: {1}")]
    Pattern(String, glob::PatternError),
    /// A pattern that names too many files.
    #[error("--log {0}: the pattern names more than {MAX_FILES} files; name fewer")]
    Many(String),
    /// The system's word.
    #[error("--log {0}: {1}")]
    Io(String, io::Error),
    /// Not a regular file, a pipe or standard input.
    #[error("--log {0}: it is neither a file nor a pipe")]
    Kind(String),
    /// Standard input is a terminal.
    #[error("--log - reads standard input, which is a terminal: pipe a log into it")]
    Terminal,
    /// The log reader process says why.
    #[error("{0}")]
    Reader(String),
}

/// One log, open.
pub struct LogInput {
    /// Its name, as findings show it.
    pub name: String,
    reader: Box<dyn Read + Send>,
    child: Option<Child>,
}

impl LogInput {
    /// Opens everything that `word` names: a file, a pattern, `-`, `journal[:UNIT]`, `docker:NAME`, `pod:NAME`.
    pub fn open(word: &str) -> Result<Vec<Self>, LogError> {
        if word == "-" {
            return Ok(vec![Self {
                name: "standard input".into(),
                reader: Box::new(io::stdin()),
                child: None,
            }]);
        }
        if let Some(command) = command(word, false) {
            return Self::program(word, command).map(|log| vec![log]);
        }
        matching(word)?.iter().map(Self::file).collect()
    }

    fn file(path: &PathBuf) -> Result<Self, LogError> {
        let name = path.display().to_string();
        let failed = |error| LogError::Io(name.clone(), error);
        let file = File::open(path).map_err(failed)?;
        let kind = file.metadata().map_err(failed)?.file_type();
        if kind.is_dir() || is_device(kind) {
            return Err(LogError::Kind(name));
        }
        let shown = path.file_name().map_or_else(|| name.clone(), |file| file.to_string_lossy().into_owned());
        Ok(Self { name: shown, reader: Box::new(file), child: None })
    }

    fn program(word: &str, mut command: Command) -> Result<Self, LogError> {
        let failed = |error| LogError::Io(word.to_owned(), error);
        let (output, to_output) = io::pipe().map_err(failed)?;
        // Containers write to both; journalctl writes its own complaints to standard error.
        let errors = if word.starts_with("journal") {
            Stdio::inherit()
        } else {
            to_output.try_clone().map_err(failed)?.into()
        };
        let child = command.stdin(Stdio::null()).stdout(to_output).stderr(errors).spawn().map_err(failed)?;
        // It holds the ends for writing, without which the output would not end.
        drop(command);
        Ok(Self { name: word.to_owned(), reader: Box::new(output), child: Some(child) })
    }

    /// Calls `line` with every line to the end, without its line break; a longer one than 64 KiB is cut.
    pub fn read(self, mut line: impl FnMut(&[u8])) -> Result<(), LogError> {
        let failed = |error| LogError::Io(self.name.clone(), error);
        let mut reader = BufReader::with_capacity(64 << 10, self.reader);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            if reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut buffer).map_err(failed)? == 0 {
                break;
            }
            if !buffer.ends_with(b"\n") {
                reader.skip_until(b'\n').map_err(failed)?;
            }
            line(buffer.strip_suffix(b"\n").unwrap_or(&buffer));
        }
        if let Some(mut child) = self.child {
            // Its status tells nothing that its output and its standard error do not.
            let _ = child.wait();
        }
        Ok(())
    }
}

fn is_device(kind: std::fs::FileType) -> bool {
    use std::os::unix::fs::FileTypeExt;
    kind.is_char_device() || kind.is_block_device()
}

/// Whether a word or a part of a path has a wildcard.
fn is_pattern(word: &str) -> bool {
    word.contains(['*', '?', '['])
}

/// The files that `word` names: itself, or what it matches.
fn matching(word: &str) -> Result<Vec<PathBuf>, LogError> {
    if std::fs::symlink_metadata(word).is_ok() || !is_pattern(word) {
        return Ok(vec![PathBuf::from(word)]);
    }
    let found = glob::glob(word).map_err(|error| LogError::Pattern(word.to_owned(), error))?;
    let mut paths: Vec<PathBuf> = found.filter_map(Result::ok).take(MAX_FILES + 1).collect();
    paths.sort();
    match paths.len() {
        0 => Err(LogError::Missing(word.to_owned())),
        count if count > MAX_FILES => Err(LogError::Many(word.to_owned())),
        _ => Ok(paths),
    }
}

/// The program that prints the log that `word` names: all of it, or what comes from now on.
fn command(word: &str, follow: bool) -> Option<Command> {
    let (kind, name) = word.split_once(':').unwrap_or((word, ""));
    let mut command = match kind {
        "journal" => {
            let mut command = Command::new("journalctl");
            command.args(["--no-pager", "--quiet", "--output=short-iso-precise"]);
            if !name.is_empty() {
                command.arg(format!("--unit={name}"));
            }
            command.args(["--follow", "--lines=0"].iter().take(if follow { 2 } else { 0 }));
            command
        }
        "docker" => {
            let engine = if is_program("docker") { "docker" } else { "podman" };
            let mut command = Command::new(engine);
            command.args(["logs", "--timestamps"]);
            command
        }
        "pod" => {
            let mut command = Command::new("kubectl");
            command.args(["logs", "--timestamps"]);
            command
        }
        _ => return None,
    };
    if kind != "journal" {
        command.args(["--follow", "--tail=0"].iter().take(if follow { 2 } else { 0 }));
        if name.is_empty() || name.starts_with('-') {
            return None;
        }
        command.arg(name);
    }
    Some(command)
}

fn is_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_and_patterns_are_read_line_by_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.log"), "one\ntwo").unwrap();
        fs::write(folder.path().join("b.log"), [b"x".repeat(100_000), b"\nlast\n".to_vec()].concat())
            .unwrap();
        let logs = LogInput::open(&folder.path().join("*.log").display().to_string()).unwrap();
        let mut found = Vec::new();
        for log in logs {
            let name = log.name.clone();
            log.read(|line| found.push((name.clone(), line.len()))).unwrap();
        }
        let found: Vec<(&str, usize)> = found.iter().map(|(name, len)| (name.as_str(), *len)).collect();
        assert_eq!(found, [("a.log", 3), ("a.log", 3), ("b.log", 65_536), ("b.log", 4)]);
    }

    #[test]
    fn what_is_no_log_is_an_error() {
        for word in ["/no/such/file", "/no/such/*.log", "/dev/zero", "/", "[", "docker:"] {
            assert!(LogInput::open(word).is_err(), "{word}");
        }
    }

    #[test]
    fn other_programs_print_logs() {
        for (word, program) in
            [("journal", "journalctl"), ("journal:nginx", "journalctl"), ("pod:api-0", "kubectl")]
        {
            assert_eq!(command(word, false).unwrap().get_program(), program, "{word}");
            let follows =
                |follow| command(word, follow).unwrap().get_args().any(|argument| argument == "--follow");
            assert_eq!((follows(false), follows(true)), (false, true), "{word}");
        }
        assert!(command("journalist.log", false).is_none() && command("docker:-x", false).is_none());
    }
}
