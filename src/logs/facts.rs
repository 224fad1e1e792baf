//! What in a log record identifies a request, whatever the format.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::LazyLock;

use regex::Regex;

use super::patterns::{Key, Patterns};
use super::structured;
use super::time::{self, LogTime};

/// Tokens that may be ids, kept of one record at most.
const MAX_IDS: usize = 12;
/// Length of a token that may be an id.
const ID_LENGTH: std::ops::RangeInclusive<usize> = 8..=80;

/// What identifies a request in a record. What the record does not have is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) time: Option<LogTime>,
    pub(super) client: Option<IpAddr>,
    pub(super) port: Option<u16>,
    pub(super) method: Option<String>,
    /// Path without query.
    pub(super) path: Option<String>,
    pub(super) status: Option<u16>,
    /// Tokens that may be request ids.
    pub(super) ids: Vec<String>,
    /// Whether it reads like a problem: a level of warning or above, or a word such as "denied".
    pub(super) complains: bool,
}

static REQUEST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"\b(?P<m>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND|MKCOL|REPORT)[ :]+(?P<t>\*|/[^ \x22'?]*|https?://[^ \x22'?]*)(?P<q>\?[^ \x22']*)?(?P<v> HTTP/[0-9.]+)?").ok()
});
static AFTER: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^"? *(?:HTTP/[0-9.]+"?)?[ :|>\-]*(?P<s>[1-5]\d\d)\b"#).ok());
static NAMED_STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:status|code|returning|responding with|response|answered) ?\D{0,2}(?P<s>[1-5]\d\d)\b",
    )
    .ok()
});
static HAPROXY_STATUS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r" -?\d+(?:/-?\d+){2,5} \+?(?P<s>[1-5]\d\d|-1) ").ok());
static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?:^|[^0-9A-Za-z.:])(?P<a>\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}\]?)(?::(?P<p>\d{1,5}))?(?:$|[^0-9A-Za-z.])").ok()
});
static PATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?:^|[ ="'(\[:])(?P<t>/[A-Za-z0-9_~%][^\s"'?,;)\]]*)"#).ok());
static COMPLAINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:warn(?:ing)?|error|crit(?:ical)?|alert|denied|deny|denies|forbidden|refus\w*|reject\w*|block\w*|not allowed|unauthori[sz]ed|invalid|missing|expired|insufficient|violation|limit\w*|disallowed|unverified|mismatch\w*|fail\w*|cannot|can't|permission)\b").ok()
});

impl Facts {
    /// Takes `text` apart; `year` stands in where the log writes none.
    pub(super) fn of(text: &str, patterns: &Patterns, year: i16) -> Self {
        let mut facts = Self { time: time::find(text, year), ..Self::default() };
        if text.contains('=') || text.contains('{') {
            structured::leaves(text, &mut |name, value| facts.named(name, value, patterns));
        }
        facts.request(text);
        facts.address(text);
        if facts.path.is_none() {
            facts.path = capture(&PATH, text, "t").map(str::to_owned).filter(|path| is_request_path(path));
        }
        facts.ids = ids(text);
        facts.complains = COMPLAINT.as_ref().is_some_and(|regex| regex.is_match(text));
        facts
    }

    /// Whether something besides a path or a time tells which request it is about.
    pub(super) fn is_anchored(&self) -> bool {
        self.status.is_some() && self.path.is_some() || self.port.is_some()
    }

    fn named(&mut self, name: &str, value: &str, patterns: &Patterns) {
        match patterns.key(name) {
            Some(Key::Time) if self.time.is_none() => {
                self.time = value.parse().ok().and_then(time::epoch).or_else(|| time::find(value, 1970));
            }
            Some(Key::Client) if self.client.is_none() => self.set_address(value),
            Some(Key::Port) if self.port.is_none() => self.port = value.parse().ok(),
            Some(Key::Method) if self.method.is_none() && value.len() <= 16 && is_upper(value) => {
                self.method = Some(value.to_owned());
            }
            Some(Key::Target) if self.path.is_none() => self.path = path_of(value),
            Some(Key::Status) if self.status.is_none() => {
                self.status = value.parse().ok().filter(|status| (100..600).contains(status));
            }
            _ => {}
        }
    }

    fn set_address(&mut self, value: &str) {
        if let Ok(address) = SocketAddr::from_str(value) {
            (self.client, self.port) = (Some(address.ip().to_canonical()), Some(address.port()));
        } else if let Ok(address) = IpAddr::from_str(value.trim_matches(['[', ']'])) {
            self.client = Some(address.to_canonical());
        }
    }

    /// A request line, and the status that access logs write after it.
    fn request(&mut self, text: &str) {
        let Some(captures) = REQUEST.as_ref().and_then(|regex| regex.captures(text)) else {
            self.status = self.status.or_else(|| number(&NAMED_STATUS, text));
            return;
        };
        let method = captures.name("m").map(|method| method.as_str().to_owned());
        self.method = self.method.take().or(method);
        self.path = self.path.take().or_else(|| path_of(captures.name("t")?.as_str()));
        let end = captures.get(0).map_or(0, |whole| whole.end());
        let after = text.get(end..).unwrap_or_default();
        let before = text.get(..end).unwrap_or_default();
        self.status = self
            .status
            .or_else(|| number(&AFTER, after))
            .or_else(|| number(&HAPROXY_STATUS, before))
            .or_else(|| number(&NAMED_STATUS, after));
    }

    /// The first address, with its port where it stands beside it.
    fn address(&mut self, text: &str) {
        if self.client.is_some() && self.port.is_some() {
            return;
        }
        let Some(regex) = ADDRESS.as_ref() else { return };
        for captures in regex.captures_iter(text).take(4) {
            let Some(address) = captures
                .name("a")
                .and_then(|text| IpAddr::from_str(text.as_str().trim_matches(['[', ']'])).ok())
            else {
                continue;
            };
            let before = captures.name("a").and_then(|address| text.get(..address.start()));
            if before.is_some_and(is_of_server) {
                continue;
            }
            let address = address.to_canonical();
            if self.client.is_none_or(|known| known == address) {
                self.client = Some(address);
                let port = captures.name("p").and_then(|port| port.as_str().parse().ok());
                self.port = self.port.or(port).filter(|port| *port >= 1024);
                if self.port.is_some() {
                    return;
                }
            }
        }
    }
}

/// Whether what stands before an address says that it is a server's: `host: "`, `upstream=http://`.
fn is_of_server(before: &str) -> bool {
    const NAMES: [&str; 7] = ["host", "server", "upstream", "authority", "backend", "destination", "listen"];
    let before = before.trim_end_matches('[');
    let word = before.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let named = NAMES.iter().any(|name| {
        let start = word.len().saturating_sub(name.len());
        word.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(name))
    });
    before.ends_with("://") || named && word.len() < before.len()
}

/// A path of a URL rather than of a file on the server.
fn is_request_path(path: &str) -> bool {
    let files = [
        "/etc/",
        "/usr/",
        "/var/",
        "/srv/",
        "/opt/",
        "/home/",
        "/proc/",
        "/tmp/",
        "/root/",
        "/app/node_modules/",
    ];
    !files.iter().any(|start| path.starts_with(start))
}

/// The path of a request target in origin or absolute form (RFC 9112 §3.2), without query and fragment.
pub(super) fn path_of(target: &str) -> Option<String> {
    let path = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    let path = path.split(['?', '#']).next()?;
    path.starts_with('/').then(|| path.to_owned())
}

fn is_upper(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
}

fn capture<'a>(regex: &LazyLock<Option<Regex>>, text: &'a str, name: &str) -> Option<&'a str> {
    Some(regex.as_ref()?.captures(text)?.name(name)?.as_str())
}

fn number(regex: &LazyLock<Option<Regex>>, text: &str) -> Option<u16> {
    capture(regex, text, "s")?.parse().ok()
}

/// Tokens with enough digits and letters to be an id.
fn ids(text: &str) -> Vec<String> {
    let separators = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@' | '='));
    let looks_unique = |token: &&str| {
        let token = token.trim_matches('=');
        let digits = token.bytes().filter(u8::is_ascii_digit).count();
        let letters = token.bytes().filter(u8::is_ascii_alphabetic).count();
        ID_LENGTH.contains(&token.len()) && ((digits >= 2 && letters >= 2) || (digits >= 12 && letters == 0))
    };
    text.split(separators)
        .flat_map(|token| token.rsplit('='))
        .filter(looks_unique)
        .take(MAX_IDS)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        Facts::of(text, &Patterns::read(&crate::knowledge::Sources::default()).unwrap(), 2026)
    }

    /// Client, port, method, path and status of lines of many servers.
    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of log lines")]
    fn lines_of_many_servers_identify_their_request() {
        for (line, client, port, method, path, status) in [
            (
                r#"127.0.0.4 - ada [22/Nov/2026:08:49:17 +0000] "POST /hr/vacation?x=1 HTTP/1.1" 201 448 "-" "curl/7.88.1""#,
                "127.0.0.4",
                0,
                "POST",
                "/hr/vacation",
                201,
            ),
            (
                r#"[Sun Nov 22 08:49:17.765990 2026] [authz_core:error] [pid 5863:tid 5865] [client 127.0.0.4:48641] AH01631: user cyd: authorization failure for "/hr/vacation": "#,
                "127.0.0.4",
                48641,
                "",
                "/hr/vacation",
                0,
            ),
            (
                r#"2026/11/22 08:36:30 [error] 791#791: *6 access forbidden by rule, client: 127.66.0.8, server: , request: "POST /teams/core HTTP/1.1", host: "a""#,
                "127.66.0.8",
                0,
                "POST",
                "/teams/core",
                0,
            ),
            (
                r#"2026/11/22 19:39:48 [error] 28#28: *1 access forbidden by rule, client: 127.0.0.1, server: , request: "POST /banned HTTP/1.1", upstream: "http://127.0.0.1:9000/banned", host: "127.0.0.1:18080""#,
                "127.0.0.1",
                0,
                "POST",
                "/banned",
                0,
            ),
            (
                r#"127.0.0.5:45858 [22/Nov/2026:08:30:31.333] web web/<NOSRV> 0/-1/-1/-1/0 403 192 - - PR-- 1/1/0/0/0 0/0 "POST /comments HTTP/1.1""#,
                "127.0.0.5",
                45858,
                "POST",
                "/comments",
                403,
            ),
            (
                r#"INFO:     127.0.0.2:50373 - "POST /predict HTTP/1.1" 403 Forbidden"#,
                "127.0.0.2",
                50373,
                "POST",
                "/predict",
                403,
            ),
            ("Forbidden: /api/notes/", "", 0, "", "/api/notes/", 0),
            ("rate limit hit ip=127.0.0.2 /api/login-link", "127.0.0.2", 0, "", "/api/login-link", 0),
            (
                r#"{"level":30,"req":{"method":"POST","url":"/x?y=1","remoteAddress":"10.0.0.7","remotePort":50100},"res":{"statusCode":403}}"#,
                "10.0.0.7",
                50100,
                "POST",
                "/x",
                403,
            ),
            (
                "level=warn method=POST path=/v1/a status=403 remote_addr=[2001:db8::7]:4711",
                "2001:db8::7",
                4711,
                "POST",
                "/v1/a",
                403,
            ),
            (
                "[22/Nov/2026 08:34:14] \"POST /api/projects/1/deploy/ HTTP/1.1\" 200 21",
                "",
                0,
                "POST",
                "/api/projects/1/deploy/",
                200,
            ),
            (
                "1795336157.123    5 10.0.0.9 TCP_DENIED/403 3900 POST http://api.example/v1/x - HIER_NONE/- text/html",
                "10.0.0.9",
                0,
                "POST",
                "/v1/x",
                0,
            ),
            ("POST /a 403 1.2 ms - 12", "", 0, "POST", "/a", 403),
        ] {
            let facts = facts(line);
            assert_eq!(facts.client.map(|client| client.to_string()).unwrap_or_default(), client, "{line}");
            assert_eq!(facts.port.unwrap_or_default(), port, "{line}");
            assert_eq!(facts.method.as_deref().unwrap_or_default(), method, "{line}");
            assert_eq!(facts.path.as_deref().unwrap_or_default(), path, "{line}");
            assert_eq!(facts.status.unwrap_or_default(), status, "{line}");
        }
    }

    #[test]
    fn ids_are_tokens_with_digits_and_letters() {
        let found = facts(r#"[unique_id "aWF0Zm9vYmFy12"] request_id=0a1b2c3d-1111-2222 denied"#).ids;
        assert!(
            found.contains(&"aWF0Zm9vYmFy12".to_owned()) && found.contains(&"0a1b2c3d-1111-2222".to_owned()),
            "{found:?}"
        );
    }
}
