//! What an utterance says in this very response, and at which bytes of it.
//!
//! Responses that differ in identifiers and times alone share one reading (see [`super::Memory`]), so an utterance may hold the
//! numbers of another response; evidence must quote this one.

use std::borrow::Cow;

use super::utterance::Utterance;
use crate::diagnosis::case::Case;
use crate::model::Part;

/// The words of `utterance`, the one at `index` of what was read, as they stand in this response, and their bytes in its
/// decoded body; no bytes where they stand escaped or are all of a field.
pub fn quote<'u>(
    case: &'u Case<'_>,
    utterance: &'u Utterance,
    index: usize,
) -> (Cow<'u, str>, Option<(u32, u32)>) {
    let Some(response) = case.response() else { return (Cow::Borrowed(&utterance.text), None) };
    let fields = response.head.fields();
    match utterance.part {
        Part::ResponseHeader => {
            let own = fields.value(&utterance.name).map(|value| String::from_utf8_lossy(value));
            (own.unwrap_or(Cow::Borrowed(&utterance.text)), None)
        }
        Part::ResponseBody => {
            let body: Cow<'_, [u8]> = if fields.has("content-encoding") {
                Cow::Owned(case.own_content().as_bytes().to_vec())
            } else {
                Cow::Borrowed(&response.body.kept)
            };
            let range = find(&body, &utterance.text);
            let moving = range.is_none() && utterance.text.bytes().any(|byte| byte.is_ascii_digit());
            let own = case.own_said().filter(|_| moving).and_then(|said| said.get(index));
            match own.filter(|own| own.place == utterance.place && own.name == utterance.name) {
                Some(own) => (Cow::Borrowed(&own.text), find(&body, &own.text)),
                None => (Cow::Borrowed(&utterance.text), range),
            }
        }
        _ => (Cow::Borrowed(&utterance.text), None),
    }
}

fn find(body: &[u8], text: &str) -> Option<(u32, u32)> {
    let start = memchr::memmem::find(body, text.as_bytes())?;
    Some((u32::try_from(start).ok()?, u32::try_from(start + text.len()).ok()?))
}
