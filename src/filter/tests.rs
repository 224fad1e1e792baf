//! The query language as its users see it.

use proptest::prelude::*;

use super::{Context, Filter, complete};
use crate::features::tests::{exchange, request, response};
use crate::history::History;
use crate::model::{Anomaly, Cause, Exchange, ExchangeId, Outcome};

fn sample() -> History {
    let mut history = History::new(64 << 20);
    let json = ("Content-Type", "application/json; charset=utf-8");
    let host = ("Host", "api.example.com");
    let mut add = |exchange: Exchange| history.insert(exchange);
    let lines = [host, json, ("Authorization", "Bearer x"), ("Cookie", "session=1")];
    add(exchange(
        "10.0.0.1",
        100,
        request("POST", "/v1/users/7?v=2", &lines, b"{\"a\":1}"),
        response(200, &[("Server", "nginx")], b"ok"),
    ));
    add(exchange(
        "10.0.0.2",
        200,
        request("POST", "/v1/users/8", &[host, json], b"{\"b\":1}"),
        response(403, &[], b"denied"),
    ));
    add(exchange(
        "192.168.0.2",
        300,
        request("PUT", "/V1/Orders/", &[("Host", "shop:8080")], b""),
        response(404, &[], b""),
    ));
    let mut lost =
        exchange("2001:db8::1", 400, request("GET", "/health", &[host], b""), response(200, &[], b""));
    lost.response = None;
    lost.outcome = Outcome::Reset;
    lost.anomalies.insert(Anomaly::BareLf);
    add(lost);
    history
}

fn ids(history: &History, query: &str) -> Vec<u64> {
    let filter = Filter::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let cause = |record: &crate::history::Record| record.exchange.is_refusal().then_some(Cause::Csrf);
    let context = Context { history, now: history.now(), cause: &cause };
    let selected: Vec<u64> = filter.select(&context).into_iter().map(|id| id.0).collect();
    let matched: Vec<u64> = history
        .iter()
        .filter(|record| filter.matches(record, &context))
        .map(|record| record.exchange.id.0)
        .collect();
    assert_eq!(selected, matched, "{query}: columns and exchanges agree");
    selected
}

fn selects(cases: &[(&str, &[u64])]) {
    let history = sample();
    for (query, expected) in cases {
        assert_eq!(ids(&history, query), *expected, "{query}");
    }
}

#[test]
fn requests_are_selected_by_what_they_ask_and_get() {
    selects(&[
        ("", &[1, 2, 3, 4]),
        (Filter::DEFAULT, &[2]),
        ("status:403", &[2]),
        ("status:4xx", &[2, 3]),
        ("status:400-403", &[2]),
        ("status:>=400", &[2, 3]),
        ("status:<400", &[1]),
        ("status:200,404", &[1, 3]),
        ("status:none", &[4]),
        ("-status:4xx", &[1, 4]),
        ("method:post", &[1, 2]),
        ("method:POST,PUT", &[1, 2, 3]),
        ("method:P*", &[1, 2, 3]),
        ("method:POS", &[]),
        ("path:/v1/*", &[1, 2, 3]),
        ("path:/v1/users", &[1, 2]),
        ("path:=/health", &[4]),
        ("path:v=2", &[]),
        ("target:v=2", &[1]),
        ("users", &[1, 2]),
        ("USERS", &[1, 2]),
        ("/v1/orders/", &[3]),
        ("path:/users.[78]$/", &[1, 2]),
        ("path:/^.V1/", &[3]),
        ("host:example", &[1, 2, 4]),
        ("host:shop:8080", &[3]),
        ("host:*.example.com", &[1, 2, 4]),
        ("endpoint:/v1/users/{id}", &[1, 2]),
        ("endpoint:\"POST api.example.com/v1/users/{id}\"", &[1, 2]),
    ]);
}

#[test]
fn messages_are_selected_by_what_they_hold() {
    selects(&[
        ("header:authorization", &[1]),
        ("header:content-type=json", &[1, 2]),
        ("header:content-type=/JSON;\\s?charset/i", &[1, 2]),
        ("header:host==api.example.com", &[1, 2, 4]),
        ("header:server=nginx", &[1]),
        ("request-header:server", &[]),
        ("response-header:server", &[1]),
        ("header:x-*", &[]),
        ("header:cont*=json", &[1, 2]),
        ("cookie:session", &[1]),
        ("cookie:session=2", &[]),
        ("query:v", &[1]),
        ("query:v=2", &[1]),
        ("body:denied", &[2]),
        ("body:/\"[ab]\":1/", &[1, 2]),
        ("request-body:denied", &[]),
        ("response-body:OK", &[1]),
        ("response.body:OK", &[1]),
        ("request.body:OK", &[]),
        ("request.header:server", &[]),
        ("response.header:server=nginx", &[1]),
        ("request.method:PUT response.status:404", &[3]),
    ]);
}

#[test]
fn a_query_without_a_match_says_which_term_excludes_most() {
    let history = sample();
    let context = Context { history: &history, now: history.now(), cause: &|_| None };
    let why = |query: &str, total| Filter::parse(query).unwrap().explain_none(total, &context);
    assert_eq!(
        why("method:POST status:500", 4),
        "nothing matched `method:POST status:500`: 4 exchanges; `status:500` matches none, `method:POST` 2"
    );
    assert_eq!(
        why("status:404 (method:POST or method:GET)", 4),
        "nothing matched `status:404 (method:POST or method:GET)`: 4 exchanges; `status:404` matches 1, `method:POST or method:GET` 3"
    );
    assert!(why("403", 4).contains("`status:403`") && why("POST", 4).contains("`method:POST`"));
    assert!(why("cause:csrf status:500", 4).ends_with("`status:500` matches none"));
    assert!(why("status:500", 9).ends_with("9 exchanges, none of them like that"));
    assert!(why("status:500", 0).ends_with("there was no HTTP/1.1 exchange"));
}

#[test]
fn exchanges_are_selected_by_ends_times_and_sizes() {
    selects(&[
        ("client:10.0.0.0/8", &[1, 2]),
        ("client:10.0.0.1,192.168.*", &[1, 3]),
        ("client:2001:db8::/32", &[4]),
        ("server:10.0.0.9:80", &[1, 2, 3, 4]),
        ("server:10.0.0.9:81", &[]),
        ("port:80", &[1, 2, 3, 4]),
        ("latency:>500us", &[1, 2, 3]),
        ("latency:<1ms", &[]),
        ("latency:1", &[1, 2, 3]),
        ("size:>0", &[1, 2]),
        ("size:0", &[3, 4]),
        ("response-size:6", &[2]),
        ("since:100s", &[3, 4]),
        ("until:100s", &[1, 2]),
        ("since:00:05", &[3, 4]),
    ]);
}

#[test]
fn exchanges_are_selected_by_what_is_known_of_them() {
    selects(&[
        ("cause:csrf", &[2, 3]),
        ("cause:origin", &[]),
        ("outcome:reset-without-response", &[4]),
        ("anomaly:bare-lf", &[4]),
        ("anomaly:bare-*,obs-fold", &[4]),
        ("id:2", &[2]),
        ("id:>2", &[3, 4]),
        ("is:success", &[1]),
        ("is:refusal,unanswered", &[2, 3, 4]),
        ("is:odd", &[4]),
    ]);
}

#[test]
fn terms_are_joined() {
    selects(&[
        ("status:403 or status:404", &[2, 3]),
        ("status:403 or status:404 method:PUT", &[2, 3]),
        ("(status:403 or status:404) method:PUT", &[3]),
        ("not (status:403 or status:404)", &[1, 4]),
        ("!status:403 and !status:404", &[1, 4]),
        ("not not status:403", &[2]),
        ("()", &[1, 2, 3, 4]),
        ("\"status:403\"", &[]),
    ]);
}

#[test]
fn coded_content_is_searched_too() {
    use std::io::Write;
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(b"<h1>Blocked</h1>").unwrap();
    let page = coder.finish().unwrap();
    let mut history = History::new(64 << 20);
    let answer = response(403, &[("Content-Encoding", "gzip")], &page);
    history.insert(exchange("10.0.0.1", 1, request("POST", "/", &[], b""), answer));
    assert_eq!(ids(&history, "body:blocked"), [1]);
}

#[test]
fn errors_say_where_and_what_would_be_right() {
    for (query, position, part) in [
        ("stauts:403", 0, "unknown key `stauts`: did you mean `status`?"),
        ("method:POST zzz:1", 12, "unknown key `zzz`: `?` lists the keys"),
        ("status:abc", 7, "`abc` is not a value of status: write 403, 4xx"),
        ("status:200,abc", 11, "`abc` is not a value"),
        ("status:", 7, "`status:` needs a value, for example `status:403,5xx`"),
        ("status:1,,2", 9, "a value is missing beside this comma"),
        ("cause:crsf", 6, "unknown cause `crsf`: did you mean `csrf`?"),
        ("outcome:x", 8, "unknown outcome `x`: known are complete"),
        ("is:succes", 3, "did you mean `success`?"),
        ("anomaly:bare", 8, "did you mean `bare-lf`?"),
        ("client:10.0.0", 7, "write 10.0.0.1, 10.0.0.0/8"),
        ("client:10.0.0.1:80", 7, "leave it out"),
        ("since:soon", 6, "`soon` is not a time: write 90s"),
        ("body:/(/", 5, "the regular expression is not valid: unclosed group"),
        ("header:=x", 7, "a name is missing before `=`"),
        ("(status:403", 0, "this `(` is never closed"),
        ("status:403)", 10, "this `)` has no `(`"),
        ("a or", 2, "`or` needs a term on both sides"),
        ("or a", 0, "`or` needs a term on both sides"),
        ("a and", 2, "`and` needs a term"),
        ("not", 0, "a term is missing after `not`"),
        ("body:\"x", 5, "this quote is never closed"),
    ] {
        let error = Filter::parse(query).unwrap_err();
        assert!(error.message.contains(part), "{query}: {}", error.message);
        assert_eq!(error.position, position, "{query}");
    }
    let deep = "(".repeat(200) + "a" + &")".repeat(200);
    assert!(Filter::parse(&deep).unwrap_err().message.contains("nested deeper"));
    assert!(Filter::parse(&"a ".repeat(5_000)).unwrap_err().message.contains("longer than"));
    assert_eq!(Filter::parse("zzz:1").unwrap_err().to_string().split(':').next(), Some("filter, column 1"));
}

#[test]
fn queries_explain_themselves() {
    for (query, words) in [
        ("", "everything"),
        (Filter::DEFAULT, "method POST and status 403"),
        ("status:403,5xx -path:/v1", "status 403 or 5xx and not path contains \"/v1\""),
        ("header:accept=json or header:x", "header accept contains \"json\" or header x is there"),
        ("not (a b)", "not (target contains \"a\" and target contains \"b\")"),
        ("since:5m host:*.x", "not older than 5m and host is like \"*.x\""),
    ] {
        assert_eq!(Filter::parse(query).unwrap().explain(), words);
    }
}

#[test]
fn completions_know_keys_and_what_was_seen() {
    let history = sample();
    let texts = |query: &str| -> Vec<String> {
        complete(query, query.len(), &history).into_iter().map(|c| c.text).collect()
    };
    assert_eq!(texts("sta"), ["status:"]);
    assert_eq!(texts("-sta"), ["status:"]);
    assert!(texts("").len() > 20);
    assert_eq!(texts("host:"), ["api.example.com", "shop:8080"]);
    assert_eq!(texts("status:403 method:P"), ["POST", "PUT"]);
    assert_eq!(texts("status:20"), ["200"]);
    assert_eq!(texts("cause:csr"), ["csrf"]);
    assert_eq!(texts("endpoint:users"), ["\"POST api.example.com/v1/users/{id}\""]);
    assert_eq!(texts("path:users"), ["/v1/users/*"]);
    assert!(texts("nokey:x").is_empty());
    let completion = &complete("method:GET (status:200,40", 25, &history)[0];
    assert_eq!((completion.replaces.clone(), &*completion.text), (23..25, "403"));
}

#[test]
fn evicted_exchanges_are_not_selected() {
    let mut history = History::new(3 << 20);
    let body = vec![b'x'; 10_000];
    for n in 0..600 {
        let sent = request("POST", &format!("/p{}", n % 3), &[("Host", "h")], &body);
        history.insert(exchange("10.0.0.1", n, sent, response(if n % 7 == 0 { 403 } else { 200 }, &[], b"")));
    }
    assert!(history.evicted() > 0);
    let found = ids(&history, "path:/p1");
    assert!(!found.is_empty() && found.iter().all(|id| history.get(ExchangeId(*id)).is_some()));
    assert_eq!(ids(&history, "").len(), history.len());
    assert_eq!(ids(&history, "-path:/p1").len() + found.len(), history.len());
}

#[test]
fn heads_beyond_the_bound_of_shapes_are_looked_at() {
    let mut history = History::new(64 << 20);
    for n in 0..crate::history::store::shapes::MAX_SHAPES as i64 + 50 {
        let name = format!("X-{n}");
        let sent = request("POST", "/", &[(&name, "a"), ("Cookie", "c=1")], b"");
        history.insert(exchange("10.0.0.1", n, sent, response(200, &[("Content-Encoding", "gzip")], b"x")));
    }
    assert_eq!(ids(&history, "header:x-4140").len(), 1);
    assert_eq!(ids(&history, "header:x-414*=a").len(), 1 + 6);
    assert_eq!(ids(&history, "cookie:c").len(), history.len());
    assert!(ids(&history, "request-header:content-encoding").is_empty());
    assert_eq!(ids(&history, "body:x").len(), history.len());
}

fn query() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        Just("status:403,5xx".to_owned()),
        Just("method:POST".to_owned()),
        Just("path:/v1/*".to_owned()),
        Just("header:\"a b\"=\"c, d\"".to_owned()),
        Just("body:/a+b/i".to_owned()),
        Just("since:5m".to_owned()),
        Just("is:refusal".to_owned()),
        Just("host:\"x\\\"y\"".to_owned()),
        "[a-z]{1,6}",
    ];
    term.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|all| format!("({})", all.join(" "))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("({})", all.join(" or "))),
            inner.prop_map(|one| format!("not {one}")),
        ]
    })
}

/// Exchanges of every kind that the columns and texts treat apart.
fn any_exchange() -> impl Strategy<Value = Exchange> {
    let name = prop::sample::select(vec![
        "Host",
        "host",
        "Authorization",
        "X-A",
        "Cookie",
        "Content-Encoding",
        "X-B",
    ]);
    let value = prop::sample::select(vec!["", "a=1", "b=2; a=3", "curl/8", "h.example", "gzip", "Bearer x"]);
    let lines = move || prop::collection::vec((name.clone(), value.clone()), 0..5);
    let method = prop::sample::select(vec!["POST", "GET", "CONNECT", "X"]);
    let target = prop_oneof![
        prop::sample::select(vec![
            "/v1/users/7?v=2",
            "/v1",
            "h:443",
            "http://h/v1?a=1",
            "*",
            "",
            "/v1?v=%41#x"
        ])
        .prop_map(str::to_owned),
        "/[a-z]{1,3}(/[0-9]{1,2})?([?][av]=[a-c])?",
        (500_usize..520).prop_map(|len| "/".repeat(len)),
    ];
    let body = prop::sample::select(vec!["", "denied", "{\"a\":1}"]);
    (method, target, lines(), lines(), body.clone(), body, 0_u8..9).prop_map(
        |(method, target, sent, answered, asked, said, kind)| {
            let status = if kind < 4 { 403 } else { 200 };
            let mut made = exchange(
                "10.0.0.1",
                i64::from(kind),
                request(method, &target, &sent, asked.as_bytes()),
                response(status, &answered, said.as_bytes()),
            );
            match kind {
                7 => (made.response, made.outcome) = (None, Outcome::Reset),
                8 => (made.request, made.outcome) = (None, Outcome::Orphan),
                _ => {}
            }
            made
        },
    )
}

/// What texts and shapes of heads answer.
const TEXTS: [&str; 30] = [
    "path:/v1/*",
    "path:users",
    "path:=*",
    "path:=/v1",
    "path:/^$/",
    "/v1",
    "target:v=2",
    "/[?]v=/",
    "-target:v",
    "query:v",
    "query:v=A",
    "query:a=/^1/,v=b",
    "query:*",
    "header:authorization",
    "header:host",
    "header:x-*",
    "header:*",
    "header:x-a=curl",
    "header:x-*=/^b/",
    "header:x-a=curl,host",
    "header:host=h.example,x-b==gzip",
    "-header:cookie",
    "request-header:x-a=a",
    "response-header:x-a",
    "response-header:x-*=bearer",
    "cookie:a",
    "cookie:a=3",
    "-cookie:*",
    "body:denied",
    "header:x-a or path:/v1 status:403",
];

proptest! {
    /// Columns, texts and shapes answer as the exchanges themselves do ([`ids`] compares the two), holes or not.
    #[test]
    fn quick_answers_are_right(exchanges in prop::collection::vec(any_exchange(), 1..40), full in any::<bool>()) {
        let mut history = History::new(64 << 20);
        for exchange in exchanges {
            history.insert(exchange);
        }
        if full {
            for gone in (1..=history.last_id().0).step_by(3) {
                history.remove(ExchangeId(gone));
            }
        }
        for query in TEXTS {
            ids(&history, query);
        }
    }

    #[test]
    fn parsing_never_panics(text in "[ -~é]{0,60}") {
        if let Err(error) = Filter::parse(&text) {
            assert!(error.position <= text.len());
            assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn printing_and_parsing_agree(text in query()) {
        if let Ok(filter) = Filter::parse(&text) {
            let printed = filter.to_string();
            let again = Filter::parse(&printed).unwrap_or_else(|error| panic!("{text} -> {printed}: {error}"));
            assert_eq!(again.to_string(), printed);
            assert_eq!(again.explain(), filter.explain());
            let history = sample();
            assert_eq!(ids(&history, &text), ids(&history, &printed));
        }
    }

    #[test]
    fn whatever_parses_prints_what_parses(text in "[a-z:*/\"\\\\()!,= -]{0,30}") {
        if let Ok(filter) = Filter::parse(&text) {
            let printed = filter.to_string();
            let again = Filter::parse(&printed).unwrap_or_else(|error| panic!("{text:?} -> {printed:?}: {error}"));
            assert_eq!(again.explain(), filter.explain(), "{text:?} -> {printed:?}");
        }
    }
}
