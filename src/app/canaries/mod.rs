//! A canary in every place where a secret may stand, and harmless values beside them, through every output.

mod screens;
mod unseen;

use std::fmt::Write as _;

use crate::archive;
use crate::cli::Format;
use crate::edge::redact::{Mask, Redactor};
use crate::explain::Diagnoser;
use crate::explain::inspector::Inspector;
use crate::export::{self, Writer, sample, with_item};
use crate::history::History;
use crate::model::BaselineChoice;
use crate::tui::doc::{self, Scene};
use crate::tui::theme::Theme;
use crate::tui::{Environment, Settings};

/// What must not be seen, in the refused request and in the accepted one.
const CANARIES: [&str; 2] = ["zQ7Kp225BXw9TmR4vB2qL", "zQ7Kp225AXw9TmR4vB2qL"];

/// Where a canary may stand: fields of the request, a line each; `@` is the canary.
const FIELDS: &[&str] = &[
    "Authorization: Bearer @",
    "Authorization: bearer  @",
    "Authorization: @",
    "Authorization: Token token=\"@\"",
    "Authorization: Digest username=\"bob\", response=\"@\"",
    "Authorization: Digest username=\"bob\", response=\"aaaa\", uri=\"/x?token=@\"",
    "Authorization: Hawk id=\"a\", mac=\"@\"",
    "Proxy-Authorization: Basic @",
    "Cookie: sid=@",
    "Cookie: lang=de; session=@; theme=dark",
    "X-Api-Key: @",
    "X-Auth-Token: @",
    "X-CSRF-Token: @",
    "X-Foo-Sig: @",
    "X-Amz-Security-Token: @",
    "DPoP: @",
    "X-Original-URL: /x?access_token=@",
    "X-Callback: https://a.example/cb?token=@",
    "Referer: https://u:@@h.example/",
    "Referer: https://h.example/reset/@",
    "Sec-WebSocket-Protocol: bearer, @",
    "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.@",
    "X-Debug: login failed: password=@ for bob",
    "X-Json: {\"token\":\"@\"}",
    "X-Forwarded-Host: bob:@@internal",
    "Link: <https://h.example/p?sig=@>; rel=next",
    "Api-Passwort: @",
];

/// Request targets.
const TARGETS: &[&str] = &[
    "/x?access_token=@",
    "/x?%74oken=@",
    "/x?a=1;token=@",
    "/x?token=a;@",
    "/x?redirect=https%3A%2F%2Fa%2Fcb%3Ftoken%3D@",
    "/x?redirect=https%253A%252F%252Fa%252Fcb%253Ftoken%253D@",
    "/x?code=@",
    "/x?q=%7B%22password%22%3A%22@%22%7D",
    "/x;jsessionid=@",
    "/x;jsessionid=@?a=1",
    "/x#access_token=@",
    "/reset/@",
    "/invite/@/accept",
    "/services/T00000000/B00000000/@",
    "/api/webhooks/123456789012345678/@",
    "/bot123456:AA@/sendMessage",
    "http://bob:@@api.example.com/x",
    "http://bob%3A@@api.example.com/x",
    "/fetch?url=http://bob:@@b.example/x",
    "/proxy/http://a.example/http://bob:@@b.example/x",
    "/o?X-Amz-Credential=AKID&X-Amz-Signature=@",
    "/blob?sv=2020&sig=@",
];

/// Bodies of requests with their media types.
const BODIES: &[(&str, &str)] = &[
    ("application/json", r#"{"password":"@"}"#),
    ("application/json", r#"{"newPassword2":"@"}"#),
    ("application/json", r#"{"u":{"auth":{"credentials":{"x":"@"}}}}"#),
    ("application/json", r#"{"api_keys":["a","@"]}"#),
    ("application/json", r#"[{"name":"password","value":"@"}]"#),
    ("application/json", r#"[{"value":"@","key":"api-key"}]"#),
    ("application/json", r#"{"headers":[["Authorization","Bearer @"]]}"#),
    ("application/json", r#"{"headers":{"Cookie":"sid=@; lang=de"}}"#),
    ("application/json", r#"{"payload":"{\"password\": \"@\"}"}"#),
    ("application/json", r#"{"payload":"{\"tokens\": [\"a\", \"@\"]}"}"#),
    ("application/json", r#"{"payload":"[{\"name\":\"secret\",\"value\":\"@\"}]"}"#),
    ("application/json", r#"{"body":"user=bob&password=@"}"#),
    ("application/json", r#"{"query":"mutation{login(user:\"b\",password:\"@\"){t}}"}"#),
    ("application/json", r#"{"query":"mutation{login(user:\"b\",password:\"my pass @\"){t}}"}"#),
    (
        "application/json",
        r#"{"query":"mutation L($p:String!){login(p:$p){t}}","variables":{"p":"@","password":"@"}}"#,
    ),
    ("application/json", r#"{"conn":"Server=x;User=u;Pwd=@;"}"#),
    ("application/json", r#"{"dsn":"postgres://u:@@db/x"}"#),
    ("application/json", r#"{"msg":"sent Authorization: Bearer @"}"#),
    ("application/json", r#"{"pass\u0077ord":"@"}"#),
    ("application/json", "{'password':'@'}"),
    ("application/json", r#"{password: "@"}"#),
    ("application/json", r#"{"kty":"RSA","n":"abc","d":"@"}"#),
    ("application/json", r#"{"d":"@","kty":"EC"}"#),
    ("application/json", r#"{"key":"@"}"#),
    ("application/json", r#"{"a":1,"password":"@"#),
    ("application/json", r#"callback({"password":"@"})"#),
    ("application/json", r#"{"url":"https://hooks.example.com/services/T00000000/B00000000/@"}"#),
    ("application/x-www-form-urlencoded", "user=bob&password=@"),
    ("application/x-www-form-urlencoded", "login%5Bpw%5D%5Bfirst%5D=@"),
    ("application/x-www-form-urlencoded", "payload=%7B%22password%22%3A%22@%22%7D"),
    ("application/x-www-form-urlencoded", "payload=%7B%22tokens%22%3A%5B%22@%22%5D%7D"),
    ("text/plain", "user=bob&password=@"),
    ("text/plain", "login failed: password=@ for bob"),
    ("text/plain", "Authorization: Bearer @"),
    ("text/plain", "GET https://u:@@h/x"),
    ("text/plain", "curl -u bob --password @ https://h"),
    ("text/plain", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n@\n-----END PGP PRIVATE KEY BLOCK-----"),
    ("text/plain", "-----BEGIN RSA PRIVATE KEY-----\nMII\n@\n-----END RSA PRIVATE KEY-----"),
    ("text/plain", "DB_PASSWORD=@\nDB_USER=x"),
    ("text/plain", "contraseña: @"),
    ("text/plain", "пароль=@"),
    ("application/yaml", "user: b\npassword: correct horse @\n"),
    ("application/yaml", "password: |\n  @\nuser: b\n"),
    ("application/yaml", "tokens:\n  - a\n  - @\n"),
    ("application/yaml", "a:\n  secret:\n    - name: x\n      v: @\n"),
    ("application/xml", "<l><password>@</password></l>"),
    ("application/xml", "<l><password><![CDATA[@]]></password></l>"),
    ("application/xml", "<l><password><v>@</v></password></l>"),
    ("application/xml", "<l password='@'/>"),
    ("text/xml", "<member><name>password</name><value><string>@</string></value></member>"),
    ("text/xml", "<dict><key>password</key><string>@</string></dict>"),
    (
        "text/xml",
        "<s:Header><wsse:UsernameToken><wsse:Username>b</wsse:Username><wsse:Password Type=\"x\">@</wsse:Password></wsse:UsernameToken></s:Header>",
    ),
    ("text/xml", "<entry key=\"password\">@</entry>"),
    ("text/xml", "<add key=\"ApiKey\" value=\"@\"/>"),
    (
        "text/xml",
        "<saml:Attribute Name=\"password\"><saml:AttributeValue>@</saml:AttributeValue></saml:Attribute>",
    ),
    ("text/html", "<input type=hidden name=csrf_token value=\"@\">"),
    ("text/html", "<script>var csrfToken = \"@\";</script>"),
    ("text/html", "<div data-config=\"{&quot;token&quot;:&quot;@&quot;}\">"),
    ("text/html", "<tr><td>HTTP_AUTHORIZATION</td><td>Bearer @</td></tr>"),
    (
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; NAME=\"password\"\r\n\r\n@\r\n--XX--\r\n",
    ),
    (
        "multipart/form-data",
        "preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n@\r\n--XX--\r\n",
    ),
    (
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; name*=UTF-8''pass%77ord\r\n\r\n@\r\n--XX--\r\n",
    ),
    (
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\".env\"\r\n\r\nDB_PASSWORD=a @\r\n--XX--\r\n",
    ),
    (
        "multipart/form-data; boundary=XX",
        "--XX\r\nContent-Disposition: form-data; name=\"m\"\r\nContent-Type: application/json\r\n\r\n{\"tokens\":[\"@\"]}\r\n--XX--\r\n",
    ),
    (
        "multipart/mixed; boundary=A",
        "--A\r\nContent-Type: multipart/form-data; boundary=B\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n@\r\n--B--\r\n--A--\r\n",
    ),
    (
        "multipart/mixed; boundary=A",
        "--A\r\nContent-Type: application/http\r\n\r\nPOST /x HTTP/1.1\r\nAuthorization: Bearer @\r\n\r\n--A--\r\n",
    ),
    ("message/rfc822", "Content-Transfer-Encoding: quoted-printable\n\npassword=3D@"),
    ("application/msgpack", "\u{82}password\u{15}@"),
];

/// What a response says, given that the request's `X-Api-Key` is the canary or that it names a secret itself.
const RESPONSES: &[&str] = &[
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<h1>403</h1><p>Invalid API key: @</p>",
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n@ was refused",
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{\"error\":\"invalid_token\",\"message\":\"token @ is expired\"}",
    "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{\"message\":\"denied: api_key=@\"}",
    "HTTP/1.1 403 Forbidden\r\nX-Denied: token @ not allowed\r\n\r\n",
    "HTTP/1.1 403 no access for @\r\n\r\n",
    "HTTP/1.1 403 token=@ expired\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nX-Error: token=@ expired\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nLocation: https://a/login?next=%2Fcb%3Fcode%3D@\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Digest realm=\"a\", nonce=\"@\", opaque=\"@\"\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nWWW-Authenticate: Negotiate @\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nSet-Cookie: sid=@; Path=/\r\n\r\n",
    "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nseen: %@ and elFkS3AyMjVCWHc5VG1SNHZCMnFM",
];

/// What must stay as it is: evidence, identifiers, hashes.
const HARMLESS: &[&str] = &[
    "Access-Control-Allow-Credentials: true",
    "X-CSRF-Protection: 1",
    "X-Require-Signature: true",
    "Cookie: lang=de",
    "Cookie: theme=dark; tz=UTC",
    "X-Request-Id: 5f4dcc3b5aa765d61d8327deb882cf99",
    "ETag: \"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
    "X-Trace-Id: 4bf92f3577b34da6a3ce929d0e0e4736",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "If-None-Match: W/\"0815\"",
    "X-Amzn-RequestId: c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
    "Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==",
    "X-RateLimit-Remaining-Tokens: 4096",
    "Idempotency-Key: 8e03978e-40d5-43e8-bc93-6894a57f9324",
    "User-Agent: curl/8.5.0",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "X-Token-Type: Bearer",
    "X-Session-State: open",
    "Origin: https://app.example.com",
    "X-Forwarded-For: 203.0.113.7",
    "Accept: application/json",
    "X-Auth-User: alice",
    "X-Password-Expires: 2026-12-01",
    "Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
    "X-Build: v1.24.3-rc.2+build.7",
    "X-Key-Id: key-17",
    "Host: api.example.com",
    "X-Author: someone",
    "X-Compass: north",
    "Authorization-Hint: none",
    "X-Token-Expires-At: 1763798400",
    "X-Api-Version: 2024-06-20",
    "Signature-Input: sig1=(\"@method\")",
    "X-Pinned: yes",
    "X-Nonce-Required: true",
    "X-Secret-Name: db-main",
    "Via: 1.1 proxy.example.com",
    "X-Cache-Key: /a/b/c",
    "Content-Security-Policy: default-src 'self'",
    "X-Md5sum: 9e107d9d372bb6826bd81d3542a419d6",
];
/// As [`HARMLESS`], in a body of JSON.
const HARMLESS_JSON: &str = r#"{"credentials":"include","token_type":"Bearer","max_tokens":4096,"total_tokens":12,"key":"uploads/2024/report.pdf","keyId":"key-1","kid":"2011-04-29","id":"550e8400-e29b-41d4-a716-446655440000","sha256":"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08","etag":"abc123","version":"1.2.3","error":"invalid_token","message":"The access token expired","code":"AccessDenied","password_required":true,"has_password":false,"passwordPolicy":"strong","session_state":"open","author":"Ann","authority":"example.com","passenger":"Bob","design":"flat","compass":"N","token":null,"password":"","signature_method":"HMAC-SHA1","grant_type":"password","scope":"orders:write","client_id":"web-app","user_name":"alice","trace":"4bf92f3577b34da6a3ce929d0e0e4736","commit":"e83c5163316f89bfbde7d9ab23ca2e25604af290","uuid":"123e4567-e89b-12d3-a456-426614174000","count":1763798400,"order":"4111111111111112","amount":"12.50","phone":"+49 30 1234567","date":"2026-11-29T07:52:01Z","url":"https://api.example.com/v1/users/7?page=2&sort=name","path":"/v1/users/550e8400-e29b-41d4-a716-446655440000/keys/17","text":"the token is invalid and the password is wrong","hint":"secret santa","fields":["password","email"],"cors":{"credentials":"same-origin"},"pin":"","nonce_required":true}"#;

fn message(start: &str, fields: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{start}\r\n");
    for field in fields {
        let _ = write!(text, "{field}\r\n");
    }
    (text + "\r\n" + body).into_bytes()
}

/// Everything that is written about the second exchange, by output.
fn outputs(exchanges: &[(Vec<u8>, Vec<u8>)], reveal: bool) -> Vec<(&'static str, String)> {
    let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let redactor = Redactor::for_tests(reveal);
    let mut id = None;
    for (request, response) in exchanges {
        id = Some(inspector.push(sample::exchange(request, response)));
    }
    let id = id.unwrap();
    let mut all = Vec::new();
    for (name, format) in [
        ("ndjson", Format::Json),
        ("curl", Format::Curl),
        ("nc", Format::Nc),
        ("httpie", Format::Httpie),
        ("fetch", Format::Fetch),
        ("python", Format::Python),
        ("powershell", Format::Powershell),
        ("har", Format::Har),
        ("markdown", Format::Markdown),
        ("raw", Format::Raw),
    ] {
        let mut out = Vec::new();
        with_item(&inspector, id, |item| Writer::new(format).item(&mut out, item, &redactor))
            .unwrap()
            .unwrap();
        all.push((name, String::from_utf8_lossy(&out).into_owned()));
    }
    let record = inspector.history().get(id).unwrap();
    let mut stored = record.exchange.clone();
    if !reveal {
        Mask::new(&[3; 32]).apply(&mut stored);
    }
    all.push(("record", archive::record::write(1, &stored)));
    let report = inspector.report(id, BaselineChoice::LastSuccess).unwrap();
    let name = inspector.history().endpoint(record.endpoint).unwrap().to_string();
    all.push(("endpoint", redactor.endpoint(&name)));
    all.push(("completion", crate::edge::redact::starred(&name)));
    let baseline = report.baseline.as_ref().and_then(|baseline| inspector.history().get(baseline.id));
    let redactor = redactor.knowing(&export::exchanges(record, baseline));
    let scene = Scene {
        redactor: &redactor,
        glyphs: Theme::new(&Settings::default(), &Environment::default()).glyphs,
        width: 200,
    };
    let mut screen = String::new();
    let docs = [
        doc::why::why(record, (&report, BaselineChoice::LastSuccess), inspector.history(), &scene),
        doc::message::request(record, &scene),
        doc::message::response(record, &scene),
    ];
    for line in docs.iter().flat_map(doc::Doc::lines) {
        screen.push_str(line.text());
        screen.push('\n');
    }
    all.push(("screen", screen));
    all.extend(screens::screens(exchanges, reveal));
    if !reveal {
        all.extend(screens::lists(&inspector));
    }
    all
}

/// The place with the canary in the refused exchange and with another one in the accepted one.
fn exchanges(make: impl Fn(&str) -> (Vec<u8>, Vec<u8>)) -> Vec<(Vec<u8>, Vec<u8>)> {
    let [refused, accepted] = CANARIES;
    let (request, _) = make(accepted);
    let success = message("HTTP/1.1 200 OK", &["Content-Type: application/json"], "{\"ok\":true}");
    vec![(request.clone(), success.clone()), (request, success), make(refused)]
}

fn refusal() -> Vec<u8> {
    message("HTTP/1.1 403 Forbidden", &["Content-Type: application/json"], "{\"error\":\"forbidden\"}")
}

#[expect(clippy::type_complexity, reason = "a table of tests")]
fn places() -> Vec<(String, Vec<(Vec<u8>, Vec<u8>)>)> {
    let host = "Host: api.example.com";
    let put = |place: &str, canary: &str| {
        // `@@` is a canary and an at sign.
        place.replace("@@", "\u{1}@").replace('@', "\u{2}").replace(['\u{1}', '\u{2}'], canary).clone()
    };
    let put = move |place: &str, canary: &str| {
        if place.contains("@@") { place.replace("@@", &format!("{canary}@")) } else { put(place, canary) }
    };
    let mut all = Vec::new();
    for field in FIELDS.iter().chain(unseen::FIELDS) {
        let make = |canary: &str| {
            (message("POST /api/v1/orders HTTP/1.1", &[host, &put(field, canary)], "{\"a\":1}"), refusal())
        };
        all.push(((*field).to_owned(), exchanges(make)));
    }
    for target in TARGETS.iter().chain(unseen::TARGETS) {
        let make = |canary: &str| {
            (message(&format!("POST {} HTTP/1.1", put(target, canary)), &[host], "{\"a\":1}"), refusal())
        };
        all.push(((*target).to_owned(), exchanges(make)));
    }
    for (media, body) in BODIES.iter().chain(unseen::BODIES) {
        let media = format!("Content-Type: {media}");
        let make = |canary: &str| {
            (message("POST /api/v1/orders HTTP/1.1", &[host, &media], &put(body, canary)), refusal())
        };
        all.push(((*body).to_owned(), exchanges(make)));
    }
    for response in RESPONSES.iter().chain(unseen::RESPONSES) {
        let key = |canary: &str| format!("X-Api-Key: {canary}");
        let make = |canary: &str| {
            let request = message("POST /api/v1/orders HTTP/1.1", &[host, &key(canary)], "{\"a\":1}");
            (request, put(response, canary).into_bytes())
        };
        all.push(((*response).to_owned(), exchanges(make)));
    }
    all
}

#[test]
fn no_output_shows_a_secret() {
    let places = places();
    assert!(places.len() >= 250, "{}", places.len());
    let mut leaks = String::new();
    for (place, exchanges) in &places {
        for (output, text) in outputs(exchanges, false) {
            let seen = CANARIES
                .iter()
                .map(|canary| canary.get(..9).unwrap_or_default())
                .any(|canary| text.contains(canary));
            if seen || text.contains("elFkS3AyMjVC") {
                let at = text.find("zQ7Kp225").or(text.find("elFkS3AyMjVC")).unwrap_or_default();
                let from =
                    (at.saturating_sub(60)..=at).find(|at| text.is_char_boundary(*at)).unwrap_or_default();
                let shown: String = text.get(from..).unwrap_or_default().chars().take(110).collect();
                let _ = writeln!(leaks, "{output}: {place:?}\n    {shown:?}");
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks}");
}

#[test]
fn harmless_values_stay() {
    let mut hidden = String::new();
    for field in HARMLESS.iter().chain(unseen::HARMLESS_FIELDS) {
        let request = message("POST /api/v1/orders HTTP/1.1", &["Host: api.example.com"], "{\"a\":1}");
        let response = message("HTTP/1.1 403 Forbidden", &[field], "");
        for (output, text) in outputs(&[(request, response)], false) {
            if output == "raw" && !text.contains(field) {
                let _ = writeln!(hidden, "{field}: {text}");
            }
        }
    }
    let request = message(
        "POST /v1/users HTTP/1.1",
        &["Host: api.example.com", "Content-Type: application/json"],
        HARMLESS_JSON,
    );
    for (output, text) in outputs(&[(request, refusal())], false) {
        if output == "raw" && !text.contains(HARMLESS_JSON) {
            let body = text.split("\r\n\r\n").nth(1).unwrap_or_default();
            let same = body.bytes().zip(HARMLESS_JSON.bytes()).take_while(|(a, b)| a == b).count();
            let _ = writeln!(hidden, "{}", body.get(same.saturating_sub(40)..same + 60).unwrap_or_default());
        }
    }
    assert!(hidden.is_empty(), "{hidden}");
}

#[test]
fn harmless_bodies_and_targets_stay() {
    let mut hidden = String::new();
    let host = "Host: api.example.com";
    for (media, body) in unseen::HARMLESS_BODIES {
        let media = format!("Content-Type: {media}");
        let request = message("POST /v1/users HTTP/1.1", &[host], "{}");
        let exchange = (request, message("HTTP/1.1 403 Forbidden", &[&media], body));
        for (_, text) in outputs(&[exchange], false).iter().filter(|(output, _)| *output == "raw") {
            if !text.contains(body) {
                let _ = writeln!(hidden, "{body}\n    {:?}", text.split("\r\n\r\n").last());
            }
        }
    }
    for target in unseen::HARMLESS_TARGETS {
        let exchange = (message(&format!("POST {target} HTTP/1.1"), &[host], "{}"), refusal());
        for (_, text) in outputs(&[exchange], false).iter().filter(|(output, _)| *output == "raw") {
            if !text.contains(target) {
                let _ = writeln!(hidden, "{target}\n    {:?}", text.lines().nth(1));
            }
        }
    }
    let more = [unseen::HARMLESS_FIELDS.len(), unseen::HARMLESS_BODIES.len(), unseen::HARMLESS_TARGETS.len()];
    assert!(more.iter().sum::<usize>() >= 100, "{more:?}");
    assert!(hidden.is_empty(), "{hidden}");
}

/// A way to write bytes.
type Encoding = fn(&[u8]) -> String;

const ENCODINGS: &[(&str, Encoding)] = &[
    ("percent", |bytes| each(bytes, |byte| format!("%{byte:02x}"))),
    ("percent twice", |bytes| each(bytes, |byte| format!("%25{byte:02X}"))),
    ("\\u", |bytes| each(bytes, |byte| format!("\\u{byte:04x}"))),
    ("\\x", |bytes| each(bytes, |byte| format!("\\x{byte:02x}"))),
    ("entities", |bytes| each(bytes, |byte| format!("&#x{byte:x};"))),
    ("decimal entities", |bytes| each(bytes, |byte| format!("&#{byte};"))),
    ("quoted-printable", |bytes| each(bytes, |byte| format!("={byte:02X}"))),
    ("base64", |bytes| base64(bytes)),
    ("base64 after one byte", |bytes| base64(&[b"x", bytes].concat())),
    ("base64 after two bytes", |bytes| base64(&[b"xy", bytes, b"z"].concat())),
];

fn each(bytes: &[u8], written: impl Fn(u8) -> String) -> String {
    let mut out = String::new();
    for byte in bytes {
        out.push_str(&written(*byte));
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

#[test]
fn an_echo_in_another_encoding_is_hidden() {
    let mut leaks = String::new();
    for (name, encoded) in ENCODINGS {
        let echo = encoded(CANARIES[0].as_bytes());
        let key = format!("X-Api-Key: {}", CANARIES[0]);
        let request = message("POST /v1/x HTTP/1.1", &["Host: a", &key], "{}");
        for media in ["text/plain", "application/json", "text/html"] {
            let body = format!("refused =3D \"{echo}\"");
            let response = message("HTTP/1.1 403 Forbidden", &[&format!("Content-Type: {media}")], &body);
            // The beginning and the end may depend on what stands around the secret.
            let middle = echo.get(echo.len() / 4..echo.len() * 3 / 4).unwrap();
            for (output, text) in outputs(&[(request.clone(), response)], false) {
                if text.contains(middle) {
                    let _ = writeln!(leaks, "{output}: {name} in {media}: {echo}");
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{leaks}");
}

#[test]
fn a_log_record_shows_no_secret() {
    let secret = CANARIES[0];
    let target = format!("/v1/x?access_token={secret}");
    let request = message(&format!("POST {target} HTTP/1.1"), &["Host: a", "User-Agent: x"], "{}");
    for words in [
        format!(
            "access forbidden by rule, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\", host: \"a\""
        ),
        format!(
            "access forbidden by rule, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\", referrer: \"https://h/{secret}\""
        ),
        format!(
            "denied password={secret}, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\""
        ),
        format!(
            "auth failed for Bearer {secret}, client: 127.0.0.1, server: a, request: \"POST {target} HTTP/1.1\""
        ),
    ] {
        let text =
            screens::with_log(&request, &refusal(), &format!("1970/01/01 00:00:01 [error] 7#7: *1 {words}"));
        assert!(!text.contains("zQ7Kp225"), "{words}\n{text}");
    }
}

#[test]
fn secrets_are_let_through_together() {
    let (_, exchanges) = places().swap_remove(0);
    for (output, text) in outputs(&exchanges, true) {
        if !matches!(output, "endpoint" | "completion") {
            let quotes =
                matches!(output, "ndjson" | "curl" | "nc" | "har" | "markdown" | "raw" | "request tab");
            assert!(text.contains("zQ7Kp225B") || !quotes, "{output}");
            assert!(!text.contains("[redacted"), "{output}");
        }
    }
}
