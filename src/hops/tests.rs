//! Pairs of legs out of generated traffic: every pair is found, and none that is not there.

use std::time::Duration;

use super::{Hops, Place};
use crate::features::tests::{exchange, request, response};
use crate::model::{Exchange, LegRole, Request, Response, Timestamp};

const MICRO: i64 = 1_000;
const PROXY: &str = "10.0.0.1:80";
const APP: &str = "10.0.0.2:8080";

/// An exchange from `client` to `server` that begins at `start` and is answered after `wait`, in nanoseconds.
fn at(client: &str, server: &str, (start, wait): (i64, i64), asked: Request, answered: Response) -> Exchange {
    let mut one = exchange("10.0.0.9", 0, asked, answered);
    one.client = client.parse().unwrap();
    one.server = server.parse().unwrap();
    let (start, end) = (Timestamp(start), Timestamp(start + wait));
    if let Some(request) = &mut one.request {
        (request.started, request.ended) = (start, start);
    }
    if let Some(response) = &mut one.response {
        (response.started, response.ended) = (end, end);
    }
    one
}

/// What comes out of the exchanges in the order in which they end.
fn places(mut exchanges: Vec<Exchange>) -> Vec<(Exchange, Place)> {
    exchanges.sort_by_key(|one| one.response.as_ref().map(|response| response.ended));
    let (mut hops, mut found) = (Hops::patient(), Vec::new());
    for exchange in exchanges {
        hops.push(exchange, Duration::ZERO);
        while let Some(arrival) = hops.next(Duration::ZERO, false) {
            found.push((arrival.exchange, arrival.place));
        }
    }
    while let Some(arrival) = hops.next(Duration::ZERO, true) {
        found.push((arrival.exchange, arrival.place));
    }
    found
}

/// The number that a generated request carries.
fn tag(exchange: &Exchange) -> Option<&str> {
    exchange.request.as_ref()?.head.fields().text("x-tag")
}

/// Pairs found, and how many of them are wrong.
fn pairs(found: &[(Exchange, Place)]) -> (usize, usize) {
    let (mut all, mut wrong) = (0, 0);
    for (outer, place) in found {
        for (number, _) in &place.inner {
            let (inner, _) = found.iter().find(|(_, place)| place.number == *number).unwrap();
            all += 1;
            wrong += usize::from(tag(outer) != tag(inner) || outer.server == inner.server);
        }
    }
    (all, wrong)
}

/// `count` requests at 2,000 a second through a proxy, with latencies that vary, so that many are under way at once. `mark` makes
/// the target and the content of the nth.
fn traffic(count: i64, mark: impl Fn(i64) -> (String, String), prefix: &str) -> Vec<Exchange> {
    let mut exchanges = Vec::new();
    for number in 0..count {
        let start = number * 500 * MICRO;
        let wait = (2_000 + number * 7919 % 30_000) * MICRO;
        let (target, content) = mark(number);
        let (client, tag) =
            (format!("198.51.100.{}:{}", number % 200 + 1, 10_000 + number % 50_000), number.to_string());
        let fields = [
            ("Host", "shop.example"),
            ("User-Agent", "app/1"),
            ("Authorization", "Bearer t"),
            ("X-Tag", &tag),
        ];
        let passed = [("Host", "backend"), ("User-Agent", "app/1"), ("Connection", "close"), ("X-Tag", &tag)];
        let status = if number % 10 == 0 { 403 } else { 200 };
        let ask = |target: &str, fields: &[(&str, &str)]| request("POST", target, fields, content.as_bytes());
        exchanges.push(at(
            &client,
            PROXY,
            (start, wait),
            ask(&target, &fields),
            response(status, &[], b"{}"),
        ));
        let behind = format!("10.0.0.1:{}", 20_000 + number % 40_000);
        let times = (start + 200 * MICRO, wait - 400 * MICRO);
        let target = format!("{prefix}{target}");
        exchanges.push(at(&behind, APP, times, ask(&target, &passed), response(status, &[], b"{}")));
    }
    exchanges
}

#[test]
fn two_thousand_requests_a_second_are_all_paired_and_none_wrongly() {
    for (name, mark, prefix) in [
        ("own paths", (|n| (format!("/v1/orders/{n}"), "{}".to_owned())) as fn(i64) -> (String, String), ""),
        ("own contents", |n| ("/v1/orders".to_owned(), format!("{{\"order\":{n}}}")), ""),
        ("one path", |_| ("/v1/orders".to_owned(), "{}".to_owned()), ""),
        ("a path rewritten", |n| (format!("/v1/orders/{n}"), "{}".to_owned()), "/internal"),
    ] {
        let found = places(traffic(4_000, mark, prefix));
        assert_eq!(found.len(), 8_000, "{name}: every exchange comes out");
        let (all, wrong) = pairs(&found);
        assert_eq!(wrong, 0, "{name}");
        assert!(all * 1000 >= 4_000 * 999, "{name}: {all} of 4000 paired");
        let order: Vec<u64> = found.iter().map(|(_, place)| place.number).collect();
        assert!(order.is_sorted(), "{name}: in order");
    }
}

/// Requests of the same client to two servers, none of which asks the other.
#[test]
fn servers_side_by_side_are_not_paired() {
    let mut exchanges = Vec::new();
    for number in 0..1_000 {
        let start = number * 500 * MICRO;
        for (server, wait) in [(PROXY, 9_000), (APP, 3_000)] {
            let fields = [("Host", "shop.example"), ("User-Agent", "app/1")];
            let asked = request("POST", "/v1/orders", &fields, b"{}");
            exchanges.push(at(
                "198.51.100.7:4000",
                server,
                (start, wait * MICRO),
                asked,
                response(403, &[], b"no"),
            ));
        }
    }
    assert_eq!(pairs(&places(exchanges)).0, 0);
}

#[test]
fn what_contradicts_is_no_leg() {
    let outer = || {
        request("POST", "/a", &[("X-Tag", "1"), ("Traceparent", "00-aaaaaaaaaaaaaaaa-1-01")], b"same content")
    };
    for (name, inner) in [
        ("another field", request("POST", "/a", &[("X-Tag", "2")], b"same content")),
        ("another content", request("POST", "/a", &[("X-Tag", "1")], b"other content")),
        (
            "another trace",
            request("POST", "/a", &[("Traceparent", "00-bbbbbbbbbbbbbbbb-1-01")], b"same content"),
        ),
        ("another client", request("POST", "/a", &[("X-Forwarded-For", "192.0.2.1")], b"same content")),
        ("another method", request("PUT", "/a", &[("X-Tag", "1")], b"same content")),
    ] {
        let found = places(vec![
            at("198.51.100.7:4000", PROXY, (0, 9_000 * MICRO), outer(), response(403, &[], b"no")),
            at("10.0.0.1:5000", APP, (1_000 * MICRO, 3_000 * MICRO), inner, response(403, &[], b"no")),
        ]);
        assert_eq!(pairs(&found).0, 0, "{name}");
    }
}

#[test]
fn three_legs_and_an_authorization_check() {
    let fields = [("X-Tag", "1"), ("User-Agent", "app/1"), ("Accept", "*/*")];
    let check = [("X-Tag", "1"), ("User-Agent", "app/1"), ("X-Original-URI", "/a")];
    let ask = || request("POST", "/a", &fields, b"content");
    let found = places(vec![
        at("198.51.100.7:4000", PROXY, (0, 9_000_000), ask(), response(403, &[], b"no")),
        at(
            "10.0.0.1:5000",
            "10.0.0.3:9000",
            (100_000, 500_000),
            request("GET", "/auth", &check, b""),
            response(200, &[], b""),
        ),
        at("10.0.0.1:5001", "10.0.0.2:8080", (1_000_000, 7_000_000), ask(), response(403, &[], b"no")),
        at("10.0.0.2:5002", "10.0.0.4:8081", (2_000_000, 4_000_000), ask(), response(403, &[], b"no")),
    ]);
    let legs: Vec<Vec<(u64, LegRole)>> = found.iter().map(|(_, place)| place.inner.clone()).collect();
    assert_eq!(
        legs,
        [vec![], vec![], vec![(1, LegRole::Forwarded)], vec![(0, LegRole::Check), (2, LegRole::Forwarded)]]
    );
    assert!(found.iter().take(3).all(|(_, place)| place.outer.is_some()));
}

#[test]
fn nothing_is_held_back_for_longer_than_the_bound() {
    let mut hops = Hops::patient();
    let one = || {
        at(
            "10.0.0.1:5000",
            "10.0.0.1:80",
            (0, MICRO),
            request("POST", "/a", &[], b""),
            response(403, &[], b""),
        )
    };
    hops.push(one(), Duration::ZERO);
    assert!(hops.next(Duration::ZERO, false).is_none());
    assert_eq!(hops.held_for(Duration::ZERO), Some(super::HOLD));
    assert!(hops.next(super::HOLD, false).is_some());
    for _ in 0..super::MAX_HELD + 10 {
        hops.push(one(), Duration::ZERO);
        while hops.next(Duration::ZERO, false).is_some() {}
    }
    assert!(hops.held.len() <= super::MAX_HELD);
}
