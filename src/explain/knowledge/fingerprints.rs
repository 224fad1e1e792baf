//! Responses whose origin or meaning is known: `fingerprints.toml`.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use regex::{Match, Regex, RegexBuilder};
use serde::Deserialize;
use toml::Spanned;

use crate::knowledge::{Error, File, Kind, Sources, parse};
use crate::model::{Cause, Refuser};
use crate::phrases::{Found, Numbering};

/// Most bytes of a compiled regular expression.
const MAX_REGEX: usize = 1 << 20;

/// A regular expression that is built when it is asked for the first time: most of those that are built in never are.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    built: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Whether it is found in `text`.
    pub fn is_match(&self, text: &str) -> bool {
        self.built().is_some_and(|regex| regex.is_match(text))
    }
    /// Where it is found in `text` first.
    pub fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.built()?.find(text)
    }
    fn built(&self) -> Option<&Regex> {
        self.built.get_or_init(|| regex(&self.text).ok()).as_ref()
    }
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, built: OnceLock::new() }
    }
}

/// A response whose origin or meaning is known.
#[derive(Debug)]
pub struct Fingerprint {
    /// Unique.
    pub id: String,
    /// For people.
    pub system: String,
    /// Who speaks, where that is certain.
    pub layer: Option<Refuser>,
    /// Field names and what their value must match.
    pub header: Vec<(String, Pattern)>,
    /// Any of these in the folded text.
    pub says: Vec<String>,
    /// All of these in the folded text.
    pub says_all: Vec<String>,
    /// Both as numbers of [`super::Knowledge::phrases`].
    numbers: [Vec<usize>; 2],
    /// On the decoded body.
    pub regex: Option<Pattern>,
    /// Whether the body must be empty.
    pub empty: bool,
    /// A field the response must not have.
    pub lacks: Option<String>,
    /// A field the request must lack (`-name`) or have.
    pub request: Option<String>,
    /// Log-likelihood ratios.
    pub causes: Vec<(Cause, f32)>,
    /// Causes that do not gain from wording.
    pub silences: Vec<Cause>,
}

impl Fingerprint {
    /// Whether what it says is among the phrases that were found.
    pub(in crate::explain) fn is_said(&self, found: &Found) -> bool {
        let [any, all] = &self.numbers;
        (any.is_empty() || found.has_any(any)) && found.has_all(all)
    }
    /// Gives its phrases their numbers.
    pub(super) fn number(&mut self, numbering: &mut Numbering) {
        self.numbers = [&self.says, &self.says_all]
            .map(|list| list.iter().map(|phrase| numbering.number(phrase)).collect());
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    fingerprint: Vec<RawFingerprint>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFingerprint {
    id: Spanned<String>,
    system: String,
    layer: Option<Refuser>,
    #[serde(default)]
    header: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    says_all: Vec<String>,
    regex: Option<Spanned<String>>,
    #[serde(default)]
    empty: bool,
    lacks: Option<String>,
    request: Option<String>,
    causes: BTreeMap<Cause, f32>,
    #[serde(default)]
    silences: Vec<Cause>,
}

/// All fingerprints, those of a user first.
pub(super) fn read(sources: &Sources) -> Result<Vec<Fingerprint>, Error> {
    let mut out = Vec::new();
    let mut ids = HashSet::new();
    for file in sources.of(Kind::Fingerprints) {
        for raw in parse::<RawFile>(file)?.fingerprint {
            if !ids.insert(raw.id.get_ref().clone()) {
                let message = format!("duplicate id {:?}; ids must be unique", raw.id.get_ref());
                return Err(Error::at(file, Some(raw.id.span()), message));
            }
            out.push(fingerprint(file, raw)?);
        }
    }
    Ok(out)
}

fn fingerprint(file: &File, raw: RawFingerprint) -> Result<Fingerprint, Error> {
    let header = |(name, value): (String, _)| Ok((name.to_ascii_lowercase(), pattern(file, value)?));
    Ok(Fingerprint {
        id: raw.id.into_inner(),
        system: raw.system,
        layer: raw.layer,
        header: raw.header.into_iter().map(header).collect::<Result<_, Error>>()?,
        says: raw.says,
        says_all: raw.says_all,
        numbers: Default::default(),
        regex: raw.regex.map(|text| pattern(file, text)).transpose()?,
        empty: raw.empty,
        lacks: raw.lacks,
        request: raw.request,
        causes: raw.causes.into_iter().collect(),
        silences: raw.silences,
    })
}

/// A pattern of `file`. One that a user wrote is built now, so that its mistakes are told; the test suite builds the others.
fn pattern(file: &File, text: Spanned<String>) -> Result<Pattern, Error> {
    if file.is_user {
        checked(file, &text)?;
    }
    Ok(Pattern::from(text.into_inner()))
}

/// The regular expression that stands in `file`.
pub(super) fn checked(file: &File, text: &Spanned<String>) -> Result<Regex, Error> {
    regex(text.get_ref()).map_err(|error| Error::at(file, Some(text.span()), error.to_string()))
}

fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(MAX_REGEX).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::tests::sources;

    #[test]
    fn every_pattern_can_be_built() {
        let prints = read(&Sources::default()).unwrap();
        assert!(prints.len() > 150);
        for print in &prints {
            for pattern in print.header.iter().map(|(_, pattern)| pattern).chain(&print.regex) {
                assert!(pattern.built().is_some(), "{}", print.id);
            }
        }
    }

    #[test]
    fn a_users_file_is_read_first_and_its_mistakes_have_a_line() {
        let mine = "# ours\nfingerprint = [\n{ id = \"mine\", system = \"ours\", says = [\"go away\"], causes = { quota = 5.0 } }\n]";
        let of = |text: &str| read(&sources(Kind::Fingerprints, text));
        assert_eq!(of(mine).unwrap()[0].id, "mine");
        for (from, to, message) in [
            ("quota", "quotum", "quotum"),
            ("mine", "kong-acl", "duplicate id"),
            ("says = [\"go away\"]", "regex = \"(\"", "unclosed group"),
            ("says", "layer = \"proxy\", says", "proxy"),
            ("says", "sais", "sais"),
        ] {
            let error = of(&mine.replace(from, to)).unwrap_err();
            assert!(error.message.contains(message), "{error}");
            // An id that is built in as well is told where the second one stands.
            assert!(error.line.is_some(), "{error}");
            assert!(error.file == "assets/fingerprints.toml" || error.line == Some(3), "{error}");
        }
        assert!(of("fingerprint = 1").is_err());
    }
}
