//! What a request says of its caller: client, identity, user agent, versions, token claims, host.

use std::hash::Hash;

use ahash::RandomState;

use super::GroupBy;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::explain::inspector::Inspector;
use crate::features::{target, tokens};
use crate::history::Record;
use crate::model::Request;

/// Fields of a request that are looked at: versions and other fields of the application's own.
const MAX_FIELDS: usize = 8;
/// Claims of a token that are looked at.
const MAX_CLAIMS: usize = 12;
/// Longest value of a field or claim that tells callers apart.
const MAX_VALUE: usize = 120;
/// Claims that differ from token to token.
const VOLATILE: [&str; 8] = ["jti", "iat", "exp", "nbf", "auth_time", "nonce", "sid", "at_hash"];

/// What kind of property it is; the kinds that tell most come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trait {
    /// A field whose name ends in `version`.
    Version,
    /// The first product of `User-Agent`: `AcmeApp/8.1`.
    Product,
    /// The product with the first word of its comment: `AcmeApp/8.1 (Android)`.
    Platform,
    /// A token's claim.
    Claim,
    /// Another field of the application's own (`X-…`).
    Field,
    /// The authority that the request names.
    Host,
    /// Who the request claims to be.
    Identity,
    /// The client's address.
    Client,
}

impl Trait {
    /// In a sentence, before the value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version | Self::Field => "field",
            Self::Product | Self::Platform => "user agent",
            Self::Claim => "claim",
            Self::Host => "host",
            Self::Identity => "user",
            Self::Client => "client",
        }
    }
}

/// A property of one request, as hashes; [`label`] has the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) of: Trait,
    /// Name of the field or claim; empty for the others.
    pub(super) name: Box<str>,
    pub(super) value: u64,
}

/// Hashes values alike for accepted and refused exchanges.
#[derive(Clone, Debug, Default)]
pub(super) struct Hasher(RandomState);

impl Hasher {
    fn of(&self, value: impl Hash) -> u64 {
        self.0.hash_one(value)
    }
}

/// The properties of `record`; at most two dozen.
pub(super) fn properties(record: &Record, hasher: &Hasher) -> Vec<Property> {
    let exchange = &record.exchange;
    let mut found = Vec::new();
    let mut add = |of: Trait, name: &str, value: u64| found.push(Property { of, name: name.into(), value });
    add(Trait::Client, "", hasher.of(exchange.client.ip().to_canonical()));
    let Some(request) = &exchange.request else { return found };
    if let Some(principal) = record.principal {
        add(Trait::Identity, "", principal);
    }
    if let Some(host) = target::authority(&request.head) {
        add(Trait::Host, "", hasher.of(host));
    }
    let fields = request.head.fields();
    if let Some(agent) = fields.value("user-agent") {
        let (product, platform) = product(agent);
        add(Trait::Product, "", hasher.of(product));
        add(Trait::Platform, "", hasher.of((product, platform)));
    }
    let own = fields.iter().filter(|field| is_own(field.name) && field.value.len() <= MAX_VALUE);
    for field in own.take(MAX_FIELDS) {
        let name = String::from_utf8_lossy(field.name);
        let of = if is_version(field.name) { Trait::Version } else { Trait::Field };
        add(of, &name, hasher.of(field.value));
    }
    claims(request, |name, value| add(Trait::Claim, name, hasher.of(value)));
    found
}

fn claims(request: &Request, mut each: impl FnMut(&str, &str)) {
    for token in tokens(request) {
        let telling = token.jwt.claims.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str()));
        for (name, value) in telling.take(MAX_CLAIMS) {
            match value {
                serde_json::Value::String(text) if text.len() <= MAX_VALUE => each(name, text),
                serde_json::Value::Object(_) | serde_json::Value::String(_) => {}
                other => each(name, &other.to_string()),
            }
        }
    }
}

/// Fields and claims of a request that tell callers apart, as [`GroupBy`] spells them; at most two dozen.
pub fn telling_names(record: &Record) -> Vec<String> {
    let Some(request) = &record.exchange.request else { return Vec::new() };
    let own = request.head.fields().iter().filter(|field| is_own(field.name));
    let mut names: Vec<String> = own
        .take(MAX_FIELDS)
        .map(|field| format!("header:{}", String::from_utf8_lossy(field.name).to_ascii_lowercase()))
        .collect();
    claims(request, |name, _| names.push(format!("claim:{name}")));
    names.sort_unstable();
    names.dedup();
    names
}

/// `AcmeApp/8.1` and `Android` of `AcmeApp/8.1 (Android 14; Pixel 8) okhttp/4.12`.
fn product(agent: &[u8]) -> (&[u8], &[u8]) {
    let end = agent.iter().position(|byte| matches!(byte, b' ' | b'(')).unwrap_or(agent.len());
    let product = agent.get(..end).unwrap_or_default();
    let comment = agent.iter().position(|byte| *byte == b'(').and_then(|at| agent.get(at + 1..));
    let comment = comment.unwrap_or_default();
    let word =
        comment.iter().position(|byte| matches!(byte, b' ' | b';' | b')' | b',')).unwrap_or(comment.len());
    (product, comment.get(..word).unwrap_or_default())
}

/// Whether a field's name says that its value is a version of the caller.
fn is_version(name: &[u8]) -> bool {
    let end = name.len().checked_sub(7).and_then(|at| name.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(b"version")) && name.len() > 7
}

/// Whether a field is the application's own: a version, or `X-…`, but no id of the request and nothing that a proxy adds.
fn is_own(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    let has = |part: &str| lower.windows(part.len()).any(|window| window == part.as_bytes());
    let per_request = [
        "request-id",
        "correlation",
        "trace",
        "span",
        "forwarded",
        "real-ip",
        "signature",
        "timestamp",
        "nonce",
        "date",
        "csrf",
        "xsrf",
        "token",
        "key",
        "idempotency",
    ];
    is_version(name) || (lower.starts_with(b"x-") && !per_request.into_iter().any(has))
}

/// The value of a property that `record` has, redacted and escaped.
pub(super) fn label(
    of: Trait,
    name: &str,
    record: &Record,
    inspector: &Inspector,
    redactor: &Redactor,
) -> String {
    let by = match of {
        Trait::Client => GroupBy::Client,
        Trait::Identity => GroupBy::Identity,
        Trait::Host => GroupBy::Host,
        Trait::Product | Trait::Platform => return agent(of, record, redactor),
        Trait::Version | Trait::Field => GroupBy::Header(name.to_owned()),
        Trait::Claim => GroupBy::Claim(name.to_owned()),
    };
    by.value(record, inspector, redactor)
}

fn agent(of: Trait, record: &Record, redactor: &Redactor) -> String {
    let request = record.exchange.request.as_ref();
    let value = request.and_then(|request| request.head.fields().value("user-agent")).unwrap_or_default();
    let redactor = redactor.knowing(&[&record.exchange]);
    let hidden = redactor.field(b"user-agent", value);
    let (product, platform) = product(&hidden);
    let product = sanitize::short(product, MAX_VALUE);
    if of == Trait::Product || platform.is_empty() {
        return product.to_string();
    }
    format!("{product} ({})", sanitize::short(platform, MAX_VALUE))
}

#[cfg(test)]
mod tests {
    use super::{is_own, is_version, product};

    #[test]
    fn products_and_platforms_are_taken_from_user_agents() {
        for (agent, expected) in [
            ("AcmeApp/8.1 (Android 14; Pixel 8) okhttp/4.12", ("AcmeApp/8.1", "Android")),
            ("AcmeApp/8.1 (iOS; 17.1)", ("AcmeApp/8.1", "iOS")),
            ("curl/8.5.0", ("curl/8.5.0", "")),
            ("jobs(nightly)", ("jobs", "nightly")),
            ("", ("", "")),
            ("(", ("", "")),
        ] {
            let (name, platform) = product(agent.as_bytes());
            assert_eq!((name, platform), (expected.0.as_bytes(), expected.1.as_bytes()), "{agent}");
        }
    }

    #[test]
    fn fields_of_the_application_are_told_from_ids_and_proxies() {
        for name in ["X-App-Version", "x-tenant-id", "X-Environment", "App-Version"] {
            assert!(is_own(name.as_bytes()), "{name}");
        }
        for name in
            ["X-Request-Id", "X-Forwarded-For", "X-Real-IP", "Host", "X-B3-TraceId", "X-Api-Key", "Version"]
        {
            assert!(!is_own(name.as_bytes()), "{name}");
        }
        assert!(!is_version(b"version") && is_version(b"API-Version"));
    }
}
