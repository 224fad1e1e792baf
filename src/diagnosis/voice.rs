//! What a response sounds like: the same for refusals that say the same, whatever identifiers and times they hold.

use super::attribute::hash;
use crate::model::Response;

/// Bytes of the body that count.
const WINDOW: usize = 1024;

/// A hash over status, `Server`, media type and the body without what looks like an identifier.
pub fn of(response: &Response) -> u64 {
    let fields = response.head.fields();
    let mut text = Vec::with_capacity(256);
    text.extend_from_slice(&response.head.status().to_le_bytes());
    for name in
        ["server", "content-type", "www-authenticate", "x-amzn-errortype", "x-ms-error-code", "location"]
    {
        text.extend_from_slice(fields.value(name).unwrap_or_default());
        text.push(0);
    }
    let body = response.body.kept.get(..WINDOW.min(response.body.kept.len())).unwrap_or_default();
    if fields.has("content-encoding") {
        return hash(&text);
    }
    for word in body.split(|byte| {
        !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.' | b'_' | b'/' | b'+' | b'='))
    }) {
        let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
        if word.len() < 10 || digits == 0 {
            text.extend_from_slice(if digits > 0 && word.len() > 4 { b"#" } else { word });
            text.push(b' ');
        }
    }
    hash(&text)
}

/// Like [`of`], with everything in the head that may tell something; what changes from answer to answer is left out.
pub fn with_fields(response: &Response) -> u64 {
    let mut text = of(response).to_le_bytes().to_vec();
    text.extend_from_slice(response.head.reason());
    for field in response.head.fields().iter() {
        let name = field.name;
        let has = |part: &[u8]| memchr::memmem::find(&name.to_ascii_lowercase(), part).is_some();
        text.extend_from_slice(name);
        let moving = [
            &b"date"[..],
            b"etag",
            b"expires",
            b"cookie",
            b"length",
            b"id",
            b"ray",
            b"trace",
            b"runtime",
            b"age",
        ];
        if !moving.into_iter().any(has) {
            text.extend_from_slice(field.value);
        }
    }
    if response.head.fields().has("content-encoding") {
        text.extend_from_slice(&response.body.kept);
    }
    hash(&text)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::exchanges;

    #[test]
    fn identifiers_do_not_change_a_voice_and_words_do() {
        let voice = |body: &str| {
            let text = format!("POST /x\n--- 403\nServer: a\n\n{body}\n");
            super::of(exchanges(&text)[0].response.as_ref().unwrap())
        };
        assert_eq!(voice("denied, id 0a1b2c3d4e5f60718293"), voice("denied, id ffeeddccbbaa99887766"));
        assert_ne!(voice("denied"), voice("expired"));
        assert_ne!(voice("error 1009"), voice("error 1010"));
    }
}
