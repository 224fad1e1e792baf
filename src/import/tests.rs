//! Records of every recorder as exchanges.

use std::ops::ControlFlow;

use super::{Format, ImportError, Recipient};
use crate::model::{BodyEnd, Exchange, Outcome, Version};

#[derive(Default)]
pub(super) struct Taken {
    pub(super) exchanges: Vec<Exchange>,
    pub(super) warnings: Vec<String>,
    pub(super) most: Option<usize>,
}

impl Recipient for Taken {
    fn exchange(&mut self, exchange: Exchange) -> ControlFlow<()> {
        self.exchanges.push(exchange);
        if self.most.is_some_and(|most| self.exchanges.len() >= most) {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
    fn warning(&mut self, text: String) {
        self.warnings.push(text);
    }
}

pub(super) fn read(bytes: &[u8], limit: usize) -> (Taken, Result<(), ImportError>) {
    let mut taken = Taken::default();
    let format = Format::sniff(bytes).expect("a record");
    let outcome = format.read(bytes, limit, &mut taken);
    (taken, outcome)
}

fn entries(entries: &str) -> Vec<Exchange> {
    let har = format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"t","version":"1"}},"entries":[{entries}]}}}}"#
    );
    let (taken, outcome) = read(har.as_bytes(), 1000);
    outcome.unwrap();
    taken.exchanges
}

fn fields(exchange: &Exchange) -> Vec<String> {
    let head = &exchange.request.as_ref().unwrap().head;
    head.fields().iter().map(|field| format!("{}: {}", field.name_text(), field.value_text())).collect()
}

/// As Chrome exports a request over HTTP/2.
const CHROME: &str = r#"{"_connectionId":"77","_initiator":{"type":"script","stack":{"callFrames":[{"url":"x"}]}},"_priority":"High",
"_resourceType":"fetch","cache":{},"connection":"443","pageref":"page_1","request":{"method":"POST",
"url":"https://api.example.com/v1/orders?x=1#frag","httpVersion":"http/2.0","headers":[{"name":":authority","value":"api.example.com"},
{"name":":method","value":"POST"},{"name":":path","value":"/v1/orders?x=1"},{"name":":scheme","value":"https"},
{"name":"authorization","value":"Bearer abc"},{"name":"content-type","value":"application/json"}],"queryString":[{"name":"x","value":"1"}],
"cookies":[],"headersSize":-1,"bodySize":13,"postData":{"mimeType":"application/json","text":"{\"amount\": 1}"}},
"response":{"status":403,"statusText":"","httpVersion":"http/2.0","headers":[{"name":"content-type","value":"application/json"},
{"name":"content-encoding","value":"br"},{"name":"set-cookie","value":"a=1\nb=2"}],"cookies":[],"content":{"size":28,
"mimeType":"application/json","text":"{\"error\":\"insufficient_scope\"}"},"redirectURL":"","headersSize":-1,"bodySize":-1,
"_transferSize":321,"_error":null},"serverIPAddress":"[2001:db8::1]","startedDateTime":"2026-11-22T07:52:01.123Z","time":30.5,
"timings":{"blocked":1.5,"dns":-1,"ssl":-1,"connect":-1,"send":0.5,"wait":28,"receive":0.5,"_blocked_queueing":1}}"#;

#[test]
fn chrome_over_http2() {
    let read = entries(CHROME);
    let [exchange] = read.as_slice() else { panic!("one entry") };
    let (request, response) = (exchange.request.as_ref().unwrap(), exchange.response.as_ref().unwrap());
    assert_eq!(
        (exchange.method(), exchange.target(), exchange.status()),
        ("POST", &b"/v1/orders?x=1"[..], Some(403))
    );
    assert_eq!((request.head.version(), response.head.version()), (Version::Http2, Version::Http2));
    assert_eq!(
        fields(exchange),
        ["Host: api.example.com", "authorization: Bearer abc", "content-type: application/json"]
    );
    assert_eq!((&*request.body.kept, request.body.len), (&b"{\"amount\": 1}"[..], 13));
    assert_eq!(&*response.body.kept, b"{\"error\":\"insufficient_scope\"}");
    assert_eq!(response.head.fields().values("set-cookie").collect::<Vec<_>>(), [b"a=1", b"b=2"]);
    assert_eq!(response.head.fields().value("content-encoding"), None, "the content is without it");
    assert_eq!(exchange.server.to_string(), "[2001:db8::1]:443");
    assert_eq!(exchange.started().to_string(), "2026-11-22T07:52:01.124500Z");
    assert_eq!((exchange.latency(), exchange.outcome), (Some(28_500_000), Outcome::Complete));
    let imported = exchange.imported.as_ref().unwrap();
    let absent: Vec<&str> = imported.absent.iter().map(|(what, _)| *what).collect();
    assert_eq!(absent, ["frames", "framing", "response.header.content-encoding", "client"]);
    assert_eq!((imported.format, &*imported.recorder, imported.entry), ("har", "t 1", 1));
    assert!(exchange.anomalies.is_empty());
}

/// An entry with little in it.
fn entry(request: &str, response: &str, rest: &str) -> String {
    format!(
        r#"{{"request":{{"method":"POST","url":"http://a.test/x","httpVersion":"HTTP/1.1",{request}}},"response":{{{response}}}{rest}}}"#
    )
}

#[test]
fn contents_of_every_kind() {
    let gzip = {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"hello").unwrap();
        encoder.finish().unwrap()
    };
    let base64 = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let coded = format!(
        r#""status":403,"headers":[{{"name":"Content-Encoding","value":"gzip"}}],"content":{{"text":"{}","encoding":"base64"}}"#,
        base64(&gzip)
    );
    let long = format!(r#""status":403,"headers":[],"content":{{"text":"{}"}}"#, "x".repeat(5000));
    let long64 = format!(
        r#""status":403,"headers":[],"content":{{"encoding":"base64","text":"{}"}}"#,
        base64(&[0xff; 6000])
    );
    for (response, kept, len, end) in [
        (r#""status":403,"content":{"size":0,"mimeType":"x-unknown"}"#, &b""[..], 0, BodyEnd::None),
        (r#""status":403,"content":{"text":"","size":0}"#, b"", 0, BodyEnd::None),
        (r#""status":403,"content":{"size":12,"mimeType":"text/html"}"#, b"", 12, BodyEnd::Complete),
        (r#""status":403,"bodySize":-1"#, b"", 0, BodyEnd::Lost),
        (r#""status":204"#, b"", 0, BodyEnd::None),
        (r#""status":403,"content":{"text":"aGk","encoding":"base64"}"#, b"hi", 2, BodyEnd::Complete),
        (
            r#""status":403,"content":{"text":"no base64!","encoding":"base64"}"#,
            b"nobase64!",
            10,
            BodyEnd::Complete,
        ),
        (
            r#""status":403,"headers":[{"name":"Content-Type","value":"text/html; charset=iso-8859-1"}],"content":{"text":"é"}"#,
            b"\xe9",
            1,
            BodyEnd::Complete,
        ),
        (coded.as_str(), gzip.as_slice(), gzip.len() as u64, BodyEnd::Complete),
        (long.as_str(), &[b'x'; 1000], 5000, BodyEnd::Complete),
        (long64.as_str(), &[0xff; 1000], 6000, BodyEnd::Complete),
    ] {
        let read = entries(&entry(r#""headers":[]"#, response, ""));
        let body = &read[0].response.as_ref().unwrap().body;
        assert_eq!((&*body.kept, body.len, body.end), (kept, len, end), "{response}");
    }
}

#[test]
fn requests_with_forms_and_without_content() {
    for (request, kept, absent) in [
        (
            r#""headers":[],"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"a b","value":"1"},{"name":"c","value":"x%20y"}]}"#,
            &b"a%20b=1&c=x%20y"[..],
            false,
        ),
        (
            r#""headers":[],"bodySize":10,"postData":{"mimeType":"multipart/form-data","params":[{"name":"f","fileName":"x"}]}"#,
            b"",
            true,
        ),
        (r#""headers":[{"name":"Content-Length","value":"3"}],"bodySize":-1"#, b"", true),
        (r#""headers":[],"bodySize":0"#, b"", false),
        (
            r#""headers":[],"postData":{"mimeType":"x/y","text":"\u00ff\u0000","comment":"not text: each character stands for one byte (ISO 8859-1)"}"#,
            b"\xff\0",
            false,
        ),
    ] {
        let read = entries(&entry(request, r#""status":403"#, ""));
        let body = &read[0].request.as_ref().unwrap().body;
        assert_eq!(&*body.kept, kept, "{request}");
        let names: Vec<_> = read[0].imported.as_ref().unwrap().absent.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.contains(&"request.body"), absent, "{request}: {names:?}");
    }
}

#[test]
fn a_status_of_zero_has_its_reason() {
    for (response, rest, expected) in [
        (r#""status":0,"_error":"net::ERR_FAILED""#, "", Some("CORS")),
        (r#""status":0,"statusText":"","_error":"net::ERR_BLOCKED_BY_CLIENT""#, "", Some("extension")),
        (r#""status":"","statusText":"NS_BINDING_ABORTED""#, "", Some("cancelled")),
        (r#""status":0,"_failureText":"net::ERR_CONNECTION_REFUSED""#, "", Some("CONNECTION_REFUSED")),
        (r#""status":0"#, r#","_charlesStatus":"FAILED""#, Some("FAILED")),
        (r#""status":-1,"comment":"blocked""#, "", Some("blocked")),
        (r#""status":0"#, "", None),
    ] {
        let read = entries(&entry(r#""headers":[]"#, response, rest));
        assert_eq!((read[0].outcome, read[0].response.is_none()), (Outcome::NotRecorded, true), "{response}");
        let reason = read[0].imported.as_ref().unwrap().reason.as_deref();
        assert_eq!(reason.is_some(), expected.is_some(), "{response}");
        assert!(reason.unwrap_or_default().contains(expected.unwrap_or_default()), "{response}: {reason:?}");
    }
}

#[test]
fn versions_and_hosts() {
    for (version, head_size, expected, host) in [
        ("HTTP/1.1", 120, Version::Http11, false),
        ("HTTP/1.1", -1, Version::Http11, true),
        ("http/1.0", -1, Version::Http10, true),
        ("h2", 50, Version::Http2, true),
        ("HTTP/2", -1, Version::Http2, true),
        ("h3-29", -1, Version::Http3, true),
        ("HTTP/3.0", -1, Version::Http3, true),
        ("unknown", -1, Version::Http11, true),
    ] {
        let read = entries(&format!(
            r#"{{"request":{{"method":"GET","url":"http://a.test:81/","httpVersion":"{version}","headers":[],"headersSize":{head_size}}},"response":{{"status":200}}}}"#
        ));
        let head = &read[0].request.as_ref().unwrap().head;
        assert_eq!(head.version(), expected, "{version}");
        assert_eq!(head.fields().value("host").is_some(), host, "{version}");
        assert_eq!(read[0].server.port(), 81);
    }
}

#[test]
fn what_is_no_http_is_left_out_and_said() {
    let other = r#"{"request":{"method":"GET","url":"data:image/png;base64,x","headers":[]},"response":{"status":200}}"#;
    let har = format!(r#"{{"log":{{"entries":[{other},{CHROME},{other}]}}}}"#);
    let (taken, outcome) = read(har.as_bytes(), 1000);
    assert!(outcome.is_ok() && taken.exchanges.len() == 1);
    assert!(taken.warnings[0].starts_with("2 entries are left out"), "{:?}", taken.warnings);
    assert_eq!(taken.exchanges[0].imported.as_ref().unwrap().entry, 2);
}

#[test]
fn chrome_without_sensitive_data_is_said() {
    let plain = CHROME.replace("authorization", "x-other");
    for (entry, warned) in [(CHROME, false), (plain.as_str(), true)] {
        let har = format!(
            r#"{{"log":{{"creator":{{"name":"WebInspector","version":"537.36"}},"entries":[{entry}]}}}}"#
        );
        assert_eq!(read(har.as_bytes(), 1000).0.warnings.len(), usize::from(warned));
    }
}

#[test]
fn what_was_read_before_damage_is_kept() {
    let har = format!(r#"{{"log":{{"entries":[{CHROME},{CHROME},{{"request":"#);
    let (taken, outcome) = read(har.as_bytes(), 1000);
    assert_eq!(taken.exchanges.len(), 2);
    let error = outcome.unwrap_err().to_string();
    assert!(
        error.contains("the file ends here") && error.contains("the 2 entries before that are used"),
        "{error}"
    );
    let (taken, outcome) = read(br#"{"swagger":"2.0"}"#, 10);
    assert!(taken.exchanges.is_empty() && outcome.unwrap_err().to_string().contains("no HAR"));
}

#[test]
fn a_recipient_that_has_enough_ends_the_reading() {
    let har = format!(r#"{{"log":{{"entries":[{CHROME},{CHROME},{CHROME}]}}}}"#);
    let mut taken = Taken { most: Some(2), ..Taken::default() };
    Format::Har.read(har.as_bytes(), 100, &mut taken).unwrap();
    assert_eq!(taken.exchanges.len(), 2);
}

#[test]
fn hostile_archives_stay_within_bounds() {
    let value = "v".repeat(2_000);
    let lines = format!(r#"{{"name":"n","value":"{value}"}},"#).repeat(5_000);
    let entry = entry(
        &format!(r#""headers":[{lines}{{"name":"a\r\nInjected","value":"x\r\nInjected: y"}}]"#),
        r#""status":403"#,
        "",
    );
    let read = entries(&entry);
    let head = &read[0].request.as_ref().unwrap().head;
    assert!(head.fields().raw().len() <= super::message::MAX_HEAD + 64);
    let twice = entries(
        r#"{"request":{"method":"GET","url":"http://a.test/1","headers":[],"headers":[{"name":"X","value":"1"}],"url":"http://a.test/2"},"response":{"status":403,"status":200}}"#,
    );
    assert_eq!((twice[0].target(), twice[0].status(), fields(&twice[0]).len()), (&b"/2"[..], Some(200), 2));
    let injected = entries(&self::entry(
        r#""headers":[{"name":"a\r\nInjected: 1\r\nb","value":"x\r\nInjected: y"}]"#,
        r#""status":403"#,
        "",
    ));
    assert!(
        !injected[0].request.as_ref().unwrap().head.fields().has("injected"),
        "{:?}",
        fields(&injected[0])
    );
}

#[test]
fn only_json_that_may_be_an_archive_is_taken() {
    for (bytes, expected) in [
        (&b"{\"log\":"[..], true),
        (b"\xef\xbb\xbf \n{ \"log\"", true),
        (b"{", true),
        (b"{}", true),
        (b"[1]", false),
        (b"{a}", false),
        (b"", false),
        (b"\xd4\xc3\xb2\xa1", false),
    ] {
        assert_eq!(Format::sniff(bytes).is_some(), expected, "{bytes:?}");
    }
}
