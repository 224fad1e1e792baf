//! Order of bytes and the plain run of things.

use crate::model::TcpFlags;
use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{Seen, Wire, get, post, reply};

#[test]
fn one_exchange_and_close() {
    let seen = Wire::new().c(post("/a", "hello")).s(reply(403, "no")).close().run();
    seen.expect(&["POST /a 403 ok 5/2"]);
    assert_eq!((seen.counters.gaps, seen.counters.flows, seen.counters.skipped_bytes), (0, 1, 0));
    assert!(seen.exchanges[0].connection.handshake);
}

#[test]
fn keep_alive_reuse() {
    let mut wire = Wire::new();
    for n in 0..5 {
        wire = wire.c(post(&format!("/{n}"), "x")).s(reply(200, ""));
    }
    let seen = wire.close().run();
    assert_eq!(seen.lines(), (0..5).map(|n| format!("POST /{n} 200 ok 1/0")).collect::<Vec<_>>());
    let indexes: Vec<u32> = seen.exchanges.iter().map(|exchange| exchange.connection.index).collect();
    assert_eq!(indexes, [0, 1, 2, 3, 4]);
}

#[test]
fn pipelining_in_one_segment() {
    let requests = [get("/1"), post("/2", "abc"), get("/3")].concat();
    let responses = [reply(200, "one"), reply(403, ""), reply(404, "three")].concat();
    let seen = Wire::new().c(requests).s(responses).close().run();
    seen.expect(&["GET /1 200 ok ./3", "POST /2 403 ok 3/0", "GET /3 404 ok ./5"]);
}

#[test]
fn one_message_over_hundreds_of_segments() {
    let body = "0123456789".repeat(50);
    let seen = Wire::new().mss(1).c(post("/a", &body)).s(reply(200, &body)).close().run();
    seen.expect(&["POST /a 200 ok 500/500"]);
    assert_eq!(&seen.exchanges[0].request.as_ref().unwrap().body.kept[..], body.as_bytes());
}

#[test]
fn segments_out_of_order() {
    let wire = Wire::new().mss(7).c(post("/a", "hello world")).s(reply(403, "forbidden")).close();
    let mut segs = wire.segs.clone();
    segs[3..].reverse();
    let seen = Seen::of(&segs, Limits::default());
    seen.expect(&["POST /a 403 ok 11/9"]);
    assert_eq!(seen.counters.gaps, 0);
}

#[test]
fn segments_repeated() {
    let wire = Wire::new().mss(9).c(post("/a", "hello world")).s(reply(403, "forbidden")).close();
    let segs: Vec<_> = wire.segs.iter().flat_map(|seg| [seg.clone(), seg.clone()]).collect();
    let seen = Seen::of(&segs, Limits::default());
    seen.expect(&["POST /a 403 ok 11/9"]);
    assert_eq!(seen.counters.duplicate_bytes * 2, seen.counters.payload_bytes);
    assert_eq!(seen.counters.flows, 1);
}

#[test]
fn sequence_numbers_wrap() {
    let body = "x".repeat(300);
    let mut wire = Wire::mid();
    wire.next = [u32::MAX - 50, u32::MAX - 20];
    wire.put(true, TcpFlags::SYN, b"");
    wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
    let seen = wire.mss(40).c(post("/a", &body)).s(reply(200, &body)).close().run();
    seen.expect(&["POST /a 200 ok 300/300"]);
}

#[test]
fn a_request_without_response() {
    Wire::new().c(post("/a", "x")).run().expect(&["POST /a - capture-ended 1/-"]);
    Wire::new().c(post("/a", "x")).close().run().expect(&["POST /a - closed-without-response 1/-"]);
    Wire::new().c(post("/a", "x")).rst(false).run().expect(&["POST /a - reset-without-response 1/-"]);
}
