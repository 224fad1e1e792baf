//! Text of any kind: what is assigned to the name of a secret, credentials after their scheme, keys with a shape of their own,
//! passwords and tokens in URLs, numbers of cards.
//!
//! One automaton finds every place that may begin such a thing, and each is then looked at by itself, over bytes that
//! are not looked at again. So the time is linear, and text without any of the words costs the automaton only.

mod numbers;
mod place;
pub(super) mod random;
mod sentence;
pub(super) mod shapes;
mod url;
mod value;

use super::{Secret, layers};
use crate::step_counter;
pub(super) use url::user_information;
pub(super) use value::is_secret_value;

use place::{Patterns, Place};

/// Longest name that is looked at, in bytes, on each side of the word in it that was found.
const NAME: usize = 64;

/// How a text is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// Names are followed by lengths and tags rather than by signs.
    pub(super) binary: bool,
    /// A line is a name and its value, to the end of the line (YAML, INI, properties).
    pub(super) lines: bool,
}

/// Adds the secrets of `text` as it stands and in every encoding of it.
pub(super) fn find(text: &[u8], reading: Reading, out: &mut Vec<Secret>) {
    layers::each_level(text, out, |text, out| level(text, reading, out));
}

/// Adds the secrets of `text` as it stands.
pub(super) fn level(text: &[u8], reading: Reading, out: &mut Vec<Secret>) {
    numbers::find(text, out);
    let patterns = Patterns::current();
    let mut scan = Scan { text, reading, floor: 0, named: 0, out };
    let (mut at, mut looked) = (0, 0);
    while let Some((place, found)) = patterns.next(text, at) {
        step_counter::steps(found.end - at);
        let next = match place {
            Place::Name => scan.name(found.start, found.end),
            Place::Parameter => scan.parameter(found.start, found.end),
            Place::Shape(shape) => shapes::find(text, &found, shape, &mut looked, scan.out),
            Place::Authority => url::authority(text, found.start, scan.out),
            Place::Path { one_use } => url::path(text, found.end - 1, one_use, scan.out),
        };
        at = next.unwrap_or(found.start + 1).max(found.start + 1);
        scan.floor = scan.floor.max(next.unwrap_or(0));
    }
}

/// The state of one pass.
pub(super) struct Scan<'a, 'b> {
    text: &'a [u8],
    reading: Reading,
    /// Where the last value ended: no name begins before.
    floor: usize,
    /// Where the last name that was looked at ends.
    named: usize,
    out: &'b mut Vec<Secret>,
}

impl<'a> Scan<'a, '_> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.get(at).copied()
    }

    /// The bytes from `start` to `end`, or to the end of the text.
    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.get(start..end.min(self.text.len())).unwrap_or_default()
    }

    /// Whether a byte belongs to a name. In binary data what is not ASCII is no letter.
    fn is_name(&self, byte: u8) -> bool {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'-' | b'.' | b'$')
            || byte >= 0x80 && !self.reading.binary
    }

    /// A word that may be of a secret's name, at `start..end`; returns where to go on.
    fn name(&mut self, start: usize, end: usize) -> Option<usize> {
        if start < self.named {
            return Some(end);
        }
        if self.reading.binary
            && let Some(end) = self.cbor(start, end)
        {
            return Some(end);
        }
        let (start, end) = self.whole(start, end)?;
        self.named = end;
        if self.reading.binary
            && let Some(end) = self.tagged(start, end)
        {
            return Some(end);
        }
        if let Some(end) = self.value_below(start, end) {
            return Some(end);
        }
        let name = self.full_name(start, end)?;
        match self.assigned(name.0, name.1) {
            Some(end) => Some(end),
            None => self.beside(name.0, name.1).or(Some(end)),
        }
    }

    /// The whole name around a word.
    fn whole(&mut self, start: usize, end: usize) -> Option<(usize, usize)> {
        let mut begin = start;
        while begin > self.floor
            && start - begin < NAME
            && self.byte(begin - 1).is_some_and(|byte| self.is_name(byte))
        {
            begin -= 1;
        }
        let mut stop = end;
        while stop - end < NAME && self.byte(stop).is_some_and(|byte| self.is_name(byte)) {
            stop += 1;
        }
        step_counter::steps(stop - begin);
        if start - begin == NAME || stop - end == NAME {
            self.named = stop;
            return None;
        }
        while stop > end && self.byte(stop - 1).is_some_and(|byte| matches!(byte, b'.' | b'-')) {
            stop -= 1;
        }
        // `login[pw][first]`
        let mut closed = stop;
        while let Some(b'[' | b']') = self.byte(closed) {
            let inner = self.text.get(closed + 1..).unwrap_or_default();
            let len = inner
                .iter()
                .take(NAME)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count();
            if self.byte(closed) == Some(b'[') && inner.get(len) != Some(&b']') {
                break;
            }
            let opens = self.byte(closed) == Some(b'[');
            closed += if opens { len + 2 } else { 1 };
            stop = closed;
            if closed - end > NAME {
                break;
            }
        }
        Some((begin, stop))
    }

    /// The name when it announces a secret, with the word before it where only both do (`API key`).
    fn full_name(&self, start: usize, end: usize) -> Option<(usize, usize)> {
        if super::names::is_secret_name(self.slice(start, end)) {
            return Some((start, end));
        }
        let mut begin = start;
        if begin > self.floor && matches!(self.byte(begin - 1), Some(b' ')) {
            begin -= 1;
            let stop = begin;
            while begin > self.floor
                && stop - begin < NAME
                && self.byte(begin - 1).is_some_and(|byte| byte.is_ascii_alphanumeric())
            {
                begin -= 1;
            }
            if begin < stop && super::names::is_secret_name(self.slice(begin, end)) {
                return Some((begin, end));
            }
        }
        // A bare key is worth a look beside it.
        super::names::ends_in_key(self.slice(start, end)).then_some((start, end))
    }

    /// `?code=…`: a parameter that is a secret in a URL only.
    #[expect(clippy::unnecessary_wraps, reason = "one of several readers that may give nothing")]
    fn parameter(&mut self, start: usize, end: usize) -> Option<usize> {
        let name = self.slice(start + 1, end - 1);
        let value = value::parameter(self.text, end);
        let is_path =
            !super::names::is_secret_name(name) && super::body::form::is_path(self.slice(end, value));
        if is_path || super::names::is_harmless(self.slice(end, value)) {
            return Some(value);
        }
        super::push(self.out, end..value, &[name]);
        Some(value)
    }
}

#[cfg(test)]
mod tests;
