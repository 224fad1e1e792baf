//! One level of encoding taken off a text, with where each byte came from: percent, `\u0041`, `\x41`, `\"`, `&quot;`, quoted-printable.
//!
//! A name or a value may be written in any of them (`%74oken`, `pass\u0077ord`, `=70assword`), so text is searched
//! as it stands and then decoded, level by level, and what is found is mapped back.

use std::ops::Range;

use super::Secret;
use crate::step_counter;

/// Levels that are taken off at most.
pub(super) const LEVELS: usize = 3;

/// A decoded text and where its bytes came from.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The text.
    pub(super) text: Vec<u8>,
    /// For each byte of it where it begins in the source; one more at the end. As long as the source at most.
    starts: Vec<u32>,
}

impl Decoded {
    /// `source` without one level of encoding; `None` when there is none.
    pub(super) fn of(source: &[u8]) -> Option<Self> {
        let quoted_printable = is_quoted_printable(source);
        let mut at = next(source, 0, quoted_printable)?;
        step_counter::steps(source.len());
        let mut decoded =
            Self { text: Vec::with_capacity(source.len()), starts: Vec::with_capacity(source.len() + 1) };
        decoded.copy(source, 0..at);
        let mut changed = false;
        loop {
            match escape(source.get(at..).unwrap_or_default(), quoted_printable) {
                Some((letter, len)) => {
                    changed = true;
                    decoded.push(letter, at);
                    at += len;
                }
                None => {
                    decoded.copy(source, at..at + 1);
                    at += 1;
                }
            }
            let Some(end) = next(source, at, quoted_printable) else { break };
            decoded.copy(source, at..end);
            at = end;
        }
        decoded.copy(source, at..source.len());
        decoded.starts.push(u32::try_from(source.len()).unwrap_or(u32::MAX));
        changed.then_some(decoded)
    }

    /// The decoded text of `source` as a JSON string has it, one level off.
    fn copy(&mut self, source: &[u8], range: Range<usize>) {
        self.text.extend_from_slice(source.get(range.clone()).unwrap_or_default());
        let (start, end) = (range.start.min(source.len()) as u32, range.end.min(source.len()) as u32);
        self.starts.extend(start..end);
    }

    fn push(&mut self, letter: Option<char>, at: usize) {
        let Some(letter) = letter else { return };
        // Percent and hex escapes are bytes: letters up to U+00FF stand for one.
        if (letter as u32) < 0x100 {
            self.text.push(letter as u8);
            self.starts.push(at as u32);
            return;
        }
        let mut buffer = [0; 4];
        let bytes = letter.encode_utf8(&mut buffer).as_bytes();
        self.text.extend_from_slice(bytes);
        self.starts.extend(bytes.iter().map(|_| at as u32));
    }

    /// A range of the text as a range of the source.
    pub(super) fn source(&self, range: &Range<usize>) -> Range<usize> {
        let at =
            |index: usize| self.starts.get(index).or(self.starts.last()).map_or(0, |start| *start as usize);
        at(range.start)..at(range.end)
    }

    /// Maps what was found since there were `from` secrets back to the source.
    pub(super) fn map_back(&self, out: &mut [Secret], from: usize) {
        for secret in out.iter_mut().skip(from) {
            secret.range = self.source(&secret.range);
        }
    }
}

/// Calls `find` with `source`, then with every level of it decoded; ranges are those of `source`.
pub(super) fn each_level(
    source: &[u8],
    out: &mut Vec<Secret>,
    mut find: impl FnMut(&[u8], &mut Vec<Secret>),
) {
    find(source, out);
    let mut levels: Vec<Decoded> = Vec::new();
    for _ in 0..LEVELS {
        let text = levels.last().map_or(source, |decoded| &decoded.text);
        let Some(decoded) = Decoded::of(text) else { break };
        let from = out.len();
        find(&decoded.text, out);
        decoded.map_back(out, from);
        for outer in levels.iter().rev() {
            outer.map_back(out, from);
        }
        levels.push(decoded);
    }
}

/// Soft line breaks, or an encoded equals sign: rare in anything else.
fn is_quoted_printable(source: &[u8]) -> bool {
    memchr::memchr(b'=', source).is_some()
        && [&b"=3D"[..], b"=3d", b"=\r\n", b"=\n"]
            .iter()
            .any(|sign| memchr::memmem::find(source, sign).is_some())
}

/// The next byte that may begin an escape.
fn next(source: &[u8], from: usize, quoted_printable: bool) -> Option<usize> {
    let rest = source.get(from..)?;
    let found = memchr::memchr3(b'%', b'\\', b'&', rest);
    let equals =
        if quoted_printable { memchr::memchr(b'=', rest.get(..found.unwrap_or(rest.len()))?) } else { None };
    equals.or(found).map(|at| at + from)
}

/// What the escape at the start of `rest` stands for (`None` for nothing: a soft line break), and its length.
fn escape(rest: &[u8], quoted_printable: bool) -> Option<(Option<char>, usize)> {
    let byte = |at: usize| hex(rest, at, 2).map(|value| (char::from_u32(value), at + 2));
    match rest {
        [b'%', b'u', ..] => hex(rest, 2, 4).map(|value| (char::from_u32(value), 6)),
        [b'%', ..] => byte(1),
        [b'\\', b'u', ..] => {
            hex(rest, 2, 4).map(|value| (Some(char::from_u32(value).unwrap_or('\u{fffd}')), 6))
        }
        [b'\\', b'x', ..] => byte(2),
        [b'\\', b'n', ..] => Some((Some('\n'), 2)),
        [b'\\', b'r', ..] => Some((Some('\r'), 2)),
        [b'\\', b't', ..] => Some((Some('\t'), 2)),
        [b'\\', letter @ (b'"' | b'\'' | b'\\' | b'/'), ..] => Some((Some(*letter as char), 2)),
        [b'&', ..] => entity(rest),
        [b'=', b'\r', b'\n', ..] if quoted_printable => Some((None, 3)),
        [b'=', b'\n', ..] if quoted_printable => Some((None, 2)),
        [b'=', ..] if quoted_printable => byte(1),
        _ => None,
    }
}

/// `&quot;`, `&#34;`, `&#x22;`.
fn entity(rest: &[u8]) -> Option<(Option<char>, usize)> {
    let named: [(&[u8], char); 6] = [
        (b"&quot;", '"'),
        (b"&amp;", '&'),
        (b"&apos;", '\''),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
        (b"&nbsp;", ' '),
    ];
    if let Some((name, letter)) = named.iter().find(|(name, _)| rest.starts_with(name)) {
        return Some((Some(*letter), name.len()));
    }
    let digits = rest.strip_prefix(b"&#")?;
    let window = digits.get(..9).unwrap_or(digits);
    let end = memchr::memchr(b';', window)?;
    let text = std::str::from_utf8(window.get(..end)?).ok()?;
    let value = match text.strip_prefix(['x', 'X']) {
        Some(text) => u32::from_str_radix(text, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some((Some(char::from_u32(value)?), end + 3))
}

fn hex(rest: &[u8], at: usize, len: usize) -> Option<u32> {
    let digits = rest.get(at..at + len)?;
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

#[cfg(test)]
mod tests {
    use super::Decoded;

    fn decoded(text: &str) -> Option<String> {
        Decoded::of(text.as_bytes()).map(|decoded| String::from_utf8_lossy(&decoded.text).into_owned())
    }

    #[test]
    fn one_level_is_taken_off() {
        assert_eq!(decoded("a%3Db%253D").as_deref(), Some("a=b%3D"));
        assert_eq!(decoded(r#"pass\u0077ord\":\x41\\n"#).as_deref(), Some("password\":A\\n"));
        assert_eq!(decoded("&quot;a&#34;&#x41;&amp;").as_deref(), Some("\"a\"A&"));
        assert_eq!(decoded("password=3Dab=\r\nc").as_deref(), Some("password=abc"));
        assert_eq!(decoded("100 % of a&b, c=41"), None);
    }

    #[test]
    fn places_are_those_of_the_source() {
        let decoded = Decoded::of(b"x%3D%41b").unwrap();
        assert_eq!(decoded.source(&(2..3)), 4..7);
        assert_eq!(decoded.source(&(2..4)), 4..8);
    }
}
