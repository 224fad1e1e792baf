//! The keys of the query language: one table gives parsing, error hints, completion and help.
//!
//! A new key is an entry here. Where it needs a new [`Term`], that is matched against exchanges in `term` and, if the history
//! has a column for it, against that in `evaluate`; the compiler asks for the first, a test compares the two.

use super::FilterError;
use super::complete::{
    anomalies, by_endpoint, causes, fixed, glob, kinds, outcomes, request_fields, response_fields, seen,
    statuses,
};
use super::term::{Is, Side, Term};
use super::values::number::Unit;
use super::values::{Kind, Values};
use crate::edge::redact::starred;
use crate::features::forwarded_client;
use crate::history::History;
use crate::model::{Cause, Outcome};

/// What a term looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// Status code.
    Status,
    /// Request method.
    Method,
    /// Endpoint as the program names it.
    Endpoint,
    /// Authority of the endpoint.
    Host,
    /// Path of the target.
    Path,
    /// Whole target, query included.
    Target,
    /// A field of the request or the response.
    Header,
    /// A field of the request.
    RequestHeader,
    /// A field of the response.
    ResponseHeader,
    /// A cookie of the request.
    Cookie,
    /// A query parameter.
    Query,
    /// The client's address.
    Client,
    /// The address that opened the connection.
    Peer,
    /// The client behind the proxy.
    Forwarded,
    /// Process of the server.
    Process,
    /// Container of the server.
    Container,
    /// The server's address, with or without its port.
    Server,
    /// The server's port.
    Port,
    /// Content of the request or the response, as far as it is kept.
    Body,
    /// Content of the request.
    RequestBody,
    /// Content of the response.
    ResponseBody,
    /// Time from the request's first byte to the response's.
    Latency,
    /// Bytes of the request's content.
    Size,
    /// Bytes of the response's content.
    ResponseSize,
    /// Not older than.
    Since,
    /// Older than.
    Until,
    /// The first cause of a refusal.
    Cause,
    /// What became of the request.
    Outcome,
    /// An oddity on the wire.
    Anomaly,
    /// The number of the exchange.
    Id,
    /// A kind of exchange: success, refusal, ….
    Is,
}

/// A key of the query language: everything about it but how a term is matched.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Which.
    pub key: Key,
    /// Its name in a query.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// One line for help and completion.
    pub help: &'static str,
    /// A term that uses it.
    pub example: &'static str,
    /// Reads the values after the colon.
    pub(super) read: fn(&Values<'_>) -> Result<Term, FilterError>,
    /// Values to complete, with a line about each.
    pub(super) seen: fn(&History) -> Vec<(String, String)>,
}

/// Every key, in the order of the help.
pub const KEYS: &[KeyInfo] = &[
    KeyInfo {
        key: Key::Status,
        name: "status",
        aliases: &["code", "response.status", "response.code"],
        help: "status code, class or range; none for no response",
        example: "status:403,5xx",
        read: |values| Ok(Term::Status(values.numbers(Unit::Status)?)),
        seen: statuses,
    },
    KeyInfo {
        key: Key::Method,
        name: "method",
        aliases: &["request.method"],
        help: "request method",
        example: "method:POST,PUT",
        read: |values| Ok(Term::Method(values.texts(Kind::Name)?)),
        seen: |history| by_endpoint(history, |endpoint| endpoint.method.to_string()),
    },
    KeyInfo {
        key: Key::Path,
        name: "path",
        aliases: &["request.path"],
        help: "path of the target; * stands for anything",
        example: "path:/v1/*",
        read: |values| Ok(Term::Path(values.texts(Kind::Path)?)),
        seen: |history| by_endpoint(history, |endpoint| starred(&glob(&endpoint.template))),
    },
    KeyInfo {
        key: Key::Host,
        name: "host",
        aliases: &["authority", "request.host"],
        help: "host that the request names",
        example: "host:*.example.com",
        read: |values| Ok(Term::Host(values.texts(Kind::Text)?)),
        seen: |history| by_endpoint(history, |endpoint| endpoint.authority.to_string()),
    },
    KeyInfo {
        key: Key::Endpoint,
        name: "endpoint",
        aliases: &[],
        help: "endpoint: method, host and path template",
        example: "endpoint:/users/{id}",
        read: |values| Ok(Term::Endpoint(values.texts(Kind::Path)?)),
        seen: |history| by_endpoint(history, |endpoint| starred(&endpoint.to_string())),
    },
    KeyInfo {
        key: Key::Cause,
        name: "cause",
        aliases: &[],
        help: "most likely cause of the refusal",
        example: "cause:csrf",
        read: |values| Ok(Term::Cause(values.one_of(&Cause::ALL.iter().map(|cause| (cause.id(), *cause)))?)),
        seen: causes,
    },
    KeyInfo {
        key: Key::Header,
        name: "header",
        aliases: &["field"],
        help: "field of request or response, with a value after =",
        example: "header:content-type=json",
        read: |values| Ok(Term::Field(Side::Both, values.names()?)),
        seen: request_fields,
    },
    KeyInfo {
        key: Key::RequestHeader,
        name: "request-header",
        aliases: &["request.header"],
        help: "field of the request only; request.header too",
        example: "request-header:authorization",
        read: |values| Ok(Term::Field(Side::Request, values.names()?)),
        seen: request_fields,
    },
    KeyInfo {
        key: Key::ResponseHeader,
        name: "response-header",
        aliases: &["response.header"],
        help: "field of the response only; response.header too",
        example: "response-header:server=nginx",
        read: |values| Ok(Term::Field(Side::Response, values.names()?)),
        seen: response_fields,
    },
    KeyInfo {
        key: Key::Cookie,
        name: "cookie",
        aliases: &["request.cookie"],
        help: "cookie that the client sent",
        example: "cookie:session",
        read: |values| Ok(Term::Cookie(values.names()?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::Query,
        name: "query",
        aliases: &["param", "request.query"],
        help: "query parameter",
        example: "query:v=2",
        read: |values| Ok(Term::Query(values.names()?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::Body,
        name: "body",
        aliases: &[],
        help: "text in the content of request or response",
        example: "body:denied",
        read: |values| Ok(Term::Body(Side::Both, values.texts(Kind::Text)?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::RequestBody,
        name: "request-body",
        aliases: &["request.body"],
        help: "text in the request's content only; request.body too",
        example: "request-body:/<script/i",
        read: |values| Ok(Term::Body(Side::Request, values.texts(Kind::Text)?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::ResponseBody,
        name: "response-body",
        aliases: &["response.body"],
        help: "text in the response's content only; response.body too",
        example: "response-body:forbidden",
        read: |values| Ok(Term::Body(Side::Response, values.texts(Kind::Text)?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::Client,
        name: "client",
        aliases: &["ip", "src"],
        help: "client's address or network",
        example: "client:10.0.0.0/8",
        read: |values| Ok(Term::Client(values.addresses(false)?)),
        seen: |history| seen(history, |record, add| add(record.exchange.client.ip().to_string())),
    },
    KeyInfo {
        key: Key::Peer,
        name: "peer",
        aliases: &[],
        help: "who opened the connection, if not the client",
        example: "peer:10.0.0.5",
        read: |values| Ok(Term::Peer(values.addresses(false)?)),
        seen: |history| seen(history, |record, add| add(record.exchange.peer().ip().to_string())),
    },
    KeyInfo {
        key: Key::Process,
        name: "process",
        aliases: &["program", "unit"],
        help: "program or systemd unit of a server on this machine",
        example: "process:gunicorn",
        read: |values| Ok(Term::Process(values.texts(Kind::Text)?)),
        seen: |history| {
            seen(history, |record, add| {
                if let Some(process) = &record.process {
                    add(process.program.clone());
                }
            })
        },
    },
    KeyInfo {
        key: Key::Container,
        name: "container",
        aliases: &["pod", "image"],
        help: "container or image of a server on this machine",
        example: "container:web-*",
        read: |values| Ok(Term::Container(values.texts(Kind::Text)?)),
        seen: |history| {
            seen(history, |record, add| {
                add(record.process.as_ref().and_then(|one| one.container.clone()).unwrap_or_default());
            })
        },
    },
    KeyInfo {
        key: Key::Forwarded,
        name: "forwarded",
        aliases: &[],
        help: "client that a proxy in a private network names",
        example: "forwarded:203.0.113.0/24",
        read: |values| Ok(Term::Forwarded(values.addresses(false)?)),
        seen: |history| {
            seen(history, |record, add| {
                if let Some(client) = forwarded_client(&record.exchange) {
                    add(client.to_string());
                }
            })
        },
    },
    KeyInfo {
        key: Key::Server,
        name: "server",
        aliases: &["dst"],
        help: "server's address or network, port if wanted",
        example: "server:10.0.0.9:8080",
        read: |values| Ok(Term::Server(values.addresses(true)?)),
        seen: |history| seen(history, |record, add| add(record.exchange.server.to_string())),
    },
    KeyInfo {
        key: Key::Port,
        name: "port",
        aliases: &[],
        help: "server's port",
        example: "port:8080-8089",
        read: |values| Ok(Term::Port(values.numbers(Unit::Plain(0))?)),
        seen: |history| seen(history, |record, add| add(record.exchange.server.port().to_string())),
    },
    KeyInfo {
        key: Key::Latency,
        name: "latency",
        aliases: &["time"],
        help: "time to the response's first byte",
        example: "latency:>500ms",
        read: |values| Ok(Term::Latency(values.numbers(Unit::Time)?)),
        seen: |_| fixed(&[">100ms", ">500ms", ">1s"]),
    },
    KeyInfo {
        key: Key::Size,
        name: "size",
        aliases: &["request-size", "request.size"],
        help: "bytes of the request's content",
        example: "size:>8k",
        read: |values| Ok(Term::Size(Side::Request, values.numbers(Unit::Bytes)?)),
        seen: |_| fixed(&["0", ">8k", ">64k"]),
    },
    KeyInfo {
        key: Key::ResponseSize,
        name: "response-size",
        aliases: &["response.size"],
        help: "bytes of the response's content",
        example: "response-size:0",
        read: |values| Ok(Term::Size(Side::Response, values.numbers(Unit::Bytes)?)),
        seen: |_| fixed(&["0", ">8k", ">64k"]),
    },
    KeyInfo {
        key: Key::Since,
        name: "since",
        aliases: &[],
        help: "not older than this, or than a time (UTC)",
        example: "since:5m",
        read: |values| Ok(Term::Since(values.when()?)),
        seen: |_| fixed(&["30s", "5m", "1h", "1d"]),
    },
    KeyInfo {
        key: Key::Until,
        name: "until",
        aliases: &[],
        help: "older than this, or than a time (UTC)",
        example: "until:07:52",
        read: |values| Ok(Term::Until(values.when()?)),
        seen: |_| fixed(&["30s", "5m", "1h", "1d"]),
    },
    KeyInfo {
        key: Key::Outcome,
        name: "outcome",
        aliases: &[],
        help: "what became of the request",
        example: "outcome:reset-without-response",
        read: |values| {
            Ok(Term::Outcome(
                values.one_of(&Outcome::ALL.iter().map(|outcome| (outcome.as_str(), *outcome)))?,
            ))
        },
        seen: outcomes,
    },
    KeyInfo {
        key: Key::Anomaly,
        name: "anomaly",
        aliases: &[],
        help: "oddity on the wire; * for any",
        example: "anomaly:duplicate-content-length",
        read: |values| Ok(Term::Anomaly(values.anomalies()?)),
        seen: anomalies,
    },
    KeyInfo {
        key: Key::Is,
        name: "is",
        aliases: &[],
        help: "success, refusal, answered, unanswered, orphan or odd",
        example: "is:refusal",
        read: |values| Ok(Term::Is(values.one_of(&Is::ALL.into_iter())?)),
        seen: kinds,
    },
    KeyInfo {
        key: Key::Target,
        name: "target",
        aliases: &["url", "uri", "request.target"],
        help: "whole target; what a bare word searches",
        example: "target:users",
        read: |values| Ok(Term::Target(values.texts(Kind::Path)?)),
        seen: |_| Vec::new(),
    },
    KeyInfo {
        key: Key::Id,
        name: "id",
        aliases: &[],
        help: "number of the exchange",
        example: "id:17",
        read: |values| Ok(Term::Id(values.numbers(Unit::Plain(1))?)),
        seen: |_| Vec::new(),
    },
];

impl Key {
    /// The key that `name` means, ignoring case.
    pub fn named(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        KEYS.iter()
            .find(|info| is(info.name) || info.aliases.iter().any(|alias| is(alias)))
            .map(|info| info.key)
    }
    /// How it is shown.
    pub fn info(self) -> &'static KeyInfo {
        KEYS.iter().find(|info| info.key == self).unwrap_or(&KEYS[0])
    }
    /// Its name in a query.
    pub fn name(self) -> &'static str {
        self.info().name
    }
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Key};
    use crate::filter::Filter;
    use crate::filter::nearest::nearest;

    #[test]
    fn every_example_parses() {
        for info in KEYS {
            Filter::parse(info.example).unwrap_or_else(|error| panic!("{}: {error}", info.example));
            assert_eq!(Key::named(info.name), Some(info.key));
            assert_eq!(info.key.name(), info.name);
            for alias in info.aliases {
                assert_eq!(Key::named(alias), Some(info.key));
            }
        }
    }

    #[test]
    fn finds_what_was_meant() {
        let names = || KEYS.iter().map(|info| info.name);
        for (typed, meant) in [
            ("stauts", Some("status")),
            ("metod", Some("method")),
            ("Hots", Some("host")),
            ("request-h", Some("request-header")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, names()), meant, "{typed}");
        }
    }
}
