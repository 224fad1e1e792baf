//! What the response says: its utterances, and the rules that read them.

pub mod body;
pub mod consent;
pub mod lexicon;
pub mod memory;
pub mod quote;
pub mod rules;
pub mod utterance;

pub use crate::explain::rules::response_text::memory::{Heard, Memory};
pub use crate::explain::rules::response_text::utterance::{Place, Utterance, utterances};
