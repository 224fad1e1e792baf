//! The log reader process: opens the logs, gives up everything else, and writes their lines to its standard output.
//!
//! It starts before the inspector gives up its privileges, and stays the user who started it, because a log that is rotated
//! has to be opened again under its name. It can open nothing outside the folders of the logs, make no connections and start no
//! programs; programs that print a log (`journalctl`, `docker logs`) are started before that. When the inspector does not keep
//! up, the pipe is full and the files wait; when the inspector ends, so does this.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, PipeReader, Read, Stdout, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::lines::{Cut, LineSink, Splitter};
use super::message::{self, LogEvent};
use super::tail::Tail;
use super::{LogError, MAX_FILES, command, is_pattern, matching};
use crate::sandbox;

/// Between two looks at the files.
const PAUSE: u16 = 100;
/// Between two looks for new files that a pattern names.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes read at once of a pipe.
const CHUNK: usize = 64 << 10;
/// Runs a program until it ends or standard input does, which it does with the process that holds its other end.
const GUARD: &str = concat!(
    r#"exec 3<&0; "$@" </dev/null 3<&- & p=$!; (cat <&3; kill $p) >/dev/null 2>&1 & k=$!; "#,
    "exec 3<&-; wait $p; c=$?; kill $k; exit $c",
);

/// Follows the logs that `words` name until nobody reads standard output any more. What stands in the last `back` bytes of a file
/// is read too.
pub fn follow_logs(words: &[String], back: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(CHUNK, io::stdout());
    let mut helper = Helper::default();
    for word in words {
        if let Err(error) = helper.open(word, back, &mut out) {
            LogEvent::Failed(error.to_string()).write(&mut out)?;
            return out.flush();
        }
    }
    sandbox::confine_reader(&helper.folders());
    LogEvent::Ready.write(&mut out)?;
    out.flush()?;
    helper.run(&mut out)
}

/// Everything that is followed.
#[derive(Debug, Default)]
struct Helper {
    tails: Vec<(u32, Tail)>,
    streams: Vec<Stream>,
    patterns: Vec<String>,
    /// Files that are followed already, by name.
    known: HashSet<PathBuf>,
    /// Logs so far.
    count: u32,
    cut: Cut,
    /// What was told of losses.
    told: (u64, u64),
}

/// A log that comes through a pipe.
#[derive(Debug)]
struct Stream {
    log: u32,
    name: String,
    pipe: File,
    splitter: Splitter,
    /// Its lines are messages for people.
    is_errors: bool,
    /// The program at the other end, with the pipe whose end tells it to go.
    program: Option<Child>,
}

impl Helper {
    fn open(&mut self, word: &str, back: u64, out: &mut impl Write) -> Result<(), LogError> {
        let failed = |error| LogError::Io(word.to_owned(), error);
        if word == "-" {
            let stdin = File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?);
            return self.stream("standard input", stdin, None, out).map_err(failed);
        }
        if let Some(command) = command(word, true) {
            return self.program(word, &command, out).map_err(failed);
        }
        for path in matching(word)? {
            self.file(&path, back, out)?;
        }
        if is_pattern(word) {
            self.patterns.push(word.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, back: u64, out: &mut impl Write) -> Result<(), LogError> {
        let shown = path.display().to_string();
        let failed = |error| LogError::Io(shown.clone(), error);
        if self.known.contains(path) {
            return Ok(());
        }
        let name = path.file_name().map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        let kind = std::fs::metadata(path).map_err(failed)?.file_type();
        if kind.is_fifo() {
            // Without a writer opening would wait.
            let pipe =
                File::options().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path).map_err(failed)?;
            return self.stream(&name, pipe, None, out).map_err(failed);
        }
        if !kind.is_file() {
            return Err(LogError::Kind(shown));
        }
        let tail = Tail::open(path, back).map_err(failed)?;
        let log = self.named(&name, out).map_err(failed)?;
        self.known.insert(path.to_owned());
        self.tails.push((log, tail));
        Ok(())
    }

    fn program(&mut self, word: &str, command: &Command, out: &mut impl Write) -> io::Result<()> {
        let (output, to_output) = io::pipe()?;
        let (errors, to_errors) = io::pipe()?;
        let mut guarded = Command::new("/bin/sh");
        guarded.args(["-c", GUARD, "why403"]).arg(command.get_program()).args(command.get_args());
        // Containers write to both; journalctl writes its own complaints to standard error.
        let is_container = !word.starts_with("journal");
        let second = if is_container { to_output.try_clone()? } else { to_errors };
        let child = guarded.stdin(Stdio::piped()).stdout(to_output).stderr(second).spawn()?;
        drop(guarded);
        self.stream(word, into_file(output), Some(child), out)?;
        if !is_container {
            let (log, splitter) = (self.count, Splitter::default());
            let (name, pipe) = (word.to_owned(), into_file(errors));
            self.streams.push(Stream { log, name, pipe, splitter, is_errors: true, program: None });
        }
        Ok(())
    }

    fn stream(
        &mut self,
        name: &str,
        pipe: File,
        program: Option<Child>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let log = self.named(name, out)?;
        let (name, splitter) = (name.to_owned(), Splitter::default());
        self.streams.push(Stream { log, name, pipe, splitter, is_errors: false, program });
        Ok(())
    }

    fn named(&mut self, name: &str, out: &mut impl Write) -> io::Result<u32> {
        let log = self.count;
        self.count += 1;
        LogEvent::Log { log, name: name.to_owned() }.write(out)?;
        Ok(log)
    }

    /// The folders in which files have to be opened again.
    fn folders(&self) -> Vec<PathBuf> {
        let files = self.tails.iter().map(|(_, tail)| tail.path().to_owned());
        // A link may lead to another folder, in which the next file will be.
        let targets = files.clone().filter_map(|file| file.canonicalize().ok());
        let bases = self.patterns.iter().map(|pattern| base(pattern).join("x"));
        let folder = |file: PathBuf| {
            file.parent()
                .map(|folder| if folder.as_os_str().is_empty() { ".".into() } else { folder.to_owned() })
        };
        files.chain(targets).chain(bases).filter_map(folder).collect()
    }

    fn run(&mut self, out: &mut BufWriter<Stdout>) -> io::Result<()> {
        let (mut looked, mut busy) = (Instant::now(), false);
        loop {
            let wait = if busy { PollTimeout::ZERO } else { PollTimeout::from(PAUSE) };
            let Some(ready) = self.wait(out, wait)? else { return Ok(()) };
            self.read_streams(&ready, out)?;
            busy = self.read_files(out)?;
            if looked.elapsed() >= LOOK {
                self.look(out);
                looked = Instant::now();
            }
            self.tell_losses(out)?;
            out.flush()?;
        }
    }

    /// Which streams have something; `None` when nobody reads our output any more.
    fn wait(&self, out: &BufWriter<Stdout>, wait: PollTimeout) -> io::Result<Option<Vec<bool>>> {
        let mut waiting = vec![PollFd::new(out.get_ref().as_fd(), PollFlags::empty())];
        waiting.extend(self.streams.iter().map(|one| PollFd::new(one.pipe.as_fd(), PollFlags::POLLIN)));
        match poll(&mut waiting, wait) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let any = |one: &PollFd<'_>| one.any().unwrap_or(false);
        let mut ready = waiting.iter().map(any);
        let gone = ready.next().unwrap_or(true);
        Ok((!gone).then(|| ready.collect()))
    }

    fn read_streams(&mut self, ready: &[bool], out: &mut impl Write) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut ended = Vec::new();
        for (number, stream) in self.streams.iter_mut().enumerate() {
            if !ready.get(number).copied().unwrap_or(false) {
                continue;
            }
            match stream.pipe.read(&mut chunk) {
                Ok(0) => ended.push(number),
                Ok(count) => {
                    let read = chunk.get(..count).unwrap_or_default();
                    let mut sink = Numbered {
                        log: stream.log,
                        warns: stream.is_errors.then_some(stream.name.as_str()),
                        out,
                    };
                    stream.splitter.feed(read, &mut sink, &mut self.cut)?;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => ended.push(number),
            }
        }
        for number in ended.into_iter().rev() {
            let mut stream = self.streams.remove(number);
            let mut sink =
                Numbered { log: stream.log, warns: stream.is_errors.then_some(stream.name.as_str()), out };
            stream.splitter.finish(&mut sink)?;
            if !stream.is_errors {
                let text = format!("--log {} ended; nothing more comes of it", stream.name);
                LogEvent::Warning(text).write(out)?;
            }
            if let Some(mut program) = stream.program {
                let _ = program.try_wait();
            }
        }
        Ok(())
    }

    fn read_files(&mut self, out: &mut impl Write) -> io::Result<bool> {
        let mut more = false;
        for (log, tail) in &mut self.tails {
            let mut sink = Numbered { log: *log, warns: None, out };
            match tail.poll(&mut sink, &mut self.cut) {
                Ok(again) => more |= again,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
                // Tried again at the next look: a network file system may come back.
                Err(_) => {}
            }
        }
        Ok(more)
    }

    /// Follows what the patterns name since the last look, from its beginning.
    fn look(&mut self, out: &mut impl Write) {
        for pattern in self.patterns.clone() {
            for path in matching(&pattern).unwrap_or_default() {
                if self.tails.len() < MAX_FILES && !self.known.contains(&path) && !self.is_open(&path) {
                    // One that cannot be opened may be there at the next look.
                    let _ = self.file(&path, u64::MAX, out);
                }
            }
        }
    }

    /// Whether `path` is a file that is followed under another name: a rotated one.
    fn is_open(&self, path: &Path) -> bool {
        self.tails.iter().any(|(_, tail)| tail.holds(path))
    }

    fn tell_losses(&mut self, out: &mut impl Write) -> io::Result<()> {
        let now = (self.cut.lines, self.tails.iter().map(|(_, tail)| tail.lost).sum());
        if now.0 != self.told.0 {
            LogEvent::Cut(now.0).write(out)?;
        }
        if now.1 != self.told.1 {
            LogEvent::Lost(now.1).write(out)?;
        }
        self.told = now;
        Ok(())
    }
}

/// Writes the lines of one log as messages.
struct Numbered<'a, W> {
    log: u32,
    /// The lines are warnings about the log of this name.
    warns: Option<&'a str>,
    out: &'a mut W,
}

impl<W: Write> LineSink for Numbered<'_, W> {
    fn line(&mut self, number: u64, text: &[u8]) -> io::Result<()> {
        match self.warns {
            Some(name) => {
                LogEvent::Warning(format!("--log {name}: {}", String::from_utf8_lossy(text))).write(self.out)
            }
            None => message::line(self.out, b'L', number, self.log, text),
        }
    }
}

fn into_file(pipe: PipeReader) -> File {
    File::from(OwnedFd::from(pipe))
}

/// The folder above the first part of a pattern that has a wildcard.
fn base(pattern: &str) -> PathBuf {
    let plain =
        Path::new(pattern).components().take_while(|part| !is_pattern(&part.as_os_str().to_string_lossy()));
    let base: PathBuf = plain.collect();
    if base.as_os_str().is_empty() { ".".into() } else { base }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_looked_for_below_its_plain_part() {
        for (pattern, folder) in
            [("/var/log/*/access.log", "/var/log"), ("*.log", "."), ("logs/a?.log", "logs"), ("/[ab]/c", "/")]
        {
            assert_eq!(base(pattern), Path::new(folder), "{pattern}");
        }
    }

    #[test]
    fn new_files_of_a_pattern_are_followed_and_rotated_ones_are_not_read_twice() {
        let dir = tempfile::tempdir().unwrap();
        let word = dir.path().join("*.log*").display().to_string();
        std::fs::write(dir.path().join("a.log"), "old\n").unwrap();
        let (mut helper, mut out) = (Helper::default(), Vec::new());
        helper.open(&word, 0, &mut out).unwrap();
        std::fs::rename(dir.path().join("a.log"), dir.path().join("a.log.1")).unwrap();
        std::fs::write(dir.path().join("b.log"), "new\n").unwrap();
        helper.look(&mut out);
        while helper.read_files(&mut out).unwrap() {}
        let mut input = out.as_slice();
        let events: Vec<LogEvent> = std::iter::from_fn(|| LogEvent::read(&mut input).unwrap()).collect();
        assert_eq!(
            events,
            [
                LogEvent::Log { log: 0, name: "a.log".into() },
                LogEvent::Log { log: 1, name: "b.log".into() },
                LogEvent::Line { log: 1, number: 1, text: b"new".to_vec() },
            ]
        );
    }
}
