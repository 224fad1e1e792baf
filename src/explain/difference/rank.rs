//! Which of several differences is shown first.

use crate::explain::difference::names::{Class, class};
use crate::model::{Difference, DifferenceKind, Part};

/// Higher comes first among differences of one significance.
pub(crate) fn rank(difference: &Difference) -> u8 {
    let class = class(difference.part, &difference.name);
    let gone = u8::from(difference.kind == DifferenceKind::Removed) * 3;
    gone + match (difference.part, &*difference.name) {
        (Part::Timing, "exp") | (Part::Claim, "exp" | "nbf") => 96,
        (Part::Claim, "scope" | "scp" | "scopes" | "permissions") => 92,
        (Part::RequestHeader, "content-type") => 84,
        (Part::RequestBody, "") => 86,
        (Part::RequestHeader, "origin") => 82,
        (Part::RequestHeader, "referer") => 78,
        (Part::RequestLine, "method") => 89,
        (Part::Claim, _) if class == Class::Critical => 88,
        (_, _) if class == Class::Credential => 90,
        (_, _) if class == Class::Csrf => 87,
        (_, _) if class == Class::Critical => 72,
        (Part::Path, _) => 60,
        (Part::Client, _) => 58,
        (Part::Query, _) => 55,
        (Part::Claim, _) => 52,
        (Part::RequestBody, _) => 50,
        (Part::RequestHeader, "user-agent" | "accept") => 42,
        (Part::Cookie, _) => 40,
        (Part::RequestHeader, "") => 20,
        (Part::RequestHeader, _) => 45,
        (Part::RequestLine | Part::Server | Part::Connection | Part::Timing, _) => 35,
        (Part::StatusLine, _) => 30,
        (Part::ResponseHeader, _) if class == Class::Responder => 28,
        (Part::ResponseHeader | Part::ResponseBody, _) => 10,
    }
}
