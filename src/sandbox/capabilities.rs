//! Capabilities, no_new_privs and core dumps: what the process could do beyond its user.

use caps::{CapSet, Capability};
use nix::sys::prctl;
use nix::sys::resource::{Resource, setrlimit};

use super::State;

/// Empties every set. The bounding set can only be emptied while CAP_SETPCAP is there; no_new_privs makes it moot otherwise.
pub(super) fn drop_all() -> State {
    let had: Vec<String> =
        caps::read(None, CapSet::Permitted).unwrap_or_default().iter().map(ToString::to_string).collect();
    let _ = caps::clear(None, CapSet::Ambient);
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        if let Err(error) = caps::clear(None, set) {
            return State::Missing(format!("{set:?}: {error}"));
        }
    }
    match caps::read(None, CapSet::Permitted) {
        Ok(left) if left.is_empty() => State::On(if had.is_empty() {
            "none left".to_owned()
        } else {
            format!("none left, {} dropped", had.len())
        }),
        Ok(left) => State::Missing(format!("{} left", left.len())),
        Err(error) => State::Missing(error.to_string()),
    }
}

/// Drops every capability but those of `kept` that the process has.
pub(super) fn keep(kept: &[Capability]) {
    drop_bounding();
    let _ = caps::clear(None, CapSet::Ambient);
    let _ = caps::clear(None, CapSet::Inheritable);
    for set in [CapSet::Effective, CapSet::Permitted] {
        let had = caps::read(None, set).unwrap_or_default();
        let _ = caps::set(None, set, &had.into_iter().filter(|one| kept.contains(one)).collect());
    }
}

/// Empties the bounding set, which takes a capability that the switch of user takes away.
pub(super) fn drop_bounding() {
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false) {
        let _ = caps::clear(None, CapSet::Bounding);
    }
}

pub(super) fn probe() -> State {
    match caps::read(None, CapSet::Effective) {
        Ok(set) if set.is_empty() => State::On("none to drop".to_owned()),
        Ok(set) => State::On(format!("{} to drop", set.len())),
        Err(error) => State::Missing(error.to_string()),
    }
}

pub(super) fn no_new_privs() -> State {
    match prctl::set_no_new_privs() {
        Ok(()) => State::On("set-user-id programs give nothing".to_owned()),
        Err(error) => State::Missing(error.to_string()),
    }
}

/// Secrets on the wire must not end in a core file, and no debugger of the same user may attach.
pub(super) fn no_core_dumps() -> State {
    match setrlimit(Resource::RLIMIT_CORE, 0, 0).and_then(|()| prctl::set_dumpable(false)) {
        Ok(()) => State::On("RLIMIT_CORE 0, not dumpable".to_owned()),
        Err(error) => State::Missing(error.to_string()),
    }
}
