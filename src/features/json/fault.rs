//! What is wrong with a body that is nearly JSON, for people.

use super::{JsonEnd, flatten};

/// What is wrong with a document that claims to be JSON (RFC 8259), and at which byte: what strict parsers refuse although
/// lenient ones and people read it. `None` where nothing is wrong or the bytes are no text of JSON's shape.
pub fn fault(body: &[u8]) -> Option<(&'static str, usize)> {
    if body.starts_with(b"\xef\xbb\xbf") {
        return Some(("byte order mark", 0));
    }
    match flatten(body).end {
        JsonEnd::Complete | JsonEnd::Limit => None,
        JsonEnd::Cut => Some(("ends too early", body.len())),
        JsonEnd::Invalid(at) => Some((name_fault(body, at), at)),
    }
}

/// What stands at `at`, where a document stops being JSON.
fn name_fault(body: &[u8], at: usize) -> &'static str {
    let (before, rest) =
        (body.get(..at).unwrap_or_default().trim_ascii_end(), body.get(at..).unwrap_or_default());
    let word = |word: &[u8]| rest.strip_prefix(b"-").unwrap_or(rest).starts_with(word);
    match rest {
        [b'}' | b']', ..] if before.ends_with(b",") => "trailing comma",
        [b'/', b'/' | b'*', ..] | [b'#', ..] => "comment",
        [b'\'', ..] => "single quotes",
        [b',', ..] => "comma without a value",
        _ if word(b"NaN") || word(b"nan") => "NaN",
        _ if word(b"Infinity") || word(b"inf") => "Infinity",
        _ if word(b"undefined") => "undefined",
        [b'T' | b'F' | b'N', ..] if word(b"True") || word(b"False") || word(b"None") => "literal of Python",
        [b'-' | b'+' | b'.' | b'0'..=b'9', ..] => "malformed number",
        [b'"', ..] if before.ends_with(b"}") || before.ends_with(b"]") || before.ends_with(b"\"") => {
            "missing comma"
        }
        [letter, ..] if letter.is_ascii_alphabetic() || matches!(letter, b'_' | b'$') => {
            if before.ends_with(b"{") || before.ends_with(b",") {
                "name without quotes"
            } else {
                "unquoted text"
            }
        }
        _ if flatten(before).end == JsonEnd::Complete => "text after the document",
        _ => "unexpected byte",
    }
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn faults_are_named_with_their_place() {
        for (body, expected) in [
            ("{\"a\":1,}", Some(("trailing comma", 7))),
            ("[1, 2,\n]", Some(("trailing comma", 7))),
            ("{\"a\":NaN}", Some(("NaN", 5))),
            ("[-Infinity]", Some(("Infinity", 1))),
            ("{\"a\":1 // why\n}", Some(("comment", 7))),
            ("/* c */ {}", Some(("comment", 0))),
            ("{'a':1}", Some(("single quotes", 1))),
            ("{a:1}", Some(("name without quotes", 1))),
            ("{\"a\":1 \"b\":2}", None),
            ("{\"a\":{} \"b\":2}", Some(("missing comma", 8))),
            ("{\"a\":True}", Some(("literal of Python", 5))),
            ("{\"a\":01}", Some(("malformed number", 5))),
            ("{\"a\":1}}", Some(("text after the document", 7))),
            ("{\"a\":", Some(("ends too early", 5))),
            ("\u{feff}{}", Some(("byte order mark", 0))),
            ("{\"a\":1}", Some(("", 0))),
            ("[1,,2]", Some(("comma without a value", 3))),
        ] {
            match (fault(body.as_bytes()), expected) {
                (None, Some(("", _))) | (Some(_), None) => {}
                (found, expected) => assert_eq!(found, expected, "{body}"),
            }
        }
    }
}
