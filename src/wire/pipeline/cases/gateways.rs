//! FastCGI, uwsgi, SCGI and AJP between a web server and an application.

use crate::wire::pipeline::cases::harness::{Seen, Wire, reply};

const VARIABLES: [(&str, &str); 6] = [
    ("REQUEST_METHOD", "POST"),
    ("REQUEST_URI", "/app/orders?a=1"),
    ("CONTENT_LENGTH", "5"),
    ("CONTENT_TYPE", "text/plain"),
    ("HTTP_HOST", "api.test"),
    ("REMOTE_ADDR", "203.0.113.9"),
];
const REFUSAL: &str = "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno";

fn record(kind: u8, id: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u16).to_be_bytes();
    [&[1, kind, 0, id, length[0], length[1], 3, 0][..], content, &[0; 3]].concat()
}

fn fastcgi(id: u8) -> (Vec<u8>, Vec<u8>) {
    let mut params = Vec::new();
    for (name, value) in VARIABLES {
        params.push(name.len() as u8);
        params.extend((value.len() as u32 | 0x8000_0000).to_be_bytes());
        params.extend([name.as_bytes(), value.as_bytes()].concat());
    }
    let (first, second) = params.split_at(20);
    let begin = record(1, id, &[0, 1, 1, 0, 0, 0, 0, 0]);
    let params = [record(4, id, first), record(4, id, second), record(4, id, b"")].concat();
    let request = [begin, params, record(5, id, b"hello"), record(5, id, b"")].concat();
    let (first, second) = REFUSAL.split_at(9);
    let output =
        [record(6, id, first.as_bytes()), record(7, id, b"PHP message"), record(6, id, second.as_bytes())]
            .concat();
    (request, [output, record(6, id, b""), record(3, id, &[0; 8])].concat())
}

fn scgi() -> Vec<u8> {
    let mut headers = b"CONTENT_LENGTH\x005\0SCGI\x001\0".to_vec();
    for (name, value) in VARIABLES.iter().filter(|(name, _)| *name != "CONTENT_LENGTH") {
        headers.extend([name.as_bytes(), b"\0", value.as_bytes(), b"\0"].concat());
    }
    [headers.len().to_string().as_bytes(), b":", &headers, b",hello"].concat()
}

fn uwsgi() -> Vec<u8> {
    let string = |text: &str| [&(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat();
    let vars: Vec<u8> =
        VARIABLES.iter().flat_map(|(name, value)| [string(name), string(value)].concat()).collect();
    [&[0][..], &(vars.len() as u16).to_le_bytes(), &[0], &vars, b"hello"].concat()
}

fn ajp(path: &str) -> (Vec<u8>, Vec<u8>) {
    let string = |text: &str| [&(text.len() as u16).to_be_bytes()[..], text.as_bytes(), b"\0"].concat();
    let packet =
        |magic: &[u8], payload: &[u8]| [magic, &(payload.len() as u16).to_be_bytes(), payload].concat();
    let forward = [
        &[2, 4][..],
        &string("HTTP/1.1"),
        &string(path),
        &string("203.0.113.9"),
        &[0xff, 0xff],
        &string("api.test"),
        &[0, 80, 0, 0, 3],
        &[0xa0, 0x0b],
        &string("api.test"),
        &[0xa0, 0x08],
        &string("5"),
        &string("X-Mine"),
        &string("yes"),
        &[5],
        &string("a=1"),
        &[0x0a],
        &string("AJP_REMOTE_PORT"),
        &string("1234"),
        &[0xff],
    ];
    let request = [packet(b"\x12\x34", &forward.concat()), packet(b"\x12\x34", b"\0\x05hello")].concat();
    let headers = [&[4, 1, 0x93][..], &string("Forbidden"), &[0, 1, 0xa0, 1], &string("text/plain")].concat();
    let response =
        [packet(b"AB", &headers), packet(b"AB", b"\x03\0\x02no\0"), packet(b"AB", &[5, 1])].concat();
    (request, response)
}

#[track_caller]
fn is_refused(seen: &Seen, name: &'static str) {
    assert!(!seen.exchanges.is_empty(), "{name}");
    for exchange in &seen.exchanges {
        let request = exchange.request.as_ref().unwrap();
        assert_eq!((exchange.method(), exchange.target()), ("POST", &b"/app/orders?a=1"[..]), "{name}");
        assert_eq!(request.head.fields().value("host"), Some(&b"api.test"[..]), "{name}");
        assert_eq!((&*request.body.kept, exchange.status()), (&b"hello"[..], Some(403)), "{name}");
        assert_eq!(&*exchange.response.as_ref().unwrap().body.kept, b"no", "{name}");
        assert!(exchange.anomalies.contains(crate::model::Anomaly::GatewayProtocol), "{name}");
    }
    assert_eq!(seen.counters.flows_unparsed, [(name, 1)]);
}

#[test]
fn requests_and_answers_are_read_however_they_are_cut() {
    for mss in [1, 3, 7, 10_000] {
        let (request, response) = fastcgi(1);
        is_refused(&Wire::new().mss(mss).c(request).s(response).close().run(), "fastcgi");
        is_refused(&Wire::new().mss(mss).c(scgi()).s(REFUSAL).close().run(), "scgi");
        is_refused(&Wire::new().mss(mss).c(uwsgi()).s(reply(403, "no")).close().run(), "uwsgi");
        let (request, response) = ajp("/app/orders");
        is_refused(&Wire::new().mss(mss).c(request).s(response).close().run(), "ajp");
    }
}

#[test]
fn connections_that_are_kept_have_many_requests() {
    let ((one, first), (two, second)) = (fastcgi(1), fastcgi(2));
    let seen = Wire::new().c(&one).s(&first).c(&two).s(&second).close().run();
    is_refused(&seen, "fastcgi");
    assert_eq!(seen.exchanges.len(), 2);
    // Two at once, answered in the other order.
    let seen = Wire::new().c([&one[..], &two].concat()).s([&second[..], &first].concat()).close().run();
    is_refused(&seen, "fastcgi");
    let (request, response) = ajp("/app/orders");
    let seen = Wire::new().c(&request).s(&response).c(&request).s(&response).close().run();
    assert_eq!(seen.exchanges.len(), 2);
    let seen = Wire::new().c(uwsgi()).s(reply(403, "no")).c(uwsgi()).s(reply(403, "no")).close().run();
    assert_eq!(seen.exchanges.len(), 2, "{:?}", seen.lines());
}

#[test]
fn what_is_cut_or_lost_ends_it_without_harm() {
    let (request, response) = fastcgi(1);
    for cut in 9..request.len() {
        Wire::new().c(&request[..cut]).s(&response).close().run();
        Wire::new().c(&request[..cut]).lost(true, 5).c(&request[cut..]).s(&response).close().run();
    }
    let (request, response) = ajp("/app/orders");
    for cut in 6..response.len() {
        Wire::new().c(&request).s(&response[..cut]).close().run();
        Wire::new().c(&request[..cut.min(request.len())]).s(&response[..cut]).rst(false).run();
    }
    for cut in 30..scgi().len() {
        Wire::new().c(&scgi()[..cut]).s(REFUSAL).close().run();
    }
    for cut in 8..uwsgi().len() {
        Wire::new().c(&uwsgi()[..cut]).s(reply(403, "no")).close().run();
    }
}
