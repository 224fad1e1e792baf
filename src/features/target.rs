//! The request target (RFC 9112 §3.2) and the authority a request was meant for.

use crate::model::RequestHead;
use memchr::{memchr, memchr2};

/// A request target in one of its four forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Target<'a> {
    /// `http` or `https` of an absolute-form target; empty otherwise.
    pub scheme: &'a [u8],
    /// Host and port of an absolute-form or authority-form target, user information removed; empty otherwise.
    pub authority: &'a [u8],
    /// Path as on the wire, `*` for asterisk-form, `/` for an absolute-form target without one, empty for authority-form.
    pub path: &'a [u8],
    /// What follows the first `?`, without it and without a fragment; `None` when there is no `?`.
    pub query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Splits the target of `head`; CONNECT has authority-form.
    pub fn of(head: &'a RequestHead) -> Self {
        if head.method() == "CONNECT" {
            return Self { authority: host_of(head.target()), ..Self::default() };
        }
        Self::parse(head.target())
    }

    /// Splits a target that is not a CONNECT's.
    pub fn parse(target: &'a [u8]) -> Self {
        let Some(rest) = absolute(target) else {
            let (path, query) = split_query(target);
            return Self { path, query, ..Self::default() };
        };
        let scheme = target.get(..target.len() - rest.len() - 3).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        let (path, query) = split_query(rest);
        Self { scheme, authority: host_of(authority), path: if path.is_empty() { b"/" } else { path }, query }
    }

    /// The query, empty when there is none.
    pub fn query(&self) -> &'a [u8] {
        self.query.unwrap_or_default()
    }
}

/// The authority that `head` names: of the target when it has one (RFC 9112 §3.2.2), else the Host field's; case kept.
/// `None` when neither does.
pub fn authority(head: &RequestHead) -> Option<&[u8]> {
    let from_target = Target::of(head).authority;
    let named = if from_target.is_empty() { head.fields().value("host")? } else { from_target };
    let named = named.trim_ascii();
    (!named.is_empty()).then_some(named)
}

/// What follows `scheme://`, if the target begins so.
fn absolute(target: &[u8]) -> Option<&[u8]> {
    if target.first().is_none_or(|byte| !byte.is_ascii_alphabetic()) {
        return None;
    }
    let colon = memchr(b':', target.get(..32.min(target.len()))?)?;
    let scheme = target.get(..colon)?;
    let named = scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    target.get(colon..)?.strip_prefix(b"://").filter(|_| named)
}

/// Without user information.
fn host_of(authority: &[u8]) -> &[u8] {
    memchr::memrchr(b'@', authority).and_then(|at| authority.get(at + 1..)).unwrap_or(authority)
}

fn split_query(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr2(b'?', b'#', rest) {
        None => (rest, None),
        Some(at) => {
            let (path, tail) = rest.split_at(at);
            let query = tail
                .strip_prefix(b"?")
                .map(|query| memchr(b'#', query).and_then(|end| query.get(..end)).unwrap_or(query));
            (path, query)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn splits_every_form() {
        let table: [(&str, [&str; 3], Option<&str>); 10] = [
            ("/a/b?x=1", ["", "", "/a/b"], Some("x=1")),
            ("/a/b", ["", "", "/a/b"], None),
            ("/a?", ["", "", "/a"], Some("")),
            ("/a?x=http://b/?c#frag", ["", "", "/a"], Some("x=http://b/?c")),
            ("/a#frag?x", ["", "", "/a"], None),
            ("http://u:p@Host:80/x?y", ["http", "Host:80", "/x"], Some("y")),
            ("https://host", ["https", "host", "/"], None),
            ("http://host?q", ["http", "host", "/"], Some("q")),
            ("*", ["", "", "*"], None),
            ("", ["", "", ""], None),
        ];
        for (text, [scheme, authority, path], query) in table {
            let target = Target::parse(text.as_bytes());
            assert_eq!(target.scheme, scheme.as_bytes(), "{text}");
            assert_eq!(target.authority, authority.as_bytes(), "{text}");
            assert_eq!(target.path, path.as_bytes(), "{text}");
            assert_eq!(target.query, query.map(str::as_bytes), "{text}");
        }
    }
}
