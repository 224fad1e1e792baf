//! What sort of thing a part of a request is: its name decides, by the catalogue of names.

pub use crate::knowledge::names::{At, Family};

use crate::knowledge::names::catalogue;

/// The family of `name`, in any case, at `at`. [`crate::features::names::name`] remembers.
pub fn of(at: At, name: &str) -> Family {
    match catalogue().facts(at, name).family.unwrap_or(Family::Other) {
        Family::ApiKey if at == At::Member => Family::Body,
        family => family,
    }
}
