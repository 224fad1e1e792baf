//! What an utterance says in this very response, and at which bytes of it; the same for what a fingerprint matched.
//!
//! Responses that differ in identifiers and times alone share one reading (see [`super::Memory`]), so an utterance may hold the
//! numbers of another response; evidence must quote this one.

use std::borrow::Cow;

use crate::explain::case::Case;
use crate::explain::knowledge::Fingerprint;
use crate::explain::rules::response_text::body::WINDOW;
use crate::explain::rules::response_text::utterance::Utterance;
use crate::features::content;
use crate::model::{Part, Pointer, Response};

/// Where something stands within its part.
type Bytes = Option<(u32, u32)>;

/// The words of `utterance`, the one at `index` of what was read, as they stand in this response, and their bytes in its
/// decoded body or in the field's value; no bytes where they stand so escaped that they cannot be told.
pub fn quote<'u>(case: &'u Case<'_>, utterance: &'u Utterance, index: usize) -> (Cow<'u, str>, Bytes) {
    let Some(response) = case.response() else { return (Cow::Borrowed(&utterance.text), None) };
    let fields = response.head.fields();
    match utterance.part {
        Part::ResponseHeader => {
            let value = fields.value(&utterance.name);
            let own = value.map(|value| String::from_utf8_lossy(value));
            (own.unwrap_or(Cow::Borrowed(&utterance.text)), value.and_then(|value| span(0, value.len())))
        }
        Part::ResponseBody => {
            let body = body(case);
            let place = |text: &str| find(&body, text).or_else(|| loosely(&body, text));
            let range = place(&utterance.text);
            let moving = range.is_none() && utterance.text.bytes().any(|byte| byte.is_ascii_digit());
            let own = case.own_said().filter(|_| moving).and_then(|said| said.get(index));
            match own.filter(|own| own.place == utterance.place && own.name == utterance.name) {
                Some(own) => (Cow::Borrowed(&own.text), place(&own.text)),
                None => (Cow::Borrowed(&utterance.text), range),
            }
        }
        _ => (Cow::Borrowed(&utterance.text), None),
    }
}

/// Points at what `print` was recognised by.
pub fn recognised(case: &Case<'_>, print: &Fingerprint) -> Pointer {
    let fields = case.response().map(|response| response.head.fields());
    let mut named = print.header.iter().filter_map(|(name, pattern)| {
        let value = fields?.text(name)?;
        // A pattern that only asks whether there is anything matches a letter or two: then all of the value tells.
        let found = pattern.find(value).filter(|found| found.len() > 2);
        let range = found.map_or_else(|| span(0, value.len()), |found| span(found.start(), found.end()));
        Some(Pointer { range, ..case.point(Part::ResponseHeader, name) })
    });
    if let Some(pointer) = named.next() {
        return pointer;
    }
    let whole = case.point(Part::ResponseBody, "");
    if print.empty {
        return whole;
    }
    let body = body(case);
    let text = String::from_utf8_lossy(&body);
    let matched =
        print.regex.as_ref().and_then(|pattern| pattern.find(&text)).filter(|found| !found.is_empty());
    let exact = matched.and_then(|found| find(&body, found.as_str()));
    let mut said = print.says.iter().chain(&print.says_all);
    let range = exact.or_else(|| said.find_map(|phrase| loosely(&body, phrase)));
    Pointer { range, ..whole }
}

/// The content that offsets of pointers count in.
fn body<'u>(case: &'u Case<'_>) -> Cow<'u, [u8]> {
    let read =
        |response: &'u Response| content::read(response.head.fields(), &response.body.kept, WINDOW).bytes;
    case.response().map(read).unwrap_or_default()
}

fn span(start: usize, end: usize) -> Bytes {
    Some((u32::try_from(start).ok()?, u32::try_from(end).ok()?))
}

fn find(body: &[u8], text: &str) -> Bytes {
    let start = memchr::memmem::find(body, text.as_bytes())?;
    span(start, start + text.len())
}

/// Finds `phrase` whatever stands between its letters and digits: quotes, spaces, entities of quotes, capitals.
fn loosely(body: &[u8], phrase: &str) -> Bytes {
    let wanted: Vec<u8> =
        phrase.bytes().filter(|byte| counts(*byte)).map(|byte| byte.to_ascii_lowercase()).collect();
    if wanted.len() < 4 {
        return None;
    }
    let (mut letters, mut places) = (Vec::with_capacity(body.len()), Vec::with_capacity(body.len()));
    let mut at = 0;
    while let Some(byte) = body.get(at) {
        let entity =
            ENTITIES.iter().find(|entity| body.get(at..).is_some_and(|rest| rest.starts_with(entity)));
        if let Some(entity) = entity {
            at += entity.len();
            continue;
        }
        if counts(*byte) {
            letters.push(byte.to_ascii_lowercase());
            places.push(at);
        }
        at += 1;
    }
    let start = memchr::memmem::find(&letters, &wanted)?;
    let end = places.get(start + wanted.len() - 1)?;
    span(*places.get(start)?, end + 1)
}

const fn counts(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Entities that stand for no letter.
const ENTITIES: [&[u8]; 10] =
    [b"&#39;", b"&#039;", b"&#x27;", b"&quot;", b"&#34;", b"&apos;", b"&nbsp;", b"&lt;", b"&gt;", b"&#32;"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_through_quotes_entities_and_capitals() {
        let cases = [
            (
                "<p>You don&#39;t have permission</p>",
                "you dont have permission",
                "You don&#39;t have permission",
            ),
            (
                r#"{"code":"AccessTokenScopeInsufficient"}"#,
                "access token scope insufficient",
                "AccessTokenScopeInsufficient",
            ),
            ("request  forbidden\n by rule", "request forbidden by", "request  forbidden\n by"),
        ];
        for (body, phrase, expected) in cases {
            let (start, end) = loosely(body.as_bytes(), phrase).unwrap();
            assert_eq!(&body[start as usize..end as usize], expected);
        }
        assert_eq!(loosely(b"nothing of it", "request forbidden"), None);
        assert_eq!(loosely(b"ab", "ab"), None);
    }
}
