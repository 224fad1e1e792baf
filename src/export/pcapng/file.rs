//! Capture files on disk: private, complete or absent, cut into pieces when they grow, and never the reason that a disk is full.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::fstatvfs;

use crate::edge::files;
use crate::model::{Annotation, Frame, InterfaceId, LinkType, Timestamp};

use super::blocks;
use super::notes::SourceNotes;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;
/// Bytes left free on the disk, unless the user says otherwise.
const RESERVE: u64 = 64 << 20;
const SNAPLEN: u32 = 262_144;
/// Further pieces replace the one of this number.
const LAST_NUMBER: u32 = 99_999;

/// When to begin a new file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Once it has this many bytes.
    pub bytes: Option<u64>,
    /// Once this many seconds of capture time have passed since its first frame.
    pub seconds: Option<u32>,
    /// How many files of this run stay, the one that is being written among them; the oldest goes first.
    pub keep: Option<u32>,
}

impl Rotation {
    const fn is_on(self) -> bool {
        self.bytes.is_some() || self.seconds.is_some()
    }
}

/// Why no more frames are written. What was written before is complete and stays.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file could not be created.
    #[error("cannot create {path}: {reason}; {}", advice(reason))]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
    /// Writing failed.
    #[error("cannot write {path}: {reason}; the frames before that are kept in it")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: io::Error,
    },
    /// The disk is nearly full.
    #[error("stopped writing {path}: only {} are left on its disk; the frames before that are kept", mib(*left))]
    DiskFull {
        /// The file.
        path: PathBuf,
        /// Bytes left.
        left: u64,
    },
    /// The disk is nearly full before anything was written.
    #[error("nothing is written to {path}: only {} are left on its disk, and {} stay free; choose another disk with -w",
        mib(*left), mib(*reserve))]
    NoRoom {
        /// The file.
        path: PathBuf,
        /// Bytes left.
        left: u64,
        /// Bytes that stay free.
        reserve: u64,
    },
}

/// A pcapng file in the making. It is written beside its name and gets it when it is complete, which dropping sees to as well.
#[derive(Debug)]
pub struct CaptureFile {
    target: PathBuf,
    rotation: Rotation,
    reserve: u64,
    number: u32,
    /// The complete pieces of this run, oldest first, where only some may stay.
    pieces: VecDeque<PathBuf>,
    current: Option<Current>,
    source: SourceNotes,
}

#[derive(Debug)]
struct Current {
    file: File,
    /// Its name until it is complete; none for a pipe or device.
    temporary: Option<PathBuf>,
    target: PathBuf,
    buffer: Vec<u8>,
    /// Bytes in the file, all of them whole blocks.
    written: u64,
    first: Option<Timestamp>,
    /// The interfaces written to it, with the resolution of their clocks.
    interfaces: Vec<(InterfaceId, LinkType, u8)>,
}

impl CaptureFile {
    /// Begins the first file. With rotation, `name.pcapng` becomes `name-00001.pcapng` and so on.
    pub fn create(target: &Path, rotation: Rotation) -> Result<Self, CaptureError> {
        let mut file = Self {
            target: target.to_owned(),
            rotation,
            reserve: RESERVE,
            number: 0,
            pieces: VecDeque::new(),
            current: None,
            source: SourceNotes::default(),
        };
        file.current = Some(file.begin()?);
        Ok(file)
    }
    /// How many bytes are left free on the disk.
    #[must_use]
    pub const fn with_reserve(mut self, bytes: u64) -> Self {
        self.reserve = bytes;
        self
    }

    /// Takes over what the source says of itself and its interfaces.
    pub(super) fn annotate(&mut self, annotation: &Annotation<'_>) {
        self.source.add(annotation);
        if let Some(current) = self.current.as_mut().filter(|current| current.first.is_some())
            && let Annotation::Names(records) = annotation
        {
            blocks::names(&mut current.buffer, records);
        }
    }

    /// Writes a frame. After an error nothing more is written.
    pub fn write(&mut self, frame: &Frame<'_>) -> Result<(), CaptureError> {
        self.write_with(frame, &[])
    }

    /// Writes a frame with its options ([`Annotation::Frame`]).
    pub(super) fn write_with(&mut self, frame: &Frame<'_>, options: &[u8]) -> Result<(), CaptureError> {
        if self.current.as_ref().is_some_and(|current| current.is_due(self.rotation, frame.time)) {
            self.finish_current()?;
            self.current = Some(self.begin()?);
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        current.put(frame, options, &self.source);
        if current.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes out what was gathered.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let flushed = current.flush(self.reserve);
        if flushed.is_err()
            && let Some(current) = self.current.take()
        {
            current.keep_what_there_is();
        }
        flushed
    }

    /// Completes the file; dropping does it too, but keeps errors to itself.
    pub fn finish(mut self) -> Result<(), CaptureError> {
        self.finish_current()
    }

    fn finish_current(&mut self) -> Result<(), CaptureError> {
        if let Some(current) = &mut self.current {
            current.begin(&self.source);
        }
        self.flush()?;
        let Some(current) = self.current.take() else { return Ok(()) };
        if self.rotation.keep.is_some() && current.temporary.is_some() && self.number < LAST_NUMBER {
            self.pieces.push_back(current.target.clone());
        }
        current.commit()
    }

    /// Makes room among the pieces for the next one.
    fn forget_oldest(&mut self) {
        let Some(keep) = self.rotation.keep else { return };
        while self.pieces.len() >= keep as usize {
            // One that somebody moved away is theirs.
            let _ = self.pieces.pop_front().map(fs::remove_file);
        }
    }

    fn begin(&mut self) -> Result<Current, CaptureError> {
        self.forget_oldest();
        let target = if self.rotation.is_on() { self.next_name() } else { self.target.clone() };
        let failed = |reason| CaptureError::Create { path: target.clone(), reason };
        let (file, temporary) = match files::open_in_place(&target).map_err(failed)? {
            Some(file) => (file, None),
            None => create_beside(&target).map(|(file, path)| (file, Some(path))).map_err(failed)?,
        };
        let left = if temporary.is_some() { room(&file) } else { u64::MAX };
        if left < self.reserve {
            let _ = temporary.map(fs::remove_file);
            return Err(CaptureError::NoRoom { path: target, left, reserve: self.reserve });
        }
        let buffer = Vec::with_capacity(BUFFER);
        Ok(Current { file, temporary, target, buffer, written: 0, first: None, interfaces: Vec::new() })
    }
}

impl CaptureFile {
    /// The next number whose name is free: the pieces of an earlier run stay.
    fn next_name(&mut self) -> PathBuf {
        loop {
            self.number += 1;
            let name = numbered(&self.target, self.number);
            if self.number >= LAST_NUMBER || fs::symlink_metadata(&name).is_err() {
                return name;
            }
        }
    }
}

impl Drop for CaptureFile {
    /// Completes a file that has frames; one without, of a capture that never began, replaces nothing.
    fn drop(&mut self) {
        if let Some(Current { first: None, temporary, .. }) = &mut self.current {
            if let Some(temporary) = temporary.take() {
                let _ = fs::remove_file(temporary);
            }
            return;
        }
        let _ = self.finish_current();
    }
}

impl Current {
    fn is_due(&self, rotation: Rotation, now: Timestamp) -> bool {
        let Some(first) = self.first else { return false };
        let size = self.written + self.buffer.len() as u64;
        rotation.bytes.is_some_and(|most| size >= most)
            || rotation.seconds.is_some_and(|most| now.since(first) >= i64::from(most) * 1_000_000_000)
    }

    /// Writes what comes before the first frame, once: what the source says of itself is known by then.
    fn begin(&mut self, source: &SourceNotes) {
        if self.written > 0 || !self.buffer.is_empty() {
            return;
        }
        blocks::section(&mut self.buffer, &source.section);
        for records in &source.names {
            blocks::names(&mut self.buffer, records);
        }
    }

    fn put(&mut self, frame: &Frame<'_>, options: &[u8], source: &SourceNotes) {
        self.begin(source);
        self.first.get_or_insert(frame.time);
        let known = self.interfaces.iter().enumerate();
        let known = known.rev().find(|(_, (id, link, _))| (*id, *link) == (frame.interface, frame.link));
        let (index, resolution) = match known {
            Some((index, (_, _, resolution))) => (index, *resolution),
            None => {
                let (resolution, options) = source.interface(frame.interface);
                blocks::interface(&mut self.buffer, frame.link, SNAPLEN, resolution, options);
                self.interfaces.push((frame.interface, frame.link, resolution));
                (self.interfaces.len() - 1, resolution)
            }
        };
        blocks::packet(&mut self.buffer, (index as u32, resolution), frame, options);
    }

    fn flush(&mut self, reserve: u64) -> Result<(), CaptureError> {
        let path = || self.target.clone();
        let left = if self.temporary.is_some() { room(&self.file) } else { u64::MAX };
        if left.saturating_sub(self.buffer.len() as u64) < reserve {
            return Err(match self.written {
                0 => CaptureError::NoRoom { path: path(), left, reserve },
                _ => CaptureError::DiskFull { path: path(), left },
            });
        }
        if let Err(reason) = self.file.write_all(&self.buffer) {
            let _ = self.file.set_len(self.written);
            return Err(CaptureError::Write { path: path(), reason });
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// After an error, which is the one to tell: a file with frames gets its name, an empty one goes.
    fn keep_what_there_is(self) {
        match self.temporary {
            Some(temporary) if self.written == 0 => {
                let _ = fs::remove_file(temporary);
            }
            _ => {
                let _ = self.commit();
            }
        }
    }

    /// Gives the file its name. A link of that name is replaced, not followed.
    fn commit(self) -> Result<(), CaptureError> {
        let Some(temporary) = self.temporary else { return Ok(()) };
        fs::rename(&temporary, &self.target).map_err(|reason| CaptureError::Write { path: temporary, reason })
    }
}

/// A new file under a hidden name beside `target`.
fn create_beside(target: &Path) -> io::Result<(File, PathBuf)> {
    let is_directory = || io::Error::new(io::ErrorKind::IsADirectory, "it is a directory");
    let name = target.file_name().filter(|_| !target.is_dir()).ok_or_else(is_directory)?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    let temporary = target.with_file_name(hidden);
    files::create_new(&temporary).map(|file| (file, temporary))
}

fn advice(reason: &io::Error) -> &'static str {
    if [nix::libc::EMFILE, nix::libc::ENFILE].iter().any(|code| reason.raw_os_error() == Some(*code)) {
        "raise the limit with ulimit -n; what was written before is kept"
    } else {
        "choose another name or directory with -w"
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

/// Bytes left on the disk of a file. A file system that cannot tell is taken to have room.
fn room(file: &File) -> u64 {
    fstatvfs(file.as_fd())
        .map_or(u64::MAX, |stat| stat.blocks_available().saturating_mul(stat.fragment_size()))
}

/// `dir/name.pcapng` and 7 give `dir/name-00007.pcapng`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number:05}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}
