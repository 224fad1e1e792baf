//! Which response answers which request.

use crate::model::{Exchange, Outcome};
use crate::wire::pipeline::cases::harness::{MS, Wire, get, post, reply};

const EXPECT: &str = "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

#[test]
fn several_interim_responses() {
    let interims = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let seen = Wire::new().c(post("/a", "b")).s(interims).s(reply(200, "")).close().run();
    seen.expect(&["POST /a 200 ok 1/0 +100 +103 multiple-interim-responses"]);
    assert_eq!((seen.counters.responses, seen.counters.interim_responses), (1, 2));
}

#[test]
fn expect_continue_granted() {
    let seen =
        Wire::new().c(EXPECT).s("HTTP/1.1 100 Continue\r\n\r\n").c("hello").s(reply(200, "")).close().run();
    seen.expect(&["POST /a 200 ok 5/0 +100"]);
    // A client that does not wait.
    Wire::new().c(EXPECT).c("hello").s(reply(200, "")).close().run().expect(&["POST /a 200 ok 5/0"]);
}

#[test]
fn expect_continue_refused_and_closed() {
    let seen = Wire::new().c(EXPECT).s(reply(403, "no")).close().run();
    seen.expect(&["POST /a 403 ok 0(NotSent)/2 continue-refused"]);
}

#[test]
fn expect_continue_refused_and_the_next_request_follows() {
    for mss in [1, 3, 10_000] {
        let wire = Wire::new()
            .mss(mss)
            .c(EXPECT)
            .s(reply(403, "no"))
            .c(post("/b", "hello"))
            .s(reply(200, ""))
            .close();
        wire.run().expect(&["POST /a 403 ok 0(NotSent)/2 continue-refused", "POST /b 200 ok 5/0"]);
    }
}

#[test]
fn expect_continue_refused_and_the_body_comes_all_the_same() {
    for mss in [1, 2, 10_000] {
        let wire = Wire::new()
            .mss(mss)
            .c(EXPECT)
            .s(reply(403, "no"))
            .c("hello")
            .c(get("/b"))
            .s(reply(200, ""))
            .close();
        wire.run().expect(&["POST /a 403 ok 5/2 early-response", "GET /b 200 ok ./0"]);
    }
}

#[test]
fn expect_continue_refused_and_nothing_follows() {
    let wire = Wire::new().c(EXPECT).s(reply(403, "no")).wait(3000 * MS);
    let mut pipeline = crate::wire::pipeline::Pipeline::new(crate::wire::pipeline::Limits::default());
    let mut out = Vec::new();
    for seg in &wire.segs {
        seg.give(|segment| pipeline.segment(segment, &mut out));
    }
    assert!(out.is_empty());
    pipeline.tick(crate::model::Timestamp(wire.time), &mut out);
    assert_eq!(out.len(), 1, "it is shown although the connection stays open");
    assert_eq!(out[0].outcome, Outcome::Complete);
    let late = wire.c("hello").c(get("/b")).s(reply(200, ""));
    for seg in late.segs.iter().rev().take(3).rev() {
        seg.give(|segment| pipeline.segment(segment, &mut out));
    }
    assert_eq!(out.iter().map(Exchange::status).collect::<Vec<_>>(), [Some(403), Some(200)]);
}

#[test]
fn early_403_while_the_body_is_coming_then_reset() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    let wire = Wire::new().c(head).c("x".repeat(5000)).s(reply(403, "no")).c("x".repeat(5000)).rst(false);
    wire.run().expect(&["POST /a 403 partial 10000(Reset)/2 early-response"]);
}

#[test]
fn early_403_while_the_body_is_coming_then_close() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n";
    let wire =
        Wire::new().c(head).c("x".repeat(5000)).s(reply(403, "no")).fin(false).c("x".repeat(50)).fin(true);
    wire.run().expect(&["POST /a 403 partial 5050(ClosedEarly)/2 early-response"]);
}

#[test]
fn early_403_and_the_client_goes_on() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 6000\r\n\r\n";
    let wire = Wire::new()
        .c(head)
        .c("x".repeat(5000))
        .s(reply(403, "no"))
        .c("x".repeat(1000))
        .c(get("/b"))
        .s(reply(200, ""));
    wire.close().run().expect(&["POST /a 403 ok 6000/2 early-response", "GET /b 200 ok ./0"]);
}

#[test]
fn more_responses_than_requests() {
    let seen = Wire::new().c(get("/a")).s([reply(200, ""), reply(500, "")].concat()).close().run();
    seen.expect(&["GET /a 200 ok ./0", "-  500 orphan-response -/0 unexpected-response"]);
    assert_eq!(seen.counters.orphan_responses, 1);
}

#[test]
fn an_unasked_408_crosses_the_next_request() {
    // The server gives up on an idle connection while the next request is on its way.
    let mut wire = Wire::new().c(get("/a")).s(reply(200, ""));
    let before = wire.next;
    wire = wire.c(get("/b"));
    let mut late = wire.clone();
    late.next = [before[0], wire.next[1]];
    late = late.s(reply(408, ""));
    wire.segs = late.segs;
    wire.run().expect(&[
        "GET /a 200 ok ./0",
        "-  408 orphan-response -/0 unexpected-response",
        "GET /b - capture-ended ./-",
    ]);
}

#[test]
fn a_400_to_a_head_that_never_ended() {
    let wire = Wire::new().c("GET /a HTTP/1.1\r\nHost: x\r\nX-Long: ").s(reply(431, "")).close();
    wire.run().expect(&["GET /a 431 partial 0(ClosedEarly)/0 early-response malformed-head"]);
}

#[test]
fn the_causal_order_holds_whatever_the_capture_says() {
    let wire = Wire::new().c(post("/a", "b")).s(reply(403, "")).c(post("/c", "d")).s(reply(200, "")).close();
    let mut segs = wire.segs.clone();
    segs[3..7].reverse();
    crate::wire::pipeline::cases::harness::Seen::of(&segs, crate::wire::pipeline::Limits::default())
        .expect(&["POST /a 403 ok 1/0", "POST /c 200 ok 1/0"]);
}
