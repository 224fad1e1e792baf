//! Query parameters and form bodies (`application/x-www-form-urlencoded`, WHATWG URL §5.1).

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::percent_decode;

/// One name and value as on the wire. Compare the decoded forms, show the raw ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Name as on the wire.
    pub raw_name: &'a [u8],
    /// Value as on the wire; `None` when there is no `=`.
    pub raw_value: Option<&'a [u8]>,
}

impl<'a> Parameter<'a> {
    /// The decoded name: `%XX` and `+` undone, invalid UTF-8 replaced.
    pub fn name(&self) -> Cow<'a, str> {
        lossy(decode(self.raw_name))
    }
    /// The decoded value as bytes; empty when there is none.
    pub fn value(&self) -> Cow<'a, [u8]> {
        decode(self.raw_value.unwrap_or_default())
    }
    /// The decoded value, invalid UTF-8 replaced.
    pub fn text(&self) -> Cow<'a, str> {
        lossy(self.value())
    }
}

/// The parameters of a query (without its `?`) or of a form body, in order, repetition kept. Empty pairs are skipped.
pub fn parameters(text: &[u8]) -> impl Iterator<Item = Parameter<'_>> + Clone {
    text.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| match memchr(b'=', pair) {
        Some(at) => Parameter {
            raw_name: pair.get(..at).unwrap_or_default(),
            raw_value: Some(pair.get(at + 1..).unwrap_or_default()),
        },
        None => Parameter { raw_name: pair, raw_value: None },
    })
}

/// Undoes `+` and `%XX`; a `%` without two hex digits stays.
pub fn decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'+', raw).is_none() {
        return percent_decode(raw).into();
    }
    let spaced: Vec<u8> = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    Cow::Owned(percent_decode(&spaced).collect())
}

fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Parameter, parameters};

    #[test]
    fn decodes_and_keeps_the_raw_form() {
        let all: Vec<Parameter> = parameters(b"a=1&&b=x+y%2Fz&flag&a=%zz&%61b=").collect();
        let shown: Vec<_> = all.iter().map(|p| (p.name().into_owned(), p.text().into_owned())).collect();
        let expected = [("a", "1"), ("b", "x y/z"), ("flag", ""), ("a", "%zz"), ("ab", "")];
        assert_eq!(shown, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(all[1].raw_value, Some(&b"x+y%2Fz"[..]));
        assert_eq!(all[2].raw_value, None);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        let only = parameters(b"n=%ff").next().unwrap();
        assert_eq!(only.text(), "\u{fffd}");
        assert_eq!(&*only.value(), b"\xff");
    }
}
