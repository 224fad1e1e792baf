//! Records of many kinds joined to exchanges, with clocks that are off.

use std::fmt::Write;

use super::{Journal, Patterns, join};
use crate::explain::fixture::exchanges;
use crate::history::History;
use crate::model::{Exchange, LogMatch, LogMatchKind};

/// Nine requests of three clients, the last three refused.
const TRAFFIC: &str = "
@ 10.2.0.{5|6|7}
POST /v1/orders
Host: api.example
X-Request-Id: req-{hex}

{}
--- 201 x6
Server: nginx
+++
--- 403 x3
Server: nginx
";

fn history(exchanges: Vec<Exchange>) -> History {
    let mut history = History::new(64 << 20);
    for exchange in exchanges {
        history.insert(exchange);
    }
    history
}

/// The best match of every refusal, in their order.
fn best(exchanges: Vec<Exchange>, log: &str) -> Vec<Option<LogMatch>> {
    let patterns = Patterns::read(&crate::knowledge::Sources::default()).unwrap();
    let history = history(exchanges);
    let mut journal = Journal::new(2026);
    let file = journal.add_file("server.log");
    for line in log.lines() {
        journal.add_line(file, line.as_bytes(), &patterns);
    }
    let found = join(&journal, &history, &patterns);
    let refusals = history.iter().filter(|record| record.exchange.is_refusal());
    refusals.map(|record| found.get(&record.exchange.id).and_then(|all| all.first().cloned())).collect()
}

fn time(exchange: &Exchange, ahead: i64) -> String {
    let ended = exchange.response.as_ref().map_or(0, |response| response.ended.0) + ahead * 1_000_000_000;
    jiff::Timestamp::from_nanosecond(i128::from(ended)).unwrap().strftime("%Y/%m/%d %H:%M:%S").to_string()
}

fn refused(exchanges: &[Exchange]) -> impl Iterator<Item = &Exchange> {
    exchanges.iter().filter(|exchange| exchange.is_refusal())
}

#[test]
fn an_error_line_without_a_port_is_tied_by_time_and_path_whatever_the_clock() {
    for ahead in [0, 5, -3, 3600, 7200, -5 * 3600] {
        let exchanges = exchanges(TRAFFIC);
        let mut log = String::new();
        for exchange in refused(&exchanges) {
            let (at, client) = (time(exchange, ahead), exchange.client.ip());
            let _ = writeln!(
                log,
                "{at} [error] 7#7: *1 access forbidden by rule, client: {client}, server: , request: \"POST /v1/orders HTTP/1.1\""
            );
        }
        let found = best(exchanges, &log);
        for (number, one) in found.iter().enumerate() {
            let one =
                one.as_ref().unwrap_or_else(|| panic!("{ahead} s ahead: no match for refusal {number}"));
            assert_eq!(
                (one.line, one.kind),
                (number as u64 + 1, LogMatchKind::TimeAndPath),
                "{ahead} s ahead"
            );
            assert!(one.confidence >= 0.8, "{ahead} s ahead: {}", one.confidence);
        }
    }
}

#[test]
fn a_request_id_beats_everything() {
    let exchanges = exchanges(TRAFFIC);
    let id = |exchange: &Exchange| {
        exchange.request.as_ref().unwrap().head.fields().text("x-request-id").unwrap().to_owned()
    };
    let ids: Vec<String> = refused(&exchanges).map(id).collect();
    let mut log = String::new();
    for id in ids.iter().rev() {
        let _ = writeln!(log, "{{\"msg\":\"role missing\",\"request_id\":\"{id}\"}}");
    }
    let found = best(exchanges, &log);
    let lines: Vec<_> = found.iter().flatten().map(|one| (one.line, one.kind)).collect();
    assert_eq!(lines, [3, 2, 1].map(|line| (line, LogMatchKind::RequestId)));
}

#[test]
fn client_and_port_are_enough() {
    let exchanges = exchanges(TRAFFIC);
    let mut log = String::new();
    for exchange in &exchanges {
        let _ = writeln!(
            log,
            "INFO:     {} - \"POST /v1/orders HTTP/1.1\" {}",
            exchange.client,
            exchange.status().unwrap()
        );
    }
    let found = best(exchanges, &log);
    assert!(
        found.iter().flatten().all(|one| one.kind == LogMatchKind::ClientPort && one.line > 6),
        "{found:?}"
    );
    assert_eq!(found.iter().flatten().count(), 3);
}

#[test]
fn a_bare_complaint_belongs_to_the_access_line_that_follows() {
    let exchanges = exchanges(TRAFFIC);
    let mut log = String::new();
    for exchange in &exchanges {
        let status = exchange.status().unwrap();
        if status == 403 {
            log.push_str("AuthError: scope orders:write is missing\n    at check (/srv/app.js:1:2)\n");
        }
        let _ = writeln!(log, "{} - - [x] \"POST /v1/orders HTTP/1.1\" {status} 12", exchange.client.ip());
    }
    let found = best(exchanges, &log);
    for one in found.iter().map(|one| one.as_ref().unwrap()) {
        assert!(one.text.starts_with("AuthError"), "{}", one.text);
        assert_eq!(one.kind, LogMatchKind::Order);
    }
}

#[test]
fn records_of_other_requests_are_never_tied() {
    for line in [
        "10.9.9.9 - - [22/Nov/2026:08:29:17 +0000] \"POST /other HTTP/1.1\" 403 12",
        "2001/01/01 00:00:00 [error] 7#7: *1 access forbidden by rule, client: 10.9.9.9, request: \"POST /v1/orders HTTP/1.1\"",
        "INFO: 10.2.0.5:1 - \"DELETE /v1/orders HTTP/1.1\" 403",
        "started with 8 workers",
        "",
    ] {
        let found = best(exchanges(TRAFFIC), line);
        assert!(found.iter().all(Option::is_none), "{line}: {found:?}");
    }
}
