//! Bytes of a capture, wherever they come from: a file, a growing file, a pipe or a socket; plain or compressed.
//!
//! Every wait is a wait for the switch as well, so that a silent pipe does not keep the program from ending.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::source::stop::{Ready, Stop, wait_for};

use super::format::SNIFF;
use super::zstd::ZstdReader;

/// How often a file that is being written is looked at.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(50);
const COMPRESSED_BUFFER: usize = 256 << 10;
/// Memory for the dictionary of an xz file: `xz -9` has one of 64 MiB.
const XZ_MEMORY_KIB: u32 = 96 << 10;

/// An open file of any kind, and how to wait for it.
#[derive(Debug)]
pub(super) struct Input {
    /// Bytes that were read before.
    first: Cursor<Vec<u8>>,
    file: File,
    /// A pipe or socket: reading may block.
    is_stream: bool,
    /// Wait at the end for more.
    follow: bool,
    position: u64,
    stops: [Stop; 2],
}

/// Bytes after decompression.
pub(super) type Bytes = Box<dyn Read + Send>;

impl Input {
    /// `hangup` is the reader's own switch, for when nobody wants its bytes any more.
    pub(super) fn new(
        first: Vec<u8>,
        file: File,
        follow: bool,
        stop: &Stop,
        hangup: &Stop,
    ) -> io::Result<Self> {
        let is_stream = !file.metadata()?.is_file();
        Ok(Self {
            first: Cursor::new(first),
            file,
            is_stream,
            follow: follow && !is_stream,
            position: 0,
            stops: [stop.clone(), hangup.clone()],
        })
    }
    /// Whether bytes come as they are produced, so that what is there should be shown at once.
    pub(super) const fn is_live(&self) -> bool {
        self.is_stream || self.follow
    }

    /// The bytes after decompression, if they ask for one.
    pub(super) fn decompressed(self) -> io::Result<Bytes> {
        decompress(self)
    }

    /// Waits until the file can be read or a switch is thrown.
    fn wait(&self) -> io::Result<()> {
        let [stop, hangup] = &self.stops;
        if !self.is_stream {
            return if stop.is_set() || hangup.is_set() { Err(stopped()) } else { Ok(()) };
        }
        loop {
            match wait_for(Some(self.file.as_fd()), &[stop, hangup], None) {
                Ready::File => return Ok(()),
                Ready::Stopped => return Err(stopped()),
                Ready::Nothing => {}
            }
        }
    }

    /// Waits a moment at the end of a growing file.
    fn wait_for_growth(&self) -> io::Result<()> {
        let [stop, hangup] = &self.stops;
        if wait_for(None, &[stop, hangup], Some(FOLLOW_INTERVAL)) == Ready::Stopped {
            return Err(stopped());
        }
        let file = self.file.metadata()?;
        if file.len() < self.position {
            return Err(io::Error::other("the file became shorter while it was followed"));
        }
        if file.nlink() == 0 && file.len() == self.position {
            return Err(io::Error::other("the file was removed while it was followed"));
        }
        Ok(())
    }
}

/// Reads the first bytes and puts a decompressor in place if they ask for one.
pub(super) fn decompress<R: Read + Send + 'static>(mut source: R) -> io::Result<Bytes> {
    let mut head = Vec::with_capacity(SNIFF);
    while head.len() < 4 {
        let mut more = [0; SNIFF];
        match source.read(&mut more)? {
            0 => break,
            count => head.extend_from_slice(more.get(..count).unwrap_or_default()),
        }
    }
    let is_gzip = head.starts_with(&[0x1f, 0x8b]);
    let is_zstd = ZstdReader::<io::Empty>::is_start(&head);
    let is_xz = head.starts_with(&[0xfd, b'7', b'z', b'X']);
    let is_bzip2 = matches!(head.as_slice(), [b'B', b'Z', b'h', b'1'..=b'9', ..]);
    let all: Chain<Cursor<Vec<u8>>, R> = Cursor::new(head).chain(source);
    if is_gzip {
        return Ok(Box::new(MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_BUFFER, all))));
    }
    if is_zstd {
        return Ok(Box::new(ZstdReader::new(BufReader::with_capacity(COMPRESSED_BUFFER, all))));
    }
    if is_xz {
        let source = BufReader::with_capacity(COMPRESSED_BUFFER, all);
        return Ok(Box::new(XzReader::new_mem_limit(source, true, XZ_MEMORY_KIB)));
    }
    if is_bzip2 {
        return Ok(Box::new(MultiBzDecoder::new(BufReader::with_capacity(COMPRESSED_BUFFER, all))));
    }
    Ok(Box::new(all))
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.first.read(buffer)?;
        if count > 0 {
            return Ok(count);
        }
        loop {
            self.wait()?;
            match self.file.read(buffer) {
                Ok(0) if self.follow => self.wait_for_growth()?,
                Ok(count) => {
                    self.position += count as u64;
                    return Ok(count);
                }
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The end that was asked for.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

fn stopped() -> io::Error {
    io::Error::other(Stopped)
}

/// Whether reading ended because somebody wanted it to, however many readers the news went through.
pub(in crate::source) fn is_stopped(error: &io::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> =
        error.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static));
    while let Some(error) = cause {
        if error.is::<Stopped>() {
            return true;
        }
        cause = error.downcast_ref::<io::Error>().map_or_else(
            || error.source(),
            |inner| inner.get_ref().map(|inner| inner as &(dyn std::error::Error + 'static)),
        );
    }
    false
}

/// Whether `reader` is at its end; reads ahead if it must.
pub(super) fn at_end(reader: &mut impl BufRead) -> io::Result<bool> {
    reader.fill_buf().map(<[u8]>::is_empty)
}
