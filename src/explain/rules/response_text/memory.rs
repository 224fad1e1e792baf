//! What a response says, read once for all responses that sound alike.

use std::sync::{Arc, Mutex, PoisonError};

use crate::explain::case::content;
use crate::explain::knowledge::Knowledge;
use crate::explain::response_fingerprint;
use crate::explain::rules::response_text::utterance::{Utterance, utterances};
use crate::memo::Memo;
use crate::model::{Cause, Response};

/// Responses remembered.
const REMEMBERED: usize = 1024;

/// What was read from a response.
#[derive(Debug, Default)]
pub struct Heard {
    /// Its utterances.
    pub said: Vec<Utterance>,
    /// For each utterance what the lexicon makes of it.
    pub hits: Vec<(Cause, f32, usize)>,
    /// All words, folded; `|` stands between members, so that no phrase runs from one into the next.
    pub words: String,
    /// The content, codings undone, at most 64 KiB.
    pub text: String,
    /// Which fingerprints match, as far as the response alone tells.
    pub prints: Vec<usize>,
}

/// Remembers what was read.
#[derive(Debug, Default)]
pub struct Memory(Mutex<Memo<u64, Arc<Heard>, REMEMBERED>>);

impl Memory {
    /// What `response` says. Responses that differ in identifiers and times alone share one reading.
    pub fn hear(&self, knowledge: &Knowledge, response: &Response) -> Arc<Heard> {
        self.hear_as(knowledge, response, response_fingerprint::of(response))
    }
    /// The same for somebody who knows the response's fingerprint.
    pub fn hear_as(&self, knowledge: &Knowledge, response: &Response, fingerprint: u64) -> Arc<Heard> {
        let key = response_fingerprint::with_fields(response, fingerprint);
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(heard) = known().get(&key) {
            return Arc::clone(heard);
        }
        let heard = Arc::new(Heard::of(knowledge, response));
        known().put(key, Arc::clone(&heard));
        heard
    }
}

impl Heard {
    /// Reads `response`.
    pub fn of(knowledge: &Knowledge, response: &Response) -> Self {
        let text = content(response);
        let said = utterances(response, text.as_bytes());
        let mut words = String::from(" ");
        let mut hits = Vec::new();
        let mut name = None;
        for (index, one) in said.iter().enumerate() {
            if name.replace(&one.name).is_some_and(|before| *before != one.name) {
                words.push_str("| ");
            }
            words.push_str(one.words.trim_start());
            hits.extend(knowledge.lexicon.hits(one).into_iter().map(|hit| (hit.cause, hit.weight, index)));
        }
        let mut heard = Self { said, hits, words, text, prints: Vec::new() };
        let found = knowledge.phrases.found_at_words(&heard.words);
        let prints = knowledge.fingerprints.iter().enumerate();
        heard.prints = prints
            .filter(|(_, print)| print.fits(&heard, &found, response))
            .map(|(index, _)| index)
            .collect();
        heard
    }
}
