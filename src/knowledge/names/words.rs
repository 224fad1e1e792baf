//! The words by which a name is a secret: `[words]` of `names.toml`.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use toml::Spanned;

use crate::knowledge::{Error, File};

/// What a word says when it stands in a name.
pub mod role {
    /// A secret wherever it stands.
    pub const ANYWHERE: u8 = 1;
    /// A secret as the last word.
    pub const LAST: u8 = 2;
    /// Does not count as the last word.
    pub const MODIFIER: u8 = 4;
    /// A secret after certain words.
    pub const SECOND: u8 = 8;
    /// As the last word: the name only describes a secret.
    pub const ABOUT: u8 = 16;
    /// Wherever it stands: the name only describes a secret.
    pub const ABOUT_ANYWHERE: u8 = 32;
}

/// A set of words in lower case.
pub type WordSet = HashSet<Box<[u8]>, ahash::RandomState>;

/// A list of words, with its place in the file.
pub type List = Spanned<String>;

/// `[words]`, as it is read.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    anywhere: Option<List>,
    last: Option<List>,
    modifier: Option<List>,
    about_last: Option<List>,
    about_anywhere: Option<List>,
    ends: Option<List>,
    begins: Option<List>,
    preference: Option<List>,
    pairs: BTreeMap<String, List>,
}

/// The words of all files.
#[derive(Debug, Default)]
pub struct Words {
    /// Roles of a word.
    pub roles: HashMap<Box<[u8]>, u8, ahash::RandomState>,
    /// `first second`.
    pub pairs: WordSet,
    /// What the word of a secret may end with.
    pub ends: Vec<Box<[u8]>>,
    /// What the word of a secret may begin with.
    pub begins: Vec<Box<[u8]>>,
    /// Words in the names of cookies that hold a preference.
    pub preferences: WordSet,
}

impl Words {
    /// Adds what `file` says.
    pub(super) fn add(&mut self, file: &File, raw: Raw) -> Result<(), Error> {
        let roles = [
            (raw.anywhere, role::ANYWHERE),
            (raw.last, role::LAST),
            (raw.modifier, role::MODIFIER),
            (raw.about_last, role::ABOUT),
            (raw.about_anywhere, role::ABOUT_ANYWHERE),
        ];
        for (list, role) in roles {
            for word in words(file, list.as_ref())? {
                *self.roles.entry(word).or_default() |= role;
            }
        }
        for (second, firsts) in &raw.pairs {
            *self.roles.entry(second.as_bytes().into()).or_default() |= role::SECOND;
            for first in words(file, Some(firsts))? {
                self.pairs.insert([&first, b" ".as_slice(), second.as_bytes()].concat().into());
            }
        }
        self.ends.extend(words(file, raw.ends.as_ref())?);
        self.begins.extend(words(file, raw.begins.as_ref())?);
        self.preferences.extend(words(file, raw.preference.as_ref())?);
        Ok(())
    }

    /// What to look for in text: words that are, begin or end the name of a secret, in lower case.
    pub fn stems(&self) -> impl Iterator<Item = &[u8]> {
        let worth = role::ANYWHERE | role::LAST | role::SECOND;
        let named = self.roles.iter().filter(move |(_, roles)| **roles & worth != 0).map(|(word, _)| word);
        named.chain(&self.ends).chain(&self.begins).map(|word| &**word)
    }
}

/// The words of `list`, which must be in lower case and different.
pub fn words(file: &File, list: Option<&List>) -> Result<Vec<Box<[u8]>>, Error> {
    let Some(list) = list else { return Ok(Vec::new()) };
    let mut words: Vec<Box<[u8]>> = Vec::new();
    let mut seen = HashSet::new();
    for word in list.get_ref().split_whitespace() {
        let fault = match word {
            _ if word.to_lowercase() != word => "is not in lower case",
            _ if !seen.insert(word) => "is in the list twice",
            _ => {
                words.push(word.as_bytes().into());
                continue;
            }
        };
        // The line of the word, since a list may have many.
        let start = list.span().start;
        let offset = file.text.get(list.span()).and_then(|text| text.rfind(word)).unwrap_or(0);
        return Err(Error::at(file, Some(start + offset..start + offset), format!("{word} {fault}")));
    }
    Ok(words)
}
