//! Who is refused: what the refused share has and the accepted share lacks, from samples of both since the onset.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;

use super::properties::{Hasher, Property, Trait, label, properties};
use crate::edge::redact::Redactor;
use crate::explain::inspector::Inspector;
use crate::history::Record;
use crate::model::ExchangeId;

/// Properties that are told apart.
const MAX_PROPERTIES: usize = 64;
/// Values of one property that are told apart; one with more separates nobody.
const MAX_VALUES: usize = 64;
/// Values that are named of each side.
const NAMED: usize = 3;
/// Values of a property that [`Affected`] lists.
const LISTED: usize = 8;
/// The share of the refusals that the named values must cover.
const COVERED: f64 = 0.95;

/// One value of a property with how many of the samples have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// The value, redacted and escaped; `(none)` for requests without the property.
    pub value: String,
    /// Refused requests with it.
    pub refused: u32,
    /// Accepted requests with it.
    pub accepted: u32,
}

/// One property of the callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callers {
    /// Which.
    pub of: Trait,
    /// Name of the field or claim; empty for the others.
    pub name: String,
    /// Its values, the most refused first; bounded.
    pub shares: Vec<Share>,
    /// Values that are not listed.
    pub more: usize,
    /// Whether its values tell refused requests from accepted ones.
    pub separates: bool,
}

/// Who is refused and who is not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Refused requests that were looked at.
    pub refused: u32,
    /// Accepted requests that were looked at.
    pub accepted: u32,
    /// Properties, those that separate first.
    pub callers: Vec<Callers>,
    /// What separates best.
    pub who: Option<Who>,
}

/// What the refused share has and the accepted lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The property.
    pub of: Trait,
    /// Name of the field or claim; empty for the others.
    pub name: String,
    /// The values that are refused, the most frequent first; at most three.
    pub refused: Vec<String>,
    /// Values that are accepted, the most frequent first; at most three.
    pub accepted: Vec<String>,
}

/// Stands for requests that lack a property.
const NONE: &str = "(none)";

impl Who {
    /// `X-App-Version 8.1`, `AcmeApp/8.1 (Android)`, `user u-18`, `no X-Tenant`: short, for a column.
    pub fn short(&self) -> String {
        if self.refused.iter().all(|value| value == NONE) {
            return format!("no {}", self.subject());
        }
        match self.of {
            Trait::Product | Trait::Platform => self.refused.join(", "),
            _ => format!("{} {}", self.subject(), self.refused.join(", ")),
        }
    }

    fn subject(&self) -> &str {
        match self.of {
            Trait::Version | Trait::Field | Trait::Claim => &self.name,
            of => of.as_str(),
        }
    }

    /// `all with X-App-Version 8.1; 8.0, 7.9 accepted`, `all of AcmeApp/8.1; AcmeApp/8.0 accepted`.
    pub fn sentence(&self) -> String {
        let short = self.short();
        let lead = match self.of {
            _ if short.starts_with("no ") => "all with",
            Trait::Version | Trait::Field | Trait::Claim => "all with",
            Trait::Product | Trait::Platform | Trait::Host | Trait::Identity | Trait::Client => "all of",
        };
        format!("{lead} {short}; {} accepted", self.accepted.join(", "))
    }
}

#[derive(Default)]
struct Counted {
    /// By hash of the value: refused, accepted, an exchange that has it.
    values: HashMap<u64, (u32, u32, ExchangeId), RandomState>,
    full: bool,
}

/// Counts the properties of both sides and says what separates them.
pub(super) fn affected(
    (refused, accepted): (&[&Record], &[&Record]),
    hasher: &Hasher,
    inspector: &Inspector,
    redactor: &Redactor,
) -> Affected {
    let mut counted: BTreeMap<(Trait, Box<str>), Counted> = BTreeMap::new();
    for (records, is_refused) in [(refused, true), (accepted, false)] {
        for record in records {
            for property in properties(record, hasher) {
                count(&mut counted, property, record.exchange.id, is_refused);
            }
        }
    }
    let totals = (refused.len() as u32, accepted.len() as u32);
    let mut found = Affected { refused: totals.0, accepted: totals.1, ..Affected::default() };
    for ((of, name), one) in &counted {
        let rows = rows(one, totals);
        let separating = (!one.full).then(|| separating(&rows, totals)).flatten();
        let text = |(refused, accepted, id): &(u32, u32, Option<ExchangeId>)| {
            let record = id.and_then(|id| inspector.history().get(id));
            let value = record
                .map_or_else(|| NONE.to_owned(), |record| label(*of, name, record, inspector, redactor));
            Share { value, refused: *refused, accepted: *accepted }
        };
        if let Some((bad, good)) = separating.as_ref().filter(|_| found.who.is_none()) {
            let values =
                |rows: &[(u32, u32, Option<ExchangeId>)]| rows.iter().map(|row| text(row).value).collect();
            found.who =
                Some(Who { of: *of, name: name.to_string(), refused: values(bad), accepted: values(good) });
        }
        found.callers.push(Callers {
            of: *of,
            name: name.to_string(),
            shares: rows.iter().take(LISTED).map(text).collect(),
            more: rows.len().saturating_sub(LISTED),
            separates: separating.is_some(),
        });
    }
    found.callers.sort_by_key(|callers| !callers.separates);
    found
}

fn count(
    counted: &mut BTreeMap<(Trait, Box<str>), Counted>,
    property: Property,
    id: ExchangeId,
    is_refused: bool,
) {
    let Property { of, name, value } = property;
    let full = counted.len() >= MAX_PROPERTIES;
    let one = match counted.entry((of, name)) {
        std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        std::collections::btree_map::Entry::Vacant(entry) if !full => entry.insert(Counted::default()),
        std::collections::btree_map::Entry::Vacant(_) => return,
    };
    if one.values.len() >= MAX_VALUES && !one.values.contains_key(&value) {
        one.full = true;
        return;
    }
    let counts = one.values.entry(value).or_insert((0, 0, id));
    *(if is_refused { &mut counts.0 } else { &mut counts.1 }) += 1;
}

type Rows = Vec<(u32, u32, Option<ExchangeId>)>;

/// The values with their counts, the most refused first; requests without the property are one more.
fn rows(one: &Counted, (refused, accepted): (u32, u32)) -> Rows {
    let mut rows: Rows = one.values.values().map(|(bad, good, id)| (*bad, *good, Some(*id))).collect();
    let with = rows.iter().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    let without = (refused.saturating_sub(with.0), accepted.saturating_sub(with.1));
    if without != (0, 0) && !one.full {
        rows.push((without.0, without.1, None));
    }
    rows.sort_by_key(|(bad, good, id)| (Reverse(*bad), Reverse(*good), *id));
    rows
}

/// The values of nearly all refusals that no accepted request has, and those of the accepted that no refusal has.
fn separating(rows: &Rows, (refused, accepted): (u32, u32)) -> Option<(Rows, Rows)> {
    let bad: Rows = rows.iter().filter(|(_, good, _)| *good == 0).take(NAMED).copied().collect();
    let covered: u32 = bad.iter().map(|(bad, ..)| bad).sum();
    let mut good: Rows = rows.iter().filter(|(bad, ..)| *bad == 0).copied().collect();
    good.sort_by_key(|(_, good, id)| (Reverse(*good), *id));
    good.truncate(NAMED);
    let enough = f64::from(covered) >= f64::from(refused) * COVERED && covered > 1 && accepted > 1;
    (enough && !good.is_empty()).then_some((bad, good))
}
