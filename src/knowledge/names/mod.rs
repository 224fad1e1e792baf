//! The catalogue of names: fields, cookies, parameters, members of bodies and claims of tokens. For each of them `names.toml` says what it is
//! about, how a difference in its value is weighed, whether it is a secret, and which of several credentials is believed.

mod entry;
mod family;
mod list;
pub mod words;

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Error, Kind, Sources, current};
use crate::phrases::{Numbering, Phrases};
use crate::step_counter;
pub use entry::Facts;
use entry::{BEGIN, END, Entry};
pub use family::{At, Class, Family, Set, Trait};
pub use list::NameList;
use words::{WordSet, Words};

/// All names, indexed so that a name is compared with no entries but those whose words it has.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// In the order of the files; for each property the first entry that fits and has it decides.
    entries: Vec<Indexed>,
    /// Whole name → entries.
    is: HashMap<Box<str>, Vec<usize>, ahash::RandomState>,
    /// Number of a phrase → entries that ask for it.
    parts: Vec<Vec<usize>>,
    /// Entries that fit any name.
    any: Vec<usize>,
    phrases: Phrases,
    /// The words by which a name is a secret.
    pub words: Words,
    /// Request fields that hold a credential, in the order in which they are believed.
    pub credential_fields: NameList,
    /// Query parameters that hold a credential.
    pub credential_parameters: NameList,
    /// Names that are secrets as a whole: parameters, and all others.
    secrets: [WordSet; 2],
    /// Whether an entry makes names secret by their parts.
    has_secret_parts: bool,
    /// Claims that may be shown.
    public_claims: WordSet,
    /// The files, for [`Catalogue::list`].
    listed: Vec<(At, Trait, Box<str>)>,
}

/// An entry as the index keeps it.
#[derive(Debug)]
struct Indexed {
    facts: Facts,
    places: Set,
    /// Numbers of phrases that must not be in the name.
    not: Vec<usize>,
}

static CURRENT: LazyLock<Result<Catalogue, Error>> = LazyLock::new(|| Catalogue::read(current()));
static EMPTY: LazyLock<Catalogue> = LazyLock::new(Catalogue::default);

/// The catalogue of this process. [`check`] says why it is empty, should it be; the program does not start then.
pub fn catalogue() -> &'static Catalogue {
    CURRENT.as_ref().unwrap_or_else(|_| &EMPTY)
}

/// Why the names cannot be used, if they cannot.
pub fn check() -> Result<(), Error> {
    CURRENT.as_ref().map(drop).map_err(Clone::clone)
}

impl Catalogue {
    /// Reads the `names.toml` of `sources`.
    pub fn read(sources: &Sources) -> Result<Self, Error> {
        let (mut entries, mut words) = (Vec::new(), Words::default());
        for file in sources.of(Kind::Names) {
            let (more, raw) = entry::read(file)?;
            entries.extend(more);
            words.add(file, raw)?;
        }
        Ok(Self { words, ..Self::of(entries) })
    }

    fn of(entries: Vec<Entry>) -> Self {
        let mut catalogue = Self::default();
        let mut numbering = Numbering::default();
        let mut ranked: Vec<(At, u8, Box<str>)> = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            catalogue.add_secrets(&entry);
            for at in At::ALL.iter().filter(|at| entry.is_for(**at)) {
                let rank = entry.facts.rank.into_iter();
                ranked
                    .extend(rank.flat_map(|rank| entry.is.iter().map(move |name| (*at, rank, name.clone()))));
                let traits = Trait::ALL.iter().filter(|one| entry.facts.traits.has_trait(**one));
                let listed = traits.flat_map(|one| entry.is.iter().map(|name| (*at, *one, name.clone())));
                catalogue.listed.extend(listed);
            }
            for name in entry.is {
                catalogue.is.entry(name).or_default().push(index);
            }
            for part in &entry.parts {
                let number = numbering.number(part);
                catalogue.parts.resize_with(catalogue.parts.len().max(number + 1), Vec::new);
                catalogue.parts.get_mut(number).into_iter().for_each(|entries| entries.push(index));
            }
            if entry.any {
                catalogue.any.push(index);
            }
            let not = entry.not.iter().map(|part| numbering.number(part)).collect();
            catalogue.entries.push(Indexed { facts: entry.facts, places: entry.places, not });
        }
        ranked.sort_by_key(|(_, rank, _)| *rank);
        let list = |wanted: At| {
            NameList::new(
                ranked.iter().filter(|(at, ..)| *at == wanted).map(|(.., name)| name.clone()).collect(),
            )
        };
        catalogue.credential_fields = list(At::Field);
        catalogue.credential_parameters = list(At::Parameter);
        catalogue.phrases = numbering.build();
        catalogue
    }

    fn add_secrets(&mut self, entry: &Entry) {
        let names = || entry.is.iter().map(|name| name.as_bytes().into());
        match entry.facts.secret {
            Some(true) => {
                self.has_secret_parts |= entry.any || !entry.parts.is_empty();
                let elsewhere =
                    [At::Field, At::Response, At::Cookie, At::Member].iter().any(|at| entry.is_for(*at));
                let [parameters, others] = &mut self.secrets;
                if elsewhere { others } else { parameters }.extend(names());
            }
            Some(false) => self.public_claims.extend(names()),
            None => {}
        }
    }

    /// What is known of `name`, in any case, at `at`. Costs a pass over the name: callers remember it.
    pub fn facts(&self, at: At, name: &str) -> Facts {
        let [facts] = self.facts_at([at], name);
        facts
    }

    /// The same for several places, in one pass over the name.
    pub fn facts_at<const N: usize>(&self, places: [At; N], name: &str) -> [Facts; N] {
        let mut framed = String::with_capacity(name.len() + 2);
        framed.push(BEGIN);
        framed.extend(name.chars().map(|letter| letter.to_ascii_lowercase()));
        framed.push(END);
        let lower = framed.trim_matches([BEGIN, END]);
        // The last part of a claim's path says what it is: `realm_access.roles`, `https://acme.example/roles`.
        let last = if places.contains(&At::Claim) {
            lower.rsplit(['/', '.', ':']).next().filter(|last| *last != lower)
        } else {
            None
        };
        let found = self.phrases.found(&framed);
        let whole = [Some(lower), last].into_iter().flatten().filter_map(|name| self.is.get(name)).flatten();
        let parts = found.iter().filter_map(|number| self.parts.get(number)).flatten();
        let mut candidates: Vec<usize> = whole.chain(parts).chain(&self.any).copied().collect();
        candidates.sort_unstable();
        let mut facts = [Facts::default(); N];
        for index in candidates {
            step_counter::steps(1);
            let Some(entry) = self.entries.get(index).filter(|entry| !found.has_any(&entry.not)) else {
                continue;
            };
            for (at, facts) in places.iter().zip(&mut facts) {
                if entry.places.has_place(*at) {
                    facts.add(entry.facts);
                }
            }
        }
        facts
    }

    /// The names at `at` that have `wanted` as a whole, in the order of the files.
    pub fn list(&self, at: At, wanted: Trait) -> NameList {
        let names = self.listed.iter().filter(|(place, one, _)| *place == at && *one == wanted);
        NameList::new(names.map(|(.., name)| name.clone()).collect())
    }

    /// Whether an entry says that `name`, in lower case, is a secret; as a parameter or anywhere else. Most secrets are found by
    /// [`Catalogue::words`].
    pub fn is_listed_secret(&self, name: &[u8], is_parameter: bool) -> bool {
        let [parameters, others] = &self.secrets;
        if others.contains(name) || is_parameter && parameters.contains(name) {
            return true;
        }
        let places = if is_parameter {
            &[At::Parameter][..]
        } else {
            &[At::Field, At::Response, At::Cookie, At::Member]
        };
        self.has_secret_parts && {
            let name = String::from_utf8_lossy(name);
            places.iter().any(|at| self.facts(*at, &name).secret == Some(true))
        }
    }

    /// Whether the claim `name`, in lower case, may be shown.
    pub fn is_public_claim(&self, name: &[u8]) -> bool {
        self.public_claims.contains(name)
    }

    /// Parameters that are secrets as whole names.
    pub fn secret_parameters(&self) -> impl Iterator<Item = &[u8]> {
        self.secrets.iter().flatten().map(|name| &**name)
    }

    /// What to look for in text where a secret's name may be, in lower case.
    pub fn secret_stems(&self) -> impl Iterator<Item = &[u8]> {
        let [_, others] = &self.secrets;
        self.words.stems().chain(others.iter().map(|name| &**name))
    }
}

#[cfg(test)]
mod tests;
