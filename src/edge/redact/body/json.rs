//! JSON members whose names announce a secret, in whole, cut or broken documents.
//!
//! Not a parser: it reads strings and brackets and never gives up, because a body that is cut in the middle of a
//! password, or is not quite JSON, is no reason to show one. One pass, bounded state per open bracket.

use std::borrow::Cow;
use std::ops::Range;

use super::{Secret, names, nested, push};
use crate::edge::redact::{field, text};
use crate::{features, step_counter};

/// Deepest nesting that is told apart; what lies deeper counts as one level.
const DEPTH: usize = 1024;
/// Bytes of a name that are looked at, so that names that are looked at again cost no more than this.
const NAME: usize = 256;
/// Members that hold the name of a pair, and those that hold its value.
const PAIR_NAMES: [&str; 13] = [
    "name",
    "key",
    "field",
    "header",
    "param",
    "parameter",
    "attribute",
    "property",
    "variable",
    "k",
    "n",
    "id",
    "label",
];
const PAIR_VALUES: [&str; 10] =
    ["value", "val", "v", "content", "data", "text", "stringvalue", "default", "newvalue", "string"];
/// Private members of a key in JSON (RFC 7518 §6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "k", "oth"];

/// Adds the secrets of `body` from `from` on.
pub(super) fn find(body: &[u8], from: usize, depth: u8, out: &mut Vec<Secret>) {
    let mut scan =
        Scan { body, at: from, depth, name: None, before: b'[', levels: vec![Level::default()], out };
    while let Some(byte) = body.get(scan.at).copied() {
        step_counter::steps(1);
        match byte {
            b'"' => scan.string(b'"'),
            b'\'' if matches!(scan.before, b'{' | b'[' | b',' | b':') => scan.string(b'\''),
            b'{' => scan.open(true),
            b'[' => scan.open(false),
            b'}' | b']' => scan.close(),
            b',' => {
                scan.name = None;
                scan.at += 1;
            }
            b'-' | b'0'..=b'9' => scan.number(),
            _ => scan.at += 1,
        }
        if !byte.is_ascii_whitespace() {
            scan.before = byte;
        }
    }
}

/// The secrets of a whole document and of the text in it.
pub(in crate::edge::redact) fn members(document: &[u8], out: &mut Vec<Secret>) {
    find(document, 0, super::DEPTH, out);
}

/// Adds `value`, given that it is the value at `path` (`$.user.password`, `password`): the names of the path decide.
pub(in crate::edge::redact) fn member(path: &str, value: &[u8], out: &mut Vec<Secret>) {
    let quotes = usize::from(value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\""));
    let inner = value.get(quotes..value.len() - quotes).unwrap_or_default();
    let last = features::json::last_name(path).unwrap_or_default().as_bytes();
    let inherits =
        || path.split(['.', '[', ']', '\'', '"']).any(|name| names::is_secret_object(name.as_bytes()));
    let item = || {
        path.ends_with(']')
            && path.split(['.', '[', ']', '\'', '"']).any(|name| names::is_secret_name(name.as_bytes()))
    };
    if names::is_secret_parameter(last) || inherits() || item() {
        if text::is_secret_value(last, inner) || !names::is_harmless(inner) && !names::is_secret_name(last) {
            push(out, quotes..value.len() - quotes, &[last]);
        }
    } else if names::ends_in_key(last) && text::random::looks_like_key(inner) && inner.len() >= 16 {
        push(out, quotes..value.len() - quotes, &[last]);
    }
    super::find(b"", value, out);
}

/// What is known of an open bracket.
#[derive(Default)]
struct Level<'a> {
    object: bool,
    /// The name that makes everything in it secret.
    inherited: Option<&'a [u8]>,
    /// The secret that a pair names, and where the pair's value is: both are needed, in any order.
    pair: (Option<&'a [u8]>, Option<Range<usize>>),
    /// Members that are secret if this is a key, and whether it is.
    private: Vec<Range<usize>>,
    is_key: bool,
    /// Strings seen in a list.
    items: usize,
}

struct Scan<'a, 'b> {
    body: &'a [u8],
    at: usize,
    depth: u8,
    /// Name of the member whose value comes next.
    name: Option<&'a [u8]>,
    /// The last byte that was no white space.
    before: u8,
    levels: Vec<Level<'a>>,
    out: &'b mut Vec<Secret>,
}

impl<'a> Scan<'a, '_> {
    /// A string: a name when a colon follows, else a value.
    fn string(&mut self, quote: u8) {
        let start = self.at + 1;
        let end = string_end(self.body, start, quote);
        self.at = end + 1;
        let text = self.body.get(start..end).unwrap_or_default();
        let tail = self.body.get(self.at..).unwrap_or_default();
        let space = tail.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        step_counter::steps(text.len() + space);
        if tail.get(space) == Some(&b':') {
            let name = text.get(..NAME).unwrap_or(text);
            self.name = Some(name);
            self.at += space + 1;
            if name == b"kty"
                && let Some(level) = self.levels.last_mut()
            {
                level.is_key = true;
            }
            return;
        }
        self.value(text, start..end);
        self.name = None;
    }

    fn value(&mut self, value: &'a [u8], range: Range<usize>) {
        let name = self.name.map(unescaped);
        match self.secret_name() {
            Some(secret) => {
                let secret = unescaped(secret);
                if text::is_secret_value(&secret, value) {
                    self.credential(&secret, value, &range);
                }
            }
            None if name.as_ref().is_some_and(|name| names::ends_in_key(name))
                && value.len() >= 16
                && text::random::looks_like_key(value) =>
            {
                push(self.out, range.clone(), &[&name.unwrap_or_default()]);
            }
            None if is_document(value) => nested(value, range.start, self.depth, self.out),
            None => {}
        }
        self.pair(value, range);
    }

    /// A secret string: of a credential field the scheme stays, of cookies the names.
    fn credential(&mut self, name: &[u8], value: &[u8], range: &Range<usize>) {
        let before = self.out.len();
        if names::is_cookie(name) && value.contains(&b'=') {
            field::cookie::cookies(value, self.out);
        } else if names::is_authorization(name) {
            field::auth::credentials(name, value, self.out);
        } else {
            push(self.out, 0..value.len(), &[name]);
        }
        super::shift(self.out, before, range.start);
    }

    /// A member of a pair (`{"name": "password", "value": "…"}`), a private member of a key, or an item of a pair in a list.
    fn pair(&mut self, value: &'a [u8], range: Range<usize>) {
        let nested =
            self.levels.len() > 2 && self.levels.iter().rev().nth(1).is_some_and(|outer| !outer.object);
        let Some(level) = self.levels.last_mut() else { return };
        let Some(name) = self.name else {
            // `[["password", "…"]]`
            level.items += 1;
            match level.items {
                1 if nested && names::is_secret_name(value.get(..NAME).unwrap_or(value)) => {
                    level.pair.0 = Some(value);
                }
                2 => level.pair.1 = Some(range),
                _ => level.pair.0 = None,
            }
            return;
        };
        let is = |list: &[&str]| list.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()));
        if is(&PAIR_NAMES) && names::is_secret_name(value.get(..NAME).unwrap_or(value)) {
            level.pair.0 = Some(value);
        } else if is(&PAIR_VALUES) {
            level.pair.1 = Some(range);
        } else if PRIVATE.iter().any(|other| name == other.as_bytes()) && level.private.len() < PRIVATE.len()
        {
            level.private.push(range);
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let tail = self.body.get(start..).unwrap_or_default();
        self.at += tail
            .iter()
            .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .count()
            .max(1);
        let range = start..self.at;
        let number = self.body.get(range.clone()).unwrap_or_default();
        if let Some(name) = self.secret_name() {
            let name = unescaped(name);
            if text::is_secret_value(&name, number) {
                push(self.out, range, &[&name]);
            }
        } else if let (Some(name), Some(level)) = (self.name, self.levels.last_mut())
            && PAIR_VALUES.iter().any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
        {
            level.pair.1 = Some(range);
        }
        self.name = None;
    }

    fn open(&mut self, object: bool) {
        self.at += 1;
        let inherited = match self.secret_name() {
            Some(name) if object && !self.is_inherited() && !names::is_secret_object(&unescaped(name)) => {
                None
            }
            name => name,
        };
        self.name = None;
        if self.levels.len() < DEPTH {
            self.levels.push(Level { object, inherited, ..Level::default() });
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.name = None;
        if self.levels.len() > 1
            && let Some(level) = self.levels.pop()
        {
            self.finish(level);
        }
    }

    /// What can be told at the end of a list or an object only.
    fn finish(&mut self, level: Level<'_>) {
        let Level { pair: (name, value), object, items, .. } = level;
        if let (Some(name), Some(range)) = (name, value)
            && (object || items == 2)
            && let Some(value) = self.body.get(range.clone())
            && text::is_secret_value(name, value)
        {
            self.credential(name, value, &range);
        }
        if level.is_key {
            for range in level.private {
                push(self.out, range, &[b"private_key"]);
            }
        }
    }

    fn is_inherited(&self) -> bool {
        self.levels.last().is_some_and(|level| level.inherited.is_some())
    }

    /// The name that makes the value at hand a secret.
    fn secret_name(&self) -> Option<&'a [u8]> {
        self.name
            .filter(|name| names::is_secret_name(&unescaped(name)))
            .or_else(|| self.levels.last().and_then(|level| level.inherited))
    }
}

impl Drop for Scan<'_, '_> {
    /// What a cut document left open is told as well.
    fn drop(&mut self) {
        while let Some(mut level) = self.levels.pop() {
            level.items = level.items.max(2);
            self.finish(level);
        }
    }
}

/// Whether a string holds a document of its own.
fn is_document(value: &[u8]) -> bool {
    let first = value.iter().find(|byte| !byte.is_ascii_whitespace());
    value.len() > 8 && first.is_some_and(|byte| b"{[<".contains(byte))
        || value.len() > 16 && (memchr::memmem::find(value, b"%7B").is_some() || value.starts_with(b"--"))
}

/// Where the string that begins at `start` ends: at its quote, or at the end of the body.
fn string_end(body: &[u8], start: usize, quote: u8) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memchr2(quote, b'\\', body.get(at..).unwrap_or_default()) {
        at += found;
        if body.get(at) == Some(&quote) {
            return at;
        }
        at += 2;
    }
    body.len()
}

/// A name without its escapes (`"pass\u0077ord"`).
fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    step_counter::steps(name.len());
    if !name.contains(&b'\\') {
        return name.into();
    }
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or_else(|_| name.into(), |text| text.into_bytes().into())
}
