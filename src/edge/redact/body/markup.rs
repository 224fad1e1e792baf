//! HTML and XML: attributes and elements whose names announce a secret.
//!
//! `<input name="csrf_token" value="…">`, `<wsse:Password>…</wsse:Password>`, `<key>password</key><string>…</string>`,
//! `<entry key="password">…</entry>`.

use super::{Secret, names, push};
use crate::edge::redact::text;
use crate::step_counter;

/// Attributes of one tag that are looked at.
const ATTRIBUTES: usize = 1024;
/// Elements whose text is the name of what follows.
const NAMING: [&str; 8] = ["name", "key", "field", "param", "property", "th", "td", "dt"];
/// Elements that hold more than the secret they are called after.
const CONTAINERS: [&str; 8] = [
    "assertion",
    "usernametoken",
    "signature",
    "securitytoken",
    "authorization",
    "auth",
    "session",
    "security",
];
/// Elements of pages, whose names are no names of values.
const PAGE: [&str; 22] = [
    "a", "body", "button", "div", "fieldset", "form", "h1", "h2", "h3", "html", "iframe", "label", "li",
    "map", "option", "p", "section", "select", "slot", "span", "table", "img",
];
/// Longest name in an element's text.
const NAME: usize = 64;

/// Adds the secrets of `text`. One pass.
pub(super) fn find(text: &[u8], out: &mut Vec<Secret>) {
    let mut scan = Scan { text, secret: None, pending: None, naming: false, out };
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'<', text.get(at..).unwrap_or_default()) {
        let start = at + open + 1;
        step_counter::steps(open + 1);
        scan.text_node(at, start - 1);
        at = scan.tag(start);
    }
    scan.text_node(at, text.len());
}

struct Scan<'a, 'b> {
    text: &'a [u8],
    /// The element all of whose text is secret: its name, what the secret is called, and how many of its name are open.
    secret: Option<(&'a [u8], &'a [u8], usize)>,
    /// A secret that was named and whose value is the next element.
    pending: Option<&'a [u8]>,
    /// Whether the element at hand names what follows it.
    naming: bool,
    out: &'b mut Vec<Secret>,
}

impl<'a> Scan<'a, '_> {
    /// The markup after `<` at `start`; returns where the text after it begins.
    fn tag(&mut self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        if let Some(data) = rest.strip_prefix(b"![CDATA[") {
            let len = memchr::memmem::find(data, b"]]>").unwrap_or(data.len());
            step_counter::steps(len);
            self.text_node(start + 8, start + 8 + len);
            return (start + 8 + len + 3).min(self.text.len());
        }
        let len = memchr::memchr2(b'>', b'<', rest).unwrap_or(rest.len());
        step_counter::steps(len);
        let tag = rest.get(..len).unwrap_or_default();
        let whole = rest.get(len) == Some(&b'>');
        match tag.strip_prefix(b"/") {
            Some(name) => self.close(local_name(name)),
            None if tag.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') => {
                let named = attributes(tag, start, self.out);
                if whole && !tag.ends_with(b"/") {
                    self.open(local_name(tag), named);
                }
            }
            None => {}
        }
        start + len + usize::from(whole)
    }

    fn open(&mut self, name: &'a [u8], named: Option<&'a [u8]>) {
        if let Some((of, _, open)) = &mut self.secret {
            *open += usize::from(*of == name);
            return;
        }
        let is = |list: &[&str]| list.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
        self.naming = is(&NAMING);
        let own = (!is(&CONTAINERS)
            && (names::is_secret_name(name) || name.eq_ignore_ascii_case(b"ciphervalue")))
        .then_some(name);
        let pending =
            if self.naming && !name.eq_ignore_ascii_case(b"td") { None } else { self.pending.take() };
        let called = own.or(named.filter(|_| !is(&PAGE))).or(pending);
        if let Some(called) = called {
            self.secret = Some((name, called, 1));
            self.naming = false;
        }
    }

    fn close(&mut self, name: &[u8]) {
        self.naming = false;
        if let Some((of, _, open)) = &mut self.secret
            && *of == name
        {
            *open -= 1;
            if *open == 0 {
                self.secret = None;
            }
        }
    }

    /// Text between tags.
    fn text_node(&mut self, start: usize, end: usize) {
        let node = self.text.get(start..end).unwrap_or_default();
        let inner = node.trim_ascii();
        if inner.is_empty() {
            return;
        }
        if let Some((_, called, _)) = self.secret {
            let lead = node.len() - node.trim_ascii_start().len();
            if text::is_secret_value(called, inner) {
                push(self.out, start + lead..start + lead + inner.len(), &[called]);
            }
        } else if self.naming {
            self.pending = Some(inner).filter(|name| name.len() <= NAME && names::is_secret_name(name));
        }
    }
}

/// The name of a tag without its prefix.
fn local_name(tag: &[u8]) -> &[u8] {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let name = tag.get(..tag.iter().position(ends).unwrap_or(tag.len())).unwrap_or_default();
    name.rsplit(|byte| *byte == b':').next().unwrap_or_default()
}

/// The value of a tag whose `name` or `id` announces a secret, and of attributes that do so themselves. Returns the name
/// that a tag without a value gives to its content.
fn attributes<'a>(tag: &'a [u8], offset: usize, out: &mut Vec<Secret>) -> Option<&'a [u8]> {
    let mut named: Option<&[u8]> = None;
    let mut naming: Option<&[u8]> = None;
    let mut value = None;
    let mut at = 0;
    for _ in 0..ATTRIBUTES {
        let rest = tag.get(at..).unwrap_or_default();
        let Some(equals) = memchr::memchr(b'=', rest) else { break };
        let before = rest.get(..equals).unwrap_or_default().trim_ascii_end();
        let name = before.rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
        let (start, end, next) = quoted(tag, at + equals + 1);
        step_counter::steps(next - at);
        let content = tag.get(start..end).unwrap_or_default();
        match name.to_ascii_lowercase().as_slice() {
            b"name" | b"key" | b"property" if names::is_secret_name(content) => {
                (named, naming) = (Some(content), Some(content));
            }
            b"id" if names::is_secret_name(content) => named = named.or(Some(content)),
            b"value" | b"content" => value = Some(start..end),
            name if names::is_secret_name(name) && text::is_secret_value(name, content) => {
                push(out, offset + start..offset + end, &[name]);
            }
            _ => {}
        }
        at = next;
    }
    match (named, value) {
        (Some(name), Some(value)) => {
            if text::is_secret_value(name, tag.get(value.clone()).unwrap_or_default()) {
                push(out, offset + value.start..offset + value.end, &[name]);
            }
            None
        }
        (_, Some(_)) => None,
        (_, None) => naming,
    }
}

fn quoted(tag: &[u8], from: usize) -> (usize, usize, usize) {
    let rest = tag.get(from..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let from = from + space;
    let rest = tag.get(from..).unwrap_or_default();
    if let Some(quote @ (b'"' | b'\'')) = rest.first() {
        let inner = rest.get(1..).unwrap_or_default();
        let len = memchr::memchr(*quote, inner).unwrap_or(inner.len());
        (from + 1, from + 1 + len, (from + 2 + len).min(tag.len()))
    } else {
        let len = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        (from, from + len, from + len)
    }
}
