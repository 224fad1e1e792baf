//! The automaton that finds where a secret may begin.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};

use super::shapes::SHAPES;
use crate::edge::redact::names::Catalogue;
use crate::knowledge::names::{self, catalogue};

/// What a pattern is the beginning of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The name of a secret, or a part of it.
    Name,
    /// `?name=` or `&name=`.
    Parameter,
    /// A key with a shape of its own: the index of the shape.
    Shape(usize),
    /// `://`
    Authority,
    /// `/reset/`
    Path {
        /// Whether what follows is used once, whatever it looks like.
        one_use: bool,
    },
}

/// The automaton with what its patterns stand for.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    automaton: Option<AhoCorasick>,
    places: Vec<Place>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns::new(catalogue(), Catalogue::current()));

impl Patterns {
    /// Those of this process.
    pub(super) fn current() -> &'static Self {
        &PATTERNS
    }

    fn new(names: &names::Catalogue, catalogue: &Catalogue) -> Self {
        let mut patterns: Vec<(Vec<u8>, Place)> = vec![(b"://".to_vec(), Place::Authority)];
        for stem in names.secret_stems().map(<[u8]>::to_vec) {
            // The automaton folds the case of ASCII letters only.
            let capital = capitals(&stem);
            patterns.extend(capital.into_iter().chain([stem]).map(|stem| (stem, Place::Name)));
        }
        for name in names.secret_parameters() {
            for sign in [b'?', b'&'] {
                patterns.push(([&[sign], name, b"="].concat(), Place::Parameter));
            }
        }
        for (word, one_use) in catalogue.path_words() {
            patterns.push(([b"/", word, b"/"].concat(), Place::Path { one_use }));
        }
        patterns.extend(
            SHAPES.iter().enumerate().map(|(at, shape)| (shape.prefix.as_bytes().to_vec(), Place::Shape(at))),
        );
        // Of two that begin together the longer one is meant.
        patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.len()));
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostFirst)
            .kind(Some(AhoCorasickKind::DFA))
            .build(patterns.iter().map(|(pattern, _)| pattern));
        Self { automaton: automaton.ok(), places: patterns.into_iter().map(|(_, place)| place).collect() }
    }

    /// The first place at or after `from`.
    pub(super) fn next(&self, text: &[u8], from: usize) -> Option<(Place, Range<usize>)> {
        let found = self.automaton.as_ref()?.find(Input::new(text).range(from.min(text.len())..))?;
        Some((*self.places.get(found.pattern().as_usize())?, found.range()))
    }
}

/// A word of letters beyond ASCII with a capital first, and in capitals.
fn capitals(word: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) = std::str::from_utf8(word).ok().filter(|text| !text.is_ascii()) else {
        return Vec::new();
    };
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let mut forms = vec![(first + letters.as_str()).into_bytes(), text.to_uppercase().into_bytes()];
    forms.retain(|form| form != word);
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::{Patterns, Place};

    #[test]
    fn the_automaton_is_built() {
        let patterns = Patterns::current();
        assert!(patterns.automaton.is_some());
        assert_eq!(patterns.next(b"the newPassword2", 0), Some((Place::Name, 7..15)));
        assert_eq!(patterns.next(b"https://h", 0).map(|(place, _)| place), Some(Place::Authority));
        assert_eq!(patterns.next("ПАРОЛЬ".as_bytes(), 0).map(|(place, _)| place), Some(Place::Name));
    }
}
