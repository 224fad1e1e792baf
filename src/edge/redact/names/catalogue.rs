//! The words of `assets/secrets.toml`, ready to be looked up.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

/// What a word says when it stands in a name.
pub(super) mod role {
    /// A secret wherever it stands.
    pub(in crate::edge::redact) const ANYWHERE: u8 = 1;
    /// A secret as the last word.
    pub(in crate::edge::redact) const LAST: u8 = 2;
    /// Does not count as the last word.
    pub(in crate::edge::redact) const MODIFIER: u8 = 4;
    /// A secret after certain words.
    pub(in crate::edge::redact) const SECOND: u8 = 8;
    /// As the last word: the name only speaks of a secret.
    pub(in crate::edge::redact) const ABOUT: u8 = 16;
    /// Wherever it stands: the name only speaks of a secret.
    pub(in crate::edge::redact) const ABOUT_ANYWHERE: u8 = 32;
}

type Words = HashSet<Box<[u8]>, ahash::RandomState>;

/// The file, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    anywhere: String,
    last: String,
    modifier: String,
    pairs: BTreeMap<String, String>,
    glued: Glued,
    about: About,
    parameters: Named,
    claims: Public,
    cookies: Public,
    values: Values,
    sentence: Sentence,
    paths: Paths,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Glued {
    ends: String,
    begins: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    last: String,
    anywhere: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    names: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Public {
    public: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    harmless: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    between: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paths {
    one_use: String,
    random: String,
}

/// The catalogue.
#[derive(Debug, Default)]
pub(in crate::edge::redact) struct Catalogue {
    /// Roles of a word.
    pub(super) words: HashMap<Box<[u8]>, u8, ahash::RandomState>,
    /// `first second`.
    pub(super) pairs: Words,
    pub(super) ends: Vec<Box<[u8]>>,
    pub(super) begins: Vec<Box<[u8]>>,
    pub(super) parameters: Words,
    pub(super) claims: Words,
    pub(super) cookies: Words,
    pub(super) harmless: Words,
    pub(super) between: Words,
    /// Segments of paths; `true` for those before a secret of one use.
    pub(super) paths: HashMap<Box<[u8]>, bool, ahash::RandomState>,
}

static CATALOGUE: LazyLock<Catalogue> =
    LazyLock::new(|| Catalogue::read(include_str!("../../../../assets/secrets.toml")).unwrap_or_default());

impl Catalogue {
    /// The one that is built in; a test makes sure that it can be read.
    pub(in crate::edge::redact) fn embedded() -> &'static Self {
        &CATALOGUE
    }

    /// Reads `text`; says which entry cannot be used.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let raw: Raw = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut catalogue = Self::default();
        let roles = [
            (&raw.anywhere, role::ANYWHERE),
            (&raw.last, role::LAST),
            (&raw.modifier, role::MODIFIER),
            (&raw.about.last, role::ABOUT),
            (&raw.about.anywhere, role::ABOUT_ANYWHERE),
        ];
        for (list, role) in roles {
            for word in words(list)? {
                let known = catalogue.words.entry(word.clone()).or_default();
                if *known & role != 0 {
                    return Err(format!("{} stands twice in a list", String::from_utf8_lossy(&word)));
                }
                *known |= role;
            }
        }
        for (second, firsts) in &raw.pairs {
            *catalogue.words.entry(second.as_bytes().into()).or_default() |= role::SECOND;
            for first in words(firsts)? {
                catalogue.pairs.insert([&first, b" ".as_slice(), second.as_bytes()].concat().into());
            }
        }
        catalogue.ends = words(&raw.glued.ends)?;
        catalogue.begins = words(&raw.glued.begins)?;
        catalogue.parameters = words(&raw.parameters.names)?.into_iter().collect();
        catalogue.claims = words(&raw.claims.public)?.into_iter().collect();
        catalogue.cookies = words(&raw.cookies.public)?.into_iter().collect();
        catalogue.harmless = words(&raw.values.harmless)?.into_iter().collect();
        catalogue.between = words(&raw.sentence.between)?.into_iter().collect();
        for (list, one_use) in [(&raw.paths.one_use, true), (&raw.paths.random, false)] {
            catalogue.paths.extend(words(list)?.into_iter().map(|word| (word, one_use)));
        }
        Ok(catalogue)
    }

    /// What to look for in text: words that are, begin or end the name of a secret, in lower case.
    pub(in crate::edge::redact) fn stems(&self) -> Vec<Vec<u8>> {
        let worth = role::ANYWHERE | role::LAST | role::SECOND;
        let named = self.words.iter().filter(|(_, roles)| **roles & worth != 0).map(|(word, _)| word);
        named.chain(&self.ends).chain(&self.begins).map(|word| word.to_vec()).collect()
    }

    /// Parameters that are secrets as whole names.
    pub(in crate::edge::redact) fn parameters(&self) -> impl Iterator<Item = &[u8]> {
        self.parameters.iter().map(|name| &**name)
    }

    /// Segments of paths before secrets, and whether those are of one use.
    pub(in crate::edge::redact) fn path_words(&self) -> impl Iterator<Item = (&[u8], bool)> {
        self.paths.iter().map(|(word, one_use)| (&**word, *one_use))
    }
}

/// The words of `list`, which must be in lower case.
fn words(list: &str) -> Result<Vec<Box<[u8]>>, String> {
    list.split_whitespace()
        .map(|word| match word {
            word if word.to_lowercase() == word => Ok(word.as_bytes().into()),
            word => Err(format!("{word} is not in lower case")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Catalogue;

    const EMBEDDED: &str = include_str!("../../../../assets/secrets.toml");

    #[test]
    fn the_embedded_catalogue_is_read() {
        assert!(Catalogue::read(EMBEDDED).unwrap().stems().len() > 100);
    }

    #[test]
    fn bad_entries_are_refused() {
        let refused = |from: &str, to: &str| Catalogue::read(&EMBEDDED.replacen(from, to, 1)).unwrap_err();
        assert!(refused("bearer", "Bearer").contains("lower case"));
        assert!(refused("bearer", "bearer bearer").contains("twice"));
        assert!(refused("anywhere =", "everywhere =").contains("everywhere"));
    }
}
