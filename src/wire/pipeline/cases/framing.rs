//! Where messages end (RFC 9112 §6.3), and what receivers disagree about.

use crate::model::BodyEnd;
use crate::wire::pipeline::cases::harness::{Wire, get, post, reply};

fn chunked(body: &str) -> String {
    format!("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

fn exchange(request: &str, lines: &[&str]) {
    Wire::new().c(request).s(reply(200, "")).close().run().expect(lines);
    // However it is cut.
    Wire::new().mss(1).c(request).s(reply(200, "")).close().run().expect(lines);
}

#[test]
fn transfer_encoding_with_content_length() {
    let request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    exchange(request, &["POST /a 200 ok 3/0 transfer-encoding-with-content-length ambiguous-framing"]);
}

#[test]
fn content_length_repeated_and_differing() {
    let twice = |a: &str, b: &str| {
        format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {a}\r\nContent-Length: {b}\r\n\r\nabc")
    };
    exchange(&twice("3", "3"), &["POST /a 200 ok 3/0 duplicate-content-length"]);
    let list = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc";
    exchange(list, &["POST /a 200 ok 3/0 duplicate-content-length"]);
    exchange(&twice("3", "7"), &["POST /a 200 ok 3/0 conflicting-content-length ambiguous-framing"]);
}

#[test]
fn content_length_with_plus_minus_underscore_empty_and_too_large() {
    let with = |value: &str, body: &str| {
        format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {value}\r\n\r\n{body}")
    };
    let odd = "invalid-content-length ambiguous-framing";
    exchange(&with("+3", "abc"), &[&format!("POST /a 200 ok 3/0 {odd}")]);
    exchange(&with("1_0", "0123456789"), &[&format!("POST /a 200 ok 10/0 {odd}")]);
    exchange(&with("-3", ""), &[&format!("POST /a 200 ok ./0 {odd}")]);
    exchange(&with("", ""), &[&format!("POST /a 200 ok ./0 {odd}")]);
    exchange(&with("99999999999999999999", ""), &[&format!("POST /a 200 ok ./0 {odd}")]);
    let huge = Wire::new().c(with("18446744073709551615", "abc")).s(reply(413, "")).close().run();
    huge.expect(&[
        "POST /a 413 partial 3(ClosedEarly)/0 invalid-content-length early-response ambiguous-framing",
    ]);
}

#[test]
fn chunk_extensions() {
    exchange(&chunked("3;a=b;c\r\nabc\r\n0;d\r\n\r\n"), &["POST /a 200 ok 3/0 chunk-extension"]);
}

#[test]
fn lenient_chunk_sizes() {
    let odd = "invalid-chunk ambiguous-framing";
    exchange(&chunked("0x3\r\nabc\r\n0\r\n\r\n"), &[&format!("POST /a 200 ok 3/0 {odd}")]);
    exchange(&chunked("1_0\r\n0123456789abcdef\r\n0\r\n\r\n"), &[&format!("POST /a 200 ok 16/0 {odd}")]);
    exchange(&chunked("\r\nabc"), &[&format!("POST /a 200 partial 0(Lost)/0 {odd}")]);
    exchange(&chunked("10000000000000000\r\nabc"), &[&format!("POST /a 200 partial 0(Lost)/0 {odd}")]);
}

#[test]
fn trailers() {
    let request = chunked("3\r\nabc\r\n0\r\nX-Sum: 1\r\nX-Odd : 2\r\n\r\n");
    let seen = Wire::new().c(request).s(reply(200, "")).close().run();
    seen.expect(&["POST /a 200 ok 3/0 space-before-colon trailers"]);
    let body = &seen.exchanges[0].request.as_ref().unwrap().body;
    assert_eq!(body.trailers().and_then(|fields| fields.text("x-sum")), Some("1"));
}

#[test]
fn transfer_encoding_lists_case_and_unknown_codings() {
    let with = |value: &str| {
        format!("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {value}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    };
    exchange(&with("Chunked"), &["POST /a 200 ok 3/0"]);
    exchange(&with("gzip, chunked"), &["POST /a 200 ok 3/0 unknown-transfer-coding"]);
    exchange(
        &with("chunked, identity"),
        &["POST /a 200 ok 3/0 unknown-transfer-coding chunked-not-final ambiguous-framing"],
    );
    let unknown = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n";
    exchange(unknown, &["POST /a 200 ok ./0 unknown-transfer-coding ambiguous-framing"]);
    let folded = "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    exchange(folded, &["POST /a 200 ok 3/0 obs-fold ambiguous-framing"]);
}

#[test]
fn close_delimited_body_and_close_in_mid_body() {
    let seen = Wire::new().c(get("/a")).s("HTTP/1.1 200 OK\r\n\r\nall of it").close().run();
    seen.expect(&["GET /a 200 ok ./9(Close) close-delimited"]);
    let seen = Wire::new().c(get("/a")).s("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\npart").close().run();
    seen.expect(&["GET /a 200 partial ./4(ClosedEarly)"]);
    let seen = Wire::new().c(get("/a")).s("HTTP/1.1 200 OK\r\n\r\npart").rst(false).run();
    seen.expect(&["GET /a 200 partial ./4(Reset) close-delimited"]);
    let seen = Wire::new().c(get("/a")).s("HTTP/1.1 200 OK\r\n\r\npart").run();
    seen.expect(&["GET /a 200 partial ./4(Unfinished) close-delimited"]);
}

#[test]
fn head_204_and_304_with_content_length() {
    let head = |target: &str| format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    let bare = |status: u16| format!("HTTP/1.1 {status} X\r\nContent-Length: 100\r\n\r\n");
    let requests = [head("/1"), get("/2"), get("/3"), get("/4")].concat();
    let responses = [bare(200), bare(204), bare(304), reply(200, "x")].concat();
    Wire::new().c(requests).s(responses).close().run().expect(&[
        "HEAD /1 200 ok ./. length-without-body",
        "GET /2 204 ok ./. length-without-body",
        "GET /3 304 ok ./. length-without-body",
        "GET /4 200 ok ./1",
    ]);
}

#[test]
fn content_after_head_204_and_304_belongs_to_nothing() {
    let head = "HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\n";
    for (request, status) in [(head, 200), (&get("/1"), 204), (&get("/1"), 304)] {
        for mss in [1, 10_000] {
            let wire = Wire::new()
                .mss(mss)
                .c(request)
                .s(format!("HTTP/1.1 {status} X\r\nContent-Length: 4\r\n\r\nbody"));
            let seen = wire.c(get("/2")).s(reply(403, "x")).close().run();
            let lines = seen.lines();
            assert!(lines[0].ends_with("ok ./. length-without-body"), "{lines:?}");
            assert_eq!(lines[1], "GET /2 403 ok ./1 cruft-between-messages body-where-none-allowed");
            assert_eq!(seen.counters.skipped_bytes, 4);
        }
    }
}

#[test]
fn a_trace_with_content() {
    let request = "TRACE /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    exchange(request, &["TRACE /a 200 ok 3/0 body-where-none-allowed"]);
}

#[test]
fn http_1_0_closes_after_its_response() {
    let seen = Wire::new().c("GET /a HTTP/1.0\r\n\r\n").s("HTTP/1.0 200 OK\r\n\r\nabc").close().run();
    seen.expect(&["GET /a 200 ok ./3(Close) close-delimited"]);
}

#[test]
fn bodies_beyond_the_limit_are_counted() {
    let body = "x".repeat(200_000);
    let seen = Wire::new().mss(1460).c(post("/a", &body)).s(reply(200, &body)).close().run();
    seen.expect(&["POST /a 200 ok 200000/200000"]);
    let request = seen.exchanges[0].request.as_ref().unwrap();
    assert_eq!((request.body.kept.len(), request.body.is_truncated()), (64 << 10, true));
    assert_eq!(request.body.end, BodyEnd::Complete);
}
