//! Transcripts that the tools really printed, and variations of them.

use super::Kind;
use crate::import::tests::read;
use crate::import::{Format, ImportError};
use crate::model::{Exchange, Outcome, Version};

const VERBOSE: &str = include_str!("samples/verbose.txt");
const SAMPLES: [(&str, Kind, bool); 5] = [
    (VERBOSE, Kind::Curl, false),
    (include_str!("samples/trace.txt"), Kind::CurlTrace, true),
    (include_str!("samples/ascii.txt"), Kind::CurlTrace, true),
    (include_str!("samples/wget.txt"), Kind::Wget, true),
    (include_str!("samples/httpie.txt"), Kind::Plain, true),
];

fn exchanges(text: &str) -> Vec<Exchange> {
    let (taken, outcome) = read(text.as_bytes(), 1000);
    outcome.unwrap();
    taken.exchanges
}

#[test]
fn every_tool_shows_the_same_refusal() {
    for (text, kind, shows_content) in SAMPLES {
        assert_eq!(Format::sniff(text.as_bytes()), Some(Format::Transcript(kind)));
        let read = exchanges(text);
        let [exchange] = read.as_slice() else { panic!("{kind:?}: {} exchanges", read.len()) };
        let (request, response) = (exchange.request.as_ref().unwrap(), exchange.response.as_ref().unwrap());
        assert_eq!(
            (exchange.method(), exchange.target(), exchange.status()),
            ("POST", &b"/v1/orders?x=1"[..], Some(403)),
            "{kind:?}"
        );
        assert_eq!(request.head.fields().value("host"), Some(&b"127.0.0.1:18499"[..]), "{kind:?}");
        assert_eq!(request.head.fields().value("content-type"), Some(&b"application/json"[..]), "{kind:?}");
        let sent: serde_json::Value = serde_json::from_slice(&request.body.kept).unwrap_or_default();
        assert_eq!(sent["amount"] == 1, shows_content, "{kind:?}: {:?}", request.body);
        assert!(shows_content || request.body.len == 12, "{kind:?}");
        let got: serde_json::Value = serde_json::from_slice(&response.body.kept).unwrap();
        assert_eq!((&got["error"], response.body.len), (&"insufficient_scope".into(), 61), "{kind:?}");
        assert_eq!(response.head.reason(), b"Forbidden", "{kind:?}");
        assert!(exchange.started().to_string().starts_with("2026-11-29T10:59:"), "{kind:?}");
        assert_eq!(exchange.server.port(), 18_499, "{kind:?}");
        assert_eq!(exchange.server.ip().is_loopback(), kind != Kind::Plain, "{kind:?}");
        assert_eq!(
            (exchange.outcome, exchange.imported.as_ref().unwrap().format),
            (Outcome::Complete, kind.name())
        );
        assert!(exchange.anomalies.is_empty(), "{kind:?}");
    }
}

#[test]
fn windows_line_breaks_lost_blanks_and_lost_carriage_returns_change_nothing() {
    for (text, kind, _) in SAMPLES {
        let lost = text.replace('\r', "");
        let trimmed: String = lost.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        let windows = lost.replace('\n', "\r\n");
        for changed in [&lost, &windows, &trimmed] {
            // A trace that was trimmed lost the blanks of its dump.
            let read = exchanges(changed);
            assert_eq!(read.len(), 1, "{kind:?}");
            assert_eq!(
                (read[0].status(), read[0].response.as_ref().unwrap().body.len),
                (Some(403), 61),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn several_requests_interim_responses_and_redirects() {
    let text = "*   Trying 192.0.2.7:443...\n* Connected to api.test (192.0.2.7) port 443\n* ALPN: curl offers h2,http/1.1\n\
        > CONNECT api.test:443 HTTP/1.1\n> Host: api.test:443\n> \n< HTTP/1.1 200 Connection established\n< \n\
        * SSL connection using TLSv1.3\n* using HTTP/2\n\
        > POST /a HTTP/2\n> Host: api.test\n> Expect: 100-continue\n> Content-Length: 3\n> \n< HTTP/2 100 \n< \n\
        * We are completely uploaded and fine\n< HTTP/2 302 \n< location: /b\n< content-length: 0\n< \n\
        * Connection #0 to host api.test left intact\n\
        > GET /b HTTP/2\n> Host: api.test\n> \n< HTTP/2 403 \n< content-type: text/plain\n< \n> no quote\nno\n\n< nothing\nmore* Connection #0 to host api.test left intact\n";
    let read = exchanges(text);
    let seen: Vec<_> = read.iter().map(|one| (one.method(), one.status(), one.outcome)).collect();
    assert_eq!(
        seen,
        [
            ("CONNECT", Some(200), Outcome::Switched),
            ("POST", Some(302), Outcome::Complete),
            ("GET", Some(403), Outcome::Complete)
        ]
    );
    let last = read[2].response.as_ref().unwrap();
    assert_eq!(String::from_utf8_lossy(&last.body.kept), "> no quote\nno\n\n< nothing\nmore");
    assert_eq!((read[2].server.to_string().as_str(), last.head.version()), ("192.0.2.7:443", Version::Http2));
    assert_eq!(read[1].request.as_ref().unwrap().head.version(), Version::Http2);
}

#[test]
fn what_curl_says_of_addresses_since_8_16() {
    let text = "* Established connection to a.test (2001:db8::1 port 443) from 2001:db8::2 port 51324 \n> POST / HTTP/1.1\n> Host: a.test\n> \n< HTTP/1.1 403 Forbidden\n< \n";
    let read = exchanges(text);
    assert_eq!(
        (read[0].server.to_string(), read[0].client.to_string()),
        ("[2001:db8::1]:443".into(), "[2001:db8::2]:51324".into())
    );
}

#[test]
fn pairs_of_http_files() {
    let text = "### an order\nPOST https://api.test:8443/v1/orders?x=1\nContent-Type: application/json\nAuthorization: Bearer x\n\n{\n  \"amount\": 1\n}\n\n\
        HTTP/1.1 403 Forbidden\nContent-Type: application/json\n\n{\"error\": \"x\"}\n\n###\n\nGET https://api.test/b\n";
    let read = exchanges(text);
    assert_eq!(read.len(), 2);
    let request = read[0].request.as_ref().unwrap();
    assert_eq!((read[0].target(), read[0].server.port()), (&b"/v1/orders?x=1"[..], 8443));
    assert_eq!(request.head.fields().value("host"), Some(&b"api.test:8443"[..]));
    assert_eq!(&*request.body.kept, b"{\n  \"amount\": 1\n}");
    assert_eq!(&*read[0].response.as_ref().unwrap().body.kept, b"{\"error\": \"x\"}");
    assert_eq!((read[1].outcome, read[1].status()), (Outcome::NotRecorded, None));
    let response = exchanges("HTTP/1.1 403 Forbidden\r\nServer: cloudflare\r\n\r\nerror code: 1020\n");
    assert_eq!((response[0].outcome, response[0].status()), (Outcome::Orphan, Some(403)));
}

#[test]
fn other_text_is_no_transcript() {
    for text in [
        "hello\n",
        "127.0.0.1 - - [x] \"POST / HTTP/1.1\" 403 5\n",
        "> quoted mail\n< more\n",
        "HTTP/1.1 is a protocol\n",
        "POST office\n",
        "* Connected to a.test\n",
        "=> Send nothing\n",
    ] {
        assert_eq!(Format::sniff(text.as_bytes()), None, "{text}");
    }
    let (_, outcome) = read(b"---request begin---\n", 10);
    assert!(matches!(outcome, Err(ImportError::NoExchange)));
}

#[test]
fn contents_and_lines_are_bounded() {
    let text = format!(
        "> POST / HTTP/1.1\n> Host: a.test\n> X: {}\n> \n< HTTP/1.1 403 Forbidden\n< \n{}\n",
        "y".repeat(3 << 20),
        "z".repeat(3 << 20)
    );
    let read = exchanges(&text);
    let body = &read[0].response.as_ref().unwrap().body;
    assert_eq!((body.kept.len(), body.len), (1000, 3 << 20));
    assert!(read[0].request.as_ref().unwrap().head.fields().raw().len() < 300 << 10);
}
