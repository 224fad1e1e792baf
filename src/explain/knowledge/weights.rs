//! How evidence is weighed: `weights.toml`.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use toml::{Table, Value};

use crate::explain::knowledge::rules::Rules;
use crate::explain::request::family::Family;
use crate::knowledge::{Error, File, Kind, Sources, merge, parse};
use crate::model::Cause;

/// Causes with weights, in the order of the causes.
pub type Weighted = Vec<(Cause, f32)>;

/// See `[combine]` in `assets/weights.toml`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in the file")]
pub struct Combine {
    pub damp: f32,
    pub cap_said: f32,
    pub cap_shown: f32,
    pub cap_differs: f32,
    pub cap_behaved: f32,
    pub cap_logged: f32,
    pub logged_pattern: f32,
    pub logged_also: f32,
    pub logged_words: f32,
    pub hop_removed: f32,
    pub hop_changed: f32,
    pub temperature: f32,
    pub ceiling: f32,
    pub floor: f32,
}

/// The changes that a mechanism may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Absent,
    Added,
    Value,
    Any,
}

const CHANGES: [(Change, &str); 3] =
    [(Change::Absent, "absent"), (Change::Added, "added"), (Change::Value, "value")];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mechanism {
    family: Family,
    change: Change,
    causes: BTreeMap<Cause, f32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Calibration {
    points: Vec<(f32, f32)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    prior: BTreeMap<Cause, f32>,
    combine: Combine,
    calibration: Calibration,
    mechanism: Vec<Mechanism>,
    fact: HashMap<String, BTreeMap<Cause, f32>>,
    layer: HashMap<String, BTreeMap<Cause, f32>>,
    rule: Rules,
}

/// The parts of a user's file that are lists of their own, read by themselves so that mistakes in them have a line.
#[derive(Debug, Deserialize)]
struct UserLists {
    #[serde(default, rename = "mechanism")]
    _mechanism: Vec<Mechanism>,
}

/// Every weight.
#[derive(Debug)]
pub struct Weights {
    /// How evidence is combined.
    pub combine: Combine,
    /// Raw probability and what it is worth, ascending.
    pub(super) calibration: Vec<(f32, f32)>,
    /// By cause.
    pub(super) prior: Vec<Option<f32>>,
    /// By family and change, see [`mechanism_at`].
    mechanism: Vec<Weighted>,
    pub(super) fact: HashMap<String, Weighted>,
    pub(super) layer: HashMap<String, Weighted>,
    pub(super) rules: Rules,
}

impl Weights {
    /// What a separating attribute speaks for.
    pub fn mechanism(&self, family: Family, change: &str) -> &[(Cause, f32)] {
        let change = CHANGES.iter().position(|(_, known)| *known == change).unwrap_or(CHANGES.len() - 1);
        self.mechanism.get(mechanism_at(family, change)).map_or(&[], Vec::as_slice)
    }
}

fn mechanism_at(family: Family, change: usize) -> usize {
    family as usize * CHANGES.len() + change
}

/// The weights, a user's over those that are built in.
pub(super) fn read(sources: &Sources) -> Result<Weights, Error> {
    let mut files = sources.of(Kind::Weights).rev();
    let Some(embedded) = files.next() else {
        return Err(Error { file: "weights".into(), line: None, message: "not there".into() });
    };
    let mut user = files.peekable();
    if user.peek().is_none() {
        return Ok(assemble(parse(embedded)?));
    }
    let mut table: Table = parse(embedded)?;
    let mut last: &File = embedded;
    for file in user {
        parse::<UserLists>(file)?;
        merge::over(&mut table, file, may_add)?;
        last = file;
    }
    let raw = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| Error::at(last, None, error.message()))?;
    Ok(assemble(raw))
}

/// Whether a user's file may name `key` in the table at `path` although the embedded one does not.
fn may_add(path: &str, key: &str) -> bool {
    key.parse::<Cause>().is_ok() || path == "rule.separation.borrowed" && key.parse::<Family>().is_ok()
}

fn assemble(raw: RawFile) -> Weights {
    let mut prior = vec![None; Cause::ALL.len()];
    for (cause, weight) in raw.prior {
        if let Some(slot) = prior.get_mut(cause as usize) {
            *slot = Some(weight);
        }
    }
    let mut mechanism: Vec<Option<Weighted>> = vec![None; Family::ALL.len() * CHANGES.len()];
    for one in raw.mechanism {
        let all = CHANGES.iter().enumerate();
        for (at, _) in all.filter(|(_, (change, _))| one.change == Change::Any || one.change == *change) {
            let slot = mechanism.get_mut(mechanism_at(one.family, at)).filter(|slot| slot.is_none());
            if let Some(slot) = slot {
                *slot = Some(one.causes.clone().into_iter().collect());
            }
        }
    }
    let weighted = |raw: HashMap<String, BTreeMap<Cause, f32>>| {
        raw.into_iter().map(|(key, causes)| (key, causes.into_iter().collect())).collect()
    };
    Weights {
        combine: raw.combine,
        calibration: raw.calibration.points,
        prior,
        mechanism: mechanism.into_iter().map(Option::unwrap_or_default).collect(),
        fact: weighted(raw.fact),
        layer: weighted(raw.layer),
        rules: raw.rule,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knowledge::tests::sources;

    #[test]
    fn a_users_weights_replace_and_add() {
        let built_in = read(&Sources::default()).unwrap();
        let text = "[prior]\nwaf = 2.0\n[fact]\nhost-missing = { waf = 3.0, method = 1.0 }\n\
            [[mechanism]]\nfamily = \"accept\"\nchange = \"any\"\ncauses = { accept = 9.0 }\n";
        let mine = read(&sources(Kind::Weights, text)).unwrap();
        assert_eq!(mine.prior[Cause::Waf as usize], Some(2.0));
        assert_eq!(mine.prior[Cause::Csrf as usize], built_in.prior[Cause::Csrf as usize]);
        assert_eq!(mine.fact["host-missing"], [(Cause::Host, 3.0), (Cause::Method, 1.0), (Cause::Waf, 3.0)]);
        assert_eq!(mine.mechanism(Family::Accept, "absent"), [(Cause::Accept, 9.0)]);
        let mine = read(&sources(Kind::Weights, "[rule.aged]\ncsrf = { waf = 1.0 }\n")).unwrap();
        assert_eq!(
            mine.rules.aged.csrf,
            [(Cause::Csrf, 3.6), (Cause::ExpiredCredentials, 1.4), (Cause::Waf, 1.0)].into()
        );
    }

    #[test]
    fn mistakes_have_a_line() {
        for (text, line, message) in [
            ("[prior]\nwaff = 1.0\n", 2, "waff"),
            ("[fact]\n\nno-such-fact = { waf = 1.0 }\n", 3, "no-such-fact"),
            ("[[mechanism]]\nfamily = \"x\"\nchange = \"any\"\ncauses = {}\n", 2, "no family"),
            ("[[mechanism]]\nfamily = \"csrf\"\nchange = \"gone\"\ncauses = {}\n", 3, "gone"),
            ("[combine]\ndamp = \"much\"\n", 2, "must be a number"),
            ("[rule.aged]\n\ncsrf = { waff = 1.0 }\n", 3, "waff"),
            ("[rule.age]\nundated = 1.0\n", 1, "rule.age is not known"),
            ("[rule.separation.borrowed]\nhosts = 1.0\n", 2, "hosts"),
        ] {
            let error = read(&sources(Kind::Weights, text)).unwrap_err();
            assert_eq!(error.line, Some(line), "{error}");
            assert!(error.message.contains(message), "{error}");
        }
    }
}
