//! The trait that every rule has, and what rules hand in.

use std::borrow::Cow;

use super::case::Case;
use crate::model::{Cause, EvidenceKind, Pointer};

/// One rule: looks at a case and hands in evidence.
pub trait Rule: Send + Sync {
    /// Unique name.
    fn id(&self) -> &'static str;
    /// Whether it has anything to look at.
    fn applies(&self, case: &Case<'_>) -> bool;
    /// Hands in what it finds.
    fn evidence(&self, case: &Case<'_>, out: &mut Out);
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
    /// Which of [`Out::notes`] says what it rests on.
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
pub struct Out {
    /// Evidence.
    pub clues: Vec<Clue>,
    /// What it rests on.
    pub notes: Vec<Note>,
    /// Causes that are ruled out, and why.
    pub ruled_out: Vec<(Cause, String)>,
    /// Whether nobody will read what the evidence rests on.
    pub brief: bool,
}

impl Out {
    /// Adds evidence of `weight` nats for `cause`.
    pub fn add<'a>(
        &mut self,
        cause: Cause,
        weight: f32,
        kind: EvidenceKind,
        text: impl Into<Cow<'a, str>>,
        pointers: impl Into<Cow<'a, [Pointer]>>,
    ) {
        if weight.abs() <= 0.01 {
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
    use super::{behaved, differs, said, shown};
    &[
        &said::rules::KnownResponse,
        &said::rules::Wording,
        &said::rules::Allow,
        &said::rules::NewCookies,
        &shown::rules::Facts,
        &differs::rules::Separation,
        &differs::rules::Accepted,
        &differs::rules::Nobody,
        &differs::rules::Signed,
        &differs::rules::NewCredential,
        &differs::owner::Owner,
        &differs::stale::StaleToken,
        &differs::exempt::Exempt,
        &differs::unchanged::Unchanged,
        &differs::object::Turned,
        &differs::object::Repeats,
        &differs::place::Elsewhere,
        &differs::place::NeverHere,
        &behaved::rules::Rate,
        &behaved::rules::Crowd,
        &behaved::rules::StateChange,
        &behaved::rules::OtherRefusals,
        &behaved::rules::Layer,
    ]
}
