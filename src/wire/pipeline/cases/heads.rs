//! Heads that are not what they should be.

use std::fmt::Write as _;

use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{Seen, Wire, get, post, reply};

fn head(fields: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n{fields}\r\n\r\nb")
}

fn exchange(request: &[u8], line: &str) {
    Wire::new().c(request).s(reply(403, "")).close().run().expect(&[line]);
    Wire::new().mss(1).c(request).s(reply(403, "")).close().run().expect(&[line]);
}

#[test]
fn obs_fold() {
    exchange(head("A: b\r\n c\r\n\td").as_bytes(), "POST /a 403 ok 1/0 obs-fold");
    let seen = Wire::new()
        .c(get("/a"))
        .s("HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n")
        .close()
        .run();
    seen.expect(&["GET /a 200 ok ./0 obs-fold"]);
}

#[test]
fn bare_lf_and_lone_cr() {
    let lf = "POST /a HTTP/1.1\nHost: x\nContent-Length: 1\n\nb";
    exchange(lf.as_bytes(), "POST /a 403 ok 1/0 bare-lf");
    exchange(head("A: b\rC: d").as_bytes(), "POST /a 403 ok 1/0 bare-cr");
}

#[test]
fn space_before_the_colon() {
    exchange(head("A : b").as_bytes(), "POST /a 403 ok 1/0 space-before-colon");
}

#[test]
fn empty_field_names_nul_and_non_ascii_in_values() {
    exchange(head(": b").as_bytes(), "POST /a 403 ok 1/0 empty-field-name");
    exchange(head("A: b\0c").as_bytes(), "POST /a 403 ok 1/0 invalid-field-value");
    exchange(head("A: \u{e4}").as_bytes(), "POST /a 403 ok 1/0 non-ascii-value");
    exchange(head("A@b: c").as_bytes(), "POST /a 403 ok 1/0 invalid-field-name");
}

#[test]
fn every_method() {
    for method in
        ["GET", "OPTIONS", "M-SEARCH", "PROPFIND", "VERSION-CONTROL", "QUERY", "x", "PURGE", "TRACE"]
    {
        let request = format!("{method} /a HTTP/1.1\r\nHost: x\r\n\r\n");
        exchange(request.as_bytes(), &format!("{method} /a 403 ok ./0"));
    }
}

#[test]
fn hosts_missing_and_repeated() {
    let seen = Wire::new().c("GET /a HTTP/1.1\r\n\r\n").s(reply(400, "")).close().run();
    assert!(seen.exchanges[0].anomalies.contains(crate::model::Anomaly::MissingHost));
    exchange(head("Host: y").as_bytes(), "POST /a 403 ok 1/0 duplicate-host");
}

#[test]
fn request_lines_that_servers_refuse() {
    exchange(b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "GET /a b 403 ok ./0 malformed-head");
    exchange(b"GET /aHTTP/1.1\r\nHost: x\r\n\r\n", "GET /a 403 ok ./0 malformed-head");
    exchange(b"GET /a HTTP/1.9\r\nHost: x\r\n\r\n", "GET /a 403 ok ./0 malformed-head");
}

#[test]
fn header_floods_are_cut_at_the_limit() {
    let limits = Limits { head: 4096, ..Limits::default() };
    let mut request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n".to_owned();
    for n in 0..5000 {
        let _ = write!(request, "X-{n}: y\r\n");
    }
    let wire = Wire::new()
        .mss(1000)
        .c(request + "\r\nabc" + &get("/b"))
        .s([reply(431, ""), reply(200, "")].concat());
    let seen = Seen::of(&wire.close().segs, limits);
    seen.expect(&["POST /a 431 ok 3/0 head-too-large ambiguous-framing", "GET /b 200 ok ./0"]);
    assert!(seen.exchanges[0].request.as_ref().unwrap().head.fields().raw().len() <= 4096 + 1000);
}

#[test]
fn more_fields_than_the_fast_path_takes() {
    let mut request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n".to_owned();
    for n in 0..500 {
        let _ = write!(request, "X-{n}: y\r\n");
    }
    let seen = Wire::new().c(request + "\r\nb").s(reply(200, "")).close().run();
    seen.expect(&["POST /a 200 ok 1/0"]);
    assert_eq!(seen.exchanges[0].request.as_ref().unwrap().head.fields().len(), 502);
}

#[test]
fn empty_lines_and_cruft_between_messages() {
    let requests = [post("/1", "a"), "\r\n".to_owned(), post("/2", "b")].concat();
    let wire = Wire::new().c(&requests).s([reply(200, ""), reply(200, "")].concat()).close();
    wire.run().expect(&["POST /1 200 ok 1/0", "POST /2 200 ok 1/0"]);
    for mss in [1, 7, 10_000] {
        let requests = [post("/1", "a"), "{\"more\":1}".to_owned(), get("/2")].concat();
        let responses = [reply(200, ""), "more".to_owned(), reply(403, "")].concat();
        let seen = Wire::new().mss(mss).c(&requests).s(&responses).close().run();
        let lines = seen.lines();
        assert_eq!(lines[0], "POST /1 200 ok 1/0 body-longer-than-content-length", "{mss}");
        assert!(lines[1].starts_with("GET /2 403 ok ./0 cruft-between-messages"), "{mss} {lines:?}");
        assert_eq!(seen.counters.skipped_bytes, 14);
    }
}
