//! Secrets beside a word that names them, without a sign between: `API key zQ7… is not valid`, `Bearer zQ7…`.

use super::Scan;
use super::random::looks_random;
use crate::edge::redact::{names, push};
use crate::step_counter;

/// Words between a name and its value.
const WORDS: usize = 6;
/// Longest word between them.
const WORD: usize = 16;
/// Longest line before a name that is a value itself, such as `  - name: `.
const LABEL: usize = 48;
/// The head of a text string of CBOR without its length.
const CBOR_TEXT: u8 = 0x60;
/// Longest string whose length is in its head.
const CBOR_SHORT: usize = 23;
/// Longest value whose beginning is looked for, going back.
const VALUE: usize = 256;

/// Whether `word` is a scheme whose credential is one token.
pub(super) fn is_scheme(word: &[u8]) -> bool {
    crate::edge::redact::field::auth::is_scheme(word)
}

impl Scan<'_, '_> {
    /// A value after or before the name at `start..end`; returns where to go on.
    pub(super) fn beside(&mut self, start: usize, end: usize) -> Option<usize> {
        self.after(start, end).or_else(|| self.before(start))
    }

    /// `API key zQ7…`, `--password hunter2`.
    fn after(&mut self, start: usize, end: usize) -> Option<usize> {
        let name = self.slice(start, end);
        let option = start >= self.floor && name.starts_with(b"--");
        let mut at = end;
        for _ in 0..WORDS {
            let spaces = self.gap(at)?;
            at += spaces;
            let word = self.word(at);
            let value = self.slice(at, word);
            // `Credential=…` is a parameter with a name of its own.
            let assigns = value
                .trim_ascii_end()
                .iter()
                .rev()
                .skip_while(|byte| **byte == b'=')
                .any(|byte| *byte == b'=');
            if assigns {
                break;
            }
            let bearer =
                option || is_scheme(name) && value.len() >= 8 && value.iter().any(u8::is_ascii_digit);
            if looks_random(value) || bearer && !names::is_harmless(value) && self.byte(word) != Some(b'=') {
                push(self.out, at..word, &[name]);
                return Some(word);
            }
            if value.len() > WORD || !names::is_between(value) {
                break;
            }
            at = word;
        }
        None
    }

    /// `zQ7… is not a valid key`.
    fn before(&mut self, start: usize) -> Option<usize> {
        let mut at = start;
        for _ in 0..WORDS {
            let quotes = |byte: &&u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'\\');
            let gap = self.slice(self.floor.min(at), at).iter().rev().take(4).take_while(quotes).count();
            let stop = at - gap;
            let of_word = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_+/=.~".contains(byte);
            let len =
                self.slice(self.floor.min(stop), stop).iter().rev().take(VALUE).take_while(of_word).count();
            step_counter::steps(len);
            let word = self.slice(stop - len, stop);
            if gap == 0 || len == 0 {
                return None;
            }
            if looks_random(word) {
                push(self.out, stop - len..stop, &[b"key"]);
                return None;
            }
            if len > WORD || !names::is_between(word) {
                return None;
            }
            at = stop - len;
        }
        None
    }

    /// Spaces and a quote between words.
    fn gap(&self, at: usize) -> Option<usize> {
        let rest = self.slice(at, at + 8);
        let len = rest
            .iter()
            .take_while(|byte| {
                matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\' | b'<' | b',' | b'(')
            })
            .count();
        (len > 0 && len < 8).then_some(len)
    }

    /// The end of the word at `at`.
    fn word(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let len =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"-_+/=.~".contains(byte)).count();
        step_counter::steps(len.min(VALUE));
        let tail = rest.get(..len).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'.').count();
        at + len - tail
    }

    /// A name that is itself a value, with its own value on the line below (YAML): `name: API_TOKEN`, `value: zQ7…`.
    pub(super) fn value_below(&mut self, start: usize, end: usize) -> Option<usize> {
        let name = self.slice(start, end);
        let before = self.slice(start.saturating_sub(LABEL), start);
        let label = before.rsplit(|byte| *byte == b'\n').next()?.trim_ascii_start();
        let label = label.strip_prefix(b"- ").unwrap_or(label).trim_ascii();
        let label =
            label.strip_suffix(b"\"").or_else(|| label.strip_suffix(b"'")).unwrap_or(label).trim_ascii_end();
        if !matches!(label, b"name:" | b"key:" | b"variable:" | b"field:" | b"header:" | b"-name:") {
            return None;
        }
        let rest = self.text.get(end..)?;
        let line = memchr::memchr(b'\n', rest.get(..8).unwrap_or(rest))?;
        if !rest.get(..line)?.iter().all(|byte| matches!(byte, b'"' | b'\'' | b' ' | b'\r'))
            || !names::is_secret_name(name)
        {
            return None;
        }
        let below = rest.get(line + 1..)?;
        let spaces = below.iter().take_while(|byte| **byte == b' ').count();
        let value = below.get(spaces..)?;
        let colon = memchr::memchr(b':', value.get(..LABEL).unwrap_or(value))?;
        if !matches!(value.get(..colon)?, b"value" | b"val" | b"content" | b"data" | b"default") {
            return None;
        }
        let from = end + line + 1 + spaces + colon + 1;
        let rest = self.text.get(from..)?;
        let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        step_counter::steps(len);
        let lead = rest.get(..len)?.iter().take_while(|byte| matches!(byte, b' ' | b'"' | b'\'')).count();
        let inner = rest.get(lead..len)?;
        let tail = inner.iter().rev().take_while(|byte| matches!(byte, b' ' | b'"' | b'\'')).count();
        if !names::is_harmless(inner) {
            push(self.out, from + lead..from + len - tail, &[name]);
        }
        Some(from + len)
    }

    /// A text string of CBOR (RFC 8949 §3.1) whose end the word at `start..end` lies before, and the string that follows it: their
    /// heads look like letters.
    pub(super) fn cbor(&mut self, start: usize, end: usize) -> Option<usize> {
        step_counter::steps(CBOR_SHORT);
        for head in (start.saturating_sub(CBOR_SHORT)..start).rev() {
            let len = usize::from(self.byte(head)?.checked_sub(CBOR_TEXT)?);
            let stop = head + 1 + len;
            if len > CBOR_SHORT || stop < end || !names::is_secret_name(self.slice(head + 1, stop)) {
                continue;
            }
            let name = self.slice(head + 1, stop);
            let (from, len) = match (self.byte(stop)?, self.text.get(stop + 1..)?) {
                (short @ (0x41..=0x57 | 0x61..=0x77), _) => (stop + 1, usize::from(short & 0x1f)),
                (0x58 | 0x78, &[len, ..]) => (stop + 2, usize::from(len)),
                (0x59 | 0x79, &[high, low, ..]) => (stop + 3, usize::from(u16::from_be_bytes([high, low]))),
                _ => continue,
            };
            if self.text.get(from..from + len).is_some() {
                push(self.out, from..from + len, &[name]);
                return Some(from + len);
            }
        }
        None
    }

    /// In binary data a value follows its name after a tag and a length.
    pub(super) fn tagged(&mut self, start: usize, end: usize) -> Option<usize> {
        let name = self.slice(start, end);
        if !names::is_secret_name(name) {
            return None;
        }
        let rest = self.text.get(end..)?;
        let printable = |byte: &u8| matches!(byte, b' '..=b'~') || *byte >= 0xc2;
        let window = rest.get(..12).unwrap_or(rest);
        let gap = window.iter().take_while(|byte| !printable(byte) || **byte >= 0xc0).count();
        let len = rest.get(gap..)?.iter().take_while(|byte| matches!(byte, b' '..=b'~')).count();
        step_counter::steps(len);
        (gap > 0 && len >= 4).then(|| {
            push(self.out, end + gap..end + gap + len, &[name]);
            end + gap + len
        })
    }
}
