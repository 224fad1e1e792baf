//! Words of a POSIX shell that mean exactly the bytes they were made of.
//!
//! Text goes into single quotes, where a shell reads nothing but the closing quote. Control, invisible and invalid bytes
//! must not reach the terminal or the clipboard as they are, so `printf` makes them: `'a'"$(printf '\033')"'b'`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::edge::redact::Secret;
use crate::edge::sanitize;

/// A word in the making.
#[derive(Debug, Default)]
pub(in crate::export) struct Word {
    out: String,
    quoted: bool,
}

impl Word {
    /// Appends bytes. NUL cannot be part of a word: the caller has made sure that there is none.
    pub(in crate::export) fn literal(&mut self, bytes: &[u8]) -> &mut Self {
        for chunk in bytes.utf8_chunks() {
            let mut rest = chunk.valid();
            while let Some(c) = rest.chars().next() {
                let plain = is_plain(c);
                let end = rest.find(|c| is_plain(c) != plain).unwrap_or(rest.len());
                let (run, tail) = rest.split_at(end);
                if plain {
                    self.quote(run);
                } else {
                    self.made(run.as_bytes());
                }
                rest = tail;
            }
            if !chunk.invalid().is_empty() {
                self.made(chunk.invalid());
            }
        }
        self
    }

    /// Appends the value of a variable.
    pub(in crate::export) fn variable(&mut self, name: &str) -> &mut Self {
        self.close();
        let _ = write!(self.out, "\"${name}\"");
        self
    }

    /// Appends bytes in which `secrets` (in order, apart) become variables.
    pub(in crate::export) fn mixed(
        &mut self,
        bytes: &[u8],
        secrets: &[Secret],
        variables: &mut Variables,
    ) -> &mut Self {
        for piece in pieces(bytes, secrets) {
            match piece {
                Piece::Shown(shown) => self.literal(shown),
                Piece::Hidden(hidden, secret) => {
                    let name = variables.name(hidden, &secret.name);
                    self.variable(&name)
                }
            };
        }
        self
    }

    /// The word.
    pub(in crate::export) fn finish(mut self) -> String {
        self.close();
        if self.out.is_empty() { "''".to_owned() } else { self.out }
    }

    fn quote(&mut self, text: &str) {
        for (number, part) in text.split('\'').enumerate() {
            if number > 0 {
                self.close();
                self.out.push_str("\\'");
            }
            if !part.is_empty() {
                if !self.quoted {
                    self.out.push('\'');
                    self.quoted = true;
                }
                self.out.push_str(part);
            }
        }
    }

    fn made(&mut self, bytes: &[u8]) {
        self.close();
        self.out.push_str("\"$(printf '");
        for byte in bytes {
            let _ = write!(self.out, "\\{byte:03o}");
        }
        self.out.push_str("')\"");
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.quoted) {
            self.out.push('\'');
        }
    }
}

/// One word of `bytes`.
pub(in crate::export) fn word(bytes: &[u8]) -> String {
    let mut word = Word::default();
    word.literal(bytes);
    word.finish()
}

/// Tabs and line breaks are text (of a body); everything else that a terminal acts on is not.
fn is_plain(c: char) -> bool {
    matches!(c, '\n' | '\t') || !sanitize::is_unsafe(c)
}

/// A stretch of bytes that is shown, or a secret.
pub(in crate::export) enum Piece<'a, 'b> {
    /// To be written.
    Shown(&'a [u8]),
    /// To become a variable.
    Hidden(&'a [u8], &'b Secret),
}

/// `bytes` cut at `secrets`.
pub(in crate::export) fn pieces<'a, 'b>(bytes: &'a [u8], secrets: &'b [Secret]) -> Vec<Piece<'a, 'b>> {
    let mut pieces = Vec::with_capacity(secrets.len() * 2 + 1);
    let mut done = 0;
    let shown = |range: Range<usize>, pieces: &mut Vec<Piece<'a, 'b>>| {
        let shown = bytes.get(range).unwrap_or_default();
        if !shown.is_empty() {
            pieces.push(Piece::Shown(shown));
        }
    };
    for secret in secrets {
        let Some(hidden) = bytes.get(secret.range.clone()) else { continue };
        shown(done..secret.range.start, &mut pieces);
        pieces.push(Piece::Hidden(hidden, secret));
        done = secret.range.end;
    }
    shown(done..bytes.len(), &mut pieces);
    pieces
}

/// The variables of one command: equal secrets share one, different secrets never do.
#[derive(Debug, Default)]
pub(in crate::export) struct Variables {
    by_secret: HashMap<Vec<u8>, String>,
    names: Vec<String>,
}

impl Variables {
    /// The name for `secret`, `wanted` if it is free.
    pub(in crate::export) fn name(&mut self, secret: &[u8], wanted: &str) -> String {
        if let Some(name) = self.by_secret.get(secret) {
            return name.clone();
        }
        let mut name = wanted.to_owned();
        let mut number = 2;
        while self.names.contains(&name) {
            name = format!("{wanted}_{number}");
            number += 1;
        }
        self.names.push(name.clone());
        self.by_secret.insert(secret.to_owned(), name.clone());
        name
    }

    /// In the order of their first use.
    pub(in crate::export) fn names(&self) -> &[String] {
        &self.names
    }
}
