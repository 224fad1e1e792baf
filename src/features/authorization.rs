//! The Authorization field (RFC 9110 §11.6.2) and what the common schemes hold.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use memchr::memchr;

/// Longest Basic credential that is decoded, in base64 characters.
const BASIC_LIMIT: usize = 4096;

/// What programs send that were not told the credential.
const PLACEHOLDERS: [&str; 14] = [
    "undefined",
    "null",
    "none",
    "nan",
    "[object object]",
    "false",
    "true",
    "nil",
    "<token>",
    "{{token}}",
    "$token",
    "your_token",
    "your_api_key",
    "xxx",
];

/// Whether `credential` is what stands in a template or an unset variable, and no credential.
pub fn is_placeholder(credential: &[u8]) -> bool {
    PLACEHOLDERS.iter().any(|known| credential.eq_ignore_ascii_case(known.as_bytes()))
}

/// A credential field split into its scheme and what the scheme holds. Secrets stay raw: the edge redacts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization<'a> {
    /// RFC 7617: the user name before the first colon; `None` when it is not base64 of `user:password`.
    Basic {
        /// User name, invalid UTF-8 replaced.
        user: Option<String>,
    },
    /// RFC 6750: the token as sent.
    Bearer {
        /// The token.
        token: &'a [u8],
    },
    /// AWS Signature Version 4 (or 4a).
    Aws4(Aws4<'a>),
    /// Any other scheme, or a bare credential when there is only one word (`scheme` is then empty).
    Other {
        /// Scheme as sent.
        scheme: &'a [u8],
        /// What follows it.
        rest: &'a [u8],
    },
}

/// The parts of an AWS Signature Version 4 field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aws4<'a> {
    /// Access key id, the first part of Credential.
    pub access_key: &'a [u8],
    /// `20261122` of the credential scope.
    pub date: &'a [u8],
    /// Region of the credential scope.
    pub region: &'a [u8],
    /// Service of the credential scope.
    pub service: &'a [u8],
    /// Names of the signed fields, separated by semicolons.
    pub signed_headers: &'a [u8],
    /// The signature in hex.
    pub signature: &'a [u8],
}

impl<'a> Authorization<'a> {
    /// Splits the value of Authorization or Proxy-Authorization.
    pub fn parse(value: &'a [u8]) -> Self {
        let value = value.trim_ascii();
        let end = memchr(b' ', value).unwrap_or(value.len());
        let (scheme, rest) = value.split_at(end);
        let rest = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"bearer") {
            Self::Bearer { token: rest }
        } else if scheme.eq_ignore_ascii_case(b"basic") {
            Self::Basic { user: basic_user(rest) }
        } else if scheme.len() > 4 && scheme.starts_with(b"AWS4-") {
            Self::Aws4(Aws4::parse(rest))
        } else if end == value.len() {
            Self::Other { scheme: b"", rest: value }
        } else {
            Self::Other { scheme, rest }
        }
    }

    /// The scheme's name for people; empty for a bare credential.
    pub fn scheme(&self) -> Cow<'a, str> {
        match self {
            Self::Basic { .. } => "Basic".into(),
            Self::Bearer { .. } => "Bearer".into(),
            Self::Aws4(_) => "AWS4-HMAC-SHA256".into(),
            Self::Other { scheme, .. } => String::from_utf8_lossy(scheme),
        }
    }
}

impl<'a> Aws4<'a> {
    /// Splits `Credential=…, SignedHeaders=…, Signature=…`; what is absent stays empty.
    pub fn parse(rest: &'a [u8]) -> Self {
        let mut parts = Self::default();
        for part in rest.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            if let Some(credential) = part.strip_prefix(b"Credential=") {
                parts.credential(credential);
            } else if let Some(names) = part.strip_prefix(b"SignedHeaders=") {
                parts.signed_headers = names;
            } else if let Some(signature) = part.strip_prefix(b"Signature=") {
                parts.signature = signature;
            }
        }
        parts
    }

    /// Splits `AKID/20261122/region/service/aws4_request`; also the value of `X-Amz-Credential` once decoded.
    pub fn credential(&mut self, credential: &'a [u8]) {
        let mut scope = credential.split(|byte| *byte == b'/');
        self.access_key = scope.next().unwrap_or_default();
        self.date = scope.next().unwrap_or_default();
        self.region = scope.next().unwrap_or_default();
        self.service = scope.next().unwrap_or_default();
    }
}

fn basic_user(encoded: &[u8]) -> Option<String> {
    if encoded.len() > BASIC_LIMIT {
        return None;
    }
    let decoded = STANDARD.decode(encoded).or_else(|_| STANDARD_NO_PAD.decode(encoded)).ok()?;
    let colon = memchr(b':', &decoded)?;
    Some(String::from_utf8_lossy(decoded.get(..colon)?).into_owned())
}

#[cfg(test)]
mod tests {
    use super::Authorization;

    #[test]
    fn splits_schemes() {
        assert_eq!(Authorization::parse(b"bearer  abc "), Authorization::Bearer { token: b"abc" });
        assert_eq!(
            Authorization::parse(b"Basic YWxpY2U6czNjOnJldA=="),
            Authorization::Basic { user: Some("alice".into()) }
        );
        assert_eq!(Authorization::parse(b"Basic ???"), Authorization::Basic { user: None });
        assert_eq!(
            Authorization::parse(b"sk_live_1"),
            Authorization::Other { scheme: b"", rest: b"sk_live_1" }
        );
        assert_eq!(
            Authorization::parse(b"Token x y"),
            Authorization::Other { scheme: b"Token", rest: b"x y" }
        );
        assert_eq!(Authorization::parse(b""), Authorization::Other { scheme: b"", rest: b"" });
    }

    #[test]
    fn splits_signature_v4() {
        let value = b"AWS4-HMAC-SHA256 Credential=AKIA/20261122/eu-west-1/s3/aws4_request, SignedHeaders=host;x-amz-date,Signature=fe5f";
        let Authorization::Aws4(parts) = Authorization::parse(value) else { panic!("scheme") };
        assert_eq!(parts.access_key, b"AKIA");
        assert_eq!(
            (parts.date, parts.region, parts.service),
            (&b"20261122"[..], &b"eu-west-1"[..], &b"s3"[..])
        );
        assert_eq!((parts.signed_headers, parts.signature), (&b"host;x-amz-date"[..], &b"fe5f"[..]));
    }
}
