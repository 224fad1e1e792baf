//! A property by which exchanges are grouped, as it is typed: `client`, `header:x-app-version`, `claim:tenant`.

use std::fmt;
use std::str::FromStr;

use ahash::RandomState;

use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::explain::inspector::Inspector;
use crate::features::{cookies, parameters, target, tokens};
use crate::history::Record;
use crate::model::{Part, Request};

/// Longest value that is told apart, in bytes.
const MAX_VALUE: usize = 160;

/// A property of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The client's address.
    Client,
    /// The server's address and port.
    Server,
    /// Who the request claims to be: the token's subject, else its credential.
    Identity,
    /// `User-Agent`.
    UserAgent,
    /// The authority that the request names.
    Host,
    /// Method, authority and path template.
    Endpoint,
    /// The request's method.
    Method,
    /// The response's status.
    Status,
    /// The most likely cause of a refusal.
    Cause,
    /// Who refused.
    Refuser,
    /// A field of the request.
    Header(String),
    /// A field of the response.
    ResponseHeader(String),
    /// A claim of a token.
    Claim(String),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

/// No property has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot group by '{0}'; use client, server, identity, user-agent, host, endpoint, method, status, cause, refuser, \
     header:NAME, response-header:NAME, claim:NAME, query:NAME or cookie:NAME"
)]
pub struct GroupByError(String);

impl FromStr for GroupBy {
    type Err = GroupByError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let named = |make: fn(String) -> Self| (!name.is_empty()).then(|| make(name.to_owned()));
        let found = match (kind, name) {
            ("client", "") => Some(Self::Client),
            ("server", "") => Some(Self::Server),
            ("identity" | "user" | "principal", "") => Some(Self::Identity),
            ("user-agent" | "agent", "") => Some(Self::UserAgent),
            ("host", "") => Some(Self::Host),
            ("endpoint", "") => Some(Self::Endpoint),
            ("method", "") => Some(Self::Method),
            ("status", "") => Some(Self::Status),
            ("cause", "") => Some(Self::Cause),
            ("refuser", "") => Some(Self::Refuser),
            ("header", _) => named(Self::Header),
            ("response-header", _) => named(Self::ResponseHeader),
            ("claim", _) => named(Self::Claim),
            ("query", _) => named(Self::Query),
            ("cookie", _) => named(Self::Cookie),
            _ => None,
        };
        found.ok_or_else(|| GroupByError(sanitize::text(text).into_owned()))
    }
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::Server => f.write_str("server"),
            Self::Identity => f.write_str("identity"),
            Self::UserAgent => f.write_str("user-agent"),
            Self::Host => f.write_str("host"),
            Self::Endpoint => f.write_str("endpoint"),
            Self::Method => f.write_str("method"),
            Self::Status => f.write_str("status"),
            Self::Cause => f.write_str("cause"),
            Self::Refuser => f.write_str("refuser"),
            Self::Header(name) => write!(f, "header:{name}"),
            Self::ResponseHeader(name) => write!(f, "response-header:{name}"),
            Self::Claim(name) => write!(f, "claim:{name}"),
            Self::Query(name) => write!(f, "query:{name}"),
            Self::Cookie(name) => write!(f, "cookie:{name}"),
        }
    }
}

impl GroupBy {
    /// Properties that need no name.
    pub const NAMES: [&'static str; 10] = [
        "client",
        "server",
        "identity",
        "user-agent",
        "host",
        "endpoint",
        "method",
        "status",
        "cause",
        "refuser",
    ];

    /// Whether only refusals have the property, because it is found by diagnosis.
    pub const fn is_of_refusals(&self) -> bool {
        matches!(self, Self::Cause | Self::Refuser)
    }

    /// Whether its values come from fields, parameters or claims.
    const fn quotes_the_wire(&self) -> bool {
        matches!(
            self,
            Self::Identity
                | Self::UserAgent
                | Self::Header(_)
                | Self::ResponseHeader(_)
                | Self::Claim(_)
                | Self::Query(_)
                | Self::Cookie(_)
        )
    }

    /// The value that `record` has, redacted and escaped; `(none)` where it has none.
    pub fn value(&self, record: &Record, inspector: &Inspector, redactor: &Redactor) -> String {
        let found = self.find(record, inspector, redactor);
        let Some(mut value) = found else { return "(none)".to_owned() };
        if value.len() > MAX_VALUE {
            let end = (0..=MAX_VALUE).rev().find(|at| value.is_char_boundary(*at)).unwrap_or_default();
            value.truncate(end);
        }
        value
    }

    /// Stands for the value that `record` has, without making its text: equal for equal values; 0 for none.
    pub(super) fn hash(&self, record: &Record, inspector: &Inspector, hasher: &RandomState) -> u64 {
        let exchange = &record.exchange;
        let request = exchange.request.as_ref();
        let field = |name: &str| request?.head.fields().value(name).map(|value| hasher.hash_one(value));
        let found = match self {
            Self::Client => Some(hasher.hash_one(exchange.client.ip().to_canonical())),
            Self::Server => Some(hasher.hash_one(exchange.server)),
            Self::Identity => {
                let carried = || IDENTITY.into_iter().find_map(field);
                record.principal.or_else(carried)
            }
            Self::UserAgent => field("user-agent"),
            Self::Host => {
                request.and_then(|request| target::authority(&request.head)).map(|host| hasher.hash_one(host))
            }
            Self::Endpoint => Some(hasher.hash_one(inspector.history().canonical(record.endpoint))),
            Self::Method => Some(hasher.hash_one(exchange.method())),
            Self::Status => exchange.status().map(|status| hasher.hash_one(status)),
            Self::Cause => inspector.top(exchange.id).map(|top| hasher.hash_one(top.cause)),
            Self::Refuser => inspector.top(exchange.id).map(|top| hasher.hash_one(top.refuser)),
            Self::Header(name) => field(name),
            Self::ResponseHeader(name) => exchange
                .response
                .as_ref()
                .and_then(|response| response.head.fields().value(name))
                .map(|value| hasher.hash_one(value)),
            Self::Claim(name) => {
                request.and_then(|request| raw_claim(request, name)).map(|v| hasher.hash_one(v))
            }
            Self::Query(name) => {
                let query = target::Target::parse(exchange.target()).query();
                let found = parameters(query).find(|parameter| parameter.name() == name.as_str());
                found.map(|parameter| hasher.hash_one(&*parameter.value()))
            }
            Self::Cookie(name) => request
                .and_then(|request| {
                    cookies(request.head.fields()).find(|cookie| cookie.name == name.as_bytes())
                })
                .map(|cookie| hasher.hash_one(cookie.value)),
        };
        found.unwrap_or_default()
    }

    fn find(&self, record: &Record, inspector: &Inspector, redactor: &Redactor) -> Option<String> {
        let exchange = &record.exchange;
        let request = exchange.request.as_ref();
        let knowing;
        let redactor = if self.quotes_the_wire() {
            // A value may repeat a secret of another place of its exchange.
            knowing = redactor.knowing(&[exchange]);
            &knowing
        } else {
            redactor
        };
        let field = |name: &str| {
            let value = request?.head.fields().value(name)?;
            Some(shown(&redactor.field(name.as_bytes(), value)))
        };
        match self {
            Self::Client => Some(exchange.client.ip().to_canonical().to_string()),
            Self::Server => Some(exchange.server.to_string()),
            Self::Identity => request.and_then(|request| identity(request, redactor)),
            Self::UserAgent => field("user-agent"),
            Self::Host => request.and_then(|request| target::authority(&request.head)).map(shown),
            Self::Endpoint => {
                let endpoint = inspector.history().endpoint(record.endpoint)?;
                Some(sanitize::text(&redactor.endpoint(&endpoint.to_string())).into_owned())
            }
            Self::Method => {
                Some(sanitize::text(exchange.method()).into_owned()).filter(|name| !name.is_empty())
            }
            Self::Status => exchange.status().map(|status| status.to_string()),
            Self::Cause => inspector.top(exchange.id).map(|top| top.cause.id().to_owned()),
            Self::Refuser => inspector.top(exchange.id).map(|top| top.refuser.as_str().to_owned()),
            Self::Header(name) => field(name),
            Self::ResponseHeader(name) => {
                let value = exchange.response.as_ref()?.head.fields().value(name)?;
                Some(shown(&redactor.field(name.as_bytes(), value)))
            }
            Self::Claim(name) => request.and_then(|request| claim(request, name, redactor)),
            Self::Query(name) => {
                let query = target::Target::parse(exchange.target()).query();
                let found = parameters(query).find(|parameter| parameter.name() == name.as_str())?;
                Some(shown(&redactor.value(Part::Query, name, &found.value())))
            }
            Self::Cookie(name) => {
                let found = cookies(request?.head.fields()).find(|cookie| cookie.name == name.as_bytes())?;
                Some(shown(&redactor.value(Part::Cookie, name, found.value)))
            }
        }
    }
}

fn shown(value: &[u8]) -> String {
    sanitize::line(value.trim_ascii()).into_owned()
}

/// Fields that say who sends a request that has no token with a subject.
const IDENTITY: [&str; 3] = ["authorization", "x-api-key", "cookie"];

/// The subject of the request's token, else the credential that it carries, redacted.
fn identity(request: &Request, redactor: &Redactor) -> Option<String> {
    let subject =
        tokens(request).into_iter().find_map(|token| token.jwt.subject().map(|(_, subject)| subject));
    if let Some(subject) = subject {
        return Some(shown(&redactor.value(Part::Claim, "sub", subject.as_bytes())));
    }
    let fields = request.head.fields();
    IDENTITY.into_iter().find_map(|name| {
        let value = fields.value(name)?;
        Some(shown(&redactor.field(name.as_bytes(), value)))
    })
}

/// A claim of the first token that has it.
fn raw_claim(request: &Request, name: &str) -> Option<String> {
    tokens(request).into_iter().find_map(|token| {
        Some(match token.jwt.claims.get(name)? {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    })
}

fn claim(request: &Request, name: &str, redactor: &Redactor) -> Option<String> {
    let value = raw_claim(request, name)?;
    Some(shown(&redactor.value(Part::Claim, name, value.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::GroupBy;

    #[test]
    fn every_spelling_reads_back_as_itself() {
        for text in [
            "client",
            "server",
            "identity",
            "user-agent",
            "host",
            "endpoint",
            "method",
            "status",
            "cause",
            "refuser",
            "header:x-app-version",
            "response-header:server",
            "claim:tenant",
            "query:v",
            "cookie:sid",
        ] {
            assert_eq!(text.parse::<GroupBy>().unwrap().to_string(), text);
        }
        for wrong in ["", "header", "header:", "clients", "client:1", "claim"] {
            let error = wrong.parse::<GroupBy>().unwrap_err().to_string();
            assert!(error.contains("claim:NAME"), "{error}");
        }
    }
}
