//! Messages that are not where or what they should be: every one is kept, paired and named.

use crate::model::Outcome;
use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{Seen, Wire, get, post, reply};

/// The same lines however the bytes are cut.
#[track_caller]
fn both(wire: impl Fn(usize) -> Wire, lines: &[&str]) {
    for mss in [1, 5, 10_000] {
        let seen = wire(mss).run();
        assert_eq!(seen.lines(), lines, "cut at {mss}");
    }
}

fn short(target: &str, announced: usize, body: &str) -> String {
    format!("POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n{body}")
}

#[test]
fn content_beyond_its_length_is_no_method() {
    for body in ["abck1=v&k2=v", "abc{\"n\":1}", "abcdef", "abc\r\n--B--", "abc1"] {
        let wire = |mss| {
            let wire = Wire::new().mss(mss).c(short("/a", 3, body)).s(reply(200, "")).c(get("/b"));
            wire.s(reply(403, "no")).close()
        };
        let seen = wire(10_000).run();
        assert_eq!(
            seen.lines(),
            [
                "POST /a 200 ok 3/0 body-longer-than-content-length",
                "GET /b 403 ok ./2 cruft-between-messages"
            ],
            "{body}"
        );
        let cut = wire(1).run();
        assert_eq!(cut.exchanges[1].method(), "GET", "{body} {:?}", cut.lines());
        assert!(cut.lines().iter().any(|line| line.contains("body-longer")), "{body} {:?}", cut.lines());
    }
}

#[test]
fn content_beyond_its_length_is_answered_by_a_400() {
    let wire = Wire::new().c(short("/a", 3, "abck1=v")).s(reply(403, "")).s(reply(400, "")).close();
    wire.run().expect(&[
        "POST /a 403 ok 3/0 body-longer-than-content-length",
        "-  400 orphan-response -/0 cruft-between-messages unexpected-response",
    ]);
}

#[test]
fn a_response_longer_than_its_length() {
    let long = "HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno, never";
    let wire = |mss| Wire::new().mss(mss).c(get("/a")).s(long).c(get("/b")).s(reply(200, "")).close();
    both(wire, &["GET /a 403 ok ./2", "GET /b 200 ok ./0 cruft-between-messages"]);
}

#[test]
fn pipelined_requests_are_no_longer_body() {
    let all = [post("/a", "x"), post("/b", "y"), "X-GET /c HTTP/1.1\r\nHost: x\r\n\r\n".into()].concat();
    let wire = |mss| Wire::new().mss(mss).c(&all).s(reply(200, "").repeat(3)).close();
    both(wire, &["POST /a 200 ok 1/0", "POST /b 200 ok 1/0", "X-GET /c 200 ok ./0"]);
}

#[test]
fn white_space_before_the_request_line() {
    for before in [" ", "\t", "\r\n \r\n", "\r\n\r\n\r\n"] {
        let request = [before, &post("/a", "b")].concat();
        let wire = |mss| Wire::new().mss(mss).c(&request).s(reply(403, "no")).close();
        both(wire, &["POST /a 403 ok 1/2 white-space-before-start-line"]);
    }
    let wire = |mss| Wire::new().mss(mss).c(["\r\n", &post("/a", "b")].concat()).s(reply(403, "no")).close();
    both(wire, &["POST /a 403 ok 1/2"]);
    let wire = |mss| {
        let wire = Wire::new().mss(mss).c(post("/a", "b")).s(reply(200, "")).c([" ", &get("/b")].concat());
        wire.s(reply(403, "")).close()
    };
    both(wire, &["POST /a 200 ok 1/0", "GET /b 403 ok ./0 white-space-before-start-line"]);
}

#[test]
fn tabs_and_bytes_above_ascii_in_the_request_line() {
    let rest = b" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb".as_slice();
    let line = |line: &[u8], rest: &[u8]| [line, rest].concat();
    for (request, method) in [
        (line(b"POST\t/a", rest), "POST"),
        (line(b"POST /a\tb", rest), "POST"),
        (line(b"POST /\xff\xe9", rest), "POST"),
        (line(b"P\xd6ST /a", rest), "ST"),
        (line(b"\xef\xbb\xbfPOST /a", rest), "\u{feff}POST"),
    ] {
        for mss in [1, 7, 10_000] {
            let seen = Wire::new().mss(mss).c(&request).s(reply(403, "no")).close().run();
            let exchange = &seen.exchanges[0];
            assert_eq!((exchange.method(), exchange.status()), (method, Some(403)), "{:?}", seen.lines());
            let odd = exchange.anomalies.iter().map(crate::model::Anomaly::name).collect::<Vec<_>>();
            assert!(odd.contains(&"malformed-head") || odd.contains(&"non-ascii-value"), "{odd:?}");
        }
    }
}

#[test]
fn a_request_line_that_never_ended() {
    for (part, target) in [("POST /slow", "/slow"), ("POST ", ""), ("POST /a HTTP/1", "/a")] {
        let wire = |mss| Wire::new().mss(mss).c(part).s(reply(408, "")).close();
        for mss in [1, 10_000] {
            let seen = wire(mss).run();
            let line = format!("POST {target} 408 partial 0(ClosedEarly)/0 early-response malformed-head");
            assert_eq!(seen.lines(), [line], "{part:?}");
        }
    }
    // Nothing that names a method: the response stands alone.
    let seen = Wire::new().c("POS").s(reply(408, "")).close().run();
    seen.expect(&["-  408 orphan-response -/0 unexpected-response"]);
}

#[test]
fn what_is_not_http_is_no_missing_response() {
    for answer in
        [&b"Hello World!"[..], b"\0HTTP/1.1 403 F\r\n\r\n", b"<html>403</html>\n", b"220 mail\r\n", b"H"]
    {
        for mss in [1, 10_000] {
            let seen = Wire::new().mss(mss).c(post("/a", "b")).s(answer).close().run();
            seen.expect(&["POST /a - not-http-response 1/-"]);
            assert_eq!(seen.exchanges[0].not_http.as_deref(), Some(answer));
        }
    }
    // The connection stays open, or is reset.
    for wire in [Wire::new().c(get("/a")).s("plain"), Wire::new().c(get("/a")).s("plain").rst(false)] {
        assert_eq!(wire.run().exchanges[0].outcome, Outcome::NotHttp);
    }
    let seen = Wire::new().c("GET /\r\n").s("<p>0.9</p>").close().run();
    seen.expect(&["GET / - not-http-response 0(ClosedEarly)/- malformed-head"]);
}

#[test]
fn what_is_not_http_belongs_to_the_request_before_it() {
    let wire = Wire::new().c(get("/a")).s(reply(200, "")).c(get("/b")).s("oops").c(get("/c")).close();
    let seen = wire.run();
    assert_eq!(seen.exchanges[1].not_http.as_deref(), Some(&b"oops"[..]));
    seen.expect(&[
        "GET /a 200 ok ./0",
        "GET /b - not-http-response ./-",
        "GET /c - closed-without-response ./-",
    ]);
    // Cruft before the request was sent is no answer to it.
    let seen = Wire::new().c(get("/a")).s(reply(200, "")).s("oops").c(get("/b")).close().run();
    seen.expect(&["GET /a 200 ok ./0", "GET /b - closed-without-response ./-"]);
}

#[test]
fn what_is_kept_of_it_is_bounded() {
    let seen = Wire::new().mss(100).c(get("/a")).s("x".repeat(100_000)).close().run();
    let kept = seen.exchanges[0].not_http.as_deref().map(<[u8]>::len);
    assert_eq!(kept, Some(crate::model::NOT_HTTP_KEPT));
}

#[test]
fn a_response_whose_last_coding_is_not_chunked_ends_with_the_connection() {
    for codings in ["chunked, deflate", "chunked, identity", "gzip", "deflate, chunked, gzip"] {
        let answer = format!("HTTP/1.1 403 F\r\nTransfer-Encoding: {codings}\r\n\r\nWorld");
        let seen = Wire::new().c(post("/a", "b")).s(answer).close().run();
        let exchange = &seen.exchanges[0];
        let body = &exchange.response.as_ref().unwrap().body;
        assert_eq!((&body.kept[..], exchange.outcome), (&b"World"[..], Outcome::Complete), "{codings}");
    }
    let answer = "HTTP/1.1 403 F\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    Wire::new().c(get("/a")).s(answer).close().run().expect(&["GET /a 403 ok ./3 unknown-transfer-coding"]);
}

#[test]
fn an_interim_response_with_content() {
    let interim = "HTTP/1.1 103 X\r\nContent-Length: 5\r\n\r\nhello";
    let wire = |mss| Wire::new().mss(mss).c(get("/a")).s([interim, &reply(403, "no")].concat()).close();
    both(wire, &["GET /a 403 ok ./2 +103 cruft-between-messages body-where-none-allowed"]);
    let silent = "HTTP/1.1 100 X\r\n\r\nhello";
    let wire = |mss| Wire::new().mss(mss).c(get("/a")).s([silent, &reply(403, "no")].concat()).close();
    both(wire, &["GET /a 403 ok ./2 +100 cruft-between-messages"]);
}

#[test]
fn status_codes_below_100_are_shown_as_sent() {
    for (code, status) in [("099", 99), ("001", 1), ("000", 0)] {
        let answer = format!("HTTP/1.1 {code} X\r\nContent-Length: 2\r\n\r\nno");
        let seen = Wire::new().c(get("/a")).s(answer).close().run();
        seen.expect(&[&format!("GET /a {status} ok ./2 malformed-head")]);
    }
}

#[test]
fn lengths_that_signed_receivers_cannot_hold_are_named() {
    for (length, named) in [(u64::MAX, true), (1 << 63, true), ((1 << 63) - 1, false)] {
        let request = format!("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        let line = Wire::new().c(request).s(reply(413, "")).close().run().lines().remove(0);
        assert_eq!(line.contains("invalid-content-length"), named, "{line}");
    }
}

#[test]
fn two_directions_that_wait_for_each_other() {
    // Each side's next bytes acknowledge what the other never sent: one of the numbers is wrong.
    let mut wire = Wire::new().c(post("/a", "b")).s(reply(403, "no")).c(get("/b")).s(reply(200, "")).close();
    wire.segs[3].ack = wire.segs[3].ack.wrapping_add(9000);
    let seen = Seen::of(&wire.segs, Limits::default());
    assert_eq!(seen.counters.dropped_bytes, 0);
    seen.expect(&["POST /a 403 ok 1/2", "GET /b 200 ok ./0"]);
}
