//! Secrets of an exchange, remembered so that their bytes are found wherever they come again: in the response that echoes them, in
//! evidence that quotes them, in another encoding.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use smallvec::SmallVec;

use super::layers::{Decoded, each_level};
use super::text::random::looks_random;
use super::{Kind, Secret, names, secrets_in_body, secrets_in_field, secrets_in_target};
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::model::{Body, Exchange, Fields};
use crate::step_counter;

/// Values remembered of one exchange, and of the one it is compared with.
const VALUES: usize = 96;
/// Bytes remembered of one value.
const LENGTH: usize = 2048;
/// Shortest value that is remembered: shorter ones stand everywhere by chance.
const SHORTEST: usize = 6;
/// Shortest value of letters only that is remembered: shorter ones are words.
const SHORTEST_WORD: usize = 10;
/// Longest value that is looked for in base64.
const BASE64: usize = 256;
/// Bytes that are looked up together.
const WINDOW: usize = 6;
/// Places in values that begin with the same window.
const ALIKE: usize = 4;
/// Shortest piece of a longer value that is taken for it, as in a quotation that is cut.
const PIECE: usize = 12;
/// Bits of the filter that says where a window cannot be of a value.
const FILTER: usize = 1 << 13;

/// The values.
#[derive(Debug)]
pub(super) struct Known {
    values: Vec<Value>,
    /// Windows of the values, with their value and where it has them.
    windows: HashMap<u64, SmallVec<[(u16, u16); 2]>, ahash::RandomState>,
    filter: Box<[u64; FILTER / 64]>,
}

#[derive(Debug)]
struct Value {
    bytes: Vec<u8>,
    /// What the secret is called.
    name: String,
    /// Whether a piece of it will do.
    pieces: bool,
}

impl Known {
    /// What is secret in `exchanges`; `None` when nothing worth remembering is.
    pub(super) fn of(exchanges: &[&Exchange]) -> Option<Self> {
        let mut known =
            Self { values: Vec::new(), windows: HashMap::default(), filter: Box::new([0; FILTER / 64]) };
        for exchange in exchanges {
            known.exchange(exchange);
        }
        (!known.values.is_empty()).then_some(known)
    }

    fn exchange(&mut self, exchange: &Exchange) {
        if let Some(request) = &exchange.request {
            let target = request.head.target();
            self.part(target, |out| secrets_in_target(target, out));
            self.message(request.head.fields(), &request.body);
        }
        for head in &exchange.interim {
            self.fields(head.fields());
        }
        if let Some(response) = &exchange.response {
            let reason = response.head.reason();
            self.part(reason, |out| super::secrets_in_text(reason, out));
            self.message(response.head.fields(), &response.body);
        }
    }

    fn message(&mut self, fields: &Fields, body: &Body) {
        self.fields(fields);
        if let Some(trailers) = body.trailers() {
            self.fields(trailers);
        }
        if !body.kept.is_empty() {
            let content = content::read(fields, &body.kept, MAX_DECODED);
            let media = fields.value("content-type").unwrap_or_default();
            self.part(&content.bytes, |out| secrets_in_body(media, &content.bytes, out));
        }
    }

    fn fields(&mut self, fields: &Fields) {
        for field in fields.iter() {
            self.part(field.value, |out| secrets_in_field(field.name, field.value, out));
        }
    }

    fn part(&mut self, bytes: &[u8], find: impl FnOnce(&mut Vec<Secret>)) {
        if self.values.len() >= VALUES {
            return;
        }
        let mut secrets = Vec::new();
        find(&mut secrets);
        for secret in secrets {
            let Some(value) = bytes.get(secret.range) else { continue };
            self.remember(value, &secret.name);
            if secret.kind == Kind::Basic {
                // The password by itself, and the user when it is a key.
                let Ok(pair) = STANDARD.decode(value) else { continue };
                let (user, password) = match memchr::memchr(b':', &pair) {
                    Some(at) => pair.split_at(at),
                    None => (&*pair, &b""[..]),
                };
                self.remember(password.get(1..).unwrap_or_default(), &secret.name);
                if password.len() < 2 || looks_random(user) {
                    self.remember(user, &secret.name);
                }
            }
        }
    }

    /// Remembers `value`, and what it is without its encodings.
    fn remember(&mut self, value: &[u8], name: &str) {
        self.add(value, name);
        let mut level = Decoded::of(value);
        while let Some(decoded) = level.take() {
            self.add(&decoded.text, name);
            level = Decoded::of(&decoded.text).filter(|inner| inner.text.len() < decoded.text.len());
        }
    }

    fn add(&mut self, value: &[u8], name: &str) {
        let value = value.get(..LENGTH).unwrap_or(value);
        if !is_worth_remembering(value, name) || self.values.len() >= VALUES {
            return;
        }
        if self.values.iter().any(|known| known.bytes == value) {
            return;
        }
        self.insert(value.to_vec(), name, looks_random(value));
        if value.len() <= BASE64 {
            for start in 0..3 {
                let padded = [&b"\0\0\0"[..start], value].concat();
                let encoded = STANDARD_NO_PAD.encode(padded);
                // The letters that depend on what stands around the value are left out.
                let lead = (start * 8).div_ceil(6);
                let tail = usize::from((start + value.len()) % 3 != 0);
                let inner = encoded.as_bytes().get(lead..encoded.len() - tail).unwrap_or_default();
                if inner.len() >= PIECE {
                    self.insert(inner.to_vec(), name, true);
                }
            }
        }
    }

    fn insert(&mut self, bytes: Vec<u8>, name: &str, pieces: bool) {
        let Ok(index) = u16::try_from(self.values.len()) else { return };
        let Some(last) = bytes.len().checked_sub(WINDOW) else { return };
        // Every piece that will do holds a whole window.
        let step = if pieces { WINDOW } else { LENGTH };
        for at in (0..=last).step_by(step).chain([last]) {
            let Some(window) = window(&bytes, at) else { continue };
            let places = self.windows.entry(window).or_default();
            if places.len() < ALIKE {
                places.push((index, at as u16));
            }
            let bit = bit(window);
            if let Some(word) = self.filter.get_mut(bit / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        self.values.push(Value { bytes, name: name.to_owned(), pieces });
    }

    /// Adds where a known value stands in `text`, as it is or encoded.
    pub(super) fn find(&self, text: &[u8], out: &mut Vec<Secret>) {
        each_level(text, out, |text, out| self.level(text, out));
    }

    fn level(&self, text: &[u8], out: &mut Vec<Secret>) {
        let mut at = 0;
        let mut floor = 0;
        step_counter::steps(text.len());
        while let Some(window) = window(text, at) {
            let bit = bit(window);
            let maybe = self.filter.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1);
            let places = if maybe { self.windows.get(&window) } else { None };
            let found =
                places.into_iter().flatten().filter_map(|place| self.matched(text, at, floor, *place));
            match found.max_by_key(|(range, _)| range.len()) {
                Some((range, value)) => {
                    floor = range.end;
                    at = floor;
                    out.push(Secret { range, name: value.name.clone(), kind: Kind::Opaque });
                }
                None => at += 1,
            }
        }
    }

    /// The stretch of `text` around `at` that is the value or a piece of it.
    fn matched(
        &self,
        text: &[u8],
        at: usize,
        floor: usize,
        (index, offset): (u16, u16),
    ) -> Option<(std::ops::Range<usize>, &Value)> {
        let value = self.values.get(usize::from(index))?;
        let offset = usize::from(offset);
        let left = text.get(floor..at)?.iter().rev().zip(value.bytes.get(..offset)?.iter().rev());
        let left = left.take_while(|(a, b)| a == b).count();
        let right = text.get(at..)?.iter().zip(value.bytes.get(offset..)?);
        let right = right.take_while(|(a, b)| a == b).count();
        step_counter::steps(left + right);
        let range = at - left..at + right;
        let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let apart =
            !joins(range.start.checked_sub(1).and_then(|at| text.get(at))) && !joins(text.get(range.end));
        let whole = left + right == value.bytes.len() && (apart || value.bytes.len() >= PIECE);
        let piece = value.pieces && range.len() >= PIECE && looks_random(text.get(range.clone())?);
        // A quotation that is cut begins or ends with a shorter piece.
        let cut =
            range.start == 0 || range.end == text.len() || text.get(range.end..)?.starts_with("…".as_bytes());
        let edge = value.pieces && cut && range.len() >= WINDOW + 2 && range.len() < value.bytes.len();
        (whole || piece || edge).then_some((range, value))
    }
}

fn is_worth_remembering(value: &[u8], name: &str) -> bool {
    let words_only =
        value.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b' '));
    let long_enough = value.len() >= if words_only { SHORTEST_WORD } else { SHORTEST };
    // What a page keeps in a cookie is often a path or a time that stands elsewhere too.
    let cookie =
        name.starts_with("COOKIE") && !names::is_secret_name(name.as_bytes().get(7..).unwrap_or_default());
    long_enough
        && !names::is_harmless(value)
        && (looks_random(value) || !names::is_secret_name(value))
        && (!cookie || looks_random(value))
        && value.first() != Some(&b'/')
}

/// The bytes at `at` that are looked up.
fn window(bytes: &[u8], at: usize) -> Option<u64> {
    let window: &[u8; WINDOW] = bytes.get(at..at + WINDOW)?.try_into().ok()?;
    let mut padded = [0; 8];
    padded.get_mut(..WINDOW)?.copy_from_slice(window);
    Some(u64::from_le_bytes(padded))
}

/// The bit of the filter for a window.
fn bit(window: u64) -> usize {
    (window.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 51) as usize % FILTER
}
