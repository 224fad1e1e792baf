//! TCP's odd ways.

use crate::model::TcpFlags;
use crate::wire::pipeline::Limits;
use crate::wire::pipeline::cases::harness::{MS, Seen, Wire, get, post, reply};

#[test]
fn retransmission_with_different_bytes() {
    let mut wire = Wire::new().c(post("/first", "hello"));
    let mut other = wire.segs[3].clone();
    other.data = post("/other", "hello").into_bytes();
    wire.segs.push(other);
    wire.s(reply(403, "")).close().run().expect(&["POST /first 403 ok 5/0 conflicting-retransmission"]);
}

#[test]
fn retransmission_with_different_bytes_of_a_body_in_the_making() {
    let head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n";
    let mut wire = Wire::new().c(head).c("hello");
    let mut other = wire.segs[4].clone();
    other.data = b"jello".to_vec();
    wire.segs.push(other);
    let seen = wire.c("world").s(reply(403, "")).close().run();
    seen.expect(&["POST /a 403 ok 10/0 conflicting-retransmission"]);
    assert_eq!(&seen.exchanges[0].request.as_ref().unwrap().body.kept[..], b"helloworld");
}

#[test]
fn retransmission_with_different_bytes_out_of_order() {
    let wire = Wire::new()
        .c("POST /a HTTP/1.1\r\nHost: x\r\nContent-")
        .c("Length: 5\r\n\r\nhello")
        .s(reply(200, ""));
    let mut segs = wire.segs.clone();
    let mut other = segs[4].clone();
    other.data = b"Length: 9\r\n\r\nhello".to_vec();
    segs.swap(3, 4);
    segs.insert(4, other);
    Seen::of(&segs, Limits::default()).expect(&["POST /a 200 ok 5/0 conflicting-retransmission"]);
}

#[test]
fn overlapping_segments() {
    let request = post("/a", "hello").into_bytes();
    let mut wire = Wire::new();
    let first = wire.next[0];
    for (from, to) in [(0, 10), (5, 30), (40, 50), (25, 52), (20, request.len())] {
        wire.next[0] = first.wrapping_add(from as u32);
        wire = wire.c(&request[from..to]);
    }
    wire.s(reply(200, "")).close().run().expect(&["POST /a 200 ok 5/0"]);
}

#[test]
fn syn_with_data() {
    let mut wire = Wire::mid();
    wire.put(true, TcpFlags::SYN, post("/a", "b").as_bytes());
    wire.next[0] = wire.next[0].wrapping_add(0);
    wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
    let seen = wire.ack(true).s(reply(403, "")).close().run();
    seen.expect(&["POST /a 403 ok 1/0"]);
    assert!(seen.exchanges[0].connection.handshake);
}

#[test]
fn syn_repeated_with_another_sequence_number() {
    let mut wire = Wire::mid();
    wire.put(true, TcpFlags::SYN, b"");
    wire.next = [5000, 700];
    wire.put(true, TcpFlags::SYN, b"");
    wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
    let seen = wire.ack(true).c(post("/a", "b")).s(reply(403, "")).close().run();
    seen.expect(&["POST /a 403 ok 1/0 syn-replayed"]);
    assert_eq!(seen.counters.flows, 1);
}

#[test]
fn a_stray_syn_does_not_disturb_a_connection() {
    let mut wire = Wire::new().c(post("/a", "b"));
    let next = wire.next;
    wire.next = [77_777, 0];
    wire.put(true, TcpFlags::SYN, b"");
    wire.next = next;
    wire.s(reply(403, ""))
        .c(get("/b"))
        .s(reply(200, ""))
        .close()
        .run()
        .expect(&["POST /a 403 ok 1/0 syn-replayed", "GET /b 200 ok ./0"]);
}

#[test]
fn port_reuse_by_a_new_connection() {
    for closed in [true, false] {
        let mut wire = Wire::new().c(get("/a")).s(reply(200, ""));
        if closed {
            wire = wire.close();
        }
        wire.next = [3_000_000_000, 2_000_000_000];
        wire.put(true, TcpFlags::SYN, b"");
        wire.put(false, TcpFlags::SYN | TcpFlags::ACK, b"");
        let seen = wire.ack(true).c(post("/b", "c")).s(reply(403, "")).close().run();
        assert_eq!(seen.counters.flows, 2, "closed: {closed}");
        let lines = seen.lines();
        assert!(lines[0].starts_with("GET /a 200 ok"), "{lines:?}");
        assert!(lines[1].starts_with("POST /b 403 ok 1/0"), "{lines:?}");
    }
}

#[test]
fn rst_before_syn() {
    let wire = Wire::mid().rst(false);
    let mut rest = Wire::new().c(get("/a")).s(reply(200, "")).close();
    rest.segs.splice(0..0, wire.segs);
    let seen = rest.run();
    seen.expect(&["GET /a 200 ok ./0"]);
    assert_eq!(seen.counters.flows, 1);
}

#[test]
fn rst_outside_the_window_is_not_believed() {
    let mut wire = Wire::new().c(get("/a"));
    let next = wire.next;
    wire.next[1] = next[1].wrapping_add(500_000_000);
    wire = wire.rst(false);
    wire.next = next;
    wire.s(reply(200, "")).close().run().expect(&["GET /a 200 ok ./0"]);
}

#[test]
fn rst_that_its_sender_goes_on_after() {
    let wire = Wire::new().rst(true).c(get("/a")).s(reply(200, "")).close();
    wire.run().expect(&["GET /a 200 ok ./0"]);
}

#[test]
fn rst_captured_before_the_data_it_follows() {
    let wire = Wire::new().c(post("/a", "b")).s(reply(403, "no")).rst(false);
    let mut segs = wire.segs.clone();
    segs.swap(4, 5);
    Seen::of(&segs, Limits::default()).expect(&["POST /a 403 ok 1/2"]);
}

#[test]
fn an_urgent_byte_is_not_in_the_stream() {
    let request = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab!cd";
    for out_of_order in [false, true] {
        let mut wire = Wire::new().c(&request[..30]).c(&request[30..]);
        let at = wire.segs.len() - 1;
        wire.segs[at].flags |= TcpFlags::URG;
        wire.segs[at].urgent = (request.len() - 30 - 2) as u16;
        wire = wire.s(reply(200, "")).close();
        if out_of_order {
            wire.segs.swap(at - 1, at);
        }
        let seen = wire.run();
        seen.expect(&["POST /a 200 ok 4/0 urgent-data"]);
        assert_eq!(&seen.exchanges[0].request.as_ref().unwrap().body.kept[..], b"abcd");
    }
}

#[test]
fn keep_alive_and_window_probes() {
    let mut wire = Wire::new().c(post("/a", "hello")).s(reply(200, ""));
    let next = wire.next;
    // A keep-alive probe repeats the last byte, or none, one before the next.
    wire.next[0] = next[0].wrapping_sub(1);
    wire = wire.ack(true);
    wire.next[0] = next[0].wrapping_sub(1);
    wire = wire.c("o").ack(false);
    // A window probe sends the next byte before its time.
    let request = get("/b");
    wire.next = next;
    wire = wire.c(&request[..1]);
    wire.next = next;
    let seen = wire.c(&request).s(reply(200, "")).close().run();
    seen.expect(&["POST /a 200 ok 5/0", "GET /b 200 ok ./0"]);
    assert_eq!(seen.counters.duplicate_bytes, 2);
}

#[test]
fn fin_before_the_data_it_follows() {
    let wire =
        Wire::new().c(get("/a")).s("HTTP/1.1 200 OK\r\n\r\nab").s("cd").fin(false).fin(true).ack(false);
    let mut segs = wire.segs.clone();
    segs.swap(5, 6);
    Seen::of(&segs, Limits::default()).expect(&["GET /a 200 ok ./4(Close) close-delimited"]);
}

#[test]
fn half_closed_clients_get_their_response() {
    let wire = Wire::new().c(post("/a", "b")).fin(true).ack(false).s(reply(200, "late")).fin(false).ack(true);
    wire.run().expect(&["POST /a 200 ok 1/4"]);
}

#[test]
fn the_clock_goes_backwards() {
    let wire = Wire::new().c(post("/a", "b")).wait(-5000 * MS).s(reply(403, "")).close();
    wire.run().expect(&["POST /a 403 ok 1/0 clock-went-back"]);
}

#[test]
fn idle_flows_expire_by_capture_time() {
    let mut pipeline = crate::wire::pipeline::Pipeline::new(Limits::default());
    let mut out = Vec::new();
    let wire = Wire::new().c(post("/a", "b"));
    for seg in &wire.segs {
        seg.give(|segment| pipeline.segment(segment, &mut out));
    }
    let at = |seconds: i64| crate::model::Timestamp(wire.time + seconds * 1000 * MS);
    for second in (0..300).step_by(50) {
        pipeline.tick(at(second), &mut out);
    }
    assert!(out.is_empty());
    pipeline.tick(at(303), &mut out);
    assert_eq!(out[0].outcome, crate::model::Outcome::Expired);
    assert_eq!(pipeline.memory(), 0);
}

#[test]
fn a_hundred_thousand_flows_at_once() {
    let limits = Limits { memory: 320 << 20, ..Limits::default() };
    let mut pipeline = crate::wire::pipeline::Pipeline::new(limits);
    let mut out = Vec::new();
    let wire = Wire::new().c(post("/a", "b")).s(reply(403, ""));
    for (from, to) in [(0, 4), (4, 5)] {
        for n in 0..100_000u32 {
            for seg in &wire.segs[from..to] {
                let mut seg = seg.clone();
                seg.port = (n % 50_000) as u16;
                seg.tag = n / 50_000;
                seg.give(|segment| pipeline.segment(segment, &mut out));
            }
        }
        assert!(pipeline.memory() < limits.memory);
    }
    assert_eq!(out.len(), 100_000);
    assert!(out.iter().all(|exchange| exchange.outcome == crate::model::Outcome::Complete));
    assert_eq!(pipeline.counters().flows_evicted, 0);
}
