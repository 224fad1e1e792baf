//! Who a request claims to be.

use std::hash::Hash;

use ahash::RandomState;

use crate::features::{Authorization, Jwt, Target, cookies, parameters, signer};
use crate::knowledge::names::{At, catalogue};
use crate::memo::Memo;
use crate::model::Request;

/// Bytes of a cookie's name that count.
const NAME: usize = 64;
/// Names of cookies remembered.
const NAMES: usize = 512;
/// Slots of the memory of credentials seen; a slot forgets when another credential takes it.
const SLOTS: usize = 4096;

/// Turns requests into principals: keyed hashes that are equal for the same caller within this run.
#[derive(Debug)]
pub struct Principals {
    state: RandomState,
    /// Hash of a credential as sent → principal, so that a token is decoded once.
    seen: Box<[(u64, u64)]>,
    /// Name of a cookie, of at most [`NAME`] bytes → whether it carries a session.
    sessions: Memo<Box<[u8]>, bool, NAMES>,
}

impl Default for Principals {
    fn default() -> Self {
        Self { state: RandomState::new(), seen: vec![(0, 0); SLOTS].into(), sessions: Memo::default() }
    }
}

impl Principals {
    /// With hashes that are the same in every run with these seeds.
    pub fn with_seeds([a, b, c, d]: [u64; 4]) -> Self {
        Self { state: RandomState::with_seeds(a, b, c, d), ..Self::default() }
    }
    /// Bytes in use.
    pub const BYTES: u64 = (SLOTS * size_of::<(u64, u64)>()) as u64;

    /// Who `request` claims to be: issuer and subject of a token, the user of Basic, an access key, an API key, a session
    /// cookie; `None` for nobody. Never 0.
    pub fn of(&mut self, request: &Request) -> Option<u64> {
        let fields = request.head.fields();
        let known = &catalogue().credential_fields;
        let (mut authorization, mut key, mut cookie) = (None, None, false);
        for field in fields.iter() {
            match field.name.len() {
                13 if field.name.eq_ignore_ascii_case(b"authorization") => {
                    authorization = authorization.or(Some(field.value));
                }
                6 if field.name.eq_ignore_ascii_case(b"cookie") => cookie = true,
                _ => {
                    let rank = known.position(field.name).filter(|_| !field.value.is_empty());
                    key = rank.map(|rank| (rank, field.value)).into_iter().chain(key).min();
                }
            }
        }
        if let Some(value) = authorization.filter(|value| !value.is_empty()) {
            return Some(self.credential(value));
        }
        if let Some((rank, value)) = key {
            return Some(self.hash(&(1_u8, rank, value)));
        }
        let session = cookie
            .then(|| cookies(fields).find(|cookie| !cookie.value.is_empty() && self.is_session(cookie.name)))
            .flatten();
        if let Some(session) = session {
            return Some(match Jwt::decode(session.value).and_then(|jwt| self.subject(&jwt)) {
                Some(principal) => principal,
                None => self.hash(&(2_u8, session.name, session.value)),
            });
        }
        let query = Target::of(&request.head).query?;
        let known = &catalogue().credential_parameters;
        let key = parameters(query).find(|parameter| known.position(parameter.raw_name).is_some())?;
        key.raw_value.filter(|value| !value.is_empty()).map(|value| self.hash(&(3_u8, key.raw_name, value)))
    }

    /// A keyed hash that is equal for equal values within this run; never 0.
    pub fn hash<T: Hash>(&self, value: &T) -> u64 {
        self.state.hash_one(value).max(1)
    }

    fn is_session(&mut self, name: &[u8]) -> bool {
        let start = name.get(..NAME).unwrap_or(name);
        if let Some(known) = self.sessions.get(start) {
            return *known;
        }
        let is_session = is_session(start);
        self.sessions.put(start.into(), is_session);
        is_session
    }

    fn credential(&mut self, value: &[u8]) -> u64 {
        let raw = self.hash(&value);
        let slot = raw as usize % SLOTS;
        if let Some((of, principal)) = self.seen.get(slot)
            && *of == raw
        {
            return *principal;
        }
        let principal = match Authorization::parse(value) {
            Authorization::Basic { user: Some(user) } => self.hash(&(4_u8, user)),
            Authorization::Bearer { token } => {
                Jwt::decode(token).and_then(|jwt| self.subject(&jwt)).unwrap_or(raw)
            }
            Authorization::Aws4(parts) if !parts.access_key.is_empty() => {
                self.hash(&(5_u8, parts.access_key))
            }
            Authorization::Other { .. } if signer(value).is_some() => self.hash(&(5_u8, signer(value))),
            Authorization::Other { rest, .. } => {
                Jwt::decode(rest).and_then(|jwt| self.subject(&jwt)).unwrap_or(raw)
            }
            _ => raw,
        };
        if let Some(slot) = self.seen.get_mut(slot) {
            *slot = (raw, principal);
        }
        principal
    }

    fn subject(&self, jwt: &Jwt) -> Option<u64> {
        jwt.subject().map(|(issuer, subject)| self.hash(&(6_u8, issuer, subject)))
    }
}

/// Whether a cookie of this name carries a session or a token.
fn is_session(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name.get(..NAME).unwrap_or(name));
    catalogue().facts(At::Cookie, &name).rank.is_some()
}

#[cfg(test)]
mod tests {
    use super::Principals;
    use crate::features::tests::request;
    use serde_json::json;

    fn of(principals: &mut Principals, target: &str, lines: &[(&str, &str)]) -> Option<u64> {
        principals.of(&request("POST", target, lines, b""))
    }

    #[test]
    fn a_refreshed_token_is_the_same_caller() {
        let token = |exp: u32, sub: &str| {
            format!(
                "Bearer {}",
                crate::features::jwt::tests::token(&json!({"iss": "i", "sub": sub, "exp": exp}))
            )
        };
        let mut principals = Principals::default();
        let first = of(&mut principals, "/", &[("Authorization", &token(1, "a"))]);
        assert!(first.is_some());
        assert_eq!(first, of(&mut principals, "/", &[("authorization", &token(2, "a"))]));
        assert_ne!(first, of(&mut principals, "/", &[("Authorization", &token(1, "b"))]));
    }

    #[test]
    fn credentials_of_every_kind_count() {
        let mut principals = Principals::default();
        let all = [
            of(&mut principals, "/", &[("Authorization", "Basic YTpi")]),
            of(&mut principals, "/", &[("X-Api-Key", "k1")]),
            of(&mut principals, "/", &[("X-API-KEY", "k2")]),
            of(&mut principals, "/", &[("Cookie", "theme=dark; JSESSIONID=1")]),
            of(&mut principals, "/", &[("Cookie", "connect.sid=1")]),
            of(&mut principals, "/?api_key=1", &[]),
        ];
        assert!(all.iter().all(Option::is_some), "{all:?}");
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(
            of(&mut principals, "/", &[("Authorization", "Basic YTpj")]),
            all[0],
            "another password, the same user"
        );
        assert_eq!(
            of(&mut principals, "/?a=1", &[("Cookie", "theme=dark; csrftoken=1"), ("X-Api-Key", "")]),
            None
        );
    }
}
