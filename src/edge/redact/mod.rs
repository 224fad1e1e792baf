//! Takes secrets out of what leaves the program.
//!
//! Finding is apart from replacing: the finders say where a secret lies in the bytes and what to call it, the
//! [`Redactor`] puts a label there. So a curl command can put a shell variable there instead. A label says what is
//! safe to say (length, a token's claims, the user of Basic) and ends with a keyed hash: equal secrets have
//! equal labels within a run, and nobody can try guesses against it, because the key is random and never leaves.

mod body;
mod field;
mod known;
mod label;
mod layers;
mod mask;
mod names;
mod redactor;
mod text;

use std::ops::Range;

pub use mask::Mask;
pub use names::{check, check_sources, is_secret_name, is_secret_parameter};
pub use redactor::Redactor;

/// Where a secret lies in the bytes it was looked for in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its bytes.
    pub range: Range<usize>,
    /// What to call it, as a shell variable: `AUTHORIZATION`, `COOKIE_SESSION`, `PASSWORD`.
    pub name: String,
    kind: Kind,
}

/// What a label may say besides length and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing, unless it is a JWT.
    Opaque,
    /// The user name.
    Basic,
}

/// The secrets of a field's value, by its name, in order and without overlap when passed through [`settle`].
pub fn secrets_in_field(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    field::find(name, value, out);
}

/// The secrets of a request target or another URL: user information, query parameters, keys in the path.
pub fn secrets_in_target(target: &[u8], out: &mut Vec<Secret>) {
    body::form::url(target, out);
}

/// The secrets of a body of `media_type` (empty when unknown) without content coding.
pub fn secrets_in_body(media_type: &[u8], body: &[u8], out: &mut Vec<Secret>) {
    body::find(media_type, body, out);
}

/// The secrets of free text.
pub fn secrets_in_text(text: &[u8], out: &mut Vec<Secret>) {
    text::find(text, text::Reading::default(), out);
}

/// `text` with a star for each secret: a pattern of a filter that still fits.
pub fn starred(text: &str) -> String {
    let mut secrets = Vec::new();
    secrets_in_target(text.as_bytes(), &mut secrets);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for secret in settle(secrets) {
        out.push_str(text.get(done..secret.range.start).unwrap_or_default());
        out.push('*');
        done = secret.range.end;
    }
    out + text.get(done..).unwrap_or_default()
}

/// `secrets` in order, overlapping ones merged into the one that begins first.
pub fn settle(mut secrets: Vec<Secret>) -> Vec<Secret> {
    // A stable sort: of two that begin together the structural one, which was found first, gives the name.
    secrets.sort_by_key(|secret| secret.range.start);
    let mut settled: Vec<Secret> = Vec::with_capacity(secrets.len());
    for secret in secrets.into_iter().filter(|secret| !secret.range.is_empty()) {
        match settled.last_mut() {
            Some(last) if secret.range.start < last.range.end => {
                last.range.end = last.range.end.max(secret.range.end);
            }
            _ => settled.push(secret),
        }
    }
    settled
}

/// Adds a secret at `range`, called after `parts` of its place.
fn push(out: &mut Vec<Secret>, range: Range<usize>, parts: &[&[u8]]) {
    if !range.is_empty() {
        out.push(Secret { range, name: names::variable(parts), kind: Kind::Opaque });
    }
}

/// Whether `bytes` are so long that they do not stand elsewhere by chance.
fn is_worth_repeating(bytes: &[u8]) -> bool {
    bytes.trim_ascii().len() >= 6
}

/// Moves the secrets since `from` by `by`.
fn shift(out: &mut [Secret], from: usize, by: usize) {
    for secret in out.iter_mut().skip(from) {
        secret.range = secret.range.start + by..secret.range.end + by;
    }
}

#[cfg(test)]
mod tests;
