//! Keyed hashes that stand for texts, so that many samples can be counted and compared without keeping what they hold.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::OnceLock;

use crate::features::names::family::Family;

static KEYS: OnceLock<ahash::RandomState> = OnceLock::new();

fn keys() -> &'static ahash::RandomState {
    KEYS.get_or_init(ahash::RandomState::new)
}

/// Makes the hashes the same in every run with these seeds. To be called before anything is hashed.
pub fn use_seeds([a, b, c, d]: [u64; 4]) {
    // Whoever came later keeps the hashes of the run.
    let _ = KEYS.set(ahash::RandomState::with_seeds(a, b, c, d));
}

/// A keyed hash, the same within one run and in every run with the same history on disk.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = keys().build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The same for anything that can be hashed.
pub fn hash_of<T: Hash>(value: &T) -> u64 {
    keys().hash_one(value)
}

/// What identifies an attribute: family and name.
pub fn key(family: Family, name: &str) -> u64 {
    let mut hasher = keys().build_hasher();
    hasher.write_u8(family as u8);
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// An attribute with its value, as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// See [`key`].
    pub key: u64,
    /// Hash of the normalised value.
    pub value: u64,
}
