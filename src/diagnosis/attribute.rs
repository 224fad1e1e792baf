//! An exchange's request as a flat list of attributes, so that refusals and successes can be counted against each other.

use std::hash::{BuildHasher, Hasher};
use std::sync::{Arc, LazyLock};

use super::family::{self, At, Family};
use super::shown::facts::{self, Fact};
use super::shown::seen::Seen;
use crate::edge::sanitize;
use crate::model::{Exchange, Request};
use crate::parts::json::JsonEnd;
use crate::parts::{self, Authorization, Jwt, MediaType, Target, cookies, parameters};

/// Most attributes taken from one request.
pub const MAX: usize = 160;
/// Most members of a body that become attributes.
const MAX_MEMBERS: usize = 64;
/// Bytes of a value that are kept for showing.
const SHOWN: usize = 96;

static KEYS: LazyLock<ahash::RandomState> = LazyLock::new(ahash::RandomState::new);

/// A keyed hash, the same within one run.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = KEYS.build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

/// The same for anything that can be hashed.
pub fn hash_of<T: std::hash::Hash>(value: &T) -> u64 {
    KEYS.hash_one(value)
}

/// What identifies an attribute: family and name.
pub fn key(family: Family, name: &str) -> u64 {
    let mut hasher = KEYS.build_hasher();
    hasher.write_u8(family as u8);
    hasher.write(name.as_bytes());
    hasher.finish()
}

/// An attribute with its value, as hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// See [`key`].
    pub key: u64,
    /// Hash of the normalised value.
    pub value: u64,
}

/// An attribute with its value, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Hashes.
    pub mark: Mark,
    /// Family.
    pub family: Family,
    /// Field, cookie, parameter, claim or member name.
    pub name: String,
    /// The beginning of the value; may be a secret, see [`Attribute::shown`].
    pub value: Vec<u8>,
}

impl Attribute {
    /// The value as it may be shown: secrets become a short hash that is equal for equal secrets.
    pub fn shown(&self) -> String {
        shown(self.family, &self.name, &self.value, self.mark.value)
    }
}

fn shown(family: Family, name: &str, value: &[u8], hash: u64) -> String {
    let lower = name.to_ascii_lowercase();
    let private =
        ["pass", "secret", "token", "key", "pin", "card", "iban", "ssn", "auth", "otp", "cvv", "credential"];
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
        && private.iter().any(|part| lower.contains(part)));
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

/// The attributes of one request.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Sorted by key, one a key.
    pub attributes: Vec<Attribute>,
    /// Whether a token could be decoded, so that absent claims mean something.
    pub has_token: bool,
    /// Whether a body could be taken apart, so that absent members mean something.
    pub has_members: bool,
    /// Bytes of the body.
    pub body_len: u64,
    /// Facts that the request shows by itself.
    pub facts: Vec<Fact>,
}

impl Sheet {
    /// Takes `exchange`'s request apart.
    pub fn of(exchange: &Exchange) -> Self {
        let mut sheet = Self::default();
        let Some(request) = &exchange.request else { return sheet };
        sheet.body_len = request.body.len;
        let address = exchange.client.ip().to_canonical().to_string();
        sheet.add(Family::Client, "", address.as_bytes());
        let network = parts::client_network(exchange.client.ip()).to_string();
        sheet.add(Family::Network, "", network.as_bytes());
        sheet.add(Family::HttpVersion, "", request.head.version().as_str().as_bytes());
        sheet.target(request);
        sheet.fields(request);
        let seen = Seen::of(request);
        sheet.tokens(&seen);
        sheet.body(request, &seen);
        sheet.relations();
        let facts = facts::facts(exchange, &sheet, &seen);
        for fact in &facts {
            sheet.add(Family::Fact, fact.id, fact.detail.as_bytes());
        }
        sheet.facts = facts;
        sheet.attributes.sort_by_key(|attribute| attribute.mark.key);
        sheet.attributes.dedup_by_key(|attribute| attribute.mark.key);
        sheet
    }
    /// The hashes alone.
    pub fn marks(&self) -> Arc<[Mark]> {
        self.attributes.iter().map(|attribute| attribute.mark).collect()
    }
    /// The attributes of `family`.
    pub fn family(&self, family: Family) -> impl Iterator<Item = &Attribute> {
        self.attributes.iter().filter(move |attribute| attribute.family == family)
    }

    /// Who asks: the token's subject, else `credential`, else the session cookie; 0 for nobody.
    pub fn caller(&self, credential: u64) -> u64 {
        let first = |family, named: fn(&str) -> bool| {
            let found = self.family(family).filter(|one| named(&one.name));
            found.min_by(|a, b| a.name.cmp(&b.name)).map(|one| one.mark.value)
        };
        first(Family::Subject, |name| matches!(name, "sub" | "user"))
            .or((credential != 0).then_some(credential))
            .or_else(|| first(Family::Session, |_| true))
            .unwrap_or(0)
    }

    fn add(&mut self, family: Family, name: &str, value: &[u8]) {
        if family == Family::Noise || self.attributes.len() >= MAX {
            return;
        }
        let mark = Mark { key: key(family, name), value: hash(value) };
        let kept = value.get(..SHOWN.min(value.len())).unwrap_or_default();
        self.attributes.push(Attribute { mark, family, name: name.to_owned(), value: kept.to_vec() });
    }

    fn target(&mut self, request: &Request) {
        let target = Target::of(&request.head);
        let path = String::from_utf8_lossy(target.path);
        for (index, segment) in path.split('/').filter(|segment| !segment.is_empty()).take(12).enumerate() {
            let version = segment.len() <= 5
                && segment
                    .strip_prefix(['v', 'V'])
                    .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
            let family = if version { Family::VersionSegment } else { Family::Segment };
            self.add(family, &format!("segment {}", index + 1), segment.as_bytes());
        }
        for parameter in parameters(target.query()).take(32) {
            let name = parameter.name();
            self.add(family::of(At::Parameter, &name), &name, &parameter.value());
        }
    }

    fn fields(&mut self, request: &Request) {
        for field in request.head.fields().iter() {
            let name = field.name_text().to_ascii_lowercase();
            match name.as_str() {
                "authorization" | "proxy-authorization" => self.authorization(&name, field.value),
                "cookie" => {}
                "content-type" => self.content_type(field.value),
                "user-agent" => self.add(Family::UserAgent, &name, product(&field.value_text()).as_bytes()),
                "referer" => self.add(Family::Referer, &name, site(field.value)),
                "origin" | "accept" | "content-encoding" => {
                    self.add(family::of(At::Field, &name), &name, &field.value.to_ascii_lowercase());
                }
                "host" => self.add(
                    Family::Host,
                    &name,
                    field
                        .value
                        .to_ascii_lowercase()
                        .strip_suffix(b":80")
                        .unwrap_or(&field.value.to_ascii_lowercase()),
                ),
                _ => self.other(&name, field.value),
            }
        }
        for cookie in cookies(request.head.fields()) {
            let name = String::from_utf8_lossy(cookie.name).into_owned();
            self.add(family::of(At::Cookie, &name), &name, cookie.value);
        }
    }

    fn other(&mut self, name: &str, value: &[u8]) {
        let family = family::of(At::Field, name);
        match family {
            Family::Browser => self.add(family, name, b""),
            Family::Scope | Family::Role => self.words(family, name, &String::from_utf8_lossy(value)),
            Family::ApiKey => {
                self.shape(name, value);
                self.add(family, name, value);
            }
            _ => self.add(family, name, value),
        }
    }

    fn content_type(&mut self, value: &[u8]) {
        match MediaType::parse(value) {
            Some(media) => {
                self.add(Family::MediaType, "content-type", media.essence.to_ascii_lowercase().as_bytes());
                if let Some(charset) = media
                    .charset()
                    .filter(|set| !set.eq_ignore_ascii_case("utf-8") && !set.eq_ignore_ascii_case("utf8"))
                {
                    self.add(
                        Family::Charset,
                        "content-type charset",
                        charset.to_ascii_lowercase().as_bytes(),
                    );
                }
            }
            None => self.add(Family::MediaType, "content-type", value),
        }
    }

    fn authorization(&mut self, name: &str, value: &[u8]) {
        let parsed = Authorization::parse(value);
        self.add(Family::Scheme, name, parsed.scheme().to_ascii_lowercase().as_bytes());
        match parsed {
            Authorization::Basic { user } => {
                self.add(Family::Credential, name, value);
                self.add(Family::Subject, "user", user.unwrap_or_default().as_bytes());
            }
            Authorization::Aws4(aws) => {
                self.add(Family::ApiKey, "access key id", aws.access_key);
                self.add(Family::Signature, name, aws.signature);
                self.add(Family::Environment, "aws region", aws.region);
            }
            Authorization::Bearer { token } | Authorization::Other { rest: token, .. } => {
                if memchr::memmem::find(&value.to_ascii_lowercase(), b"signature").is_some()
                    || value.len() > 20 && value.to_ascii_lowercase().starts_with(b"hmac")
                {
                    self.add(Family::Signature, name, value);
                } else {
                    let kind: &[u8] = if token.starts_with(b"eyJ") { b"JWT" } else { b"opaque" };
                    self.add(Family::Scheme, "token kind", kind);
                    self.shape(name, token);
                    self.add(Family::Credential, name, value);
                }
            }
        }
    }

    /// The part of a key before its random part, such as `sk_test_`.
    fn shape(&mut self, name: &str, key: &[u8]) {
        let window = key.get(..14.min(key.len())).unwrap_or_default();
        let end = window.iter().rposition(|byte| matches!(byte, b'_' | b'-' | b'.'));
        if let Some(prefix) = end.and_then(|end| window.get(..=end)).filter(|_| !key.starts_with(b"eyJ")) {
            let stages: [&[u8]; 6] = [b"test", b"live", b"sandbox", b"stag", b"prod", b"dev"];
            let lower = prefix.to_ascii_lowercase();
            let staged = stages.iter().any(|stage| memchr::memmem::find(&lower, stage).is_some());
            self.add(if staged { Family::Environment } else { Family::KeyShape }, name, prefix);
        }
    }

    fn tokens(&mut self, seen: &Seen<'_>) {
        if let Some(token) = seen.tokens.first() {
            self.has_token = true;
            self.claims(&token.jwt);
        }
    }

    fn claims(&mut self, jwt: &Jwt) {
        if let Some(kid) = jwt.header.get("kid").and_then(|kid| kid.as_str()) {
            self.add(Family::KeyId, "kid", kid.as_bytes());
        }
        if let Some(algorithm) = jwt.header.get("alg").and_then(|alg| alg.as_str()) {
            self.add(Family::KeyId, "alg", algorithm.as_bytes());
        }
        for (name, value) in jwt.claims.iter().take(48) {
            let family = family::of(At::Claim, name);
            match value {
                serde_json::Value::String(text) if matches!(family, Family::Scope | Family::Role) => {
                    self.words(family, name, text);
                }
                serde_json::Value::String(text) => self.add(family, name, text.as_bytes()),
                other if matches!(family, Family::Scope | Family::Role) => self.members(family, name, other),
                other => self.add(family, name, other.to_string().as_bytes()),
            }
        }
    }

    fn members(&mut self, family: Family, name: &str, value: &serde_json::Value) {
        let mut words = Vec::new();
        strings(value, &mut words, 0);
        self.words(family, name, &words.join(" "));
    }

    /// A set of words: each by itself, and the whole.
    fn words(&mut self, family: Family, name: &str, text: &str) {
        let mut all: Vec<&str> = text.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        all.sort_unstable();
        for word in all.iter().take(40) {
            self.add(family, &format!("{name}: {word}"), b"");
        }
        self.add(family, name, all.join(" ").as_bytes());
    }

    fn body(&mut self, request: &Request, seen: &Seen<'_>) {
        let kept = &request.body.kept;
        if kept.is_empty() {
            return;
        }
        let media = request.head.fields().value("content-type").and_then(MediaType::parse);
        self.add(Family::BodyKind, "", seen.sniffed.as_str().as_bytes());
        match seen.sniffed {
            parts::Sniffed::Json => {
                let Some(flat) = &seen.json else { return };
                self.has_members = matches!(flat.end, JsonEnd::Complete | JsonEnd::Limit);
                for leaf in flat.leaves.iter().take(MAX_MEMBERS) {
                    let name = leaf.path.rsplit(['.', '\'']).next().unwrap_or_default();
                    self.add(family::of(At::Member, name), &leaf.path, leaf.raw);
                }
            }
            parts::Sniffed::Form => {
                self.has_members = true;
                for parameter in parameters(kept).take(MAX_MEMBERS) {
                    let name = parameter.name();
                    self.add(family::of(At::Member, &name), &name, &parameter.value());
                }
            }
            parts::Sniffed::Multipart => {
                let boundary = media.and_then(|media| media.boundary()).unwrap_or_default();
                self.has_members = true;
                for part in parts::multipart_fields(kept, boundary).iter().take(MAX_MEMBERS) {
                    let name = String::from_utf8_lossy(part.name);
                    self.add(family::of(At::Member, &name), &name, part.filename.unwrap_or(part.value));
                }
            }
            _ => {}
        }
    }

    /// Equalities inside one request: who asks is named in what is asked for; a token repeats its cookie.
    fn relations(&mut self) {
        let who: Vec<(String, Vec<u8>)> = self
            .attributes
            .iter()
            .filter(|one| matches!(one.family, Family::Subject | Family::Tenant | Family::Consumer))
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect();
        let what: Vec<(String, Vec<u8>)> = self
            .attributes
            .iter()
            .filter(|one| {
                matches!(one.family, Family::Segment | Family::Query | Family::Body | Family::Tenant)
            })
            .map(|one| (one.name.clone(), one.value.clone()))
            .collect();
        for (who, value) in who.iter().take(12) {
            for (what, other) in what.iter().take(40) {
                let bare =
                    other.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(other);
                if who != what && value.len() > 1 && value == bare {
                    self.add(Family::Ownership, &format!("{who} = {what}"), b"");
                }
            }
        }
        let csrf: Vec<u64> = self.family(Family::Csrf).map(|one| one.mark.value).collect();
        if csrf.iter().enumerate().any(|(at, value)| csrf.iter().skip(at + 1).any(|other| other == value)) {
            self.add(Family::Csrf, "token = cookie", b"");
        }
    }
}

fn strings(value: &serde_json::Value, out: &mut Vec<String>, depth: usize) {
    match value {
        serde_json::Value::String(text) => out.push(text.clone()),
        serde_json::Value::Array(list) if depth < 4 => {
            list.iter().take(64).for_each(|one| strings(one, out, depth + 1));
        }
        serde_json::Value::Object(map) if depth < 4 => {
            map.values().take(64).for_each(|one| strings(one, out, depth + 1));
        }
        serde_json::Value::Bool(flag) => out.push(flag.to_string()),
        _ => {}
    }
}

/// The program behind a User-Agent: its first product, or the browser's family.
pub fn product(agent: &str) -> String {
    let lower = agent.to_ascii_lowercase();
    for name in ["headless", "bot", "crawler", "spider", "edg/", "firefox", "chrome", "safari"] {
        if lower.starts_with("mozilla") && lower.contains(name) {
            return name.trim_end_matches('/').to_owned();
        }
    }
    lower.split(['/', ' ', '(']).next().unwrap_or_default().to_owned()
}

/// Scheme and host of an address.
fn site(value: &[u8]) -> &[u8] {
    let from = memchr::memmem::find(value, b"://").map_or(0, |at| at + 3);
    let end =
        value.get(from..).and_then(|rest| rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')));
    end.and_then(|end| value.get(..from + end)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::exchanges;
    use super::*;

    fn sheet(text: &str) -> Sheet {
        Sheet::of(&exchanges(text)[0])
    }

    #[test]
    fn scopes_roles_and_ownership_become_attributes() {
        let sheet = sheet(
            "POST /users/u7/files\nHost: a.example\nAuthorization: Bearer {jwt sub=u7 scope=files:read,files:write exp=+60}\n--- 201\n",
        );
        assert!(sheet.has_token);
        let names: Vec<&str> = sheet.family(Family::Scope).map(|one| one.name.as_str()).collect();
        assert!(names.contains(&"scope: files:write"), "{names:?}");
        assert!(sheet.family(Family::Ownership).any(|one| one.name == "sub = segment 2"));
    }

    #[test]
    fn secrets_are_not_shown() {
        let sheet = sheet(
            "POST /x\nAuthorization: Bearer sk_test_hush\nCookie: sid=hush\nX-Api-Key: hush\n\n{\"password\":\"hush\",\"n\":1}\n--- 201\n",
        );
        for attribute in &sheet.attributes {
            assert!(!attribute.shown().contains("hush"), "{attribute:?}");
        }
        assert!(sheet.family(Family::Environment).any(|one| one.shown() == "sk_test_"));
    }

    #[test]
    fn products_of_agents() {
        assert_eq!(product("curl/8.1"), "curl");
        assert_eq!(product("Mozilla/5.0 (X11) HeadlessChrome/1"), "headless");
        assert_eq!(product(""), "");
    }
}
