//! Words that speak for causes: concepts, each a set of word stems that must occur together in one utterance.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::explain::knowledge::rules::Wording;
use crate::explain::rules::response_text::utterance::{Place, Utterance};
use crate::knowledge::{Error, Kind, Sources, parse};
use crate::model::Cause;
use crate::phrases::{Found, Numbering, Phrases};
use crate::step_counter;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawFile {
    boilerplate: Vec<String>,
    page_boilerplate: Vec<String>,
    concept: Vec<RawConcept>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConcept {
    cause: Cause,
    weight: f32,
    all: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
    #[serde(default)]
    also: BTreeMap<Cause, f32>,
}

#[derive(Debug)]
struct Concept {
    causes: Vec<(Cause, f32)>,
    /// Numbers of stems: one of each list must be there.
    all: Vec<Vec<usize>>,
    /// None of these.
    none: Vec<usize>,
}

/// The concepts.
#[derive(Debug)]
pub struct Lexicon {
    boilerplate: Vec<String>,
    /// Said by default pages; in a member of its own the same words are the application's.
    page_boilerplate: Vec<String>,
    concepts: Vec<Concept>,
    /// Number of a stem → the concepts in whose first list it is, so that an utterance is held against few.
    by_stem: Vec<Vec<usize>>,
    /// Concepts without a list.
    always: Vec<usize>,
    stems: Phrases,
    /// Both kinds of boilerplate, to know quickly that there is none.
    formulas: Phrases,
    /// Factor of a machine's code.
    code: f32,
    /// Factor of a bare heading.
    title: f32,
}

/// What an utterance speaks for.
#[derive(Clone, Debug)]
pub struct Hit {
    /// Cause.
    pub cause: Cause,
    /// Log-likelihood ratio.
    pub weight: f32,
}

impl Lexicon {
    /// Reads the `lexicon.toml` of `sources`.
    pub fn read(sources: &Sources, wording: &Wording) -> Result<Self, Error> {
        let mut numbering = Numbering::default();
        let mut stems =
            |list: &str| list.split('|').map(|text| numbering.number(&stem(text))).collect::<Vec<_>>();
        let framed = |phrase: String| format!(" {phrase} ");
        let (mut boilerplate, mut page_boilerplate, mut concepts) = (Vec::new(), Vec::new(), Vec::new());
        for file in sources.of(Kind::Lexicon) {
            let raw: RawFile = parse(file)?;
            boilerplate.extend(raw.boilerplate.into_iter().map(framed));
            page_boilerplate.extend(raw.page_boilerplate.into_iter().map(framed));
            concepts.extend(raw.concept.into_iter().map(|one| Concept {
                causes: [(one.cause, one.weight)].into_iter().chain(one.also).collect(),
                all: one.all.iter().map(|list| stems(list)).collect(),
                none: one.none.iter().flat_map(|list| stems(list)).collect(),
            }));
        }
        let mut formulas = Numbering::default();
        boilerplate.iter().chain(&page_boilerplate).for_each(|phrase| {
            formulas.number(phrase);
        });
        let (stems, formulas) = (numbering.build(), formulas.build());
        let (by_stem, always) = index(&concepts);
        let (code, title) = (wording.code, wording.title);
        Ok(Self { boilerplate, page_boilerplate, concepts, by_stem, always, stems, formulas, code, title })
    }

    /// What `utterance` speaks for. A machine's code says a little more than prose, a bare heading a little less.
    pub fn hits(&self, utterance: &Utterance) -> Vec<Hit> {
        let words = self.without_boilerplate(utterance);
        let found = self.stems.found(&words);
        let factor = match utterance.place {
            Place::Code => self.code,
            Place::Prose | Place::Field => 1.0,
            Place::Title => self.title,
        };
        let near = found.iter().filter_map(|number| self.by_stem.get(number)).flatten();
        let mut near: Vec<usize> = near.chain(&self.always).copied().collect();
        near.sort_unstable();
        near.dedup();
        step_counter::steps(near.len());
        let concepts = near.into_iter().filter_map(|at| self.concepts.get(at));
        concepts
            .filter(|concept| concept.matches(&found))
            .flat_map(|concept| {
                concept.causes.iter().map(|(cause, weight)| Hit { cause: *cause, weight: weight * factor })
            })
            .collect()
    }

    fn without_boilerplate<'a>(&self, utterance: &'a Utterance) -> Cow<'a, str> {
        let mut words = Cow::Borrowed(utterance.words.as_str());
        if self.formulas.found(&words).iter().next().is_none() {
            return words;
        }
        let pages = if utterance.name.is_empty() { self.page_boilerplate.as_slice() } else { &[] };
        for phrase in self.boilerplate.iter().chain(pages) {
            if words.contains(phrase.as_str()) {
                words = Cow::Owned(words.replace(phrase.as_str(), " "));
            }
        }
        words
    }
}

/// The concepts by the stems of their first list, and those without a list.
fn index(concepts: &[Concept]) -> (Vec<Vec<usize>>, Vec<usize>) {
    let (mut by_stem, mut always) = (Vec::new(), Vec::new());
    for (at, concept) in concepts.iter().enumerate() {
        let Some(first) = concept.all.first() else {
            always.push(at);
            continue;
        };
        for stem in first {
            by_stem.resize_with(by_stem.len().max(stem + 1), Vec::new);
            by_stem.get_mut(*stem).into_iter().for_each(|concepts: &mut Vec<usize>| concepts.push(at));
        }
    }
    (by_stem, always)
}

impl Concept {
    fn matches(&self, found: &Found) -> bool {
        self.all.iter().all(|list| found.has_any(list)) && !found.has_any(&self.none)
    }
}

/// `expir` finds words that begin so, `ip$` the word alone; a script that writes no spaces is found anywhere.
fn stem(text: &str) -> String {
    let text = text.trim();
    if text.starts_with(|first| matches!(first, '\u{3040}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')) {
        return text.to_owned();
    }
    text.strip_suffix('$').map_or_else(|| format!(" {text}"), |whole| format!(" {whole} "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::knowledge::Knowledge;
    use crate::model::Part;

    fn best(text: &str) -> Option<Cause> {
        let knowledge = Knowledge::current().unwrap();
        let lexicon = &knowledge.lexicon;
        let place = if text.contains(' ') { Place::Prose } else { Place::Code };
        let hits = lexicon.hits(&Utterance::new(place, Part::ResponseBody, "message", text));
        hits.into_iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).map(|hit| hit.cause)
    }

    #[test]
    fn codes_and_sentences_of_many_makers() {
        let cases = [
            ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficient-scope"),
            ("EBADCSRFTOKEN", "csrf"),
            ("TokenExpired", "expired-credentials"),
            ("Authentication credentials were not provided.", "missing-credentials"),
            ("The API key is not valid", "invalid-credentials"),
            ("IPAddressDenied", "ip-denied"),
            ("Access from your country is not allowed", "geo-denied"),
            ("SignatureDoesNotMatch", "signature"),
            ("RequestTimeTooSkewed", "clock-skew"),
            ("Too many requests, slow down", "rate-limited"),
            ("Monthly quota exceeded", "quota"),
            ("Client certificate required", "client-certificate"),
            ("Blocked host: api.example", "host"),
            ("HTTP method POST is not allowed", "method"),
            ("This repository is archived and read-only", "resource-state"),
            ("You do not own this project.", "not-owner"),
            ("API version v1 is deprecated", "api-version"),
            ("Invalid Referer", "referer"),
            ("Origin not allowed by CORS policy", "origin"),
            ("Unsupported media type: content type must be application/json", "content-type"),
            ("Please complete the CAPTCHA", "bot-challenge"),
            ("Request blocked by web application firewall", "waf"),
            ("You need the role admin to do this", "insufficient-role"),
            ("invalid audience", "wrong-environment"),
            ("No subscription found for this API", "subscription"),
            ("Your access token has expired", "expired-credentials"),
        ];
        for (text, cause) in cases {
            assert_eq!(best(text).map(Cause::id), Some(cause), "{text}");
        }
    }

    #[test]
    fn an_utterance_is_held_against_the_concepts_whose_words_it_has() {
        let knowledge = Knowledge::current().unwrap();
        let lexicon = &knowledge.lexicon;
        let text = "the quick brown fox jumps over the lazy dog ".repeat(4);
        let page = Utterance::new(Place::Prose, Part::ResponseBody, "message", &text);
        let before = step_counter::done();
        lexicon.hits(&page);
        let steps = step_counter::done() - before;
        // Twice over the words, and few of all concepts.
        let most = 2 * page.words.len() + lexicon.concepts.len() / 2;
        assert!(steps < most as u64, "{steps} of {most}");
    }

    #[test]
    fn default_pages_say_nothing() {
        let knowledge = Knowledge::current().unwrap();
        let lexicon = &knowledge.lexicon;
        for text in [
            "Forbidden",
            "403 Forbidden",
            "You don't have permission to access this resource.",
            "Request forbidden by administrative rules.",
        ] {
            let page = Utterance::new(Place::Prose, Part::ResponseBody, "", text);
            assert!(lexicon.hits(&page).is_empty(), "{text}");
        }
    }
}
