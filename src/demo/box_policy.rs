//! What the staging box allows, and how it says no: eight endpoints, eight reasons, in the manners of the real world.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::message::Message;
use super::token::{Key, has_role};
use crate::features::{Jwt, parameters};

/// Searches one caller may make in [`WINDOW`].
const SEARCHES: usize = 6;
const WINDOW: Duration = Duration::from_secs(2);
/// Callers whose searches are counted.
const CALLERS: usize = 64;

/// The rules and what they have to remember.
#[derive(Debug)]
pub(super) struct Rules {
    key: Key,
    searches: HashMap<String, Vec<Instant>>,
    created: u64,
}

impl Rules {
    pub(super) fn new(key: Key) -> Self {
        Self { key, searches: HashMap::new(), created: 48_213 }
    }

    /// The response to `request` from `client` at `now` (seconds since the epoch).
    pub(super) fn answer(&mut self, request: &Message, client: IpAddr, now: i64) -> Message {
        let (method, target) = request.target();
        let path = target.split('?').next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("POST", ["v1", "orders"]) => self.order(request, now),
            ("POST", ["v1", "orders", id, "refunds"]) => self.refund(request, id, now),
            ("POST", ["v1", "users", id, "profile"]) => self.profile(request, id, now),
            ("POST", ["v1", "comments"]) => self.comment(request, now),
            ("POST", ["v1", "search"]) => self.search(request, now),
            ("POST", ["admin", "users", _, "lock"]) => self.lock(request, now),
            ("POST", ["internal", "reindex"]) => reindex(client),
            ("POST", ["account", "email"]) => email(request),
            ("GET", ["account"]) => page(request),
            ("GET", ["health"]) => json("200 OK", r#"{"status":"up"}"#),
            ("GET", _) => json("200 OK", r#"{"items":[],"next":null}"#),
            _ => json("404 Not Found", r#"{"error":"not found"}"#),
        }
    }

    /// Says nothing but "Forbidden": the token's own `exp` tells.
    fn order(&mut self, request: &Message, now: i64) -> Message {
        let Some(jwt) = self.bearer(request) else { return unauthenticated() };
        if jwt.seconds("exp").is_none_or(|exp| exp < now) {
            return json("403 Forbidden", r#"{"message":"Forbidden"}"#);
        }
        self.created += 1;
        let id = self.created;
        json("201 Created", format!(r#"{{"id":{id},"status":"accepted"}}"#))
            .field("Location", format!("/v1/orders/{id}"))
    }

    /// Names the scope, as RFC 6750 wants it.
    fn refund(&mut self, request: &Message, id: &str, now: i64) -> Message {
        let Some(jwt) = self.current(request, now) else { return unauthenticated() };
        if !jwt.scopes().contains(&"refunds:write") {
            let challenge = r#"Bearer realm="staging", error="insufficient_scope", scope="refunds:write""#;
            return json("403 Forbidden", r#"{"error":"insufficient_scope"}"#)
                .field("WWW-Authenticate", challenge);
        }
        json("202 Accepted", format!(r#"{{"order":{id},"refund":"pending"}}"#))
    }

    /// A gateway that knows one media type and does not say so.
    fn profile(&mut self, request: &Message, id: &str, now: i64) -> Message {
        if self.current(request, now).is_none() {
            return unauthenticated();
        }
        if !request.get("content-type").starts_with("application/json") {
            return json("403 Forbidden", r#"{"error":"forbidden"}"#).field("X-Gateway", "edge-2");
        }
        json("200 OK", format!(r#"{{"id":{id},"updated":true}}"#)).field("X-Gateway", "edge-2")
    }

    /// CORS, decided by the application.
    fn comment(&mut self, request: &Message, now: i64) -> Message {
        if self.current(request, now).is_none() {
            return unauthenticated();
        }
        let origin = request.get("origin");
        if origin != "https://shop.staging.example" {
            return text("403 Forbidden", "Invalid CORS request");
        }
        json("201 Created", r#"{"ok":true}"#)
            .field("Access-Control-Allow-Origin", origin)
            .field("Vary", "Origin")
    }

    /// A limiter that counts the searches of each caller.
    fn search(&mut self, request: &Message, now: i64) -> Message {
        let Some(jwt) = self.current(request, now) else { return unauthenticated() };
        let caller = jwt.text("sub").unwrap_or_default().to_owned();
        if self.searches.len() >= CALLERS && !self.searches.contains_key(&caller) {
            self.searches.clear();
        }
        let times = self.searches.entry(caller).or_default();
        let at = Instant::now();
        times.retain(|time| at.duration_since(*time) < WINDOW);
        let left = SEARCHES.saturating_sub(times.len());
        let limits = |message: Message| {
            message
                .field("X-RateLimit-Limit", SEARCHES.to_string())
                .field("X-RateLimit-Remaining", left.saturating_sub(1).to_string())
        };
        if left == 0 {
            let refused = json("403 Forbidden", r#"{"message":"You have exceeded a secondary rate limit."}"#);
            return limits(refused).field("Retry-After", WINDOW.as_secs().to_string());
        }
        times.push(at);
        limits(json("200 OK", r#"{"hits":3,"took_ms":4}"#))
    }

    /// Wants a role and names it.
    fn lock(&mut self, request: &Message, now: i64) -> Message {
        let Some(jwt) = self.current(request, now) else { return unauthenticated() };
        if !has_role(&jwt, "admin") {
            let body = r#"{"code":"AccessDenied","message":"role 'admin' is required to lock users"}"#;
            return json("403 Forbidden", body);
        }
        json("200 OK", r#"{"locked":true}"#)
    }

    fn current(&self, request: &Message, now: i64) -> Option<Jwt> {
        self.bearer(request).filter(|jwt| jwt.seconds("exp").is_some_and(|exp| exp >= now))
    }

    fn bearer(&self, request: &Message) -> Option<Jwt> {
        self.key.check(request.get("authorization").strip_prefix("Bearer ")?)
    }
}

/// An address rule of the web server in front: its default page, and no word why.
fn reindex(client: IpAddr) -> Message {
    if !matches!(client, IpAddr::V4(v4) if v4.octets()[3] < 50) {
        let page = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.22.1</center>\r\n</body>\r\n</html>\r\n";
        return Message::new("HTTP/1.1 403 Forbidden")
            .field("Server", "nginx/1.22.1")
            .body("text/html", page);
    }
    json("202 Accepted", r#"{"job":"reindex","queued":true}"#)
}

/// The form's token has to be the cookie's.
fn email(request: &Message) -> Message {
    let cookie = cookie(request, "csrftoken");
    let form =
        parameters(request.body.as_bytes()).find(|parameter| parameter.name() == "csrfmiddlewaretoken");
    let token = form.map(|parameter| parameter.text().into_owned()).unwrap_or_default();
    if cookie.is_empty() || cookie != token {
        let page = "<!doctype html><title>403 Forbidden</title><h1>Forbidden <span>(403)</span></h1><p>CSRF verification failed. Request aborted.</p>";
        return Message::new("HTTP/1.1 403 Forbidden").body("text/html; charset=utf-8", page);
    }
    Message::new("HTTP/1.1 302 Found").field("Location", "/account").body("", "")
}

/// The page that sets the CSRF cookie.
fn page(request: &Message) -> Message {
    let token = cookie(request, "csrftoken");
    let page = format!(
        r#"<!doctype html><form method=post action=/account/email><input type=hidden name=csrfmiddlewaretoken value="{token}">"#
    );
    Message::new("HTTP/1.1 200 OK")
        .field("Set-Cookie", format!("csrftoken={token}; Path=/; SameSite=Lax"))
        .body("text/html; charset=utf-8", page)
}

fn cookie<'a>(request: &'a Message, name: &str) -> &'a str {
    let pairs = request.get("cookie").split("; ").filter_map(|pair| pair.split_once('='));
    pairs.clone().find(|(cookie, _)| *cookie == name).map_or("", |(_, value)| value)
}

fn unauthenticated() -> Message {
    json("401 Unauthorized", r#"{"error":"unauthenticated"}"#).field("WWW-Authenticate", "Bearer")
}

fn json(status: &str, body: impl Into<String>) -> Message {
    Message::new(format!("HTTP/1.1 {status}")).body("application/json", body)
}

fn text(status: &str, body: &str) -> Message {
    Message::new(format!("HTTP/1.1 {status}")).body("text/plain", body)
}
