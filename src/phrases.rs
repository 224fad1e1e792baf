//! Many phrases looked for at once: one pass over a text, whatever their number.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::step_counter;

/// Phrases by number.
#[derive(Debug, Default)]
pub struct Phrases {
    automaton: Option<AhoCorasick>,
    len: usize,
}

/// Gives phrases their numbers; equal ones have one.
#[derive(Debug, Default)]
pub struct Numbering {
    numbers: HashMap<String, usize, ahash::RandomState>,
    phrases: Vec<String>,
}

impl Numbering {
    /// The number of `phrase`.
    pub fn number(&mut self, phrase: &str) -> usize {
        if let Some(number) = self.numbers.get(phrase) {
            return *number;
        }
        let number = self.phrases.len();
        self.numbers.insert(phrase.to_owned(), number);
        self.phrases.push(phrase.to_owned());
        number
    }
    /// Ready to be looked for.
    pub fn build(self) -> Phrases {
        let len = self.phrases.len();
        // A few thousand words of our own: their automaton is small, and it takes a millisecond or two to build.
        let built = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(self.phrases);
        Phrases { automaton: built.ok(), len }
    }
}

impl Phrases {
    /// Which of them are in `text`.
    pub fn found(&self, text: &str) -> Found {
        self.found_where(text, |_| true)
    }
    /// Which of them are in `text` at the beginning of a word.
    pub fn found_at_words(&self, text: &str) -> Found {
        let bytes = text.as_bytes();
        self.found_where(text, |at| at.checked_sub(1).is_none_or(|before| bytes.get(before) == Some(&b' ')))
    }

    fn found_where(&self, text: &str, counts: impl Fn(usize) -> bool) -> Found {
        let mut found = Found(vec![0; self.len.div_ceil(64)]);
        step_counter::steps(text.len());
        let Some(automaton) = &self.automaton else { return found };
        let Ok(matches) = automaton.try_find_overlapping_iter(text) else { return found };
        for one in matches {
            step_counter::steps(1);
            if counts(one.start()) {
                found.add(one.pattern().as_usize());
            }
        }
        found
    }
}

/// A set of numbers of phrases.
#[derive(Debug)]
pub struct Found(Vec<u64>);

impl Found {
    /// Whether the phrase with this number is there.
    pub fn has(&self, number: usize) -> bool {
        self.0.get(number / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
    /// Whether any of these phrases is there.
    pub fn has_any(&self, numbers: &[usize]) -> bool {
        numbers.iter().any(|number| self.has(*number))
    }
    /// Whether all of these phrases are there.
    pub fn has_all(&self, numbers: &[usize]) -> bool {
        numbers.iter().all(|number| self.has(*number))
    }
    /// The numbers of all that are there.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word & (1 << bit) != 0).map(move |bit| at * 64 + bit)
        };
        self.0.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(bits)
    }

    fn add(&mut self, number: usize) {
        if let Some(word) = self.0.get_mut(number / 64) {
            *word |= 1 << (number % 64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Numbering, Phrases};
    use crate::step_counter;

    fn phrases(list: &[&str]) -> Phrases {
        let mut numbering = Numbering::default();
        for phrase in list {
            numbering.number(phrase);
        }
        numbering.build()
    }

    #[test]
    fn equal_phrases_have_one_number() {
        let mut numbering = Numbering::default();
        assert_eq!(["a", "b", "a", "c"].map(|phrase| numbering.number(phrase)), [0, 1, 0, 2]);
        assert_eq!(numbering.build().found("xcx").iter().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn words_begin_after_a_space() {
        let phrases = phrases(&["ken exp", "token", "tok"]);
        assert_eq!(phrases.found("token expired").iter().count(), 3);
        assert_eq!(phrases.found_at_words("token expired").iter().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(phrases.found_at_words("xtoken").iter().count(), 0);
    }

    proptest! {
        #[test]
        fn finds_what_a_search_for_each_finds(
            list in proptest::collection::vec("[ab ]{1,4}", 1..20),
            text in "[abc ]{0,60}",
        ) {
            let list: Vec<&str> = list.iter().map(String::as_str).collect();
            let mut numbering = Numbering::default();
            let numbers: Vec<usize> = list.iter().map(|phrase| numbering.number(phrase)).collect();
            let phrases = numbering.build();
            let (found, at_words) = (phrases.found(&text), phrases.found_at_words(&text));
            for (phrase, number) in list.iter().zip(numbers) {
                prop_assert_eq!(found.has(number), text.contains(phrase));
                let begins = |at: usize| {
                    text[at..].starts_with(phrase) && (at == 0 || text.as_bytes()[at - 1] == b' ')
                };
                prop_assert_eq!(at_words.has(number), (0..text.len()).any(begins));
            }
        }
    }

    #[test]
    fn steps_do_not_grow_with_the_number_of_phrases() {
        let text = "the request was denied by a rule of this service ".repeat(40);
        let steps = |count: usize| {
            let mut numbering = Numbering::default();
            (0..count).for_each(|number| {
                numbering.number(&format!("word {number}"));
            });
            let (phrases, before) = (numbering.build(), step_counter::done());
            phrases.found(&text);
            step_counter::done() - before
        };
        assert_eq!(steps(10), steps(2000));
    }
}
