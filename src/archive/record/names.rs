//! The names that stand for values in a record, read back.

use crate::model::{Anomaly, BodyEnd, Outcome, PrefaceKind, Version};

const PREFACES: [PrefaceKind; 5] = [
    PrefaceKind::Proxy1,
    PrefaceKind::Proxy2,
    PrefaceKind::Socks4,
    PrefaceKind::Socks5,
    PrefaceKind::Connect,
];

const VERSIONS: [Version; 4] = [Version::Http10, Version::Http11, Version::Http2, Version::Http3];

const ENDS: [BodyEnd; 9] = [
    BodyEnd::None,
    BodyEnd::Complete,
    BodyEnd::Close,
    BodyEnd::ClosedEarly,
    BodyEnd::Reset,
    BodyEnd::NotSent,
    BodyEnd::Abandoned,
    BodyEnd::Unfinished,
    BodyEnd::Lost,
];

pub(super) fn outcome(name: &str) -> Option<Outcome> {
    Outcome::ALL.into_iter().find(|one| one.as_str() == name)
}

pub(super) fn preface_kind(name: &str) -> Option<PrefaceKind> {
    PREFACES.into_iter().find(|one| one.as_str() == name)
}

pub(super) fn version(name: &str) -> Option<Version> {
    VERSIONS.into_iter().find(|one| one.as_str() == name)
}

pub(super) fn anomaly(name: &str) -> Option<Anomaly> {
    Anomaly::ALL.iter().copied().find(|one| one.name() == name)
}

pub(super) fn body_end(name: &str) -> Option<BodyEnd> {
    ENDS.into_iter().find(|one| body_end_name(*one) == name)
}

/// The name of a body's end in a record.
pub(super) const fn body_end_name(end: BodyEnd) -> &'static str {
    match end {
        BodyEnd::None => "none",
        BodyEnd::Complete => "complete",
        BodyEnd::Close => "close",
        BodyEnd::ClosedEarly => "closed-early",
        BodyEnd::Reset => "reset",
        BodyEnd::NotSent => "not-sent",
        BodyEnd::Abandoned => "abandoned",
        BodyEnd::Unfinished => "unfinished",
        BodyEnd::Lost => "lost",
    }
}

#[cfg(test)]
pub(super) const ALL: (&[Outcome], &[PrefaceKind], &[Version], &[BodyEnd]) =
    (&Outcome::ALL, &PREFACES, &VERSIONS, &ENDS);

#[cfg(test)]
mod tests {
    use super::{ENDS, PREFACES, VERSIONS};
    use crate::model::{BodyEnd, Outcome, PrefaceKind, Version};

    /// A new variant fails to compile here: add it to its list.
    #[test]
    fn the_lists_are_complete_and_names_are_unique() {
        for outcome in Outcome::ALL {
            match outcome {
                Outcome::Complete
                | Outcome::Partial
                | Outcome::Closed
                | Outcome::Reset
                | Outcome::Pending
                | Outcome::Expired
                | Outcome::Evicted
                | Outcome::Lost
                | Outcome::OneSided
                | Outcome::Switched
                | Outcome::NotHttp
                | Outcome::NotRecorded
                | Outcome::Orphan => assert_eq!(super::outcome(outcome.as_str()), Some(outcome)),
            }
        }
        for kind in PREFACES {
            match kind {
                PrefaceKind::Proxy1
                | PrefaceKind::Proxy2
                | PrefaceKind::Socks4
                | PrefaceKind::Socks5
                | PrefaceKind::Connect => assert_eq!(super::preface_kind(kind.as_str()), Some(kind)),
            }
        }
        for version in VERSIONS {
            match version {
                Version::Http10 | Version::Http11 | Version::Http2 | Version::Http3 => {
                    assert_eq!(super::version(version.as_str()), Some(version));
                }
            }
        }
        for end in ENDS {
            match end {
                BodyEnd::None
                | BodyEnd::Complete
                | BodyEnd::Close
                | BodyEnd::ClosedEarly
                | BodyEnd::Reset
                | BodyEnd::NotSent
                | BodyEnd::Abandoned
                | BodyEnd::Unfinished
                | BodyEnd::Lost => assert_eq!(super::body_end(super::body_end_name(end)), Some(end)),
            }
        }
    }
}
