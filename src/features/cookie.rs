//! Cookies one by one (RFC 6265 §4.1.1, §4.2.1).

use crate::model::Fields;
use memchr::memchr;

/// One cookie that a client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// Name, case kept (cookie names are case-sensitive); empty for a nameless cookie.
    pub name: &'a [u8],
    /// Value as sent, quotes kept.
    pub value: &'a [u8],
}

/// One cookie that a server set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetCookie<'a> {
    /// Its name and value.
    pub cookie: Cookie<'a>,
    /// What follows the first semicolon: `Path=/; HttpOnly`.
    pub attributes: &'a [u8],
}

impl<'a> SetCookie<'a> {
    /// The value of attribute `name`, ignoring case; empty for a flag.
    pub fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        self.attributes.split(|byte| *byte == b';').map(pair).find_map(|cookie| {
            let (name_, value) =
                if cookie.name.is_empty() { (cookie.value, &b""[..]) } else { (cookie.name, cookie.value) };
            name_.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
        })
    }
    /// Whether it deletes the cookie (`Max-Age=0` or a negative one).
    pub fn deletes(&self) -> bool {
        self.attribute("max-age").is_some_and(|age| age == b"0" || age.starts_with(b"-"))
    }
}

/// The cookies of every Cookie field of a request, in order, repetition kept. Bound: the head limit.
pub fn cookies(fields: &Fields) -> impl Iterator<Item = Cookie<'_>> {
    fields
        .values("cookie")
        .flat_map(|value| value.split(|byte| *byte == b';'))
        .map(pair)
        .filter(|cookie| !(cookie.name.is_empty() && cookie.value.is_empty()))
}

/// The cookies that a response sets, in order.
pub fn set_cookies(fields: &Fields) -> impl Iterator<Item = SetCookie<'_>> {
    fields.values("set-cookie").map(|value| {
        let end = memchr(b';', value).unwrap_or(value.len());
        let (first, attributes) = value.split_at(end);
        SetCookie { cookie: pair(first), attributes: attributes.strip_prefix(b";").unwrap_or_default() }
    })
}

fn pair(text: &[u8]) -> Cookie<'_> {
    let text = text.trim_ascii();
    match memchr(b'=', text) {
        Some(at) => {
            let (name, value) = text.split_at(at);
            Cookie { name: name.trim_ascii(), value: value.get(1..).unwrap_or_default().trim_ascii() }
        }
        None => Cookie { name: b"", value: text },
    }
}

#[cfg(test)]
mod tests {
    use super::{cookies, set_cookies};
    use crate::features::tests::{fields, response};

    #[test]
    fn splits_cookies_of_several_fields() {
        let fields = fields(&[("Cookie", "a=1; b = \"x y\";; c=k=v"), ("cookie", "a=2; lonely")]);
        let all: Vec<_> = cookies(&fields).map(|c| (c.name, c.value)).collect();
        let expected: [(&[u8], &[u8]); 5] =
            [(b"a", b"1"), (b"b", b"\"x y\""), (b"c", b"k=v"), (b"a", b"2"), (b"", b"lonely")];
        assert_eq!(all, expected);
    }

    #[test]
    fn reads_what_a_server_sets() {
        let lines = [("Set-Cookie", "sid=1; Path=/; HttpOnly"), ("Set-Cookie", "old=; Max-Age=0")];
        let response = response(200, &lines, b"");
        let set: Vec<_> = set_cookies(response.head.fields()).collect();
        assert_eq!(set[0].cookie.value, b"1");
        assert_eq!(set[0].attribute("path"), Some(&b"/"[..]));
        assert_eq!(set[0].attribute("httponly"), Some(&b""[..]));
        assert!(!set[0].deletes());
        assert!(set[1].deletes());
    }
}
