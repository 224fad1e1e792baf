//! The words of `assets/redaction.toml`, ready to be looked up.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Spanned;

use crate::knowledge::names::words::{WordSet, words};
use crate::knowledge::{Error, File, Kind, Sources, current, parse};

/// A list of words, with its place in the file.
type List = Spanned<String>;

/// The file, as it is read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    values: Values,
    sentence: Sentence,
    paths: Paths,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    harmless: Option<List>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    between: Option<List>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    one_use: Option<List>,
    random: Option<List>,
}

/// What redaction goes by beside the catalogue of names.
#[derive(Debug, Default)]
pub(in crate::edge::redact) struct Catalogue {
    pub(super) harmless: WordSet,
    pub(super) between: WordSet,
    /// Segments of paths; `true` for those before a secret of one use.
    paths: HashMap<Box<[u8]>, bool, ahash::RandomState>,
}

static CURRENT: LazyLock<Result<Catalogue, Error>> = LazyLock::new(|| Catalogue::read(current()));
static EMPTY: LazyLock<Catalogue> = LazyLock::new(Catalogue::default);

/// Why the files of redaction cannot be used, if they cannot.
pub fn check() -> Result<(), Error> {
    CURRENT.as_ref().map(drop).map_err(Clone::clone)
}

/// Reads the `redaction.toml` of `sources`, to find mistakes.
pub fn check_sources(sources: &Sources) -> Result<(), Error> {
    Catalogue::read(sources).map(drop)
}

impl Catalogue {
    /// That of this process. [`check`] says why it is empty, should it be; the program does not start then.
    pub(in crate::edge::redact) fn current() -> &'static Self {
        CURRENT.as_ref().unwrap_or_else(|_| &EMPTY)
    }

    fn read(sources: &Sources) -> Result<Self, Error> {
        let mut catalogue = Self::default();
        for file in sources.of(Kind::Redaction) {
            catalogue.add(file, &parse(file)?)?;
        }
        Ok(catalogue)
    }

    fn add(&mut self, file: &File, raw: &Raw) -> Result<(), Error> {
        self.harmless.extend(words(file, raw.values.harmless.as_ref())?);
        self.between.extend(words(file, raw.sentence.between.as_ref())?);
        for (list, one_use) in [(&raw.paths.one_use, true), (&raw.paths.random, false)] {
            for word in words(file, list.as_ref())? {
                *self.paths.entry(word).or_default() |= one_use;
            }
        }
        Ok(())
    }

    /// Segments of paths before secrets, and whether those are of one use.
    pub(in crate::edge::redact) fn path_words(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.paths.iter().map(|(word, one_use)| (&**word, *one_use))
    }
}

#[cfg(test)]
mod tests {
    use super::Catalogue;
    use crate::knowledge::tests::sources;
    use crate::knowledge::{Kind, Sources};

    #[test]
    fn a_users_words_are_added_and_mistakes_have_a_line() {
        let read = |text: &str| Catalogue::read(&sources(Kind::Redaction, text));
        let mine = read("[paths]\none_use = \"losung\"\n").unwrap();
        assert_eq!(mine.paths.get(&b"losung"[..]), Some(&true));
        assert_eq!(mine.paths.len(), Catalogue::read(&Sources::default()).unwrap().paths.len() + 1);
        for (text, line, message) in [
            ("[paths]\none_use = \"Losung\"\n", 2, "lower case"),
            ("[values]\n\nharmless = \"a b a\"\n", 3, "twice"),
            ("[sentense]\n", 1, "sentense"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
