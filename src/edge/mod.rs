//! Everything that leaves the program passes here once: secrets are redacted, control characters escaped.

pub mod redact;
pub mod sanitize;
