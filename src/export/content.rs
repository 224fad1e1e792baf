//! A body as somebody may see it: content coding undone, secrets out, as text where it is text.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::edge::redact::Redactor;
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::{Body, Fields};

/// A body ready to be written.
#[derive(Debug)]
pub(super) enum Shown<'a> {
    /// Text in UTF-8.
    Text(Cow<'a, str>),
    /// Anything else, in base64.
    Base64(String),
    /// It may hold secrets that cannot be found, for this reason.
    Withheld(&'static str),
}

/// A body with what had to be undone to read it.
#[derive(Debug)]
pub(super) struct Content<'a> {
    /// The content, redacted.
    pub(super) shown: Shown<'a>,
    /// The content coding that was undone.
    pub(super) decoded: Option<String>,
    /// Bytes without the content coding, when there was one and all of it was undone.
    pub(super) decoded_len: Option<u64>,
}

/// The content of the message with `fields` and `body`.
pub(super) fn content<'a>(fields: &Fields, body: &'a Body, redactor: &Redactor) -> Content<'a> {
    let media = fields.value("content-type").unwrap_or_default();
    let content = content::read(fields, &body.kept, MAX_DECODED);
    let decoded = (!content.undone.is_empty()).then(|| content.undone.join(", "));
    let whole = content.problem.is_none() && content.charset.is_none();
    let decoded_len = (whole && decoded.is_some()).then_some(content.bytes.len() as u64);
    let shown = if content.is_opaque() && !redactor.reveals() {
        Shown::Withheld("its content coding cannot be undone, so secrets in it cannot be found")
    } else {
        readable(media, content.bytes, redactor)
    };
    Content { shown, decoded, decoded_len }
}

/// Text if it is UTF-8, base64 otherwise.
fn readable<'a>(media: &[u8], bytes: Cow<'a, [u8]>, redactor: &Redactor) -> Shown<'a> {
    let redacted = match bytes {
        Cow::Borrowed(bytes) => redactor.body(media, bytes),
        Cow::Owned(bytes) => Cow::Owned(redactor.body(media, &bytes).into_owned()),
    };
    match redacted {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Shown::Text(Cow::Borrowed(text)),
            _ => Shown::Base64(STANDARD.encode(bytes)),
        },
        Cow::Owned(bytes) => match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Shown::Text(Cow::Owned(text)),
            Ok(text) => Shown::Base64(STANDARD.encode(text)),
            Err(error) => Shown::Base64(STANDARD.encode(error.as_bytes())),
        },
    }
}
