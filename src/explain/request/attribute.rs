//! One part of a request that may matter, with its value, as text and as hashes.

use std::borrow::Cow;
use std::ops::Deref;
use std::rc::Rc;

use crate::edge::redact::is_secret_parameter;
use crate::edge::sanitize;
use crate::explain::request::attribute_hash::Mark;
use crate::explain::request::family::Family;
use crate::explain::request::names::Label;

/// Bytes of a value that are kept for showing.
const SHOWN: usize = 96;

/// The beginning of a value.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// As on the wire.
    Wire(&'a [u8]),
    /// Made from it.
    Made(Rc<[u8]>),
}

impl Deref for Value<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Self::Wire(bytes) => bytes,
            Self::Made(bytes) => bytes,
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
    /// The value; may be a secret, see [`Attribute::shown`].
    pub(super) value: Value<'a>,
}

impl Attribute<'_> {
    /// The beginning of the value.
    pub(super) fn value(&self) -> &[u8] {
        self.value.get(..SHOWN.min(self.value.len())).unwrap_or_default()
    }
    /// The value as on the wire; may be a secret, so it must not be shown.
    pub(in crate::explain) fn bytes(&self) -> &[u8] {
        &self.value
    }
    /// The value as it may be shown: secrets become a short hash that is equal for equal secrets.
    pub fn shown(&self) -> String {
        shown(self.family, &self.name, self.value(), self.mark.value)
    }
}

fn shown(family: Family, name: &str, value: &[u8], hash: u64) -> String {
    let secret = matches!(
        family,
        Family::Credential
            | Family::ApiKey
            | Family::Session
            | Family::Clearance
            | Family::Cookie
            | Family::Csrf
            | Family::Signature
    ) || (matches!(family, Family::Body | Family::Query | Family::Other | Family::Consumer)
        && is_secret_parameter(name.as_bytes()));
    if secret {
        return format!("#{:08x}", hash as u32);
    }
    let text = sanitize::utf8(value);
    if text.chars().count() > 60 {
        format!("{}…", text.chars().take(60).collect::<String>())
    } else {
        text.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::{Family, shown};

    #[test]
    fn secrets_are_shown_as_hashes_and_the_rest_as_it_is() {
        for (family, name, hidden) in [
            (Family::Credential, "authorization", true),
            (Family::Session, "sid", true),
            (Family::Body, "$.user.password", true),
            (Family::Body, "$['api key']", true),
            (Family::Query, "code", true),
            (Family::Other, "x-auth-token", true),
            (Family::Body, "$.author_id", false),
            (Family::Body, "$.shipping.country", false),
            (Family::Query, "keyword", false),
            (Family::Segment, "segment 2", false),
        ] {
            let shown = shown(family, name, b"value", 0xabcd_0123);
            assert_eq!(shown, if hidden { "#abcd0123" } else { "value" }, "{name}");
        }
    }
}
