//! JSON members whose names announce a secret, in whole, cut or broken documents.
//!
//! Not a parser: it reads strings and brackets and never gives up, because a body that is cut in the middle of a
//! password, or is not quite JSON, is no reason to show one. One pass, one byte of state per open bracket.

use super::{Secret, body, names, push, scan};
use crate::{features, step_counter};

/// Deepest nesting that is told apart; what lies deeper counts as one level.
const DEPTH: usize = 4096;
/// Bytes of a name that are looked at, so that names that are looked at again cost no more than this.
const NAME: usize = 256;

/// Adds the secrets of `body` from `from` on.
pub(super) fn find(body: &[u8], from: usize, out: &mut Vec<Secret>) {
    let mut scan = Scan { body, at: from, name: None, inherited: vec![None], out };
    while let Some(byte) = body.get(scan.at) {
        step_counter::steps(1);
        match byte {
            b'"' => scan.string(),
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
    }
}

/// Adds `value`, given that it is the value at `path` (`$.user.password`, `password`): its last name decides.
pub(super) fn member(path: &str, value: &[u8], out: &mut Vec<Secret>) {
    let quotes = usize::from(value.len() > 1 && value.starts_with(b"\"") && value.ends_with(b"\""));
    match features::json::last_name(path) {
        Some(name) if names::is_secret_parameter(name.as_bytes()) => {
            push(out, quotes..value.len() - quotes, &[name.as_bytes()]);
        }
        _ => scan::find(value, out),
    }
}

struct Scan<'a, 'b> {
    body: &'a [u8],
    at: usize,
    /// Name of the member whose value comes next.
    name: Option<&'a [u8]>,
    /// For each open bracket the name that makes everything in it secret.
    inherited: Vec<Option<&'a [u8]>>,
    out: &'b mut Vec<Secret>,
}

impl<'a> Scan<'a, '_> {
    /// A string: a name when a colon follows, else a value.
    fn string(&mut self) {
        let start = self.at + 1;
        let end = string_end(self.body, start);
        self.at = end + 1;
        let text = self.body.get(start..end).unwrap_or_default();
        let tail = self.body.get(self.at..).unwrap_or_default();
        let space = tail.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        step_counter::steps(text.len() + space);
        if tail.get(space) == Some(&b':') {
            self.name = Some(text.get(..NAME).unwrap_or(text));
            self.at += space + 1;
            return;
        }
        if let Some(name) = self.secret_name() {
            push(self.out, start..end, &[&unescaped(name)]);
        } else if memchr::memchr2(b':', b'=', text).is_some() {
            self.inner(text, start);
        }
        self.name = None;
    }

    /// A string that holds a language of its own: GraphQL, JSON in JSON, a form.
    fn inner(&mut self, text: &[u8], start: usize) {
        let before = self.out.len();
        body::text(text, self.out);
        for secret in self.out.iter_mut().skip(before) {
            secret.range = secret.range.start + start..secret.range.end + start;
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
        if let Some(name) = self.secret_name().filter(|name| names::is_secret_number(&unescaped(name))) {
            push(self.out, start..self.at, &[name]);
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
        if self.inherited.len() < DEPTH {
            self.inherited.push(inherited);
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.name = None;
        if self.inherited.len() > 1 {
            self.inherited.pop();
        }
    }

    fn is_inherited(&self) -> bool {
        self.inherited.last().is_some_and(Option::is_some)
    }

    /// The name that makes the value at hand a secret.
    fn secret_name(&self) -> Option<&'a [u8]> {
        self.name
            .filter(|name| names::is_secret_name(&unescaped(name)))
            .or_else(|| self.inherited.last().copied().flatten())
    }
}

/// Where the string that begins at `start` ends: at its quote, or at the end of the body.
fn string_end(body: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(found) = memchr::memchr2(b'"', b'\\', body.get(at..).unwrap_or_default()) {
        at += found;
        if body.get(at) == Some(&b'"') {
            return at;
        }
        at += 2;
    }
    body.len()
}

/// A name without its escapes (`"pass\u0077ord"`).
fn unescaped(name: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    step_counter::steps(name.len());
    if !name.contains(&b'\\') {
        return name.into();
    }
    let quoted = [b"\"", name, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).map_or_else(|_| name.into(), |text| text.into_bytes().into())
}
