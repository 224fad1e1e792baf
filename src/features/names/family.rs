//! What sort of thing a part of a request is: its name decides, by the catalogue of names.

pub use crate::knowledge::names::{At, Family};

use crate::knowledge::names::catalogue;

/// The family of `name`, in any case, at `at`. [`crate::features::names::name`] remembers.
pub fn of(at: At, name: &str) -> Family {
    given(at, catalogue().facts(at, name).family)
}

/// The family of a name for which the catalogue has `family`.
pub(super) fn given(at: At, family: Option<Family>) -> Family {
    match family.unwrap_or(Family::Other) {
        Family::ApiKey if at == At::Member => Family::Body,
        family => family,
    }
}
