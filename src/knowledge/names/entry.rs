//! Entries of `names.toml` as they are read.

use serde::Deserialize;
use toml::Spanned;

use super::family::{At, Class, Family, Set, Trait};
use super::words;
use crate::knowledge::{Error, File, parse};

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFile {
    #[serde(default)]
    name: Vec<Spanned<RawEntry>>,
    #[serde(default)]
    pub(super) words: words::Raw,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    #[serde(default)]
    at: String,
    family: Option<Family>,
    class: Option<Class>,
    rank: Option<u8>,
    #[serde(default)]
    traits: String,
    secret: Option<bool>,
    #[serde(default)]
    is: String,
    #[serde(default)]
    begins: String,
    #[serde(default)]
    ends: String,
    has: Option<String>,
    #[serde(default)]
    not: String,
}

/// Names, and what is known of them.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) facts: Facts,
    pub(super) places: Set,
    pub(super) is: Vec<Box<str>>,
    /// Parts of the name, which is framed by [`BEGIN`] and [`END`].
    pub(super) parts: Vec<String>,
    /// Whether every name fits.
    pub(super) any: bool,
    pub(super) not: Vec<String>,
}

/// What is known of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What it is about.
    pub family: Option<Family>,
    /// How a difference in its value is weighed.
    pub class: Option<Class>,
    /// For a credential: which of several is believed; a lower rank goes first.
    pub rank: Option<u8>,
    /// Properties of a field.
    pub traits: Set,
    /// Whether its value must not be shown; `false` only for claims.
    pub secret: Option<bool>,
}

/// Stands before a name that is searched.
pub(super) const BEGIN: char = '\u{2}';
/// Stands after it.
pub(super) const END: char = '\u{3}';

/// The entries of `file`, and its words.
pub(super) fn read(file: &File) -> Result<(Vec<Entry>, words::Raw), Error> {
    let raw: RawFile = parse(file)?;
    let entry = |raw: Spanned<RawEntry>| {
        let span = raw.span();
        Entry::of(&raw.into_inner()).map_err(|message| Error::at(file, Some(span), message))
    };
    Ok((raw.name.into_iter().map(entry).collect::<Result<_, _>>()?, raw.words))
}

impl Entry {
    fn of(raw: &RawEntry) -> Result<Self, String> {
        let places = if raw.at.is_empty() { Set::ALL } else { Set::of_places(&raw.at)? };
        let lists = [&raw.is, &raw.begins, &raw.ends, raw.has.as_deref().unwrap_or_default(), &raw.not];
        if let Some(word) =
            lists.iter().flat_map(|list| list.split_whitespace()).find(|word| word.to_lowercase() != **word)
        {
            return Err(format!("{word} is not in lower case"));
        }
        let words = |list: &str| list.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mut parts = words(raw.has.as_deref().unwrap_or_default());
        parts.extend(raw.begins.split_ascii_whitespace().map(|part| format!("{BEGIN}{part}")));
        parts.extend(raw.ends.split_ascii_whitespace().map(|part| format!("{part}{END}")));
        let facts = Facts {
            family: raw.family,
            class: raw.class,
            rank: raw.rank,
            traits: Set::of_traits(&raw.traits)?,
            secret: raw.secret,
        };
        let any = raw.has.as_deref() == Some("");
        let is: Vec<Box<str>> = raw.is.split_ascii_whitespace().map(Into::into).collect();
        if is.is_empty() && parts.is_empty() && !any {
            return Err("an entry needs `is`, `begins`, `ends` or `has`".into());
        }
        if facts == Facts::default() {
            return Err("an entry needs `family`, `class`, `rank`, `traits` or `secret`".into());
        }
        let listed = facts.rank.is_some() && places != Set::of_places("cookie")?
            || [Trait::Likeness, Trait::Fingerprint].iter().any(|one| facts.traits.has_trait(*one));
        if listed && (any || !parts.is_empty()) {
            return Err("a rank (but that of a cookie) and the traits likeness and fingerprint need whole names (`is`)".into());
        }
        let claims = Set::of_places("claim")?;
        if facts.secret == Some(false) && places != claims {
            return Err(
                "`secret = false` is for claims; other names are secret only when something says so".into()
            );
        }
        Ok(Self { facts, places, is, parts, any, not: words(&raw.not) })
    }

    /// Whether it is about names at `at`.
    pub(super) const fn is_for(&self, at: At) -> bool {
        self.places.has_place(at)
    }
}

impl Facts {
    /// Adds what a later entry says of the same name: earlier ones decide.
    pub(super) fn add(&mut self, later: Self) {
        self.family = self.family.or(later.family);
        self.class = self.class.or(later.class);
        self.rank = self.rank.or(later.rank);
        self.traits = self.traits.union(later.traits);
        self.secret = self.secret.or(later.secret);
    }
}
