//! What a masked exchange still says, and what it no longer says.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::Mask;
use crate::edge::redact::Redactor;
use crate::features::content;
use crate::features::content::tests::{coded, wide};
use crate::features::tests::{exchange, request, response};
use crate::model::Exchange;

const KEY: [u8; 32] = [7; 32];

fn masked(mut one: Exchange) -> Exchange {
    let mask = Mask::new(&KEY);
    mask.apply(&mut one);
    one
}

fn with(lines: &[(&str, &str)], body: &[u8], answer: &[u8]) -> Exchange {
    let answer = response(403, &[("Content-Type", "text/plain")], answer);
    masked(exchange("10.0.0.1", 1, request("POST", "/x?token=abc123&a=1", lines, body), answer))
}

fn field(exchange: &Exchange, name: &str) -> String {
    exchange.request.as_ref().unwrap().head.fields().text(name).unwrap().to_owned()
}

fn value(name: &str, text: &str) -> String {
    field(&with(&[(name, text)], b"", b""), name)
}

#[test]
fn the_form_of_a_secret_stays_and_the_secret_goes() {
    for (name, text, like) in [
        ("Authorization", "Bearer Tk0n-a_b.c9~d8", "Bearer ????-?_?.??~??"),
        ("Authorization", "Bearer  \"Tk0n a\"", "Bearer  \"???? ?\""),
        ("X-Api-Key", "sk_test_9aB8cD7eF6gH5i", "sk_test_??????????????"),
        ("Cookie", "sid=a1b2c3d4e5f6; lang=de", "sid=????????????; lang=de"),
        ("X-Password", "caf\u{e9}-\u{1f512}", "???\u{fffd}-\u{fffd}"),
    ] {
        let new = value(name, text);
        assert_eq!(new.len(), text.len(), "{new}");
        assert_ne!(new, text);
        let same = new.chars().zip(like.chars()).all(|(new, like)| match like {
            '?' => new.is_ascii_alphanumeric(),
            '\u{fffd}' => !new.is_ascii(),
            like => new == like,
        });
        assert!(same && new.chars().count() == like.chars().count(), "{new} is not like {like}");
    }
}

#[test]
fn what_is_no_secret_stays_as_it_is() {
    for text in ["Bearer undefined", "Bearer null", "Basic", "Bearer"] {
        assert_eq!(value("Authorization", text), text);
    }
    let one = with(&[("Host", "h"), ("Accept", "*/*")], b"{\"name\":\"bob\"}", b"denied");
    assert_eq!(&*one.request.as_ref().unwrap().body.kept, b"{\"name\":\"bob\"}");
    assert_eq!(&*one.response.unwrap().body.kept, b"denied");
    assert_eq!(one.request.unwrap().head.fields().text("accept"), Some("*/*"));
}

#[test]
fn equal_secrets_are_equal_wherever_they_stand_and_however_they_are_escaped() {
    let one = with(
        &[("Authorization", "Bearer aB3dE5gH7jK9mN1p"), ("Cookie", "token=aB3dE5gH7jK9mN1p")],
        b"{\"token\":\"aB3dE5gH7jK9mN1p\",\"access_token\":\"aB3d\\u00455gH7jK9mN1p\"}",
        b"the token aB3dE5gH7jK9mN1p is unknown; it begins with aB3dE5gH7jK9\xe2\x80\xa6",
    );
    let bearer = field(&one, "authorization");
    let bearer = bearer.strip_prefix("Bearer ").unwrap();
    assert_eq!(field(&one, "cookie"), format!("token={bearer}"));
    let body: serde_json::Value = serde_json::from_slice(&one.request.as_ref().unwrap().body.kept).unwrap();
    assert_eq!((&body["token"], &body["access_token"]), (&bearer.into(), &bearer.into()));
    let answer = String::from_utf8(one.response.unwrap().body.kept.to_vec()).unwrap();
    assert!(answer.contains(&format!("the token {bearer} is unknown; it begins with {}", &bearer[..12])));
    assert_eq!(value("Authorization", &format!("Bearer {bearer}")).len(), 23);
}

#[test]
fn another_key_gives_other_pseudonyms_and_the_same_key_the_same() {
    let make = |key: u8| {
        let request = request("POST", "/", &[("X-Api-Key", "0123456789abcdef0123")], b"");
        let mut one = exchange("10.0.0.1", 1, request, response(403, &[], b""));
        assert_eq!(Mask::new(&[key; 32]).apply(&mut one), 1);
        field(&one, "x-api-key")
    };
    assert_eq!(make(1), make(1));
    assert_ne!(make(1), make(2));
    assert!(make(1).bytes().all(|byte| byte.is_ascii_hexdigit()), "hexadecimal stays so");
}

#[test]
fn a_token_keeps_its_claims_and_loses_its_signature() {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"sub":"7","scope":"read","exp":1795333921,"client_secret":"hunter2"}"#;
    let token = format!("{}.{}.c2lnbmF0dXJl", part(r#"{"alg":"HS256"}"#), part(claims));
    let new = value("Authorization", &format!("Bearer {token}"));
    let parts: Vec<&str> = new.strip_prefix("Bearer ").unwrap().split('.').collect();
    assert_eq!(parts[0], part(r#"{"alg":"HS256"}"#));
    let kept = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    assert!(kept.starts_with(r#"{"sub":"7","scope":"read","exp":1795333921,"client_secret":""#), "{kept}");
    assert!(!kept.contains("hunter2") && kept.len() == claims.len(), "{kept}");
    assert!(parts[2].len() == 12 && parts[2] != "c2lnbmF0dXJl");
}

#[test]
fn basic_keeps_the_user_and_stays_base64() {
    let new = value("Authorization", &format!("Basic {}", STANDARD.encode("alice:s3cret-pw")));
    let pair = STANDARD.decode(new.strip_prefix("Basic ").unwrap()).unwrap();
    let pair = String::from_utf8(pair).unwrap();
    assert!(pair.starts_with("alice:") && pair.len() == 15 && pair != "alice:s3cret-pw", "{pair}");
}

#[test]
fn numbers_stay_numbers_in_json() {
    for number in ["1234", "10", "-17.25", "1e10", "0"] {
        let one =
            with(&[("Content-Type", "application/json")], format!("{{\"pin\":{number}}}").as_bytes(), b"");
        let kept = one.request.unwrap().body.kept;
        assert_eq!(kept.len(), number.len() + 8);
        serde_json::from_slice::<serde_json::Value>(&kept).unwrap();
    }
}

#[test]
fn contents_keep_their_coding_and_charset() {
    let secret = "zQ7Kp225BXw9TmR4vB2qL";
    let text = format!("{{\"password\":\"{secret}\",\"a\":\"caf\u{e9}\"}}");
    let wide = wide(&text).into_iter().map(|bytes| ("identity", bytes));
    for (coding, bytes) in coded(text.as_bytes()).into_iter().chain(wide) {
        let lines = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
        let one = with(&lines, &bytes, b"");
        let request = one.request.unwrap();
        assert_eq!(request.body.len, request.body.kept.len() as u64);
        let read = content::read(request.head.fields(), &request.body.kept, 1 << 20);
        let new = String::from_utf8(read.bytes.to_vec()).unwrap();
        assert!(new.contains("\",\"a\":\"caf\u{e9}\"}") && !new.contains(secret), "{coding}: {new}");
        assert!(read.problem.is_none(), "{coding}");
    }
    let opaque = with(&[("Content-Encoding", "secret-coding")], b"password=abc", b"");
    assert!(opaque.request.unwrap().body.kept.is_empty(), "what cannot be read is not kept");
}

#[test]
fn long_contents_survive_uncompressed_brotli() {
    let text = format!("{{\"password\":\"hunter2hunter2\",\"a\":\"{}\"}}", "xyz ".repeat(60_000));
    let coded = super::coded::encode(text.clone().into_bytes(), &["br"]).unwrap();
    let fields = crate::features::tests::fields(&[("Content-Encoding", "br")]);
    assert_eq!(content::read(&fields, &coded, 1 << 20).bytes, text.as_bytes());
    assert_eq!(&*content::read(&fields, &super::coded::encode(Vec::new(), &["br"]).unwrap(), 9).bytes, b"");
}

proptest! {
    /// What the screen would hide of a masked exchange is hidden already, and nothing else has changed.
    #[test]
    fn masking_changes_no_length(exchange in crate::archive::record::tests::any_exchange()) {
        let mut new = exchange.clone();
        Mask::new(&KEY).apply(&mut new);
        prop_assert_eq!(new.target().len(), exchange.target().len());
        let raw = |one: &Exchange| one.request.as_ref().map(|request| request.head.fields().raw().len());
        prop_assert_eq!(raw(&new), raw(&exchange));
        prop_assert_eq!(new.method(), exchange.method());
        prop_assert_eq!(new.status(), exchange.status());
    }

    #[test]
    fn a_masked_secret_is_masked_to_itself_only_by_chance(secret in "[a-z0-9A-Z]{12,40}") {
        let new = value("X-Auth-Token", &secret);
        prop_assert_ne!(&new, &secret);
        prop_assert_eq!(new.len(), secret.len());
        prop_assert!(!Redactor::for_tests(false).field_secrets(b"X-Auth-Token", new.as_bytes()).is_empty());
    }
}
