//! The keys of the query language: one table gives parsing, error hints, completion and help.

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

/// A key as people see it.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Which.
    pub key: Key,
    /// Its name in a query.
    pub name: &'static str,
    /// One line for help and completion.
    pub help: &'static str,
    /// A term that uses it.
    pub example: &'static str,
}

const fn info(key: Key, name: &'static str, help: &'static str, example: &'static str) -> KeyInfo {
    KeyInfo { key, name, help, example }
}

/// Every key, in the order of the help.
pub const KEYS: &[KeyInfo] = &[
    info(Key::Status, "status", "status code, class or range; none for no response", "status:403,5xx"),
    info(Key::Method, "method", "request method", "method:POST,PUT"),
    info(Key::Path, "path", "path of the target; * stands for anything", "path:/v1/*"),
    info(Key::Host, "host", "host that the request names", "host:*.example.com"),
    info(Key::Endpoint, "endpoint", "endpoint: method, host and path template", "endpoint:/users/{id}"),
    info(Key::Cause, "cause", "most likely cause of the refusal", "cause:csrf"),
    info(
        Key::Header,
        "header",
        "field of request or response, with a value after =",
        "header:content-type=json",
    ),
    info(Key::RequestHeader, "request-header", "field of the request", "request-header:authorization"),
    info(Key::ResponseHeader, "response-header", "field of the response", "response-header:server=nginx"),
    info(Key::Cookie, "cookie", "cookie that the client sent", "cookie:session"),
    info(Key::Query, "query", "query parameter", "query:v=2"),
    info(Key::Body, "body", "text in the content of request or response", "body:denied"),
    info(Key::RequestBody, "request-body", "text in the request's content", "request-body:/<script/i"),
    info(Key::ResponseBody, "response-body", "text in the response's content", "response-body:forbidden"),
    info(Key::Client, "client", "client's address or network", "client:10.0.0.0/8"),
    info(Key::Server, "server", "server's address or network, port if wanted", "server:10.0.0.9:8080"),
    info(Key::Port, "port", "server's port", "port:8080-8089"),
    info(Key::Latency, "latency", "time to the response's first byte", "latency:>500ms"),
    info(Key::Size, "size", "bytes of the request's content", "size:>8k"),
    info(Key::ResponseSize, "response-size", "bytes of the response's content", "response-size:0"),
    info(Key::Since, "since", "not older than this, or than a time (UTC)", "since:5m"),
    info(Key::Until, "until", "older than this, or than a time (UTC)", "until:07:52"),
    info(Key::Outcome, "outcome", "what became of the request", "outcome:reset-without-response"),
    info(Key::Anomaly, "anomaly", "oddity on the wire; * for any", "anomaly:duplicate-content-length"),
    info(Key::Is, "is", "success, refusal, answered, unanswered, orphan or odd", "is:refusal"),
    info(Key::Target, "target", "whole target; what a bare word searches", "target:users"),
    info(Key::Id, "id", "number of the exchange", "id:17"),
];

/// Other names that are understood.
const ALIASES: &[(&str, Key)] = &[
    ("code", Key::Status),
    ("url", Key::Target),
    ("uri", Key::Target),
    ("authority", Key::Host),
    ("ip", Key::Client),
    ("src", Key::Client),
    ("dst", Key::Server),
    ("field", Key::Header),
    ("param", Key::Query),
    ("time", Key::Latency),
];

impl Key {
    /// The key that `name` means, ignoring case.
    pub fn named(name: &str) -> Option<Self> {
        let known = KEYS.iter().map(|info| (info.name, info.key)).chain(ALIASES.iter().copied());
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, key)| key)
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

/// The one of `known` that `typed` was most likely meant to be: at most two edits away, or its beginning.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    if typed.len() > 40 {
        return None;
    }
    let score = |name: &str| {
        let edits = distance(&typed, name);
        let begins = typed.len() >= 3 && name.starts_with(&typed);
        (edits <= 2 && edits < typed.len().max(2)).then_some(edits).or(begins.then_some(3))
    };
    known.filter_map(|name| Some((score(name)?, name))).min_by_key(|(score, _)| *score).map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap neighbours) between two short words.
fn distance(one: &str, two: &str) -> usize {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && two.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{KEYS, Key, nearest};
    use crate::filter::Filter;

    #[test]
    fn every_example_parses() {
        for info in KEYS {
            Filter::parse(info.example).unwrap_or_else(|error| panic!("{}: {error}", info.example));
            assert_eq!(Key::named(info.name), Some(info.key));
            assert_eq!(info.key.name(), info.name);
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
