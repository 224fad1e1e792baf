//! The key of a store: it decides the pseudonyms of secrets, so that they can be compared in every run that uses it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};
use ring::rand::{SecureRandom, SystemRandom};

use super::ArchiveError;
use crate::edge::files;

/// What the name of the file with the key ends with, beside the database's own.
pub const KEY_SUFFIX: &str = ".key";

/// A key, and that its store is held by this process.
#[derive(Debug)]
pub struct StoreKey {
    bytes: [u8; 32],
    /// Whether it was made now.
    pub is_new: bool,
    /// Held while this process writes to the store.
    _lock: Flock<File>,
}

impl StoreKey {
    /// Reads the key of the database at `path`, or makes one; both are readable by their owner alone.
    pub fn open(path: &Path) -> Result<Self, ArchiveError> {
        let file = key_path(path);
        let failed = |error: io::Error| ArchiveError::Open { path: file.clone(), reason: error.to_string() };
        let found = files::read_named(&file, 4096);
        let is_new = matches!(&found, Err(error) if error.kind() == io::ErrorKind::NotFound);
        let bytes =
            if is_new { make(&file).map_err(failed)? } else { parse(&found.map_err(failed)?, &file)? };
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))
            .or_else(ignore_denied)
            .map_err(failed)?;
        let lock = Flock::lock(File::open(&file).map_err(failed)?, FlockArg::LockExclusiveNonblock)
            .map_err(|_| ArchiveError::Busy { path: path.to_owned() })?;
        Ok(Self { bytes, is_new, _lock: lock })
    }
    /// The key of the database at `path`, if there is one: for whoever only reads.
    pub fn read(path: &Path) -> Result<Option<[u8; 32]>, ArchiveError> {
        let file = key_path(path);
        match files::read_named(&file, 4096) {
            Ok(text) => parse(&text, &file).map(Some),
            Err(_) => Ok(None),
        }
    }
    /// The key.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }
    /// Says which key it is without saying the key.
    pub fn id(&self) -> String {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.bytes);
        let tag = ring::hmac::sign(&key, b"why403 key id");
        hex(tag.as_ref().get(..8).unwrap_or_default())
    }
    /// Four numbers that follow from the key, others for each purpose.
    pub fn seeds(&self, purpose: &str) -> [u64; 4] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.bytes);
        let tag = ring::hmac::sign(&key, format!("why403 {purpose}").as_bytes());
        let (numbers, _) = tag.as_ref().as_chunks::<8>();
        let mut seeds = [0; 4];
        for (seed, number) in seeds.iter_mut().zip(numbers) {
            *seed = u64::from_le_bytes(*number);
        }
        seeds
    }
}

/// The file with the key of the database at `path`.
pub(super) fn key_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(KEY_SUFFIX);
    name.into()
}

/// The file of somebody else that may be read all the same.
fn ignore_denied(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::PermissionDenied { Ok(()) } else { Err(error) }
}

fn make(file: &Path) -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    SystemRandom::new().fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    let mut created = files::create_new(file)?;
    created.write_all((hex(&bytes) + "\n").as_bytes())?;
    created.sync_all()?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn parse(text: &[u8], file: &Path) -> Result<[u8; 32], ArchiveError> {
    let text = std::str::from_utf8(text).unwrap_or_default().trim();
    let mut bytes = [0; 32];
    let mut digits = text.as_bytes().chunks(2).map(|two| {
        let two = std::str::from_utf8(two).ok()?;
        u8::from_str_radix(two, 16).ok()
    });
    let whole = text.len() == 64
        && bytes.iter_mut().all(|byte| {
            let digit = digits.next().flatten();
            *byte = digit.unwrap_or_default();
            digit.is_some()
        });
    if whole {
        return Ok(bytes);
    }
    let reason = "it is no key of 64 hexadecimal digits: move it away, and equality with what was recorded before is lost";
    Err(ArchiveError::Open { path: file.to_owned(), reason: reason.into() })
}
