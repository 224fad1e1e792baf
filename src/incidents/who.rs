//! Who is refused: values of a property that the refused share and the accepted lack.

use std::collections::HashMap;
use std::hash::Hash;

use ahash::RandomState;

use super::GroupBy;
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::history::Record;

/// Values of one property that are told apart for one endpoint or one cluster of refusals.
const MAX_VALUES: usize = 256;
/// Version fields of a request that are looked at.
const MAX_VERSIONS: usize = 3;
/// Values that a sentence names.
const NAMED: usize = 3;
/// The share of the refusals that these values must cover.
const COVERED: f64 = 0.95;

/// A property by which callers differ, the most telling first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trait {
    /// A field whose name ends in `version`.
    Version,
    /// `User-Agent`.
    UserAgent,
    /// Who the request claims to be.
    Identity,
    /// The client's address.
    Client,
}

const TRAITS: [Trait; 4] = [Trait::Version, Trait::UserAgent, Trait::Identity, Trait::Client];

impl Trait {
    /// In a sentence.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::UserAgent => "user agent",
            Self::Identity => "user",
            Self::Client => "client",
        }
    }
}

/// How many exchanges had which values. Bound: [`MAX_VALUES`] for each property.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    counts: HashMap<(Trait, u64), (Box<str>, u64), RandomState>,
    /// Values seen of each property, in the order of [`TRAITS`]; one that is full tells nothing.
    seen: [usize; TRAITS.len()],
}

/// Hashes values alike for accepted and refused exchanges.
#[derive(Clone, Debug, Default)]
pub(super) struct Hasher(RandomState);

impl Hasher {
    fn of(&self, value: impl Hash) -> u64 {
        self.0.hash_one(value)
    }
}

impl Values {
    /// Counts the values of `record`.
    pub(super) fn count(
        &mut self,
        record: &Record,
        hasher: &Hasher,
        inspector: &Inspector,
        redactor: &Redactor,
    ) {
        let exchange = &record.exchange;
        let text = |by: &GroupBy| by.value(record, inspector, redactor);
        let client = exchange.client.ip().to_canonical();
        self.add(Trait::Client, hasher.of(client), || client.to_string());
        let Some(request) = &exchange.request else { return };
        if let Some(principal) = record.principal {
            self.add(Trait::Identity, principal, || text(&GroupBy::Identity));
        }
        let fields = request.head.fields();
        if let Some(agent) = fields.value("user-agent") {
            self.add(Trait::UserAgent, hasher.of(agent), || text(&GroupBy::UserAgent));
        }
        let versions = fields.iter().filter(|field| is_version(field.name)).take(MAX_VERSIONS);
        for field in versions {
            self.add(Trait::Version, hasher.of((field.name.to_ascii_lowercase(), field.value)), || {
                let name = String::from_utf8_lossy(field.name).into_owned();
                let value = text(&GroupBy::Header(name.clone()));
                format!("{} {value}", crate::edge::sanitize::text(&name))
            });
        }
    }

    fn add(&mut self, of: Trait, hash: u64, label: impl FnOnce() -> String) {
        if let Some((_, count)) = self.counts.get_mut(&(of, hash)) {
            *count += 1;
            return;
        }
        let Some(seen) = self.seen.get_mut(of as usize).filter(|seen| **seen < MAX_VALUES) else { return };
        *seen += 1;
        self.counts.insert((of, hash), (label().into(), 1));
    }

    /// Adds another's counts.
    pub(super) fn absorb(&mut self, other: &Self) {
        for ((of, hash), (label, count)) in &other.counts {
            self.add(*of, *hash, || label.to_string());
            if let Some((_, mine)) = self.counts.get_mut(&(*of, *hash)) {
                *mine += count - 1;
            }
        }
    }

    fn of(&self, of: Trait) -> impl Iterator<Item = (u64, &str, u64)> {
        let those = self.counts.iter().filter(move |((is, _), _)| *is == of);
        those.map(|((_, hash), (label, count))| (*hash, label.as_ref(), *count))
    }

    fn get(&self, of: Trait, hash: u64) -> u64 {
        self.counts.get(&(of, hash)).map_or(0, |(_, count)| *count)
    }
}

/// Whether a field's name says that its value is a version of the caller.
fn is_version(name: &[u8]) -> bool {
    let end = name.len().checked_sub(7).and_then(|at| name.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(b"version")) && name.len() > 7
}

/// What the refused share and the accepted lack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The property.
    pub of: Trait,
    /// The values that are refused, the most frequent first; at most three.
    pub refused: Vec<String>,
    /// Values that are accepted, the most frequent first; at most three.
    pub accepted: Vec<String>,
}

impl Who {
    /// `all X-App-Version 8.1`, `all user u-18`.
    pub fn refused_text(&self) -> String {
        let values = self.refused.join(", ");
        match self.of {
            Trait::Identity | Trait::Client => format!("all {} {values}", self.of.as_str()),
            Trait::Version | Trait::UserAgent => format!("all {values}"),
        }
    }

    /// `all X-App-Version 8.1; X-App-Version 8.0 accepted`.
    pub fn sentence(&self) -> String {
        format!("{}; {} accepted", self.refused_text(), self.accepted.join(", "))
    }
}

/// The property that separates `refused` from `accepted` best: few values, nearly all refusals, no success with them.
pub(super) fn who(refused: &Values, accepted: &Values, refusals: u64) -> Option<Who> {
    TRAITS.into_iter().find_map(|of| {
        let full = |values: &Values| values.seen.get(of as usize).is_none_or(|seen| *seen >= MAX_VALUES);
        if full(refused) || full(accepted) {
            return None;
        }
        let mut bad: Vec<_> = refused.of(of).filter(|(hash, ..)| accepted.get(of, *hash) == 0).collect();
        bad.sort_by_key(|(_, label, count)| (std::cmp::Reverse(*count), *label));
        bad.truncate(NAMED);
        let covered: u64 = bad.iter().map(|(.., count)| count).sum();
        let mut good: Vec<_> = accepted.of(of).filter(|(hash, ..)| refused.get(of, *hash) == 0).collect();
        good.sort_by_key(|(_, label, count)| (std::cmp::Reverse(*count), *label));
        let enough = covered as f64 >= refusals as f64 * COVERED && covered > 1 && !good.is_empty();
        let labels = |values: Vec<(u64, &str, u64)>| {
            values.into_iter().take(NAMED).map(|(_, label, _)| label.to_owned()).collect()
        };
        enough.then(|| Who { of, refused: labels(bad), accepted: labels(good) })
    })
}
