//! Puts labels in the place of secrets.

use std::borrow::Cow;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher, RandomState};
use std::sync::Arc;

use ring::hmac;

use super::body::{form, json};
use super::field::cookie;
use super::known::Known;
use super::layers::Decoded;
use super::text::{self, Reading};
use super::{
    Kind, Secret, label, names, secrets_in_body, secrets_in_field, secrets_in_target, secrets_in_text, settle,
};
use crate::model::{Exchange, Part};

/// What the hashes of labels depend on.
#[derive(Clone, Debug, Default)]
enum Key {
    /// The same in every run, for tests.
    #[default]
    Fixed,
    /// Of this process.
    Process(RandomState),
    /// Of a store of exchanges: equal secrets have equal labels in every run that uses it.
    Store(hmac::Key),
}

/// Redacts with a key of its own, so that equal secrets compare equal within one run and nowhere else.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    reveal: bool,
    key: Key,
    /// Secrets of the exchange that is written: they are hidden wherever they come again.
    known: Option<Arc<Known>>,
}

impl Redactor {
    /// `reveal` lets everything through (`--with-secrets`, the TUI's key).
    pub fn new(reveal: bool) -> Self {
        Self { reveal, key: Key::Process(RandomState::new()), known: None }
    }
    /// As [`Redactor::new`] with the key of a store, so that labels of different runs can be compared.
    pub fn with_key(reveal: bool, key: &[u8; 32]) -> Self {
        Self { reveal, key: Key::Store(hmac::Key::new(hmac::HMAC_SHA256, key)), known: None }
    }
    /// As [`Redactor::new`] with a key that is always the same, so that tests see the same labels in every run.
    #[doc(hidden)]
    pub fn for_tests(reveal: bool) -> Self {
        Self { reveal, key: Key::Fixed, known: None }
    }
    /// One with the same key that also hides what is secret in `exchanges` wherever its bytes come again: in a message that
    /// echoes it, in evidence, in another encoding. Every output of an exchange goes through one of these.
    #[must_use]
    pub fn knowing(&self, exchanges: &[&Exchange]) -> Self {
        let known = if self.reveal { None } else { Known::of(exchanges).map(Arc::new) };
        Self { known, ..self.clone() }
    }
    /// Whether a secret of the exchanges that it knows stands in `bytes`.
    pub fn repeats(&self, bytes: &[u8]) -> bool {
        let mut found = Vec::new();
        if let Some(known) = self.known.as_ref().filter(|_| !self.reveal) {
            known.find(bytes, &mut found);
        }
        !found.is_empty()
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
        self.replace(value, &self.field_secrets(name, value))
    }
    /// A request target or another URL, with credentials in user information, path and query replaced.
    pub fn target<'a>(&self, target: &'a [u8]) -> Cow<'a, [u8]> {
        self.replace(target, &self.target_secrets(target))
    }
    /// The name of an endpoint, with keys in its path replaced.
    pub fn endpoint(&self, name: &str) -> String {
        String::from_utf8_lossy(&self.target(name.as_bytes())).into_owned()
    }
    /// A body of `media_type` (empty when unknown), with credentials in JSON, forms, multipart and markup replaced.
    /// Content codings must have been undone.
    pub fn body<'a>(&self, media_type: &[u8], body: &'a [u8]) -> Cow<'a, [u8]> {
        self.replace(body, &self.body_secrets(media_type, body))
    }
    /// Free text, with what looks like a key or a token and what is assigned to the name of a secret replaced.
    pub fn text<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        self.replace(text, &self.found(text, |out| secrets_in_text(text, out)))
    }
    /// A value that stands for `part` called `name`, as differences and evidence have them.
    pub fn value<'a>(&self, part: Part, name: &str, value: &'a [u8]) -> Cow<'a, [u8]> {
        self.replace(value, &self.found(value, |out| secrets_in_value(part, name, value, out)))
    }
    /// The secrets of a field's value, in order and apart; none when secrets are let through.
    pub fn field_secrets(&self, name: &[u8], value: &[u8]) -> Vec<Secret> {
        self.found(value, |out| secrets_in_field(name, value, out))
    }
    /// As [`Redactor::field_secrets`], of a request target.
    pub fn target_secrets(&self, target: &[u8]) -> Vec<Secret> {
        self.found(target, |out| secrets_in_target(target, out))
    }
    /// As [`Redactor::field_secrets`], of a body without content coding.
    pub fn body_secrets(&self, media_type: &[u8], body: &[u8]) -> Vec<Secret> {
        self.found(body, |out| secrets_in_body(media_type, body, out))
    }
    /// As [`Redactor::field_secrets`], of free text.
    pub fn text_secrets(&self, text: &[u8]) -> Vec<Secret> {
        self.found(text, |out| secrets_in_text(text, out))
    }

    fn found(&self, bytes: &[u8], find: impl FnOnce(&mut Vec<Secret>)) -> Vec<Secret> {
        if self.reveal {
            return Vec::new();
        }
        let mut secrets = Vec::new();
        find(&mut secrets);
        if let Some(known) = &self.known {
            known.find(bytes, &mut secrets);
        }
        settle(secrets)
    }

    /// The label for the secret `bytes`. The hash is of what it means, so that equal secrets are equal in every encoding.
    fn label(&self, kind: Kind, bytes: &[u8]) -> String {
        let decoded = Decoded::of(bytes);
        let meant = decoded.as_ref().map_or(bytes, |decoded| &decoded.text);
        let hash = match &self.key {
            Key::Process(key) => key.hash_one(meant),
            Key::Fixed => BuildHasherDefault::<DefaultHasher>::default().hash_one(meant),
            Key::Store(key) => {
                let tag = hmac::sign(key, meant);
                tag.as_ref().iter().take(4).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
            }
        };
        label::of(kind, bytes, hash as u32)
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

fn secrets_in_value(part: Part, name: &str, value: &[u8], out: &mut Vec<Secret>) {
    match part {
        Part::RequestHeader | Part::ResponseHeader => secrets_in_field(name.as_bytes(), value, out),
        Part::Query => form::parameter(name.as_bytes(), value, out),
        Part::Cookie => {
            cookie::value(name.as_bytes(), value, 0..value.len(), out);
            text::find(value, Reading::default(), out);
        }
        Part::RequestBody | Part::ResponseBody if name.is_empty() => secrets_in_body(b"", value, out),
        Part::RequestBody | Part::ResponseBody => json::member(name, value, out),
        Part::Claim if !names::is_public_claim(name) => json::member(name, value, out),
        Part::Path | Part::RequestLine => secrets_in_target(value, out),
        _ => secrets_in_text(value, out),
    }
}
