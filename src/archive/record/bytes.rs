//! Bytes in JSON: a string where they are UTF-8, base64 elsewhere.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes, borrowed when they are written.
pub(super) struct Bytes<'a>(Cow<'a, [u8]>);

impl<'a> Bytes<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(Cow::Borrowed(bytes))
    }
    pub(super) fn into_box(self) -> Box<[u8]> {
        self.0.into_owned().into_boxed_slice()
    }
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.0
    }
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Bytes<'_> {
    fn default() -> Self {
        Self(Cow::Borrowed(&[]))
    }
}

#[derive(Serialize, Deserialize)]
struct Coded {
    base64: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Either<'a> {
    #[serde(borrow)]
    Text(Cow<'a, str>),
    Coded(Coded),
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Coded { base64: STANDARD.encode(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = match Either::deserialize(deserializer)? {
            Either::Text(text) => text.into_owned().into_bytes(),
            Either::Coded(Coded { base64 }) => STANDARD.decode(base64).map_err(D::Error::custom)?,
        };
        Ok(Self(Cow::Owned(bytes)))
    }
}
