//! What the response says: its utterances, and the rules that read them.

pub mod body;
pub mod heard;
pub mod lexicon;
pub mod quote;
pub mod rules;
pub mod utterance;

pub use heard::{Heard, Memory};
pub use utterance::{Place, Utterance, utterances};
