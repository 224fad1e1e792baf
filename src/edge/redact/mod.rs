//! Takes secrets out of what leaves the program.
//!
//! Finding is apart from replacing: the finders say where a secret lies in the bytes and what to call it, the
//! [`Redactor`] puts a label there. So a curl command can put a shell variable there instead. A label says what is
//! safe to say (length, a token's claims, the user of Basic) and ends with a keyed hash: equal secrets have
//! equal labels within a run, and nobody can try guesses against it, because the key is random and never leaves.

mod auth;
mod body;
mod cookie;
mod json;
mod label;
mod markup;
mod multipart;
mod names;
mod query;
mod scan;

use std::borrow::Cow;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::ops::Range;

use crate::model::Part;

pub use names::{is_secret_name, is_secret_parameter};

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

/// Redacts with a key of its own, so that equal secrets compare equal within one run and nowhere else.
#[derive(Debug, Default)]
pub struct Redactor {
    reveal: bool,
    /// `None` stands for a key that is always the same.
    key: Option<RandomState>,
}

impl Redactor {
    /// `reveal` lets everything through (`--with-secrets`, the TUI's key).
    pub fn new(reveal: bool) -> Self {
        Self { reveal, key: Some(RandomState::new()) }
    }
    /// As [`Redactor::new`] with a key that is always the same, so that tests see the same labels in every run.
    #[doc(hidden)]
    pub fn for_tests(reveal: bool) -> Self {
        Self { reveal, key: None }
    }
    /// Whether secrets are let through.
    pub fn reveals(&self) -> bool {
        self.reveal
    }
    /// Lets secrets through from now on, or no longer; labels keep their hashes.
    pub fn set_reveal(&mut self, reveal: bool) {
        self.reveal = reveal;
    }
    /// The value of a field, with credentials replaced: `Bearer [redacted jwt sub=7 exp=2026-11-22T07:00:00Z #1a2b3c4d]`.
    pub fn field<'a>(&self, name: &[u8], value: &'a [u8]) -> Cow<'a, [u8]> {
        self.replaced(value, |out| secrets_in_field(name, value, out))
    }
    /// A request target, with credentials in the query replaced.
    pub fn target<'a>(&self, target: &'a [u8]) -> Cow<'a, [u8]> {
        self.replaced(target, |out| secrets_in_target(target, out))
    }
    /// A body of `media_type` (empty when unknown), with credentials in JSON, forms, multipart and markup replaced.
    /// Content codings must have been undone.
    pub fn body<'a>(&self, media_type: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
        self.replaced(body, |out| secrets_in_body(media_type, body, out))
    }
    /// Free text, with what looks like a key or a token replaced.
    pub fn text<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        self.replaced(text, |out| scan::find(text, out))
    }
    /// A value that stands for `part` called `name`, as differences and evidence have them.
    pub fn value<'a>(&self, part: Part, name: &str, value: &'a [u8]) -> Cow<'a, [u8]> {
        self.replaced(value, |out| match part {
            Part::RequestHeader | Part::ResponseHeader => secrets_in_field(name.as_bytes(), value, out),
            Part::Query => query::parameter(name.as_bytes(), value, out),
            Part::Cookie => cookie::value(name.as_bytes(), 0..value.len(), out),
            Part::RequestBody | Part::ResponseBody if name.is_empty() => secrets_in_body(b"", value, out),
            Part::RequestBody | Part::ResponseBody => json::member(name, value, out),
            Part::Claim if !names::is_public_claim(name) => json::member(name, value, out),
            Part::Path | Part::RequestLine => secrets_in_target(value, out),
            _ => scan::find(value, out),
        })
    }
    /// The label for the secret `bytes`.
    fn label(&self, kind: Kind, bytes: &[u8]) -> String {
        let hash = match &self.key {
            Some(key) => key.hash_one(bytes),
            None => BuildHasherDefault::<DefaultHasher>::default().hash_one(bytes),
        };
        label::of(kind, bytes, hash as u32)
    }

    fn replaced<'a>(&self, bytes: &'a [u8], find: impl FnOnce(&mut Vec<Secret>)) -> Cow<'a, [u8]> {
        if self.reveal {
            return Cow::Borrowed(bytes);
        }
        let mut secrets = Vec::new();
        find(&mut secrets);
        self.replace(bytes, &settle(secrets))
    }

    /// `bytes` with labels in place of `secrets`, which are in order and apart.
    pub fn replace<'a>(&self, bytes: &'a [u8], secrets: &[Secret]) -> Cow<'a, [u8]> {
        if secrets.is_empty() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len() + secrets.len() * 32);
        let mut done = 0;
        for secret in secrets {
            let Some(hidden) = bytes.get(secret.range.clone()) else { continue };
            out.extend_from_slice(bytes.get(done..secret.range.start).unwrap_or_default());
            out.extend_from_slice(self.label(secret.kind, hidden).as_bytes());
            done = secret.range.end;
        }
        out.extend_from_slice(bytes.get(done..).unwrap_or_default());
        Cow::Owned(out)
    }
}

/// The secrets of a field's value, by its name, in order and without overlap when passed through [`settle`].
pub fn secrets_in_field(name: &[u8], value: &[u8], out: &mut Vec<Secret>) {
    let lower = name.to_ascii_lowercase();
    match lower.as_slice() {
        b"authorization" | b"proxy-authorization" => auth::credentials(&lower, value, out),
        b"cookie" | b"cookie2" => cookie::cookies(value, out),
        b"set-cookie" | b"set-cookie2" => cookie::set_cookie(value, out),
        b"location" | b"referer" | b"content-location" | b"link" | b"refresh" | b"x-original-url"
        | b"x-rewrite-url" | b"x-forwarded-uri" | b"x-original-uri" | b"origin" => {
            secrets_in_target(value, out);
        }
        _ if is_secret_name(&lower) => auth::credentials(&lower, value, out),
        _ => scan::find(value, out),
    }
}

/// The secrets of a request target or another URL: user information, query parameters, keys in the path.
pub fn secrets_in_target(target: &[u8], out: &mut Vec<Secret>) {
    query::url(target, out);
    scan::find(target, out);
}

/// The secrets of a body of `media_type` (empty when unknown) without content coding.
pub fn secrets_in_body(media_type: &[u8], body: &[u8], out: &mut Vec<Secret>) {
    body::find(media_type, body, out);
    scan::find(body, out);
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

#[cfg(test)]
mod tests;
