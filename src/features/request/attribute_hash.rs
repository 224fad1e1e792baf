//! Keyed hashes that stand for texts, so that many samples can be counted and compared without keeping what they hold.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::LazyLock;

use crate::features::names::family::Family;

static KEYS: LazyLock<ahash::RandomState> = LazyLock::new(ahash::RandomState::new);

/// A keyed hash, the same within one run.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = KEYS.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The same for anything that can be hashed.
pub fn hash_of<T: Hash>(value: &T) -> u64 {
    KEYS.hash_one(value)
}

/// What identifies an attribute: family and name.
pub fn key(family: Family, name: &str) -> u64 {
    let mut hasher = KEYS.build_hasher();
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
