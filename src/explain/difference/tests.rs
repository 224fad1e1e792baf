//! Differences as their readers see them.

use serde_json::json;

use crate::explain::difference::compare;
use crate::features::jwt::tests::token;
use crate::features::tests::{exchange, request, response};
use crate::history::History;
use crate::model::{
    Anomaly, BaselineChoice, Difference, DifferenceKind, Exchange, ExchangeId, Part, Significance,
};

const HOST: (&str, &str) = ("Host", "h");

struct Case {
    history: History,
    last: ExchangeId,
}

impl Case {
    fn new() -> Self {
        Self { history: History::new(64 << 20), last: ExchangeId(0) }
    }
    fn add(&mut self, exchange: Exchange) -> &mut Self {
        self.last = self.history.insert(exchange);
        self
    }
    fn post(&mut self, at: i64, status: u16, lines: &[(&str, &str)], body: &str) -> &mut Self {
        let mut all = vec![HOST];
        all.extend_from_slice(lines);
        let sent = request("POST", "/a", &all, body.as_bytes());
        self.add(exchange("10.0.0.1", at, sent, response(status, &[("Server", "app")], b"")))
    }
    /// Against the last success.
    fn differences(&self) -> Vec<Difference> {
        let baseline = self.history.baseline(self.last, BaselineChoice::LastSuccess).unwrap().id;
        compare(&self.history, self.history.get(self.last).unwrap(), self.history.get(baseline).unwrap())
    }
    fn find(&self, part: Part, name: &str) -> Difference {
        let all = self.differences();
        all.iter()
            .find(|d| d.part == part && d.name == name)
            .unwrap_or_else(|| panic!("{part:?} {name}: {all:#?}"))
            .clone()
    }
}

#[test]
fn nothing_differs_but_the_status() {
    let mut case = Case::new();
    case.post(1, 200, &[("Accept", "*/*")], "{}").post(2, 403, &[("Accept", "*/*")], "{}");
    let names: Vec<_> = case.differences().into_iter().map(|d| (d.part, d.name)).collect();
    assert_eq!(names, [(Part::StatusLine, "status".to_owned())]);
}

#[test]
fn a_credential_that_is_missing_comes_first() {
    let mut case = Case::new();
    for n in 0..5 {
        case.post(
            n,
            200,
            &[("Authorization", "Bearer abc"), ("X-Request-Id", &n.to_string()), ("User-Agent", "a")],
            "{}",
        );
    }
    case.post(9, 403, &[("X-Request-Id", "9"), ("User-Agent", "b")], "{}");
    let all = case.differences();
    assert_eq!((&*all[0].name, all[0].kind), ("authorization", DifferenceKind::Removed));
    assert_eq!(all[0].significance, Significance::Suspect);
    assert_eq!(all[0].note.as_deref(), Some("all 5 successes looked at have it"));
    assert_eq!((&*all[1].name, all[1].significance), ("user-agent", Significance::Suspect));
    assert_eq!(case.find(Part::RequestHeader, "x-request-id").significance, Significance::Noise);
    assert!(all.is_sorted_by_key(|difference| std::cmp::Reverse(difference.significance)));
}

#[test]
fn what_varies_between_successes_is_noise_but_credentials_are_not() {
    let mut case = Case::new();
    for n in 0..6 {
        let (odd, key) = (format!("o{n}"), format!("k{n}"));
        case.post(n, 200, &[("X-Odd", &odd), ("X-Api-Key", &key)], &format!("{{\"n\":{n},\"fixed\":\"a\"}}"));
    }
    case.post(9, 403, &[("X-Odd", "x"), ("X-Api-Key", "x")], "{\"n\":77,\"fixed\":\"b\"}");
    assert_eq!(case.find(Part::RequestHeader, "x-odd").significance, Significance::Noise);
    let key = case.find(Part::RequestHeader, "x-api-key");
    assert_eq!(key.significance, Significance::Context);
    assert_eq!(key.note.as_deref(), Some("also varies between successes"));
    assert_eq!(case.find(Part::RequestBody, "$.n").significance, Significance::Noise);
    assert_eq!(case.find(Part::RequestBody, "$.fixed").significance, Significance::Suspect);
}

#[test]
fn a_value_that_no_success_has_is_a_suspect_although_others_vary() {
    let mut case = Case::new();
    for n in 0..8 {
        let kind = ["application/json", "application/vnd.api+json"][n % 2];
        case.post(n as i64, 200, &[("Content-Type", kind), ("User-Agent", &format!("a{n}"))], "{}");
    }
    case.post(9, 403, &[("Content-Type", "application/json"), ("User-Agent", "b")], "{}");
    assert_eq!(case.find(Part::RequestHeader, "content-type").significance, Significance::Context);
    assert_eq!(case.find(Part::RequestHeader, "user-agent").significance, Significance::Context);
    case.post(10, 403, &[("Content-Type", "text/plain"), ("User-Agent", "a0")], "{}");
    let kind = case.find(Part::RequestHeader, "content-type");
    assert_eq!(kind.significance, Significance::Suspect);
    let note = "none of 8 successes looked at has this value; they have 2 others";
    assert_eq!(kind.note.as_deref(), Some(note));
}

#[test]
fn a_longer_list_is_noise() {
    let mut case = Case::new();
    for n in 0..4 {
        case.post(n, 200, &[], r#"{"lines":[{"sku":"a"}]}"#);
    }
    case.post(9, 403, &[], r#"{"lines":[{"sku":"a"},{"sku":"b"}],"extra":1}"#);
    assert_eq!(case.find(Part::RequestBody, "$.lines[1].sku").significance, Significance::Noise);
    assert_eq!(case.find(Part::RequestBody, "$.extra").significance, Significance::Suspect);
}

#[test]
fn claims_are_compared_one_by_one() {
    let bearer = |claims: serde_json::Value| format!("Bearer {}", token(&claims));
    let mut case = Case::new();
    let good = bearer(json!({"sub": "a", "iss": "i", "exp": 5_000, "scope": "read write", "jti": "1"}));
    let bad = bearer(json!({"sub": "a", "iss": "i", "exp": 1_000, "scope": "read", "jti": "2"}));
    case.post(10, 200, &[("Authorization", &good)], "{}").post(4_600, 403, &[("Authorization", &bad)], "{}");
    let exp = case.find(Part::Claim, "exp");
    assert_eq!(exp.significance, Significance::Suspect);
    assert_eq!(exp.note.as_deref(), Some("expired 1 h 0 min before this request"));
    let scope = case.find(Part::Claim, "scope");
    assert_eq!((scope.significance, scope.note.as_deref()), (Significance::Suspect, Some("lacks write")));
    assert_eq!(case.find(Part::Claim, "jti").significance, Significance::Noise);
    let field = case.find(Part::RequestHeader, "authorization");
    assert_eq!(field.significance, Significance::Context);
    assert_eq!(field.note.as_deref(), Some("another token of the same subject"));
}

#[test]
fn a_token_that_ran_out_differs_in_time_alone() {
    let bearer = format!("Bearer {}", token(&json!({"sub": "a", "exp": 100})));
    let mut case = Case::new();
    case.post(10, 200, &[("Authorization", &bearer)], "{}").post(
        130,
        403,
        &[("Authorization", &bearer)],
        "{}",
    );
    let all = case.differences();
    assert_eq!(
        (all[0].part, &*all[0].name, all[0].significance),
        (Part::Timing, "exp", Significance::Suspect)
    );
    assert_eq!(all[0].note.as_deref(), Some("the same token, expired 30.0 s before this request"));
}

#[test]
fn schemes_users_and_keys_are_named() {
    let note = |one: &str, two: &str| {
        let mut case = Case::new();
        case.post(1, 200, &[("Authorization", one)], "{}").post(2, 403, &[("Authorization", two)], "{}");
        case.find(Part::RequestHeader, "authorization").note
    };
    assert_eq!(note("Bearer x", "Token x").as_deref(), Some("scheme Token instead of scheme Bearer"));
    assert_eq!(note("Bearer x", "xyz").as_deref(), Some("no scheme instead of scheme Bearer"));
    assert_eq!(note("Basic YTpi", "Basic Yjpi").as_deref(), Some("user b instead of a"));
    assert_eq!(note("Basic YTpi", "Basic YTpj").as_deref(), Some("the same user with another password"));
    let aws = |key: &str, region: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261122/{region}/s3/aws4_request, SignedHeaders=host, Signature=0"
        )
    };
    assert_eq!(note(&aws("A", "eu"), &aws("A", "us")).as_deref(), Some("scope us/s3 instead of eu/s3"));
    assert_eq!(note("Bearer x", "Bearer y"), None);
}

#[test]
fn content_against_its_type() {
    let mut case = Case::new();
    let json = ("Content-Type", "application/json");
    case.post(1, 200, &[json], "{\"a\":1}").post(2, 403, &[json], "a=1&b=2");
    let body = case.find(Part::RequestBody, "");
    assert_eq!(body.significance, Significance::Suspect);
    assert_eq!(
        body.note.as_deref(),
        Some("Content-Type says application/json, the content looks like a URL-encoded form")
    );
    let mut case = Case::new();
    let multipart = |boundary: &str| format!("multipart/form-data; boundary={boundary}");
    case.post(1, 200, &[("Content-Type", &multipart("a"))], "").post(
        2,
        403,
        &[("Content-Type", &multipart("b"))],
        "",
    );
    assert_eq!(case.find(Part::RequestHeader, "content-type").significance, Significance::Noise);
}

#[test]
fn json_types_and_cookies_and_queries() {
    let mut case = Case::new();
    let send = |target: &str, cookie: &str, body: &str, status| {
        let sent = request("POST", target, &[HOST, ("Cookie", cookie)], body.as_bytes());
        exchange("10.0.0.1", 1, sent, response(status, &[], b""))
    };
    case.add(send("/a?v=1&w=%41", "sid=1; theme=x", "{\"n\":1,\"gone\":null}", 200));
    case.add(send("/a?v=2&w=A", "theme=x", "{\"n\":\"1\"}", 403));
    assert_eq!(case.find(Part::RequestBody, "$.n").note.as_deref(), Some("string instead of number"));
    assert_eq!(case.find(Part::RequestBody, "$.gone").kind, DifferenceKind::Removed);
    assert_eq!(case.find(Part::Cookie, "sid").significance, Significance::Suspect);
    assert_eq!(case.find(Part::Query, "v").kind, DifferenceKind::Changed);
    assert!(case.differences().iter().all(|d| d.name != "w" && d.name != "theme" && d.name != "cookie"));
}

#[test]
fn claims_do_not_count_when_the_token_is_missing() {
    let bearer = format!("Bearer {}", token(&json!({"sub": "a", "scope": "write"})));
    let mut case = Case::new();
    for n in 0..3 {
        case.post(n, 200, &[("Authorization", &bearer)], "{}");
    }
    case.post(9, 403, &[], "{}");
    assert_eq!(case.differences()[0].name, "authorization");
    assert_eq!(case.find(Part::Claim, "scope").significance, Significance::Noise);
}

#[test]
fn clients_that_never_succeed_are_suspects() {
    let mut case = Case::new();
    let from = |client: &str, at, status| {
        exchange(client, at, request("POST", "/a", &[HOST], b""), response(status, &[], b""))
    };
    case.add(from("10.0.0.1", 1, 200)).add(from("10.0.5.1", 2, 403));
    let client = case.find(Part::Client, "");
    assert_eq!(client.significance, Significance::Suspect);
    assert_eq!(client.note.as_deref(), Some("no success comes from this client or its network"));
    case.add(from("10.0.5.1", 3, 200)).add(from("10.0.0.1", 4, 200)).add(from("10.0.5.1", 5, 403));
    assert_eq!(case.find(Part::Client, "").significance, Significance::Noise);
}

#[test]
fn order_and_spelling_of_fields_tell_another_program() {
    let mut case = Case::new();
    case.post(1, 200, &[("A", "1"), ("B", "2")], "").post(2, 403, &[("B", "2"), ("A", "1")], "");
    let order = case.find(Part::RequestHeader, "");
    assert_eq!((order.kind, order.significance), (DifferenceKind::Reordered, Significance::Context));
    assert_eq!(order.this.as_deref(), Some(&b"Host, B, A"[..]));
    let mut case = Case::new();
    case.post(1, 200, &[("A", "1")], "").post(2, 403, &[("a", "1")], "");
    assert_eq!(
        case.find(Part::RequestHeader, "").note.as_deref(),
        Some("names spelled otherwise: another client program")
    );
}

#[test]
fn what_answers_is_context_and_never_a_suspect() {
    let mut case = Case::new();
    let answer = |status, server: &'static str| {
        exchange(
            "10.0.0.1",
            1,
            request("POST", "/a", &[HOST], b""),
            response(status, &[("Server", server), ("Set-Cookie", "a=1")], b""),
        )
    };
    case.add(answer(200, "app")).add(answer(200, "app")).add(answer(200, "app")).add(answer(403, "waf"));
    let server = case.find(Part::ResponseHeader, "server");
    assert_eq!(server.significance, Significance::Context);
    let response = case.differences().into_iter().filter(|d| d.part == Part::ResponseHeader);
    assert!(response.into_iter().all(|d| d.significance < Significance::Suspect));
}

#[test]
fn what_the_capture_lost_is_no_suspect() {
    let mut case = Case::new();
    case.post(1, 200, &[("Authorization", "Bearer a")], "{}");
    let mut damaged = exchange("10.0.0.1", 2, request("POST", "/a", &[HOST], b"{}"), response(403, &[], b""));
    damaged.anomalies.insert(Anomaly::GapInRequestHead);
    case.add(damaged);
    let field = case.find(Part::RequestHeader, "authorization");
    assert_eq!(field.significance, Significance::Context);
    assert_eq!(field.note.as_deref(), Some("the capture lost part of that head"));
}
