//! Tokens of the staging box: JSON Web Tokens with a signature that only this process can make.

use std::hash::{BuildHasher, RandomState};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::features::Jwt;

/// Signs and checks. A keyed hash of one process stands in for HMAC: nobody else has to believe it.
#[derive(Clone, Debug)]
pub(super) struct Key(RandomState);

/// What a token says.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    /// Who.
    pub(super) subject: &'static str,
    /// May do what.
    pub(super) scope: &'static str,
    /// Is what.
    pub(super) role: &'static str,
    /// Until when, in seconds since the epoch.
    pub(super) expires: i64,
}

impl Key {
    pub(super) fn random() -> Self {
        Self(RandomState::new())
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT","kid":"staging-1"}"#);
        let claims = json!({
            "iss": "https://id.staging.example/", "aud": "https://api.staging.example", "sub": claims.subject,
            "scope": claims.scope, "roles": [claims.role], "iat": claims.expires - 3600, "exp": claims.expires,
        });
        let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = self.signature(&signed);
        format!("{signed}.{signature}")
    }

    /// The claims of a token with a right signature.
    pub(super) fn check(&self, token: &str) -> Option<Jwt> {
        let (signed, signature) = token.rsplit_once('.')?;
        let right = self.signature(signed) == signature;
        Jwt::decode(token.as_bytes()).filter(|_| right)
    }

    fn signature(&self, signed: &str) -> String {
        let (one, two) = (self.0.hash_one((signed, 1)), self.0.hash_one((signed, 2)));
        URL_SAFE_NO_PAD.encode([one.to_be_bytes(), two.to_be_bytes()].concat())
    }
}

/// Whether a role is among the token's.
pub(super) fn has_role(jwt: &Jwt, role: &str) -> bool {
    let roles = jwt.claims.get("roles").and_then(Value::as_array);
    roles.is_some_and(|roles| roles.iter().any(|one| one == role))
}
