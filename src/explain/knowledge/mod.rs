//! What is known of responses, words, weights, logs and causes, as the rules use it: the files of [`crate::knowledge`], read once.

pub mod causes;
pub mod fingerprints;
mod ids;
pub mod logs;
pub mod rules;
pub mod weights;
pub mod words;

use std::sync::{Arc, LazyLock};

pub use fingerprints::{Fingerprint, Pattern};
pub use rules::Rules;
pub use weights::{Combine, Weighted, Weights};

use crate::edge::redact;
use crate::explain::request::family::Family;
use crate::explain::rules::request_facts::payload;
use crate::explain::rules::response_text::lexicon::Lexicon;
use crate::knowledge::names::{self, Catalogue};
use crate::knowledge::{self, Error, Sources};
use crate::logs::Patterns;
use crate::model::{Cause, Refuser};
use crate::phrases::{Numbering, Phrases};

/// What the rules ask.
#[derive(Debug)]
pub struct Knowledge {
    /// Known responses.
    pub fingerprints: Vec<Fingerprint>,
    /// What they say.
    pub phrases: Phrases,
    /// What words speak for.
    pub lexicon: Lexicon,
    /// How evidence is weighed.
    pub weights: Weights,
}

static CURRENT: LazyLock<Result<Arc<Knowledge>, Error>> = LazyLock::new(|| {
    // What was read elsewhere is not read again, but its mistakes are told.
    names::check()?;
    redact::check()?;
    payload::check()?;
    causes::check()?;
    logs::check()?;
    Knowledge::read(knowledge::current()).map(Arc::new)
});

/// Reads all of `sources`, so that a mistake in any file is found before they are installed.
pub fn check(sources: &Sources) -> Result<(), Error> {
    Catalogue::read(sources)?;
    redact::check_sources(sources)?;
    payload::read(sources)?;
    causes::read(sources)?;
    logs::read(sources)?;
    Patterns::read(sources)?;
    Knowledge::read(sources).map(drop)
}

impl Knowledge {
    /// What this process uses, read once.
    pub fn current() -> Result<Arc<Self>, Error> {
        CURRENT.clone()
    }
    /// Reads `sources`.
    pub fn read(sources: &Sources) -> Result<Self, Error> {
        let mut fingerprints = fingerprints::read(sources)?;
        let mut numbering = Numbering::default();
        for print in &mut fingerprints {
            print.number(&mut numbering);
        }
        let weights = weights::read(sources)?;
        let lexicon = Lexicon::read(sources, &weights.rules.wording)?;
        Ok(Self { fingerprints, phrases: numbering.build(), lexicon, weights })
    }
    /// The numbers of the rules.
    pub const fn rules(&self) -> &Rules {
        &self.weights.rules
    }
    /// How evidence is combined.
    pub fn combine(&self) -> &Combine {
        &self.weights.combine
    }
    /// The prior of a cause.
    pub fn prior(&self, cause: Cause) -> f32 {
        self.weights.prior.get(cause as usize).copied().flatten().unwrap_or(0.0)
    }
    /// What a separating attribute speaks for.
    pub fn mechanism(&self, family: Family, change: &'static str) -> &[(Cause, f32)] {
        self.weights.mechanism(family, change)
    }
    /// What a fact speaks for.
    pub fn fact(&self, id: &str) -> &[(Cause, f32)] {
        self.weights.fact.get(id).map_or(&[], Vec::as_slice)
    }
    /// What the refusing layer speaks for.
    pub fn layer(&self, refuser: Refuser) -> &[(Cause, f32)] {
        self.weights.layer.get(refuser.as_str()).map_or(&[], Vec::as_slice)
    }
    /// Maps a raw probability to one that was right as often as it says.
    pub fn calibrate(&self, raw: f32) -> f32 {
        let mut before = (0.0, 0.0);
        for point in &self.weights.calibration {
            if raw <= point.0 {
                let width = (point.0 - before.0).max(1e-6);
                return before.1 + (point.1 - before.1) * (raw - before.0) / width;
            }
            before = *point;
        }
        before.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_sound_and_refer_to_what_is_there() {
        check(&Sources::default()).unwrap();
        let knowledge = Knowledge::current().unwrap();
        for cause in Cause::ALL {
            assert!(knowledge.weights.prior[*cause as usize].is_some(), "{cause} has no prior");
        }
        for layer in knowledge.weights.layer.keys() {
            let layers =
                [Refuser::Application, Refuser::Gateway, Refuser::Waf, Refuser::Cdn, Refuser::WebServer];
            let known = layers
                .iter()
                .chain([&Refuser::Unknown, &Refuser::OutboundProxy])
                .any(|one| one.as_str() == layer);
            assert!(known, "[layer] {layer}");
        }
        let facts = include_str!("../rules/request_facts/facts.rs");
        for fact in knowledge.weights.fact.keys() {
            assert!(facts.contains(&format!("\"{fact}\"")), "[fact] {fact} is found by nothing");
        }
    }

    #[test]
    fn calibration_is_monotone() {
        let knowledge = Knowledge::current().unwrap();
        let mut before = 0.0;
        for step in 0..=100 {
            let now = knowledge.calibrate(step as f32 / 100.0);
            assert!(now >= before);
            before = now;
        }
    }
}
