//! The top cause alone, for counts over very many refusals: refusals alike share one answer.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::explain::contrast::stats::Stats;
use crate::explain::request::attribute_hash::hash;
use crate::explain::request::principal::{client_of, credential_of};
use crate::explain::response_fingerprint;
use crate::history::{History, Record};
use crate::knowledge::names::{At, NameList, Trait, catalogue};
use crate::memo::Memo;
use crate::model::{Cause, Refuser};

/// Answers remembered.
const REMEMBERED: usize = 8192;
/// Bytes of a body that count.
const WINDOW: usize = 1024;

/// Fields of a request whose values count; of the others, that they are there.
static TELLING: LazyLock<NameList> = LazyLock::new(|| catalogue().list(At::Field, Trait::Likeness));

/// What a list shows of a refusal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Top {
    /// The most probable cause.
    pub cause: Cause,
    /// How sure that is, from 0 to 1.
    pub confidence: f32,
    /// Who refused.
    pub refuser: Refuser,
}

/// Answers by likeness, each with the number of exchanges counted when it was found.
#[derive(Debug, Default)]
pub struct Answers(Mutex<Known>);

type Known = Memo<u64, (Top, u64), REMEMBERED>;

impl Answers {
    /// The answer for `record`, found anew by `find` when there is none yet or much was counted since.
    pub fn of(&self, record: &Record, history: &History, stats: &Stats, find: impl FnOnce() -> Top) -> Top {
        let key = likeness(record, history);
        let counted = stats.generation;
        let known = self.known().get(&key).copied();
        let fresh = known.filter(|(top, then)| counted <= lasts(top.confidence, *then));
        if let Some((top, _)) = fresh {
            return top;
        }
        let top = find();
        self.known().put(key, (top, counted));
        top
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until how many counted exchanges an answer lasts that was found after `then`: one that was a guess less long.
const fn lasts(confidence: f32, then: u64) -> u64 {
    if is_guess(confidence) { guess_lasts(then) } else { then.saturating_mul(2).saturating_add(16) }
}

/// Whether an answer of this confidence is a guess.
pub const fn is_guess(confidence: f32) -> bool {
    confidence < 0.6
}

/// Until how many exchanges a guess lasts that was made after `then`: it is made again when a quarter more is known, since
/// what comes next tells most.
pub const fn guess_lasts(then: u64) -> u64 {
    then.saturating_add(then / 4 + 1)
}

/// The same for refusals at one place that ask, carry and say the same, numbers aside.
pub fn likeness(record: &Record, history: &History) -> u64 {
    let exchange = &record.exchange;
    let mut text = Vec::with_capacity(1024);
    text.extend_from_slice(&Stats::address(record, history).place.to_le_bytes());
    text.extend_from_slice(&client_of(exchange).to_le_bytes());
    text.extend_from_slice(&credential_of(record).to_le_bytes());
    text.extend_from_slice(&exchange.response.as_ref().map_or(0, response_fingerprint::of).to_le_bytes());
    if let Some(request) = &exchange.request {
        let telling = &*TELLING;
        for field in request.head.fields().iter() {
            text.extend_from_slice(field.name);
            if telling.position(field.name).is_some() {
                text.extend_from_slice(field.value);
            }
        }
        let kept = &request.body.kept;
        text.push((u64::BITS - request.body.len.leading_zeros()) as u8);
        for part in [kept.get(..WINDOW).unwrap_or(kept), request.head.target()] {
            part.split(u8::is_ascii_digit).for_each(|words| text.extend_from_slice(words));
        }
    }
    hash(&text)
}
