//! An attribute's value as it may be shown to people.

use crate::edge::redact::is_secret_parameter;
use crate::edge::sanitize;
use crate::features::names::family::Family;
use crate::features::request::attribute::Attribute;

/// A value that may be shown.
pub trait Shown {
    /// The value as it may be shown: secrets become a short hash that is equal for equal secrets.
    fn shown(&self) -> String;
}

impl Shown for Attribute<'_> {
    fn shown(&self) -> String {
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
