//! Bytes that the capture does not have.

use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{Seen, Wire, get, post, reply};

#[test]
fn a_gap_in_a_request_body() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n";
    let wire = Wire::new()
        .c(head)
        .c("x".repeat(100))
        .lost(true, 100)
        .c("z".repeat(100))
        .ack(false)
        .s(reply(403, "no"));
    let seen = wire.c(get("/b")).s(reply(200, "")).close().run();
    seen.expect(&["POST /a 403 ok 300/2 gap-in-request-body", "GET /b 200 ok ./0"]);
    let body = &seen.exchanges[0].request.as_ref().unwrap().body;
    assert_eq!((body.missing(), body.gaps()[0].offset, body.kept.len()), (100, 100, 200));
    assert_eq!((seen.counters.gaps, seen.counters.gap_bytes), (1, 100));
}

#[test]
fn a_gap_in_a_response_body() {
    let seen = Wire::new()
        .c(get("/a"))
        .s("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n0123456789")
        .lost(false, 10)
        .s("0123456789")
        .ack(true)
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&["GET /a 200 ok ./30 gap-in-response-body", "GET /b 200 ok ./0"]);
}

#[test]
fn a_gap_in_a_chunk() {
    let seen = Wire::new()
        .c(get("/a"))
        .s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1e\r\n0123456789")
        .lost(false, 10)
        .s("0123456789\r\n0\r\n\r\n")
        .ack(true)
        .close()
        .run();
    seen.expect(&["GET /a 200 ok ./30 gap-in-response-body"]);
}

#[test]
fn a_gap_over_chunk_framing() {
    let seen = Wire::new()
        .c(get("/a"))
        .s("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789")
        .lost(false, 10)
        .s("0123456789\r\n0\r\n\r\n")
        .ack(true)
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&[
        "GET /a 200 partial ./10(Lost) gap-in-response-body",
        "GET /b 200 ok ./0 gap-between-messages",
    ]);
}

#[test]
fn a_gap_in_a_request_head() {
    let seen = Wire::new()
        .c("POST /a HTTP/1.1\r\nHost: x\r\nX-A: ")
        .lost(true, 40)
        .c("rest\r\n\r\n")
        .ack(false)
        .s(reply(403, "no"))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&[
        "POST /a 403 partial 0(Lost)/2 gap-in-request-head",
        "GET /b 200 ok ./0 gap-between-messages",
    ]);
}

#[test]
fn a_gap_in_a_response_head() {
    let seen = Wire::new()
        .c(get("/a"))
        .s("HTTP/1.1 403 No\r\nX-A: ")
        .lost(false, 40)
        .s("rest\r\n\r\n")
        .ack(true)
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&[
        "GET /a 403 partial ./0(Lost) gap-in-response-head",
        "GET /b 200 ok ./0 gap-between-messages",
    ]);
}

#[test]
fn a_gap_in_a_request_head_that_goes_on() {
    for mss in [1, 7, 10_000] {
        let seen = Wire::new()
            .mss(mss)
            .c("POST /a HTTP/1.1\r\nHost: x\r\nX-A: ")
            .lost(true, 40)
            .c("rest\r\nContent-Length: 5\r\nX-B: c\r\n\r\nhello")
            .ack(false)
            .s(reply(403, "no"))
            .c(get("/b"))
            .s(reply(200, ""))
            .close()
            .run();
        seen.expect(&["POST /a 403 ok 5/2 gap-in-request-head", "GET /b 200 ok ./0"]);
        let fields = seen.exchanges[0].request.as_ref().unwrap().head.fields();
        let names: Vec<_> = fields.iter().map(|field| field.name_text().into_owned()).collect();
        assert_eq!(
            (names, seen.counters.gap_bytes),
            (vec!["Host".into(), "Content-Length".into(), "X-B".into()], 40)
        );
    }
}

#[test]
fn a_gap_in_a_response_head_that_goes_on() {
    for mss in [1, 7, 10_000] {
        let seen = Wire::new()
            .mss(mss)
            .c(get("/a"))
            .s("HTTP/1.1 403 No\r\nContent-Length: 5\r\nX-A: ")
            .lost(false, 40)
            .s("rest\r\nX-B: c\r\n\r\nhello")
            .ack(true)
            .c(get("/b"))
            .s(reply(200, ""))
            .close()
            .run();
        seen.expect(&["GET /a 403 ok ./5 gap-in-response-head", "GET /b 200 ok ./0"]);
    }
}

#[test]
fn a_gap_from_a_head_into_its_content() {
    let seen = Wire::new()
        .c("POST /a HTTP/1.1\r\nHost: x\r\nX-A: ")
        .lost(true, 40)
        .c("{\"a\": 1,\r\n\"b\": 2}")
        .ack(false)
        .s(reply(403, "no"))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    let expected =
        ["POST /a 403 partial 0(Lost)/2 gap-in-request-head", "GET /b 200 ok ./0 gap-between-messages"];
    seen.expect(&expected);
    // Content that reads like fields: the next message is found where a segment begins one.
    let seen = Wire::new()
        .c("POST /a HTTP/1.1\r\nContent-Length: 900\r\nHost: x\r\nX-A: ")
        .lost(true, 40)
        .c("rest\r\nContent-Disposition: form-data\r\n\r\nhello")
        .ack(false)
        .s(reply(403, "no"))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&["POST /a 403 partial 5(Lost)/2 gap-in-request-head", "GET /b 200 ok ./0"]);
}

#[test]
fn a_torn_head_is_answered_once() {
    // The response to /a is there before the gap, which takes the head's end and all of the next request.
    let wire = Wire::new().c("POST /a HTTP/1.1\r\nHost: x\r\nContent").s(reply(302, ""));
    let wire = wire.lost(true, 48).s(reply(200, "")).c(get("/c")).s(reply(201, "")).close();
    wire.run().expect(&[
        "-  200 orphan-response -/0",
        "POST /a 302 partial 0(Lost)/0 gap-in-request-head",
        "GET /c 201 ok ./0 gap-between-messages",
    ]);
}

#[test]
fn a_torn_head_after_a_lost_request_is_not_given_its_response() {
    let wire = Wire::new().lost(true, 48).c("POST /b HTTP/1.1\r\nHo").lost(true, 26).c("\r\n");
    let wire = wire.s([reply(204, ""), reply(304, "")].concat()).c(get("/c")).s(reply(201, "")).close();
    let lines = wire.run().lines();
    assert!(!lines.iter().any(|line| line.starts_with("POST /b 204")), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("GET /c 201 ok ./0 gap-between-messages"));
}

#[test]
fn a_gap_from_a_head_into_the_next_message() {
    let seen = Wire::new()
        .c("POST /a HTTP/1.1\r\nHost: x\r\nX-A: ")
        .lost(true, 40)
        .s(reply(403, "no"))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    let expected =
        ["POST /a 403 partial 0(Lost)/2 gap-in-request-head", "GET /b 200 ok ./0 gap-between-messages"];
    seen.expect(&expected);
}

#[test]
fn a_gap_between_messages() {
    // Both sides lose a whole exchange. The first response after it may be one that a lost request asked for, so it is not
    // given to the request that is there; the next pair is sure again.
    let (request, response) = (post("/lost", "x"), reply(500, "lost"));
    let wire = Wire::new().c(get("/a")).s(reply(200, ""));
    let wire = wire.lost(true, request.len() as u32).lost(false, response.len() as u32);
    let seen = wire.c(get("/b")).s(reply(403, "")).c(get("/c")).s(reply(201, "")).close().run();
    seen.expect(&[
        "GET /a 200 ok ./0",
        "-  403 orphan-response -/0 gap-between-messages",
        "GET /b - response-lost ./- gap-between-messages",
        "GET /c 201 ok ./0",
    ]);
    let missing = (request.len() + response.len()) as u64;
    assert_eq!((seen.counters.gaps, seen.counters.gap_bytes), (2, missing));
}

#[test]
fn a_lost_response() {
    let lost = reply(403, "lost");
    let seen =
        Wire::new().c(get("/a")).lost(false, lost.len() as u32).c(get("/b")).s(reply(200, "")).close().run();
    seen.expect(&["GET /a - response-lost ./-", "GET /b 200 ok ./0 gap-between-messages"]);
    assert_eq!(seen.counters.gap_bytes, lost.len() as u64);
}

#[test]
fn a_lost_request() {
    let lost = get("/lost");
    let seen = Wire::new()
        .lost(true, lost.len() as u32)
        .s(reply(403, ""))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run();
    seen.expect(&["-  403 orphan-response -/0", "GET /b 200 ok ./0 gap-between-messages"]);
}

#[test]
fn a_lost_response_among_pipelined_ones_is_not_guessed() {
    let wire = Wire::new().c([get("/1"), get("/2"), get("/3")].concat()).s(reply(200, "one"));
    let seen =
        wire.lost(false, reply(403, "two").len() as u32).s(reply(404, "three")).ack(true).close().run();
    seen.expect(&[
        "GET /1 200 ok ./3",
        "-  404 orphan-response -/5 gap-between-messages",
        "GET /2 - response-lost ./-",
        "GET /3 - response-lost ./-",
    ]);
}

#[test]
fn data_on_one_side_is_no_proof_of_loss_on_the_other() {
    // The response is captured before the request that it acknowledges.
    let wire = Wire::new().c(post("/a", "b")).s(reply(403, "no")).close();
    let mut segs = wire.segs.clone();
    segs.swap(3, 4);
    let seen = Seen::of(&segs, Limits::default());
    seen.expect(&["POST /a 403 ok 1/2"]);
    assert_eq!(seen.counters.gaps, 0);
}

#[test]
fn capture_started_mid_stream() {
    let wire = Wire::mid()
        .s("tail of some body")
        .c(get("/a"))
        .s(reply(200, "x"))
        .c(get("/b"))
        .s(reply(403, ""))
        .close();
    let seen = wire.run();
    seen.expect(&["GET /a 200 ok ./1 mid-stream", "GET /b 403 ok ./0"]);
    assert!(!seen.exchanges[0].connection.handshake);
    assert_eq!(seen.counters.skipped_bytes, 17);
}

#[test]
fn capture_started_between_request_and_response() {
    let wire = Wire::mid().s(reply(403, "x")).c(get("/b")).s(reply(200, "")).close();
    wire.run().expect(&["-  403 orphan-response -/1 mid-stream", "GET /b 200 ok ./0 mid-stream"]);
}

#[test]
fn one_direction_only() {
    let wire = Wire::new().c(post("/a", "b")).s(reply(403, "no")).c(get("/b")).s(reply(200, "")).close();
    let of = |client: bool| {
        let segs: Vec<_> = wire.segs.iter().filter(|seg| seg.client == client).cloned().collect();
        Seen::of(&segs, Limits::default())
    };
    of(true).expect(&["POST /a - one-sided 1/-", "GET /b - one-sided ./-"]);
    of(false).expect(&["-  403 orphan-response -/2", "-  200 orphan-response -/0"]);
}

#[test]
fn snaplen_cut_frames() {
    let mut wire = Wire::new().c(post("/a", &"x".repeat(500))).s(reply(403, &"y".repeat(500))).close();
    for seg in &mut wire.segs {
        seg.data.truncate(200);
    }
    let seen = wire.run();
    seen.expect(&["POST /a 403 ok 500/500 gap-in-request-body gap-in-response-body snaplen-cut"]);
}

#[test]
fn a_lost_fin() {
    let wire = Wire::new().c(get("/a")).s(reply(200, ""));
    let seen = wire.lost(false, 1).fin(true).ack(false).run();
    seen.expect(&["GET /a 200 ok ./0"]);
    assert_eq!(seen.counters.gap_bytes, 0);
}

#[test]
fn a_lost_request_among_pipelined_ones_is_not_guessed() {
    let wire =
        Wire::new()
            .lost(true, get("/1").len() as u32)
            .c(get("/2"))
            .s([reply(403, ""), reply(200, "")].concat());
    let seen = wire.c(get("/3")).s(reply(404, "")).close().run();
    seen.expect(&[
        "-  403 orphan-response -/0",
        "-  200 orphan-response -/0",
        "GET /2 - response-lost ./- gap-between-messages",
        "GET /3 404 ok ./0",
    ]);
}

#[test]
fn a_gap_over_the_end_of_a_body_and_the_next_head() {
    let next = post("/lost", "x");
    let seen = Wire::new()
        .c("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0123456789")
        .lost(true, 10)
        .s(reply(204, ""))
        .lost(true, 10)
        .c(&next[10..])
        .c(get("/b"))
        .s([reply(403, ""), reply(200, "")].concat())
        .close()
        .run();
    seen.expect(&[
        "POST /a 204 ok 20/. length-without-body gap-in-request-body",
        "-  403 orphan-response -/0",
        "-  200 orphan-response -/0",
        "GET /b - response-lost ./- gap-between-messages",
    ]);
}

#[test]
fn a_gap_in_an_interim_head_is_no_final_response() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let wire = Wire::new().c(get("/a")).s(&interim[..30]).lost(false, interim.len() as u32 - 30);
    let seen = wire.s(reply(200, "x")).ack(true).close().run();
    seen.expect(&[
        "-  200 orphan-response -/1 gap-between-messages",
        "GET /a - response-lost ./- +103 gap-in-response-head",
    ]);
}
