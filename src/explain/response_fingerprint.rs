//! Response fingerprint, ignoring ids and times: the same for refusals that say the same.

use std::sync::LazyLock;

use crate::explain::request::attribute_hash::hash;
use crate::explain::request::names::{Kind, name};
use crate::features::content;
use crate::knowledge::names::{At, NameList, Trait, catalogue};
use crate::model::Response;

/// Bytes of the body that count.
const WINDOW: usize = 1024;

/// A hash over status, `Server`, media type and the body without what looks like an identifier. Keyed: the same within one run.
pub fn of(response: &Response) -> u64 {
    hash(&telling_text(response))
}

/// The same kind of hash (FNV-1a), the same in every run: for ids that people and scripts see.
pub fn stable(response: &Response) -> u64 {
    fnv(&telling_text(response))
}

/// FNV-1a.
pub fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What the hashes are taken over.
fn telling_text(response: &Response) -> Vec<u8> {
    let (telling, coded) = telling(response);
    let body = response.body.kept.get(..WINDOW.min(response.body.kept.len())).unwrap_or_default();
    let mut text = Vec::with_capacity(256 + body.len());
    text.extend_from_slice(&response.head.status().to_le_bytes());
    for value in telling.into_iter().take(TELLING.len()) {
        text.extend_from_slice(value.unwrap_or_default());
        text.push(0);
    }
    let decoded = coded.then(|| content::read(response.head.fields(), &response.body.kept, WINDOW));
    let body =
        decoded.as_ref().map_or(body, |content| if content.is_opaque() { &[] } else { &content.bytes });
    let body = body.get(..WINDOW).unwrap_or(body);
    let (mut start, mut digits) = (0, false);
    for (at, byte) in body.iter().copied().chain([0]).enumerate() {
        let kind = KINDS.get(usize::from(byte)).copied().unwrap_or_default();
        digits |= kind == DIGIT;
        if kind != APART {
            continue;
        }
        let word = body.get(start..at).unwrap_or_default();
        if word.len() < 10 || !digits {
            text.extend_from_slice(if digits && word.len() > 4 { b"#" } else { word });
            text.push(b' ');
        }
        (start, digits) = (at + 1, false);
    }
    text
}

/// Stands between words.
const APART: u8 = 0;
const DIGIT: u8 = 2;
/// What each byte is.
static KINDS: [u8; 256] = {
    let mut kinds = [APART; 256];
    let mut at: u8 = 0;
    while at < 128 {
        let word = at.is_ascii_alphabetic() || matches!(at, b'-' | b':' | b'.' | b'_' | b'/' | b'+' | b'=');
        let (_, rest) = kinds.split_at_mut(at as usize);
        if let [kind, ..] = rest {
            *kind = if at.is_ascii_digit() { DIGIT } else { word as u8 };
        }
        at += 1;
    }
    kinds
};

/// Most fields whose values are part of a fingerprint.
const FIELDS: usize = 8;
/// Fields that identify who speaks and why.
static TELLING: LazyLock<NameList> = LazyLock::new(|| catalogue().list(At::Response, Trait::Fingerprint));

/// The first values of [`TELLING`], and whether the content is coded. One pass over the fields.
fn telling(response: &Response) -> ([Option<&[u8]>; FIELDS], bool) {
    let (mut values, mut coded) = ([None; FIELDS], false);
    let telling = &*TELLING;
    for field in response.head.fields().iter() {
        if let Some(value) = telling.position(field.name).and_then(|at| values.get_mut(at)) {
            value.get_or_insert(field.value);
        }
        coded |= field.name.eq_ignore_ascii_case(b"content-encoding");
    }
    (values, coded)
}

/// Like [`of`], which is `fingerprint`, with everything in the head that may tell something; what changes from answer to
/// answer is left out.
pub fn with_fields(response: &Response, fingerprint: u64) -> u64 {
    let mut text = Vec::with_capacity(512);
    text.extend_from_slice(&fingerprint.to_le_bytes());
    text.extend_from_slice(response.head.reason());
    for field in response.head.fields().iter() {
        text.extend_from_slice(field.name);
        if !name(Kind::Field, field.name).traits.has_trait(Trait::Varies) {
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
    use crate::explain::fixture::exchanges;

    #[test]
    fn bytes_are_what_they_are() {
        for byte in 0..=u8::MAX {
            let word = byte.is_ascii_alphanumeric() || b"-:._/+=".contains(&byte);
            assert_eq!(super::KINDS[usize::from(byte)] != super::APART, word, "{byte}");
            assert_eq!(super::KINDS[usize::from(byte)] == super::DIGIT, byte.is_ascii_digit(), "{byte}");
        }
    }

    #[test]
    fn coded_responses_differ_by_their_content() {
        let fingerprint = |coding: &str, body: &[u8]| {
            super::of(&crate::features::tests::response(403, &[("Content-Encoding", coding)], body))
        };
        let coded = crate::features::content::tests::coded;
        for ((coding, expired), (_, again)) in coded(b"expired").into_iter().zip(coded(b"expired")) {
            assert_eq!(fingerprint(coding, &expired), fingerprint(coding, &again));
        }
        for ((coding, expired), (_, denied)) in coded(b"expired").into_iter().zip(coded(b"denied")) {
            assert_ne!(fingerprint(coding, &expired), fingerprint(coding, &denied), "{coding}");
        }
    }

    #[test]
    fn identifiers_do_not_change_a_fingerprint_and_words_do() {
        let fingerprint = |body: &str| {
            let text = format!("POST /x\n--- 403\nServer: a\n\n{body}\n");
            super::of(exchanges(&text)[0].response.as_ref().unwrap())
        };
        assert_eq!(
            fingerprint("denied, id 0a1b2c3d4e5f60718293"),
            fingerprint("denied, id ffeeddccbbaa99887766")
        );
        assert_ne!(fingerprint("denied"), fingerprint("expired"));
        assert_ne!(fingerprint("error 1009"), fingerprint("error 1010"));
    }
}
