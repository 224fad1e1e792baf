//! What is assigned to a name: where the value begins and ends.

use super::Scan;
use super::sentence::is_scheme;
use crate::edge::redact::{field, names, push, shift};
use crate::step_counter;

/// White space between a name, a sign and a value.
const SPACE: usize = 64;
/// Backslashes before a quote, in text that was quoted several times.
const ESCAPES: usize = 16;
/// What is looked at of the neighbouring lines to see whether all lines are names and values.
const LINE: usize = 80;

/// Where a parameter's value in a URL ends that begins at `start`.
pub(super) fn parameter(text: &[u8], start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let len = rest
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b"&#\"'<>\\`;)]}".contains(byte))
        .unwrap_or(rest.len());
    step_counter::steps(len);
    start + len
}

impl Scan<'_, '_> {
    /// The value assigned to the name at `start..end`, if there is a sign and a value; returns where to go on.
    pub(super) fn assigned(&mut self, start: usize, end: usize) -> Option<usize> {
        let quoted = self.quote(end).map_or(end, |(_, _, next)| next);
        let mut at = quoted + self.spaces(quoted, false);
        let sign = self.byte(at).filter(|byte| matches!(byte, b'=' | b':'))?;
        at += 1;
        while self.byte(at).is_some_and(|byte| matches!(byte, b'=' | b'>')) {
            at += 1;
        }
        if sign == b':' && self.slice(at, at + 2) == b"//" {
            return None;
        }
        let line_end = at + self.spaces(at, false);
        if (self.reading.lines
            || self.byte(line_end).is_none_or(|byte| matches!(byte, b'|' | b'>' | b'\n' | b'\r')))
            && let Some(next) = self.indented(start, line_end)
        {
            return Some(next);
        }
        let value = at + self.spaces(at, quoted > end);
        let name = self.slice(start, end);
        self.value(name, value, start)
    }

    /// The value at `at`.
    fn value(&mut self, name: &[u8], at: usize, name_start: usize) -> Option<usize> {
        if let Some((escapes, quote, inner)) = self.quote(at) {
            let (close, next) = self.close(inner, escapes, quote);
            self.add(name, inner, close);
            return Some(next);
        }
        if self.slice(at, at + 10) == b"[redacted " {
            return memchr::memchr(b']', self.text.get(at..)?).map(|len| at + len);
        }
        match self.byte(at)? {
            b'[' | b'{' | b'(' => return self.list(name, at),
            b',' | b';' | b'&' | b')' | b']' | b'}' | b'<' | b'\n' | b'\r' => return None,
            b'$' if self.refers(at, name) => return None,
            _ => {}
        }
        let end = if self.is_line(name_start) { self.line_end(at) } else { self.unquoted(at) };
        if names::is_authorization(name) || names::is_cookie(name) {
            let line = self.line_end(at);
            return self.field(name, at, line, end);
        }
        let end = match self.scheme(at, end) {
            Some(after) if !self.is_line(name_start) => self.unquoted(after),
            _ => end,
        };
        self.add(name, at, end);
        Some(end.max(at + 1))
    }

    /// The value of a credential field or cookies, quoted in text: to the end of the line when it has parameters.
    #[expect(clippy::unnecessary_wraps, reason = "one of several readers that may give nothing")]
    fn field(&mut self, name: &[u8], at: usize, line: usize, end: usize) -> Option<usize> {
        let value = self.slice(at, line);
        let before = self.out.len();
        if names::is_cookie(name) {
            field::cookie::cookies(value, self.out);
        } else {
            let bare = self.scheme(at, end).map_or(at, |after| after);
            let end = self.unquoted(bare);
            if field::auth::has_parameters(value) {
                field::auth::credentials(name, value, self.out);
            } else {
                field::auth::credentials(name, self.slice(at, end), self.out);
                shift(self.out, before, at);
                return Some(end.max(at + 1));
            }
        }
        shift(self.out, before, at);
        Some(line.max(at + 1))
    }

    /// Adds a value unless it is none or says nothing.
    fn add(&mut self, name: &[u8], start: usize, end: usize) {
        let value = self.slice(start, end);
        // Of `AKID/20261122/region/service/aws4_request` only the first part is a key.
        if name.eq_ignore_ascii_case(b"credential") && value.contains(&b'/') {
            let len = memchr::memchr(b'/', value).unwrap_or(value.len());
            push(self.out, start..start + len, &[name]);
        } else if is_secret_value(name, value) {
            // Of `Bearer abc` the scheme stays.
            let before = self.out.len();
            if self.scheme(start, end).is_some() {
                field::auth::credentials(name, value, self.out);
                shift(self.out, before, start);
            } else {
                push(self.out, start..end, &[name]);
            }
        }
    }

    /// Where a known scheme (`Bearer `) at `at` ends, when something follows it.
    fn scheme(&self, at: usize, end: usize) -> Option<usize> {
        let word_end = at
            + self
                .slice(at, end)
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
                .count();
        let after = word_end + self.spaces(word_end, false);
        (after > word_end && is_scheme(self.slice(at, word_end)) && self.byte(after).is_some())
            .then_some(after)
    }

    /// `[a, b]` after a name: up to the bracket that closes.
    fn list(&mut self, name: &[u8], at: usize) -> Option<usize> {
        // Objects and lists of JSON have names of their own and are read as such.
        if self.byte(at) != Some(b'[') || self.slice(at + 1, at + 2) == b"{" {
            return None;
        }
        let rest = self.text.get(at + 1..)?;
        let len =
            rest.iter().position(|byte| matches!(byte, b']' | b'[' | b'{' | b'\n')).unwrap_or(rest.len());
        step_counter::steps(len);
        let mut start = at + 1;
        for item in self.slice(start, at + 1 + len).split(|byte| *byte == b',') {
            let around = |byte: &u8| byte.is_ascii_whitespace() || b"\\\"'".contains(byte);
            let lead = item.iter().take_while(|byte| around(byte)).count();
            let tail = item.iter().rev().take_while(|byte| around(byte)).count();
            if lead < item.len() {
                self.add(name, start + lead, start + item.len() - tail);
            }
            start += item.len() + 1;
        }
        Some(at + 1 + len)
    }

    /// A value that is a variable called like the secret: `password: $password`.
    fn refers(&self, at: usize, name: &[u8]) -> bool {
        let end = self.unquoted(at);
        let variable = self.slice(at + 1, end);
        variable.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b'_')
            && (names::is_secret_name(variable) || name.eq_ignore_ascii_case(variable))
    }

    /// A quote at `at` with the backslashes before it: how many, which, and what follows.
    fn quote(&self, at: usize) -> Option<(usize, u8, usize)> {
        let escapes = self.slice(at, at + ESCAPES).iter().take_while(|byte| **byte == b'\\').count();
        let quote = self.byte(at + escapes).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
        Some((escapes, quote, at + escapes + 1))
    }

    /// Where what a quote opened ends, and what follows: at the same quote with as many backslashes.
    fn close(&self, from: usize, escapes: usize, quote: u8) -> (usize, usize) {
        let mut at = from;
        while let Some(found) = memchr::memchr(quote, self.text.get(at..).unwrap_or_default()) {
            let end = at + found;
            step_counter::steps(found);
            let before = self.slice(from, end);
            let backslashes = before.iter().rev().take(ESCAPES).take_while(|byte| **byte == b'\\').count();
            // Outside escapes a pair of backslashes is one, and the quote behind it closes.
            if backslashes <= escapes || (escapes == 0 && backslashes % 2 == 0) {
                return (end - backslashes.min(escapes), end + 1);
            }
            at = end + 1;
        }
        (self.text.len(), self.text.len())
    }

    /// Where a value without quotes ends.
    fn unquoted(&self, start: usize) -> usize {
        let mut at = start;
        while let Some(byte) = self.byte(at) {
            let stop = match byte {
                b'"' | b'&' | b'<' | b'>' | b'`' => true,
                b'\\' => self.is_escape(at),
                b',' | b';' | b')' | b']' | b'}' | b'\'' => !self.goes_on(at + 1),
                byte => byte.is_ascii_whitespace() || byte == 0,
            };
            if stop {
                break;
            }
            at += 1;
        }
        step_counter::steps(at - start);
        let is_stop = |byte: &&u8| matches!(byte, b'.' | b'!' | b'?' | b':');
        let tail = self.slice(start, at).iter().rev().take_while(is_stop).count();
        // A full stop ends the sentence; a value of nothing else is a value.
        if tail < at - start
            && self.byte(at).is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\\'))
        {
            at - tail
        } else {
            at
        }
    }

    /// Backslashes and what they escape: a quote or a line break ends a value.
    fn is_escape(&self, at: usize) -> bool {
        let rest = self.slice(at, at + ESCAPES);
        let backslashes = rest.iter().take_while(|byte| **byte == b'\\').count();
        rest.get(backslashes).is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'n' | b'r' | b't'))
    }

    /// Whether a value goes on after punctuation: with more of it and not with the next name or with a space.
    fn goes_on(&self, at: usize) -> bool {
        let rest = self.slice(at, at + LINE);
        let name =
            rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.%".contains(byte)).count();
        let after = rest.get(name);
        name > 0 && !after.is_some_and(|byte| matches!(byte, b'=' | b':' | b'"' | b'(' | b'{' | b'}'))
    }

    fn spaces(&self, at: usize, breaks: bool) -> usize {
        let space = |byte: &&u8| matches!(byte, b' ' | b'\t') || breaks && matches!(byte, b'\n' | b'\r');
        self.slice(at, at + SPACE).iter().take_while(space).count()
    }

    fn line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        let len = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        step_counter::steps(len);
        let line = self.slice(at, at + len);
        at + line.trim_ascii_end().len()
    }

    /// Whether the name at `start` begins a line that is a name and its value to the end, as the neighbouring lines are.
    fn is_line(&self, start: usize) -> bool {
        let before = self.slice(start.saturating_sub(LINE), start);
        let indent = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'-')).count();
        let begins = before.len() == indent && start <= LINE
            || before.get(before.len().wrapping_sub(indent + 1)) == Some(&b'\n');
        if !begins || self.reading.lines {
            return begins && self.reading.lines;
        }
        let above = before.get(..before.len() - indent).unwrap_or_default().trim_ascii_end();
        let above = above.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let ahead = self.slice(start, start + 2 * LINE);
        let below = ahead.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
        step_counter::steps(LINE);
        is_pair(above) || is_pair(below)
    }

    /// The lines below a name that has no value on its own (YAML): those further in, or items of a list.
    fn indented(&mut self, start: usize, at: usize) -> Option<usize> {
        let marker = self.slice(at, at + 2).iter().take_while(|byte| b"|>-+".contains(byte)).count();
        let mut line = at + marker + self.spaces(at + marker, false);
        let column = self.column(start)?;
        let mut end = None;
        loop {
            let breaks = match self.slice(line, line + 2) {
                [b'\r', b'\n'] => 2,
                [b'\n', ..] => 1,
                _ => break,
            };
            let begin = line + breaks;
            let indent = self.slice(begin, begin + SPACE).iter().take_while(|byte| **byte == b' ').count();
            let item = self.slice(begin + indent, begin + indent + 2) == b"- ";
            if !(indent > column || item && indent == column) {
                break;
            }
            let content = begin + indent + if item { 2 } else { 0 };
            line = self.raw_line_end(content);
            let stop = self.line_end(content);
            self.add(b"secret", content, stop);
            end = Some(line);
        }
        end
    }

    fn raw_line_end(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len())
    }

    /// How far in the name at `start` is, when only spaces and dashes are before it.
    fn column(&self, start: usize) -> Option<usize> {
        let before = self.slice(start.saturating_sub(LINE), start);
        let indent = before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let lead = before.get(before.len() - indent..)?;
        lead.iter().all(|byte| matches!(byte, b' ' | b'-' | b'"' | b'\'')).then_some(indent)
    }
}

/// Whether `value` under `name` is worth hiding.
pub(in crate::edge::redact) fn is_secret_value(name: &[u8], value: &[u8]) -> bool {
    if names::is_harmless(value) || value.starts_with(b"[redacted ") {
        return false;
    }
    let number = value.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    if number && value.len() < 6 && names::is_countable(name) {
        return false;
    }
    names::is_secret_name(name)
        || super::random::looks_like_key(value) && value.len() >= 16
        || !names::ends_in_key(name)
}

/// Whether a line is a name, a sign and a value.
fn is_pair(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let name =
        line.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.\"'".contains(byte)).count();
    name > 0
        && line.get(name..).is_some_and(|rest| {
            rest.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b':' | b'='))
        })
}
