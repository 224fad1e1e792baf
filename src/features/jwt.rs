//! JSON Web Tokens (RFC 7519) as a reader without a key sees them: header and claims, never verified.

use std::cell::RefCell;
use std::rc::Rc;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use crate::features::{Authorization, Target, cookies, parameters};
use crate::memo::Memo;
use crate::model::{Part, Request};

/// Longest token that is decoded, in bytes.
pub const MAX_TOKEN: usize = 16 << 10;
/// Most tokens that are looked for in one request.
pub const MAX_TOKENS: usize = 8;

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A decoded token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwt {
    /// The JOSE header: `alg`, `kid`, `typ`, ….
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// Whether the third part is not empty.
    pub signed: bool,
}

impl Jwt {
    /// Decodes `header.claims.signature`; `None` when it is not three base64url parts of which two are JSON objects, or
    /// longer than [`MAX_TOKEN`].
    pub fn decode(token: &[u8]) -> Option<Self> {
        if token.len() > MAX_TOKEN || token.first() != Some(&b'e') {
            return None;
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || header.is_empty() || claims.is_empty() {
            return None;
        }
        let object = |part: &[u8]| serde_json::from_slice(&BASE64URL.decode(part).ok()?).ok();
        Some(Self { header: object(header)?, claims: object(claims)?, signed: !signature.is_empty() })
    }
    /// A claim that is a string.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim)?.as_str()
    }
    /// A NumericDate claim (`exp`, `nbf`, `iat`) in whole seconds since the epoch; fractions are cut off.
    pub fn seconds(&self, claim: &str) -> Option<i64> {
        let value = self.claims.get(claim)?;
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }
    /// `iss` and `sub` together say who it is; `iss` may be absent. Falls back on `client_id`, `azp`, `uid`, `user_id`, `email`.
    pub fn subject(&self) -> Option<(&str, String)> {
        let named = ["sub", "client_id", "azp", "uid", "user_id", "email"];
        let subject = named.into_iter().find_map(|claim| match self.claims.get(claim)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })?;
        Some((self.text("iss").unwrap_or_default(), subject))
    }
    /// The entries of a claim that is a list or a string of words: `scope`, `scp`, `permissions`, `roles`, `groups`, `aud`.
    pub fn words(&self, claim: &str) -> Vec<&str> {
        match self.claims.get(claim) {
            Some(Value::String(text)) => text.split_ascii_whitespace().collect(),
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
    /// Scopes under any of the usual names.
    pub fn scopes(&self) -> Vec<&str> {
        ["scope", "scp", "scopes", "permissions", "authorities"]
            .iter()
            .flat_map(|claim| self.words(claim))
            .collect()
    }
}

/// Where in a request a token was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    /// [`Part::RequestHeader`], [`Part::Cookie`] or [`Part::Query`].
    pub part: Part,
    /// Field name in lower case, cookie name or parameter name.
    pub name: String,
}

/// A token of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// Where it was found.
    pub place: TokenPlace,
    /// As sent.
    pub raw: &'a [u8],
    /// What it says.
    pub jwt: Rc<Jwt>,
}

/// Tokens remembered by one thread.
const REMEMBERED: usize = 256;
/// Longest token that is remembered, in bytes.
const LONGEST: usize = 4096;

thread_local! {
    /// Clients send the same token again and again. Bound: [`REMEMBERED`] tokens of [`LONGEST`] bytes and their claims.
    static KNOWN: RefCell<Memo<Box<[u8]>, Rc<Jwt>, REMEMBERED>> = RefCell::default();
}

/// [`Jwt::decode`], remembered.
pub fn decoded(token: &[u8]) -> Option<Rc<Jwt>> {
    // Every token begins with `{"` in base64url; most other values are told by their first byte.
    if token.first() != Some(&b'e') {
        return None;
    }
    KNOWN.with_borrow_mut(|known| {
        if let Some(jwt) = known.get(token) {
            return Some(Rc::clone(jwt));
        }
        let jwt = Rc::new(Jwt::decode(token)?);
        if token.len() <= LONGEST {
            known.put(token.into(), Rc::clone(&jwt));
        }
        Some(jwt)
    })
}

/// Tokens in fields (Authorization first), cookies and query parameters, at most [`MAX_TOKENS`].
pub fn tokens(request: &Request) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let fields = request.head.fields();
    let mut take = |part: Part, name: &[u8], raw| {
        if found.len() >= MAX_TOKENS {
            return;
        }
        if let Some(jwt) = decoded(raw) {
            let name = String::from_utf8_lossy(name);
            let name =
                if part == Part::RequestHeader { name.to_ascii_lowercase() } else { name.into_owned() };
            found.push(Token { place: TokenPlace { part, name }, raw, jwt });
        }
    };
    let is_authorization = |name: &[u8]| name.eq_ignore_ascii_case(b"authorization");
    for field in fields.iter().filter(|field| is_authorization(field.name)) {
        take(Part::RequestHeader, field.name, credential(field.value));
    }
    for field in fields.iter().filter(|field| !is_authorization(field.name)) {
        take(Part::RequestHeader, field.name, credential(field.value));
    }
    for cookie in cookies(fields) {
        take(Part::Cookie, cookie.name, cookie.value);
    }
    for parameter in parameters(Target::of(&request.head).query()) {
        take(Part::Query, parameter.raw_name, parameter.raw_value.unwrap_or_default());
    }
    found
}

/// A field's value without its scheme; nothing where that cannot be a token.
fn credential(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    let last = memchr::memrchr(b' ', value).map_or(0, |at| at + 1);
    if value.get(last) != Some(&b'e') {
        return b"";
    }
    match Authorization::parse(value) {
        Authorization::Bearer { token } => token,
        Authorization::Other { rest, .. } => rest,
        _ => value,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use base64::Engine;
    use serde_json::json;

    use super::{BASE64URL, Jwt, tokens};
    use crate::features::tests::request;
    use crate::model::Part;

    /// A token with these claims and a signature that nobody checks.
    pub(crate) fn token(claims: &serde_json::Value) -> String {
        let part =
            |value: &serde_json::Value| BASE64URL.encode(value.to_string()).trim_end_matches('=').to_owned();
        format!("{}.{}.c2ln", part(&json!({"alg": "HS256"})), part(claims))
    }

    #[test]
    fn decodes_claims() {
        let jwt = Jwt::decode(
            token(&json!({"sub": 7, "iss": "me", "exp": 10.5, "scope": "a b", "roles": ["x"]})).as_bytes(),
        );
        let jwt = jwt.unwrap();
        assert_eq!(jwt.subject(), Some(("me", "7".to_owned())));
        assert_eq!(jwt.seconds("exp"), Some(10));
        assert_eq!(jwt.scopes(), ["a", "b"]);
        assert_eq!(jwt.words("roles"), ["x"]);
        assert!(jwt.signed);
    }

    #[test]
    fn refuses_what_is_no_token() {
        for bad in
            ["", "e", "a.b.c", "eyJ9.eyJ9", "eyJ9.eyJ9.c.d", "e30..", ".e30.", "e30.W10.", "e\u{ff}.e30.x"]
        {
            assert_eq!(Jwt::decode(bad.as_bytes()), None, "{bad}");
        }
        assert!(Jwt::decode(b"e30.e30.").is_some_and(|jwt| !jwt.signed));
        let huge = format!("e30.{}.x", "A".repeat(super::MAX_TOKEN));
        assert_eq!(Jwt::decode(huge.as_bytes()), None);
    }

    #[test]
    fn finds_tokens_wherever_they_travel() {
        let token = token(&json!({"sub": "a"}));
        let request = request(
            "POST",
            &format!("/x?t={token}&n=1"),
            &[
                ("X-Token", &token),
                ("Cookie", &format!("s={token}; n=1")),
                ("authorization", &format!("Bearer {token}")),
            ],
            b"",
        );
        let places: Vec<_> = tokens(&request).into_iter().map(|t| (t.place.part, t.place.name)).collect();
        let expected = [
            (Part::RequestHeader, "authorization"),
            (Part::RequestHeader, "x-token"),
            (Part::Cookie, "s"),
            (Part::Query, "t"),
        ];
        assert_eq!(places, expected.map(|(part, name)| (part, name.to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = Jwt::decode(&bytes);
        }
    }
}
