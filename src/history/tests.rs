//! The history as its callers see it.

use super::related::Relation;
use super::store::columns::flag;
use super::{History, MAX_RELATED};
use crate::features::tests::{exchange, request, response};
use crate::model::{BaselineChoice, EndpointId, Exchange, ExchangeId, Part};

const BUDGET: u64 = 64 << 20;

fn post(client: &str, at: i64, target: &str, lines: &[(&str, &str)], status: u16) -> Exchange {
    exchange(client, at, request("POST", target, lines, b"{}"), response(status, &[], b""))
}

fn host(client: &str, at: i64, target: &str, status: u16) -> Exchange {
    post(client, at, target, &[("Host", "h")], status)
}

fn name(history: &History, id: ExchangeId) -> String {
    history.endpoint(history.get(id).unwrap().endpoint).unwrap().to_string()
}

#[test]
fn ids_count_from_one() {
    let mut history = History::new(BUDGET);
    for n in 1..=10_000 {
        assert_eq!(history.insert(host("10.0.0.1", n, "/a", 200)), ExchangeId(n as u64));
    }
    assert_eq!(history.len(), 10_000);
    assert_eq!(history.get(ExchangeId(7_000)).unwrap().exchange.id, ExchangeId(7_000));
    assert!(history.get(ExchangeId(0)).is_none());
    assert!(history.get(ExchangeId(10_001)).is_none());
    assert!(history.iter().map(|record| record.exchange.id.0).eq(1..=10_000));
}

#[test]
fn endpoints_have_no_values_and_no_query() {
    let mut history = History::new(BUDGET);
    let mut name_of = |target: &str, lines: &[(&str, &str)]| {
        let id = history.insert(post("10.0.0.1", 0, target, lines, 200));
        name(&history, id)
    };
    let host = [("Host", "API.example.com:80")];
    assert_eq!(name_of("/v1/users/7/profile?x=1", &host), "POST api.example.com/v1/users/{id}/profile");
    assert_eq!(name_of("/v1/users/8/profile/", &host), "POST api.example.com/v1/users/{id}/profile/");
    assert_eq!(name_of("http://Other:8080/a//b", &host), "POST other:8080/a//b");
    assert_eq!(name_of("/x", &[]), "POST 10.0.0.9/x");
    assert_eq!(name_of("*", &host), "POST api.example.com*");
    assert_eq!(name_of("", &host), "POST api.example.com");
}

#[test]
fn the_last_success_before_is_the_baseline() {
    let mut history = History::new(BUDGET);
    let first = history.insert(host("10.0.0.1", 10, "/u/1", 200));
    let second = history.insert(host("10.0.0.2", 20, "/u/2", 201));
    let refused = history.insert(host("10.0.0.1", 24, "/u/3", 403));
    let later = history.insert(host("10.0.0.3", 30, "/u/4", 200));
    let baseline = |choice| history.baseline(refused, choice).unwrap();
    assert_eq!(baseline(BaselineChoice::LastSuccess).id, second);
    assert_eq!(baseline(BaselineChoice::LastSuccess).why, "last success, 4.0 s earlier, another client");
    assert_eq!(baseline(BaselineChoice::SameClient).id, first);
    assert_eq!(baseline(BaselineChoice::SameClient).why, "last success, 14.0 s earlier, same client");
    assert_eq!(history.baseline(refused, BaselineChoice::SamePrincipal), None);
    assert_eq!(baseline(BaselineChoice::Pinned(later)).why, "pinned by hand, 6.0 s later, another client");
    assert!(history.successes(refused).eq([second, first, later]));
}

#[test]
fn the_first_success_after_serves_when_there_is_none_before() {
    let mut history = History::new(BUDGET);
    let refused = history.insert(host("10.0.0.1", 1, "/a", 403));
    assert_eq!(history.baseline(refused, BaselineChoice::LastSuccess), None);
    let other = history.insert(host("10.0.0.1", 2, "/b", 200));
    assert_eq!(history.baseline(refused, BaselineChoice::LastSuccess), None, "another path is no baseline");
    let after = history.insert(host("10.0.0.1", 3, "/a", 204));
    history.insert(host("10.0.0.1", 4, "/a", 200));
    let baseline = history.baseline(refused, BaselineChoice::LastSuccess).unwrap();
    assert_eq!(baseline.id, after);
    assert_eq!(baseline.why, "next success, 2.0 s later, same client");
    let pinned = history.baseline(refused, BaselineChoice::Pinned(other)).unwrap();
    assert!(pinned.why.starts_with("pinned by hand, another endpoint"), "{}", pinned.why);
}

#[test]
fn the_same_principal_is_found_from_another_client() {
    let mut history = History::new(BUDGET);
    let with = |client: &str, at, user: &str, status| {
        post(client, at, "/a", &[("Host", "h"), ("X-Api-Key", user)], status)
    };
    let own = history.insert(with("10.0.0.1", 1, "ann", 200));
    history.insert(with("10.0.0.1", 2, "bob", 200));
    let refused = history.insert(with("10.0.0.7", 3, "ann", 403));
    let baseline = history.baseline(refused, BaselineChoice::SamePrincipal).unwrap();
    assert_eq!(baseline.id, own);
    assert_eq!(baseline.why, "last success, 2.0 s earlier, same user, another client");
}

#[test]
fn the_most_similar_success_differs_least() {
    let mut history = History::new(BUDGET);
    let with = |at, agent: &str, accept: &str, status| {
        post("10.0.0.1", at, "/a", &[("Host", "h"), ("User-Agent", agent), ("Accept", accept)], status)
    };
    let close = history.insert(with(1, "curl", "text/html", 200));
    history.insert(with(2, "python", "application/json", 200));
    let refused = history.insert(with(3, "curl", "*/*", 403));
    assert_eq!(history.baseline(refused, BaselineChoice::MostSimilar).unwrap().id, close);
}

#[test]
fn successes_nearby_are_offered_but_are_no_baseline() {
    let mut history = History::new(BUDGET);
    history.insert(host("10.0.0.1", 1, "/v1/users/", 200));
    history.insert(host("10.0.0.1", 2, "/v2/users", 200));
    history.insert(host("10.0.0.1", 3, "/V1/Users", 200));
    history.insert(post("10.0.0.1", 4, "/v1/users", &[("Host", "other")], 200));
    let get =
        exchange("10.0.0.1", 5, request("GET", "/v1/users", &[("Host", "h")], b""), response(200, &[], b""));
    history.insert(get);
    let refused = history.insert(host("10.0.0.1", 6, "/v1/users", 403));
    assert_eq!(history.baseline(refused, BaselineChoice::LastSuccess), None);
    let related: Vec<_> = history.related_successes(refused).iter().map(|r| (r.id.0, r.relation)).collect();
    let expected = [
        (1, Relation::TrailingSlash),
        (3, Relation::Case),
        (4, Relation::Authority),
        (2, Relation::Version),
        (5, Relation::Method),
    ];
    assert_eq!(related, expected);
    assert!(related.len() <= MAX_RELATED);
}

#[test]
fn learning_a_segment_merges_endpoints_and_their_baselines() {
    let mut history = History::new(BUDGET);
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(history.insert(host("10.0.0.1", n, &format!("/users/u{n}x{n}y{n}/mail"), 200)));
    }
    let refused = history.insert(host("10.0.0.1", 50, "/users/fresh999/mail", 403));
    assert_eq!(name(&history, refused), "POST h/users/{name}/mail");
    assert!(ids.iter().all(|id| name(&history, *id) == "POST h/users/{name}/mail"));
    let endpoint = history.get(refused).unwrap().endpoint;
    assert!(history.iter().all(|record| record.endpoint == endpoint));
    assert_eq!(history.canonical(EndpointId(5)), endpoint, "old numbers stay valid");
    assert_eq!(history.endpoint_state(EndpointId(5)).unwrap().successes, 40);
    assert_eq!(history.baseline(refused, BaselineChoice::LastSuccess).unwrap().id, ExchangeId(40));
    let last =
        history.chunks().flat_map(|chunk| &chunk.columns().flags).filter(|flags| **flags & flag::LAST != 0);
    assert_eq!(last.count(), 1);
}

#[test]
fn hostile_paths_cannot_use_up_the_memory() {
    let mut history = History::new(32 << 20);
    for n in 0..60_000_u64 {
        let word = |mut n: u64| -> String {
            let mut text = String::new();
            while n > 0 {
                text.push(char::from(b'a' + (n % 26) as u8));
                n /= 26;
            }
            text
        };
        let (path, host) = (format!("/{}/{}", word(n * 7919), word(n)), word(n / 3));
        history.insert(post("10.0.0.1", 0, &path, &[("Host", &host)], 200));
        assert!(history.memory() <= 32 << 20);
    }
    assert!(
        history.endpoints().count() <= super::endpoints::MAX_ENDPOINTS + super::endpoints::MAX_AUTHORITIES
    );
    assert!(history.len() > 100);
}

#[test]
fn old_successes_leave_first_then_old_refusals_then_baselines() {
    let mut history = History::new(6 << 20);
    let body = vec![b'x'; 20_000];
    let big = |at, target: &str, status| {
        exchange("10.0.0.1", at, request("POST", target, &[("Host", "h")], &body), response(status, &[], b""))
    };
    let baseline = history.insert(big(0, "/quiet", 200));
    let mut refusals = Vec::new();
    for n in 1..400 {
        history.insert(big(n, "/busy", 200));
        if n % 10 == 0 {
            refusals.push(history.insert(big(n, "/busy", 403)));
        }
        assert!(history.memory() <= 6 << 20, "{}", history.memory());
    }
    assert!(history.evicted() > 100);
    assert_eq!(history.len() as u64 + history.evicted(), history.last_id().0);
    assert!(history.get(baseline).is_some(), "the last success of an endpoint stays");
    assert!(refusals.iter().all(|id| history.get(*id).is_some()), "refusals outlive successes");
    let last = *refusals.last().unwrap();
    assert!(history.baseline(last, BaselineChoice::LastSuccess).is_some());
    for n in 400..900 {
        history.insert(big(n, "/busy", 403));
        assert!(history.memory() <= 6 << 20);
    }
    assert!(history.get(refusals[0]).is_none(), "old refusals leave when no other success is left");
    assert!(history.get(baseline).is_some());
    assert!(history.iter().map(|record| record.exchange.id).is_sorted());
    for n in 900..1500 {
        history.insert(big(
            n,
            &format!("/many/{}", "abcdefghij".repeat(1 + n as usize % 5) + &n.to_string()),
            200,
        ));
        assert!(history.memory() <= 6 << 20, "baselines leave when nothing else is left");
    }
}

#[test]
fn a_budget_too_small_keeps_the_newest() {
    let mut history = History::new(0);
    for n in 1..100 {
        let id = history.insert(host("10.0.0.1", n, "/a", 200));
        assert_eq!(history.len(), 1);
        assert!(history.get(id).is_some());
    }
}

#[test]
fn what_varies_between_successes_is_learnt() {
    let mut history = History::new(BUDGET);
    for n in 0..20 {
        let trace = format!("t{n}");
        let lines = [("Host", "h"), ("X-Trace", &*trace), ("Accept", "*/*")];
        history.insert(post("10.0.0.1", n, "/a?v=1", &lines, 200));
    }
    let endpoint = history.get(ExchangeId(1)).unwrap().endpoint;
    let of = |name: &str| history.variation(endpoint, Part::RequestHeader, name);
    assert!(of("x-trace").varies() && of("x-trace").is_always_present());
    assert!(!of("accept").varies() && of("accept").is_always_present());
    assert_eq!(of("missing").present, 0);
    assert!(!history.variation(endpoint, Part::Query, "v").varies());
    assert!(of("accept").samples >= 9);
}

proptest::proptest! {
    #[test]
    fn any_order_of_sizes_stays_in_bounds(sizes in proptest::collection::vec((0_usize..60_000, 0_u8..4, 0_u8..5), 1..120)) {
        let mut history = History::new(3 << 20);
        for (at, (size, kind, path)) in sizes.iter().enumerate() {
            let status = [200, 403, 500, 302][usize::from(*kind)];
            let body = vec![b'a'; *size];
            let sent = request("POST", &format!("/p{path}"), &[("Host", "h")], &body);
            let id = history.insert(exchange("10.0.0.1", at as i64, sent, response(status, &[], b"")));
            assert!(history.memory() <= 3 << 20);
            assert!(history.get(id).is_some());
            assert_eq!(history.iter().count(), history.len());
        }
        for record in history.iter().collect::<Vec<_>>() {
            assert_eq!(history.get(record.exchange.id).unwrap().exchange.id, record.exchange.id);
            let _ = history.baseline(record.exchange.id, BaselineChoice::LastSuccess);
        }
    }
}

#[test]
fn a_refusal_that_leaves_costs_the_same_however_many_left_before() {
    use crate::step_counter;
    let mut history = History::new(4 << 20);
    let mut insert = |from: i64, count: i64| {
        let before = step_counter::done();
        for number in from..from + count {
            let key = format!("Bearer key-{number}");
            let target = format!("/v1/orders/{number}?x={number}");
            history.insert(post("10.0.0.1", number, &target, &[("Host", "h"), ("Authorization", &key)], 403));
        }
        (step_counter::done() - before, history.evicted())
    };
    insert(0, 8_000);
    let (first, left) = insert(8_000, 6_000);
    let (then, gone) = insert(14_000, 12_000);
    assert!(left > 6_000 && gone - left >= 12_000, "{left} and {gone}");
    assert!(then <= 2 * first + 2 * 4096 && then < 12_000 * 16, "{first} then {then}");
}
