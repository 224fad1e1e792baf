//! One log file that is followed by its name: through rotation by renaming, rotation by copying and truncating, and truncation.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::lines::{Cut, LineSink, Splitter};

/// Bytes read at once.
const CHUNK: usize = 128 << 10;
/// Bytes read of one file before the others get their turn.
const TURN: usize = 4 << 20;
/// Bytes before the end of what was read, by which a file that was truncated and written again is told.
const MARK: usize = 64;
/// Files of one name that are open at once: the newest, and rotated ones that may still be written to.
const MAX_GENERATIONS: usize = 3;
/// Polls without news after which a rotated file is closed: half a minute.
const IDLE: u32 = 300;
/// Bytes of a file in which lines are counted to number those that come; in a larger one numbers begin with what is followed.
const MAX_COUNTED: u64 = 256 << 20;

/// A file that is followed.
#[derive(Debug)]
pub(super) struct Tail {
    path: PathBuf,
    /// Oldest first; the last one is the file that has the name now.
    generations: VecDeque<Generation>,
    /// Bytes that went before they were read.
    pub(super) lost: u64,
}

#[derive(Debug)]
struct Generation {
    file: File,
    /// Device and inode.
    id: (u64, u64),
    /// Bytes read.
    offset: u64,
    /// The last bytes that were read.
    mark: Vec<u8>,
    splitter: Splitter,
    idle: u32,
}

impl Tail {
    /// Opens `path`; what stands in its last `back` bytes is read too.
    pub(super) fn open(path: &Path, back: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let mut generation = Generation::new(file)?;
        generation.start_at(length.saturating_sub(back))?;
        Ok(Self { path: path.to_owned(), generations: VecDeque::from([generation]), lost: 0 })
    }

    /// The file's name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `path` is one of its files, under whatever name.
    pub(super) fn holds(&self, path: &Path) -> bool {
        let id = std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()));
        id.is_ok_and(|id| self.generations.iter().any(|one| one.id == id))
    }

    /// Reads what is new; whether there may be more at once. A file that cannot be read now is tried again at the next poll.
    pub(super) fn poll(&mut self, sink: &mut dyn LineSink, cut: &mut Cut) -> io::Result<bool> {
        // Asked before reading: what the old file still gets before it is renamed is read with it.
        let successor = self.successor();
        let mut more = false;
        for generation in &mut self.generations {
            more |= generation.read(sink, cut)?;
        }
        if let Some(successor) = successor {
            self.generations.push_back(successor);
            more = true;
        }
        while self.generations.len() > 1 {
            let old = self.generations.front().map_or(0, |one| one.idle);
            if old < IDLE && self.generations.len() <= MAX_GENERATIONS {
                break;
            }
            if let Some(mut gone) = self.generations.pop_front() {
                let length = gone.file.metadata().map_or(0, |meta| meta.len());
                self.lost += length.saturating_sub(gone.offset);
                gone.splitter.finish(sink)?;
            }
        }
        Ok(more)
    }

    /// The file that has the name now, if it is another one.
    fn successor(&self) -> Option<Generation> {
        let meta = std::fs::metadata(&self.path).ok().filter(std::fs::Metadata::is_file)?;
        let is_known = self.generations.iter().any(|one| one.id == (meta.dev(), meta.ino()));
        if is_known { None } else { Generation::new(File::open(&self.path).ok()?).ok() }
    }
}

impl Generation {
    fn new(file: File) -> io::Result<Self> {
        let meta = file.metadata()?;
        Ok(Self {
            file,
            id: (meta.dev(), meta.ino()),
            offset: 0,
            mark: Vec::new(),
            splitter: Splitter::default(),
            idle: 0,
        })
    }

    /// Begins at the first line that begins at `offset` or behind it, and counts the lines before.
    fn start_at(&mut self, offset: u64) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        if offset == 0 {
            return Ok(());
        }
        let counted = offset <= MAX_COUNTED;
        // The line break before `offset`, if it is there, ends the line before.
        let mut at = if counted { 0 } else { offset.saturating_sub(CHUNK as u64) };
        let (mut lines, mut last) = (0, b'\n');
        while at < offset {
            let wanted = usize::try_from(offset - at).unwrap_or(CHUNK).min(CHUNK);
            let count = self.file.read_at(chunk.get_mut(..wanted).unwrap_or_default(), at)?;
            let read = chunk.get(..count).unwrap_or_default();
            let Some(end) = read.last() else { break };
            last = *end;
            lines += memchr::memchr_iter(b'\n', read).count() as u64;
            at += count as u64;
            self.remember(read);
        }
        self.offset = at;
        self.splitter = Splitter::at(if counted { lines } else { 0 }, last != b'\n');
        Ok(())
    }

    /// Reads what is new.
    fn read(&mut self, sink: &mut dyn LineSink, cut: &mut Cut) -> io::Result<bool> {
        let length = self.file.metadata()?.len();
        if length == self.offset && self.idle > 0 {
            self.idle = self.idle.saturating_add(1);
            return Ok(false);
        }
        if length < self.offset || !self.is_same() {
            self.offset = 0;
            self.mark.clear();
            self.splitter = Splitter::default();
        }
        let mut chunk = vec![0; CHUNK];
        let mut taken = 0;
        while taken < TURN {
            let count = self.file.read_at(&mut chunk, self.offset)?;
            if count == 0 {
                break;
            }
            let read = chunk.get(..count).unwrap_or_default();
            self.offset += count as u64;
            taken += count;
            self.remember(read);
            self.splitter.feed(read, sink, cut)?;
        }
        self.idle = if taken == 0 { self.idle.saturating_add(1) } else { 0 };
        Ok(taken >= TURN)
    }

    /// Whether what was read last still stands where it was read.
    fn is_same(&self) -> bool {
        let mut found = vec![0; self.mark.len()];
        let at = self.offset.saturating_sub(self.mark.len() as u64);
        self.file.read_exact_at(&mut found, at).is_ok() && found == self.mark
    }

    fn remember(&mut self, read: &[u8]) {
        self.mark.extend_from_slice(read.get(read.len().saturating_sub(MARK)..).unwrap_or_default());
        let excess = self.mark.len().saturating_sub(MARK);
        self.mark.drain(..excess);
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::Write;

    use super::*;

    /// What was read: number and text of each line.
    #[derive(Default)]
    struct Lines(Vec<(u64, String)>);

    impl LineSink for Lines {
        fn line(&mut self, number: u64, text: &[u8]) -> io::Result<()> {
            self.0.push((number, String::from_utf8_lossy(text).into_owned()));
            Ok(())
        }
    }

    struct Log {
        _dir: tempfile::TempDir,
        path: PathBuf,
        tail: Tail,
        cut: Cut,
    }

    impl Log {
        fn new(content: &str, back: u64) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("a.log");
            fs::write(&path, content).unwrap();
            let tail = Tail::open(&path, back).unwrap();
            Self { _dir: dir, path, tail, cut: Cut::default() }
        }
        fn append(&self, text: &str) {
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)
                .unwrap()
                .write_all(text.as_bytes())
                .unwrap();
        }
        fn poll(&mut self) -> Vec<(u64, String)> {
            let mut lines = Lines::default();
            while self.tail.poll(&mut lines, &mut self.cut).unwrap() {}
            lines.0
        }
        fn rotated(&self) -> PathBuf {
            self.path.with_extension("log.1")
        }
    }

    fn lines(all: &[(u64, &str)]) -> Vec<(u64, String)> {
        all.iter().map(|(number, text)| (*number, (*text).to_owned())).collect()
    }

    #[test]
    fn lines_are_numbered_from_the_beginning_of_the_file() {
        let mut log = Log::new("one\ntwo\n", 0);
        assert!(log.poll().is_empty());
        log.append("three\nfo");
        assert_eq!(log.poll(), lines(&[(3, "three")]));
        log.append("ur\r\n");
        assert_eq!(log.poll(), lines(&[(4, "four")]));
    }

    #[test]
    fn a_line_that_was_half_written_at_the_start_is_left_out() {
        let mut log = Log::new("one\ntw", 0);
        log.append("o\nthree\n");
        assert_eq!(log.poll(), lines(&[(3, "three")]));
    }

    #[test]
    fn the_end_of_what_is_there_is_read_when_asked_for() {
        assert_eq!(Log::new("one\ntwo\nthree\n", 100).poll(), lines(&[(1, "one"), (2, "two"), (3, "three")]));
        assert_eq!(Log::new("one\ntwo\nthree\n", 8).poll(), lines(&[(3, "three")]));
        assert_eq!(Log::new("one\ntwo\nthree\n", 6).poll(), lines(&[(3, "three")]));
    }

    #[test]
    fn a_renamed_file_is_read_to_its_end_and_the_new_one_from_its_beginning() {
        let mut log = Log::new("", 0);
        log.append("one\n");
        assert_eq!(log.poll(), lines(&[(1, "one")]));
        let mut old = OpenOptions::new().append(true).open(&log.path).unwrap();
        fs::rename(&log.path, log.rotated()).unwrap();
        old.write_all(b"before the new file\n").unwrap();
        assert_eq!(log.poll(), lines(&[(2, "before the new file")]));
        log.append("new\n");
        old.write_all(b"late\n").unwrap();
        assert_eq!(log.poll(), lines(&[(3, "late"), (1, "new")]));
        old.write_all(b"later\n").unwrap();
        assert_eq!(log.poll(), lines(&[(4, "later")]));
        assert_eq!(log.tail.lost, 0);
    }

    #[test]
    fn copying_and_truncating_begins_again() {
        let mut log = Log::new("", 0);
        log.append("a rather long line of the old file\n");
        log.poll();
        fs::copy(&log.path, log.rotated()).unwrap();
        OpenOptions::new().write(true).open(&log.path).unwrap().set_len(0).unwrap();
        assert!(log.poll().is_empty());
        log.append("new\n");
        assert_eq!(log.poll(), lines(&[(1, "new")]));
    }

    #[test]
    fn a_file_truncated_and_written_beyond_what_was_read_begins_again() {
        let mut log = Log::new("", 0);
        log.append("old\n");
        log.poll();
        fs::write(&log.path, "new, and longer than it was\nsecond\n").unwrap();
        assert_eq!(log.poll(), lines(&[(1, "new, and longer than it was"), (2, "second")]));
    }

    #[test]
    fn rotated_files_are_closed_after_a_while() {
        let mut log = Log::new("", 0);
        for _ in 0..5 {
            fs::rename(&log.path, log.rotated()).unwrap();
            log.append("x\n");
            assert_eq!(log.poll(), lines(&[(1, "x")]));
        }
        assert!(log.tail.generations.len() <= MAX_GENERATIONS);
        for _ in 0..=IDLE {
            log.poll();
        }
        assert_eq!(log.tail.generations.len(), 1);
    }

    #[test]
    fn a_line_longer_than_the_bound_is_cut_and_counted() {
        let mut log = Log::new("", 0);
        log.append(&format!("{}\nnext\n", "x".repeat(300_000)));
        let found = log.poll();
        assert_eq!((found[0].1.len(), found[1].clone()), (64 << 10, (2, "next".to_owned())));
        assert_eq!(log.cut.lines, 1);
    }
}
