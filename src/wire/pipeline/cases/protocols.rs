//! What is not HTTP/1.1, or ceases to be.

use crate::model::PrefaceKind;
use crate::wire::pipeline::cases::harness::{Wire, get, post, reply};

#[test]
fn connect_stops_parsing() {
    let request = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";
    let seen = Wire::new()
        .c(request)
        .s("HTTP/1.1 200 Connection established\r\n\r\n")
        .c("\x16\x03\x01 GET / HTTP/1.1\r\n\r\n")
        .s("HTTP/1.1 200 OK\r\n\r\n")
        .close()
        .run();
    seen.expect(&["CONNECT example.com:443 200 switched-protocol ./."]);
    assert_eq!(seen.counters.flows_unparsed, [("connect tunnel", 1)]);
    assert_eq!(seen.counters.skipped_bytes, 22 + 19);
}

#[test]
fn connect_refused_goes_on() {
    let request = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";
    let seen = Wire::new().c(request).s(reply(403, "no")).c(get("/a")).s(reply(200, "")).close().run();
    seen.expect(&["CONNECT example.com:443 403 ok ./2", "GET /a 200 ok ./0"]);
    let seen = Wire::new()
        .c([request, &get("/a")].concat())
        .s([reply(403, "no"), reply(200, "")].concat())
        .close()
        .run();
    seen.expect(&["CONNECT example.com:443 403 ok ./2", "GET /a 200 ok ./0"]);
}

#[test]
fn http_in_plain_text_inside_connect_is_read() {
    let request = "CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\n\r\n";
    let granted = "HTTP/1.1 200 OK\r\n\r\n";
    let expected =
        ["CONNECT api.test:80 200 switched-protocol ./.", "POST /a 403 ok 1/2", "GET /b 200 ok ./0"];
    let waits = Wire::new().c(request).s(granted).c(post("/a", "b")).s(reply(403, "no"));
    let hurries =
        Wire::new().c([request, &post("/a", "b")].concat()).s([granted, &reply(403, "no")].concat());
    for wire in [waits, hurries] {
        let seen = wire.c(get("/b")).s(reply(200, "")).close().run();
        seen.expect(&expected);
        assert_eq!(seen.counters.flows_unparsed, []);
        let preface = seen.exchanges[1].preface.as_ref().unwrap();
        assert_eq!(
            (preface.kind, preface.destination.as_deref()),
            (PrefaceKind::Connect, Some("api.test:80"))
        );
        assert_eq!(seen.exchanges[0].preface, None);
    }
    for (client, server) in [("SSH-2.0-x\r\n", "SSH-2.0-y\r\n"), ("", "220 mail ready\r\n"), ("", "")] {
        let seen = Wire::new().c(request).s(granted).s(server).c(client).close().run();
        seen.expect(&expected[..1]);
        assert_eq!(seen.counters.flows_unparsed, [("connect tunnel", 1)]);
    }
}

#[test]
fn a_connect_with_a_length_gives_one_answer() {
    let request = "CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\nContent-Length: 5\r\n\r\n";
    let granted = "HTTP/1.1 200 OK\r\n\r\n";
    for bytes in [&b"\x16\x03\x01\0\x05hello"[..], b"hello", b"k=v&kGET / HTTP/1.1\r\n\r\n", b""] {
        for late in [false, true] {
            let wire = Wire::new();
            let wire = if late {
                wire.c(request).s(granted).c(bytes)
            } else {
                wire.c([request.as_bytes(), bytes].concat()).s(granted)
            };
            wire.close().run().expect(&["CONNECT api.test:443 200 switched-protocol ./."]);
        }
    }
    let refused = Wire::new().c([request, "hello", &get("/a")].concat());
    let seen = refused.s([reply(403, "no"), reply(200, "")].concat()).close().run();
    seen.expect(&["CONNECT api.test:443 403 ok 5/2", "GET /a 200 ok ./0"]);
}

#[test]
fn protocols_between_web_servers_and_applications_are_named() {
    let uwsgi = b"\0\x1c\0\0\x0e\0REQUEST_METHOD\x04\0POST\0\0";
    for (bytes, name) in [
        (&b"\x01\x01\0\x01\0\x08\0\0\0\x01\0\0\0\0\0\0"[..], "fastcgi"),
        (uwsgi, "uwsgi"),
        (b"70:CONTENT_LENGTH\x0027\0SCGI\x001\0", "scgi"),
        (b"\x12\x34\x00\x20\x02\x04\0\x08HTTP/1.1\0", "ajp"),
        (b"\x01\x02\x03\x04\x05\x06\x07\x08", "binary"),
        (b"\0\x05\0\0\0\0\0\0\0", "binary"),
    ] {
        for mss in [1, 3, 10_000] {
            let seen = Wire::new().mss(mss).c(bytes).close().run();
            seen.expect(&[]);
            assert_eq!(seen.counters.flows_unparsed, [(name, 1)], "{mss}");
        }
    }
}

#[test]
fn upgrade_101_stops_parsing() {
    let request = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let response =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x01\x02";
    let seen = Wire::new().c(request).s(response).c("\u{81}\u{5}hello").close().run();
    seen.expect(&["GET /ws 101 switched-protocol ./. upgrade-requested"]);
    assert_eq!(seen.counters.flows_unparsed, [("websocket", 1)]);
}

#[test]
fn h2c_upgrade_and_http_2_preface() {
    let request = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n";
    let seen =
        Wire::new().c(request).s("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n").close().run();
    seen.expect(&["GET / 101 switched-protocol ./. upgrade-requested"]);
    assert_eq!(seen.counters.flows_unparsed, [("h2c", 1)]);
    let seen =
        Wire::new().c("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04").s(b"\0\0\0\x04\0\0\0\0\0").close().run();
    seen.expect(&[]);
    assert_eq!(seen.counters.flows_unparsed, [("http/2", 1)]);
    assert_eq!(seen.counters.unparsed_bytes, seen.counters.payload_bytes);
}

#[test]
fn tls_ssh_and_others_are_counted_and_named() {
    for (client, server, name) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00"[..], &b"\x16\x03\x03\x00\x7a"[..], "tls"),
        (b"SSH-2.0-a\r\n", b"SSH-2.0-b\r\n", "ssh"),
        (b"EHLO a\r\n", b"250 b\r\n", "smtp or ftp"),
        (b"OPTIONS rtsp://x RTSP/1.0\r\n\r\n", b"RTSP/1.0 200 OK\r\n\r\n", "rtsp"),
        (b"\0\0\0\x2a", b"\0\0\0\x2b", "binary"),
        (b"some words\n", b"other words\n", "other"),
    ] {
        for mss in [1, 1000] {
            let seen = Wire::new().mss(mss).c(client).s(server).close().run();
            seen.expect(&[]);
            let names: Vec<_> = seen.counters.flows_unparsed.iter().map(|(_, count)| *count).collect();
            assert_eq!(names, [1], "{name}");
            if mss > 1 {
                assert_eq!(seen.counters.flows_unparsed, [(name, 1)]);
            }
            assert_eq!(seen.counters.unparsed_bytes, seen.counters.payload_bytes, "{name}");
        }
    }
}

#[test]
fn tls_to_a_plain_port_gets_its_400() {
    let seen = Wire::new().c(b"\x16\x03\x01\x02\x00\x01\x00").s(reply(400, "plain")).close().run();
    seen.expect(&["-  400 orphan-response -/5 unexpected-response"]);
    assert_eq!(seen.counters.flows_unparsed, [("tls", 1)]);
}

#[test]
fn a_proxy_header_before_the_first_request_is_skipped() {
    let one = b"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n";
    let two = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x9c\x40\0\x50";
    for (header, skipped) in [(&one[..], one.len()), (two, two.len() - 4)] {
        for mss in [1, 5, 30, 10_000] {
            let bytes = [header, post("/a", "b").as_bytes()].concat();
            let seen =
                Wire::new().mss(mss).c(bytes).s(reply(403, "")).c(get("/b")).s(reply(200, "")).close().run();
            seen.expect(&["POST /a 403 ok 1/0", "GET /b 200 ok ./0"]);
            assert_eq!(seen.counters.skipped_bytes, skipped as u64, "{mss}");
            assert_eq!(seen.counters.flows_unparsed, []);
            for exchange in &seen.exchanges {
                assert_eq!(exchange.client.to_string(), "192.0.2.1:40000", "{mss}");
                assert_eq!(exchange.peer().to_string(), "10.0.0.1:40000");
                assert!(exchange.preface.as_ref().is_some_and(|preface| preface.destination.is_some()));
            }
        }
    }
}

#[test]
fn a_proxy_header_without_a_client_or_without_its_end_names_nobody() {
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0".as_slice();
    for header in [b"PROXY UNKNOWN\r\n".as_slice(), b"PROXY TCP4 bogus\r\n", local] {
        let seen = Wire::new().c([header, get("/a").as_bytes()].concat()).s(reply(200, "")).close().run();
        seen.expect(&["GET /a 200 ok ./0"]);
        assert_eq!(seen.exchanges[0].client, seen.exchanges[0].peer());
        assert!(seen.exchanges[0].preface.is_some());
    }
    let cut = Wire::new().c("PROXY TCP4 192.0.2.1 192.").close().run();
    cut.expect(&[]);
    let seen =
        Wire::new().c("PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n").c(b"\x16\x03\x01\x00\x05hello").run();
    seen.expect(&[]);
    assert_eq!(seen.counters.flows_unparsed, [("tls", 1)]);
}

#[test]
fn http_behind_a_socks_preface() {
    let seen = Wire::new()
        .c(b"\x05\x01\x00")
        .s(b"\x05\x00")
        .c(b"\x05\x01\x00\x01\x0a\x00\x00\x05\x00\x50")
        .s(b"\x05\x00\x00\x01\0\0\0\0\0\0")
        .c(post("/a", "b"))
        .s(reply(403, ""))
        .close()
        .run();
    seen.expect(&["POST /a 403 ok 1/0"]);
    assert_eq!(seen.counters.unparsed_bytes, 25);
    let preface = seen.exchanges[0].preface.as_ref().unwrap();
    assert_eq!((preface.kind, preface.destination.as_deref()), (PrefaceKind::Socks5, Some("10.0.0.5:80")));
    let seen = Wire::new()
        .c(b"\x04\x01\x00\x50\0\0\0\x01me\0api.test\0")
        .s(b"\x00\x5a\0\0\0\0\0\0")
        .c(post("/a", "b"))
        .s(reply(403, ""))
        .close()
        .run();
    seen.expect(&["POST /a 403 ok 1/0"]);
    let preface = seen.exchanges[0].preface.as_ref().unwrap();
    assert_eq!((preface.kind, preface.destination.as_deref()), (PrefaceKind::Socks4, Some("api.test:80")));
}

#[test]
fn a_connection_with_nothing_but_an_unfinished_head_is_http() {
    let seen = Wire::new().c("POST /a HTTP/1.1\r\nHost: x\r\n").run();
    assert_eq!((seen.counters.requests, seen.counters.flows_unparsed), (1, vec![]));
}

#[test]
fn tls_whose_beginning_was_not_captured_is_named() {
    let hello = b"\x16\x03\x01\x00\x05hello".as_slice();
    let data = b"\x17\x03\x03\x00\x05hello".as_slice();
    for wire in [Wire::mid().c(hello).s(hello).c(data), Wire::mid().s(data)] {
        let seen = wire.run();
        seen.expect(&[]);
        assert_eq!(seen.counters.flows_unparsed, [("tls", 1)]);
    }
    // The end of a body may look like it: what follows counts.
    let seen = Wire::mid().s(data).s(reply(403, "x")).c(get("/b")).s(reply(200, "")).close().run();
    seen.expect(&["-  403 orphan-response -/1 mid-stream", "GET /b 200 ok ./0 mid-stream"]);
    assert_eq!(seen.counters.flows_unparsed, []);
    let seen = Wire::mid().s(b"\x99 neither").run();
    assert_eq!(seen.counters.flows_unparsed, [("no message start seen", 1)]);
}
