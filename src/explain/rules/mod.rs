//! The trait that every rule has, and what rules hand in.

pub mod contrast_rules;
pub mod hops;
pub mod logged;
pub mod request_facts;
pub mod response_text;
pub mod timing;

use std::borrow::Cow;

use crate::explain::case::Case;
use crate::explain::combine::NEGLIGIBLE;
use crate::explain::knowledge::rules::Causes;
use crate::model::{Cause, EvidenceKind, Pointer};

/// One rule: looks at a case and hands in evidence.
pub trait Rule: Send + Sync {
    /// Unique name.
    fn id(&self) -> &'static str;
    /// Whether it has anything to look at.
    fn applies(&self, case: &Case<'_>) -> bool;
    /// Hands in what it finds.
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink);
}

/// Evidence for or against one cause.
#[derive(Clone, Copy, Debug)]
pub struct Clue {
    /// Which cause.
    pub cause: Cause,
    /// Which kind.
    pub kind: EvidenceKind,
    /// Log-likelihood ratio in nats.
    pub weight: f32,
    /// Which of [`EvidenceSink::notes`] says what it rests on.
    pub note: usize,
}

/// What evidence rests on; one observation may speak for several causes.
#[derive(Clone, Debug)]
pub struct Note {
    /// For people.
    pub text: String,
    /// Where to look.
    pub pointers: Vec<Pointer>,
}

/// What rules have found.
#[derive(Debug, Default)]
pub struct EvidenceSink {
    /// Evidence.
    pub clues: Vec<Clue>,
    /// What it rests on.
    pub notes: Vec<Note>,
    /// Causes that are ruled out, and why.
    pub ruled_out: Vec<(Cause, String)>,
    /// Whether nobody will read what the evidence rests on.
    pub brief: bool,
}

impl EvidenceSink {
    /// Adds evidence of `weight` nats for `cause`.
    pub fn add<'a>(
        &mut self,
        cause: Cause,
        weight: f32,
        kind: EvidenceKind,
        text: impl Into<Cow<'a, str>>,
        pointers: impl Into<Cow<'a, [Pointer]>>,
    ) {
        if weight.abs() <= NEGLIGIBLE {
            return;
        }
        if !self.brief {
            let text = text.into();
            if self.notes.last().is_none_or(|note| note.text != text) {
                self.notes.push(Note { text: text.into_owned(), pointers: pointers.into().into_owned() });
            }
        }
        self.clues.push(Clue { cause, kind, weight, note: self.notes.len().saturating_sub(1) });
    }
    /// Adds evidence for each of `causes`, its weights times `scale`, all resting on the same.
    pub fn add_all(
        &mut self,
        causes: &Causes,
        scale: f32,
        kind: EvidenceKind,
        text: impl AsRef<str>,
        pointers: &[Pointer],
    ) {
        for (cause, weight) in causes {
            self.add(*cause, weight * scale, kind, text.as_ref(), pointers);
        }
    }
    /// What somebody will read, if anybody will.
    pub fn text(&self, text: impl FnOnce() -> String) -> String {
        if self.brief { String::new() } else { text() }
    }
    /// Rules `cause` out.
    pub fn rule_out(&mut self, cause: Cause, why: impl Into<String>) {
        if !self.ruled_out.iter().any(|(known, _)| *known == cause) {
            self.ruled_out.push((cause, why.into()));
        }
    }
}

/// Every rule, by family.
pub fn rules() -> &'static [&'static dyn Rule] {
    use crate::explain::rules::{contrast_rules, hops, logged, request_facts, response_text, timing};
    &[
        &response_text::rules::KnownResponse,
        &response_text::rules::Wording,
        &response_text::consent::Consent,
        &response_text::rules::Allow,
        &response_text::rules::NewCookies,
        &request_facts::rules::Facts,
        &contrast_rules::rules::Separation,
        &contrast_rules::rules::Accepted,
        &contrast_rules::rules::Nobody,
        &contrast_rules::rules::Signed,
        &contrast_rules::rules::NewCredential,
        &contrast_rules::owner::Owner,
        &contrast_rules::stale::StaleToken,
        &contrast_rules::aged::Aged,
        &contrast_rules::exempt::Exempt,
        &contrast_rules::unchanged::Unchanged,
        &contrast_rules::object::Turned,
        &contrast_rules::object::Repeats,
        &contrast_rules::place::Elsewhere,
        &contrast_rules::place::NeverHere,
        &timing::course::Banned,
        &timing::rules::Rate,
        &timing::rules::Crowd,
        &timing::rules::StateChange,
        &timing::deploy::Deploy,
        &timing::rules::OtherRefusals,
        &timing::rules::Layer,
        &logged::Logged,
        &hops::Hops,
    ]
}
