//! One part of a request that may matter, with its value, as text and as hashes.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use crate::features::names::Label;
use crate::features::names::family::Family;
use crate::features::request::attribute_hash::Mark;
use crate::model::Span;

/// Bytes of a value that are kept for showing.
const SHOWN: usize = 96;

/// The beginning of a value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// As on the wire.
    Wire(&'a [u8]),
    /// Made from it.
    Made(Rc<[u8]>),
    /// A part of what was made: whole, offset, length.
    Part(Rc<[u8]>, usize, usize),
}

impl Value<'_> {
    /// A piece of these bytes.
    #[must_use]
    pub fn keep(&self, piece: &[u8]) -> Self {
        match Span::within(self, piece) {
            Some(span) => self.part(span.start as usize, span.len as usize),
            None => Self::Made(piece.into()),
        }
    }
    /// The part from `at` on; empty where there is none.
    #[must_use]
    pub fn part(&self, at: usize, len: usize) -> Self {
        match self {
            Self::Wire(bytes) => Self::Wire(bytes.get(at..at.saturating_add(len)).unwrap_or_default()),
            Self::Made(bytes) => Self::Part(Rc::clone(bytes), at, len),
            Self::Part(bytes, start, _) => Self::Part(Rc::clone(bytes), start.saturating_add(at), len),
        }
    }
}

impl Deref for Value<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Wire(bytes) => bytes,
            Self::Made(bytes) => bytes,
            Self::Part(bytes, at, len) => bytes.get(*at..at.saturating_add(*len)).unwrap_or_default(),
        }
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Wire(bytes)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Wire(text.as_bytes())
    }
}

impl From<Rc<[u8]>> for Value<'_> {
    fn from(bytes: Rc<[u8]>) -> Self {
        Self::Made(bytes)
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Made(text.into_bytes().into())
    }
}

impl<'a> From<Cow<'a, [u8]>> for Value<'a> {
    fn from(bytes: Cow<'a, [u8]>) -> Self {
        match bytes {
            Cow::Borrowed(bytes) => Self::Wire(bytes),
            Cow::Owned(bytes) => Self::Made(bytes.into()),
        }
    }
}

/// In lower case.
pub(super) fn lower(bytes: &[u8]) -> Value<'_> {
    if bytes.iter().any(u8::is_ascii_uppercase) {
        Value::Made(bytes.to_ascii_lowercase().into())
    } else {
        Value::Wire(bytes)
    }
}

/// An attribute with its value, as text.
#[derive(Clone, Debug)]
pub struct Attribute<'a> {
    /// Hashes.
    pub mark: Mark,
    /// Family.
    pub family: Family,
    /// Field, cookie, parameter, claim or member name.
    pub name: Label,
    /// The value; may be a secret.
    pub(super) value: Value<'a>,
}

impl Attribute<'_> {
    /// The beginning of the value; may be a secret, so it must not be shown.
    pub fn value(&self) -> &[u8] {
        self.value.get(..SHOWN.min(self.value.len())).unwrap_or_default()
    }
    /// The value as on the wire; may be a secret, so it must not be shown.
    pub fn bytes(&self) -> &[u8] {
        &self.value
    }
}
