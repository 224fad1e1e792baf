//! A body as somebody may see it: content coding undone, secrets out, as text where it is text.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::edge::redact::Redactor;
use crate::features::MediaType;
use crate::features::coding::{Problem, Undone, undo};
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
}

/// The content of the message with `fields` and `body`.
pub(super) fn content<'a>(fields: &Fields, body: &'a Body, redactor: &Redactor) -> Content<'a> {
    let media = fields.value("content-type").unwrap_or_default();
    let undone = undo(fields, &body.kept);
    let decoded = (!undone.undone.is_empty()).then(|| undone.undone.join(", "));
    let shown = if is_opaque(&undone) && !redactor.reveals() {
        Shown::Withheld("its content coding cannot be undone, so secrets in it cannot be found")
    } else {
        readable(media, undone.bytes, redactor)
    };
    Content { shown, decoded }
}

/// Whether what came out is still coded: it may hold anything.
pub(super) fn is_opaque(undone: &Undone<'_>) -> bool {
    match undone.problem {
        None | Some(Problem::TooLarge(_)) => false,
        Some(Problem::Broken(_)) => undone.undone.is_empty(),
        Some(Problem::Unknown(_) | Problem::TooMany) => true,
    }
}

/// Text if it is UTF-8 or of a charset that its media type names, base64 otherwise.
fn readable<'a>(media: &[u8], bytes: Cow<'a, [u8]>, redactor: &Redactor) -> Shown<'a> {
    let bytes = match charset(media, &bytes) {
        Some(text) => Cow::Owned(text.into_bytes()),
        None => bytes,
    };
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

/// The text in UTF-8, when the media type names another charset and the bytes are of it.
fn charset(media: &[u8], bytes: &[u8]) -> Option<String> {
    let charset = MediaType::parse(media)?.charset()?;
    let encoding = encoding_rs::Encoding::for_label(charset.as_bytes())?;
    if encoding == encoding_rs::UTF_8 {
        return None;
    }
    let (text, _, malformed) = encoding.decode(bytes);
    (!malformed).then(|| text.into_owned())
}
