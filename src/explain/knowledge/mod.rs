//! The data in `assets/`, read once: fingerprints, lexicon, weights.

pub mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, OnceLock};

use regex::{Match, Regex, RegexBuilder};
use serde::Deserialize;

use crate::explain::phrases::{Found, Numbering, Phrases};
use crate::explain::request::family::Family;
use crate::explain::rules::response_text::lexicon::Lexicon;
use crate::model::{Cause, Refuser};

/// Why knowledge cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// Not TOML, or a member is missing or unknown.
    #[error("{0}: mend the file as this says")]
    Form(String),
    /// An entry names a cause that does not exist.
    #[error("fingerprint {id:?}: there is no cause {cause:?}; `why403 explain` lists them")]
    Cause {
        /// Which entry.
        id: String,
        /// What it names.
        cause: String,
    },
    /// A regular expression does not compile.
    #[error("fingerprint {id:?}: {message}")]
    Regex {
        /// Which entry.
        id: String,
        /// What the compiler says.
        message: String,
    },
    /// Two entries have one id.
    #[error("fingerprint {0:?} is there twice: give each an id of its own")]
    Twice(String),
}

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
        self.built.get_or_init(|| regex("", &self.text).ok()).as_ref()
    }
    /// Builds it now: whoever wrote it shall hear of mistakes.
    fn check(&self, id: &str) -> Result<(), KnowledgeError> {
        let regex = regex(id, &self.text)?;
        self.built.get_or_init(|| Some(regex));
        Ok(())
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
    /// Both as numbers of [`Knowledge::phrases`].
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
    pub(super) fn is_said(&self, found: &Found) -> bool {
        let [any, all] = &self.numbers;
        (any.is_empty() || found.has_any(any)) && found.has_all(all)
    }
    /// Whether its regular expressions can be built.
    fn check(&self) -> Result<(), KnowledgeError> {
        let patterns = self.header.iter().map(|(_, pattern)| pattern).chain(&self.regex);
        patterns.into_iter().try_for_each(|pattern| pattern.check(&self.id))
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
    id: String,
    system: String,
    layer: Option<String>,
    #[serde(default)]
    header: BTreeMap<String, String>,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default)]
    says_all: Vec<String>,
    regex: Option<String>,
    #[serde(default)]
    empty: bool,
    lacks: Option<String>,
    request: Option<String>,
    causes: BTreeMap<String, f32>,
    #[serde(default)]
    silences: Vec<String>,
}

/// How evidence is weighed.
#[derive(Debug, Deserialize)]
pub struct Weights {
    prior: HashMap<String, f32>,
    /// How evidence is combined.
    pub combine: Combine,
    calibration: Calibration,
    mechanism: Vec<RawMechanism>,
    fact: HashMap<String, HashMap<String, f32>>,
    layer: HashMap<String, HashMap<String, f32>>,
}

/// See `[combine]` in `assets/weights.toml`.
#[derive(Clone, Copy, Debug, Deserialize)]
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
    pub temperature: f32,
    pub ceiling: f32,
    pub floor: f32,
}

#[derive(Debug, Deserialize)]
struct Calibration {
    points: Vec<(f32, f32)>,
}

#[derive(Debug, Deserialize)]
struct RawMechanism {
    family: String,
    change: String,
    causes: HashMap<String, f32>,
}

/// Causes with weights.
pub type Weighted = Vec<(Cause, f32)>;

/// Everything known.
#[derive(Debug)]
pub struct Knowledge {
    /// Known responses.
    pub fingerprints: Vec<Fingerprint>,
    /// What they say.
    pub phrases: Phrases,
    /// What words speak for.
    pub lexicon: Lexicon,
    /// How evidence is combined.
    pub combine: Combine,
    calibration: Vec<(f32, f32)>,
    /// By cause.
    prior: Vec<Option<f32>>,
    /// By family and change, see [`mechanism_at`].
    mechanism: Vec<Weighted>,
    fact: HashMap<String, Weighted>,
    layer: HashMap<String, Weighted>,
}

static EMBEDDED: LazyLock<Result<Arc<Knowledge>, KnowledgeError>> =
    LazyLock::new(|| Knowledge::read("").map(Arc::new));

impl Knowledge {
    /// What is built in. The test suite reads it, so it is there.
    pub fn embedded() -> Option<Arc<Self>> {
        EMBEDDED.as_ref().ok().map(Arc::clone)
    }
    /// What is built in, and before it the fingerprints of a user's file.
    pub fn read(user: &str) -> Result<Self, KnowledgeError> {
        let mut fingerprints = if user.is_empty() { Vec::new() } else { fingerprints(user)? };
        fingerprints.iter().try_for_each(Fingerprint::check)?;
        for fingerprint in
            crate::explain::knowledge::fingerprints(include_str!("../../../assets/fingerprints.toml"))?
        {
            if fingerprints.iter().any(|known| known.id == fingerprint.id) {
                return Err(KnowledgeError::Twice(fingerprint.id));
            }
            fingerprints.push(fingerprint);
        }
        let weights: Weights =
            toml::from_str(include_str!("../../../assets/weights.toml")).map_err(|error| form(&error))?;
        let lexicon = Lexicon::read(include_str!("../../../assets/lexicon.toml"))?;
        Self::assemble(fingerprints, &weights, lexicon)
    }

    fn assemble(
        mut fingerprints: Vec<Fingerprint>,
        weights: &Weights,
        lexicon: Lexicon,
    ) -> Result<Self, KnowledgeError> {
        let mut numbering = Numbering::default();
        for print in &mut fingerprints {
            let mut numbers =
                |list: &[String]| list.iter().map(|phrase| numbering.number(phrase)).collect::<Vec<_>>();
            print.numbers = [numbers(&print.says), numbers(&print.says_all)];
        }
        let mut prior = vec![None; Cause::ALL.len()];
        for (id, weight) in &weights.prior {
            if let Some(slot) = prior.get_mut(cause("prior", id)? as usize) {
                *slot = Some(*weight);
            }
        }
        let mut mechanism: Vec<Option<Weighted>> = vec![None; Family::ALL.len() * CHANGES.len()];
        for raw in &weights.mechanism {
            let family = Family::ALL.iter().copied().find(|family| family.id() == raw.family);
            let family =
                family.ok_or_else(|| KnowledgeError::Form(format!("weights: no family {:?}", raw.family)))?;
            let changes: &[&'static str] = match raw.change.as_str() {
                "absent" => &["absent"],
                "added" => &["added"],
                "value" => &["value"],
                _ => &CHANGES,
            };
            for change in changes {
                if let Some(slot) =
                    mechanism.get_mut(mechanism_at(family, change)).filter(|slot| slot.is_none())
                {
                    *slot = Some(weighted("mechanism", &raw.causes)?);
                }
            }
        }
        let table = |name: &'static str, raw: &HashMap<String, HashMap<String, f32>>| {
            raw.iter()
                .map(|(key, causes)| Ok((key.clone(), weighted(name, causes)?)))
                .collect::<Result<HashMap<_, _>, KnowledgeError>>()
        };
        Ok(Self {
            fact: table("fact", &weights.fact)?,
            layer: table("layer", &weights.layer)?,
            calibration: weights.calibration.points.clone(),
            combine: weights.combine,
            fingerprints,
            phrases: numbering.build(),
            lexicon,
            prior,
            mechanism: mechanism.into_iter().map(Option::unwrap_or_default).collect(),
        })
    }
    /// The prior of a cause.
    pub fn prior(&self, cause: Cause) -> f32 {
        self.prior.get(cause as usize).copied().flatten().unwrap_or(0.0)
    }
    /// What a separating attribute speaks for.
    pub fn mechanism(&self, family: Family, change: &'static str) -> &[(Cause, f32)] {
        self.mechanism.get(mechanism_at(family, change)).map_or(&[], Vec::as_slice)
    }
    /// What a fact speaks for.
    pub fn fact(&self, id: &str) -> &[(Cause, f32)] {
        self.fact.get(id).map_or(&[], Vec::as_slice)
    }
    /// What the refusing layer speaks for.
    pub fn layer(&self, refuser: Refuser) -> &[(Cause, f32)] {
        self.layer.get(refuser.as_str()).map_or(&[], Vec::as_slice)
    }
    /// Maps a raw probability to one that was right as often as it says.
    pub fn calibrate(&self, raw: f32) -> f32 {
        let mut before = (0.0, 0.0);
        for point in &self.calibration {
            if raw <= point.0 {
                let width = (point.0 - before.0).max(1e-6);
                return before.1 + (point.1 - before.1) * (raw - before.0) / width;
            }
            before = *point;
        }
        before.1
    }
}

/// The changes that a mechanism may be about.
const CHANGES: [&str; 3] = ["absent", "added", "value"];

fn mechanism_at(family: Family, change: &str) -> usize {
    let change = CHANGES.iter().position(|known| *known == change).unwrap_or(CHANGES.len() - 1);
    family as usize * CHANGES.len() + change
}

fn form(error: &toml::de::Error) -> KnowledgeError {
    KnowledgeError::Form(error.to_string())
}

/// The cause called `id`.
pub(super) fn cause(entry: &str, id: &str) -> Result<Cause, KnowledgeError> {
    id.parse().map_err(|()| KnowledgeError::Cause { id: entry.to_owned(), cause: id.to_owned() })
}

fn weighted(entry: &str, causes: &HashMap<String, f32>) -> Result<Weighted, KnowledgeError> {
    let mut out = causes
        .iter()
        .map(|(id, weight)| Ok((cause(entry, id)?, *weight)))
        .collect::<Result<Weighted, KnowledgeError>>()?;
    out.sort_by_key(|(cause, _)| *cause);
    Ok(out)
}

fn regex(id: &str, pattern: &str) -> Result<Regex, KnowledgeError> {
    let built = RegexBuilder::new(pattern).size_limit(1 << 20).build();
    built.map_err(|error| KnowledgeError::Regex { id: id.to_owned(), message: error.to_string() })
}

fn fingerprints(text: &str) -> Result<Vec<Fingerprint>, KnowledgeError> {
    let raw: RawFile = toml::from_str(text).map_err(|error| form(&error))?;
    let mut out: Vec<Fingerprint> = Vec::with_capacity(raw.fingerprint.len());
    for one in raw.fingerprint {
        if out.iter().any(|known| known.id == one.id) {
            return Err(KnowledgeError::Twice(one.id));
        }
        let layers = [
            Refuser::Application,
            Refuser::Gateway,
            Refuser::Waf,
            Refuser::Cdn,
            Refuser::WebServer,
            Refuser::OutboundProxy,
        ];
        let layer = match &one.layer {
            None => None,
            Some(name) => Some(layers.into_iter().find(|layer| layer.as_str() == name).ok_or_else(|| {
                KnowledgeError::Form(format!(
                    "fingerprint {:?}: no layer {name:?} (application, gateway, waf, cdn, web-server, outbound-proxy)",
                    one.id
                ))
            })?),
        };
        out.push(Fingerprint {
            layer,
            header: one
                .header
                .into_iter()
                .map(|(name, pattern)| (name.to_ascii_lowercase(), Pattern::from(pattern)))
                .collect(),
            says: one.says,
            says_all: one.says_all,
            numbers: Default::default(),
            regex: one.regex.map(Pattern::from),
            empty: one.empty,
            lacks: one.lacks,
            request: one.request,
            causes: one
                .causes
                .iter()
                .map(|(id, weight)| Ok((cause(&one.id, id)?, *weight)))
                .collect::<Result<_, KnowledgeError>>()?,
            silences: one
                .silences
                .iter()
                .map(|id| cause(&one.id, id))
                .collect::<Result<_, KnowledgeError>>()?,
            id: one.id,
            system: one.system,
        });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_assets_are_sound() {
        let knowledge = Knowledge::read("").unwrap();
        assert!(knowledge.fingerprints.len() > 150);
        knowledge.fingerprints.iter().for_each(|print| print.check().unwrap());
        assert!(knowledge.prior(Cause::Unknown) > 0.0);
        for cause in Cause::ALL {
            assert!(knowledge.prior[*cause as usize].is_some(), "{cause} has no prior");
        }
        assert!(!knowledge.mechanism(Family::Credential, "absent").is_empty());
        assert!(!knowledge.mechanism(Family::Host, "absent").is_empty());
    }

    #[test]
    fn a_users_file_is_read_first_and_its_mistakes_are_named() {
        let mine = "fingerprint = [{ id = \"mine\", system = \"ours\", says = [\"go away\"], causes = { quota = 5.0 } }]";
        assert_eq!(Knowledge::read(mine).unwrap().fingerprints[0].id, "mine");
        assert!(
            Knowledge::read(&mine.replace("quota", "quotum")).unwrap_err().to_string().contains("quotum")
        );
        assert!(
            Knowledge::read(&mine.replace("mine", "kong-acl")).unwrap_err().to_string().contains("twice")
        );
        assert!(Knowledge::read("fingerprint = 1").is_err());
        assert!(Knowledge::read(&mine.replace("says = [\"go away\"]", "regex = \"(\"")).is_err());
    }

    #[test]
    fn calibration_is_monotone() {
        let knowledge = Knowledge::read("").unwrap();
        let mut before = 0.0;
        for step in 0..=100 {
            let now = knowledge.calibrate(step as f32 / 100.0);
            assert!(now >= before);
            before = now;
        }
    }
}
