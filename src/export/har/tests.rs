//! Entries of an archive, beside what HAR 1.2 and its readers ask for.

use std::io::Write as _;

use serde_json::{Value, json};

use super::HarResponse;
use crate::edge::redact::Redactor;
use crate::export::sample;

fn post(media: &str, body: &[u8], reveal: bool) -> Value {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let exchange = sample::exchange(&[head.as_bytes(), body].concat(), b"");
    let request = exchange.request.as_ref().unwrap();
    let data = super::PostData::new(request.head.fields(), &request.body, &Redactor::new(reveal));
    serde_json::to_value(data).unwrap()
}

fn response(head: &str, body: &[u8]) -> Value {
    let bytes = [head.as_bytes(), b"\r\n\r\n", body].concat();
    let exchange = sample::exchange(b"", &bytes);
    serde_json::to_value(HarResponse::new(exchange.response.as_ref().unwrap(), &Redactor::new(true))).unwrap()
}

#[test]
fn forms_have_parameters() {
    let form = post("application/x-www-form-urlencoded", b"a=1&b=x+y%26&a=", true);
    assert_eq!(
        form["params"],
        json!([{"name":"a","value":"1"},{"name":"b","value":"x y&"},{"name":"a","value":""}])
    );
    assert_eq!(form["text"], "a=1&b=x+y%26&a=");
    let body = b"--B\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\nhi\r\n--B--\r\n";
    let multipart = post("multipart/form-data; boundary=B", body, true);
    assert_eq!(
        multipart["params"],
        json!([{"name":"n","value":"v"},{"name":"f","value":"hi","fileName":"x.txt","contentType":"text/plain"}])
    );
    let hidden = post("application/x-www-form-urlencoded", b"user=u&password=s3cr3t", false);
    assert!(!hidden.to_string().contains("s3cr3t"), "{hidden}");
    assert_eq!(hidden["params"][0], json!({"name":"user","value":"u"}));
}

#[test]
fn binary_content_of_requests_has_a_character_for_each_byte() {
    let all: Vec<u8> = (0..=255).collect();
    let data = post("application/octet-stream", &all, true);
    let text = data["text"].as_str().unwrap();
    assert!(text.chars().map(u32::from).eq(0..256));
    assert!(data["comment"].as_str().unwrap().contains("ISO 8859-1"));
    assert!(data.get("encoding").is_none());
}

#[test]
fn sizes_before_and_after_the_content_coding() {
    let text = b"forbidden ".repeat(20);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&text).unwrap();
    let coded = encoder.finish().unwrap();
    let got = response("HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip", &coded);
    assert_eq!(got["content"]["size"], 200);
    assert_eq!(got["content"]["compression"], 200 - coded.len() as i64);
    assert_eq!(got["bodySize"], coded.len());
    let plain = response("HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain", b"no");
    assert_eq!((&plain["content"]["size"], plain["content"].get("compression")), (&json!(2), None));
    let broken = response("HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip", &coded[..coded.len() / 2]);
    assert_eq!(broken["content"].get("compression"), None);
}

#[test]
fn cookies_have_their_attributes() {
    let got = response(
        "HTTP/1.1 403 Forbidden\r\nSet-Cookie: s=1; Path=/; HttpOnly; Secure; SameSite=Lax; Expires=Wed, 09 Jun 2027 10:18:14 GMT\r\nSet-Cookie: t=2; Domain=.api.test; Max-Age=60",
        b"",
    );
    assert_eq!(
        got["cookies"],
        json!([
            {"name":"s","value":"1","path":"/","expires":"2027-06-09T10:18:14.000Z","httpOnly":true,"secure":true,"sameSite":"Lax"},
            {"name":"t","value":"2","domain":".api.test","expires":"1970-01-01T00:01:01.002Z","httpOnly":false,"secure":false},
        ])
    );
}
