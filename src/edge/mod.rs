//! Everything that leaves the program passes here once: secrets are redacted, control characters escaped,
//! files created so that nobody else reads or redirects them.

pub mod files;
pub mod redact;
pub mod sanitize;
