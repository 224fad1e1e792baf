//! Which attributes separate this refusal, and those that sound like it, from the successes.

pub mod batch;
pub mod columns;
pub mod lead;
pub mod recall;
pub mod sample;
pub mod stats;

use std::borrow::Cow;

use crate::explain::contrast::columns::{Column, Columns};
use crate::explain::contrast::sample::Sample;
use crate::explain::contrast::stats::Stats;
use crate::explain::request::attribute::Attribute;
use crate::explain::request::family::Family;
use crate::explain::request::features::Features;
use crate::explain::request::names::Label;
use crate::explain::request::shown::Shown;

/// How an attribute differs from what successes have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Successes carry it, this refusal does not.
    Absent,
    /// This refusal carries it, no success does.
    Added,
    /// Its value was never accepted so far.
    Value,
}

impl Change {
    /// The name that `assets/weights.toml` uses.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Added => "added",
            Self::Value => "value",
        }
    }
}

/// One attribute set against the successes.
#[derive(Clone, Debug)]
pub struct Contrast<'a> {
    /// Hash of family and name.
    pub key: u64,
    /// Family.
    pub family: Family,
    /// Name.
    pub name: Label,
    /// How it differs.
    pub change: Change,
    /// How surprising that is if it had nothing to do with the refusal, in nats.
    pub surprise: f32,
    this: This<'a>,
    /// Hash of this refusal's value; none when absent.
    pub value: Option<u64>,
    /// Whether successes agree on it: all have it, or none has it, or the values that they have come again and again.
    pub steady: bool,
    /// Refusals that sound the same, this one included, and how many of them differ likewise.
    pub refusals: (u32, u32),
    /// Successes looked at.
    pub successes: u32,
    /// One-sided Fisher probability of so clean a separation, times the number of attributes tried.
    pub chance: f64,
}

/// This refusal's value.
#[derive(Clone, Debug)]
enum This<'a> {
    Absent,
    Attribute(Attribute<'a>),
    Text(String),
}

impl Contrast<'_> {
    /// This refusal's value as it may be shown; empty when absent.
    pub fn this(&self) -> Cow<'_, str> {
        match &self.this {
            This::Absent => Cow::Borrowed(""),
            This::Attribute(attribute) => Cow::Owned(attribute.shown()),
            This::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// What a refusal is set against.
pub struct Against<'a> {
    /// Successes.
    pub good: &'a [&'a Sample],
    /// Their attributes.
    pub columns: &'a Columns,
    /// Refusals of the place.
    pub bad: &'a [Sample],
    /// Their attributes.
    pub bad_columns: &'a Columns,
    /// Which of them sound like this one.
    pub similar_refusals: u64,
}

impl Against<'_> {
    /// How many similar_refusals do not have what successes have at `column`.
    fn unlike(&self, key: u64, column: Option<&Column>) -> u32 {
        let theirs = self.bad_columns.column(key).zip(column);
        let accepted = theirs.map_or(0, |(theirs, column)| theirs.shared(column));
        (self.similar_refusals & !accepted).count_ones()
    }
}

/// Sets `features` against successes, with refusals that sound like it as similar_refusals; best first.
pub fn contrasts<'a>(features: &Features<'a>, against: &Against<'_>, stats: &Stats) -> Vec<Contrast<'a>> {
    if against.good.is_empty() {
        return Vec::new();
    }
    let mut out: Vec<Contrast<'a>> =
        features.attributes.iter().filter_map(|attribute| present(attribute, against)).collect();
    absent(features, against, stats, &mut out);
    size(features, against, &mut out);
    let tried = (features.attributes.len() + out.len()).max(1) as f64;
    for contrast in &mut out {
        let (all, likewise) = contrast.refusals;
        contrast.chance = (fisher(likewise, all, contrast.successes) * tried).min(1.0);
    }
    out.sort_by(|a, b| {
        let named = || a.name.cmp(&b.name).then(a.family.cmp(&b.family));
        b.surprise.total_cmp(&a.surprise).then_with(named)
    });
    out
}

fn present<'a>(attribute: &Attribute<'a>, against: &Against<'_>) -> Option<Contrast<'a>> {
    if attribute.family == Family::Fact {
        return None;
    }
    let key = attribute.mark.key;
    let column = against.columns.column(key);
    if column.is_some_and(|column| column.with(attribute.mark.value) != 0) {
        return None;
    }
    let successes = against.good.len();
    let (change, chance, steady) = match column {
        None => (Change::Added, 0.5 / (successes as f32 + 1.0), true),
        Some(column) => {
            let once = column.singletons() as f32;
            let steady = column.count() >= 3 && column.singletons() * 5 <= column.count();
            (Change::Value, (once + 0.5) / (column.count() as f32 + 1.0), steady)
        }
    };
    let likewise = against.unlike(key, column);
    let (name, this) = (attribute.name.clone(), This::Attribute(attribute.clone()));
    let value = Some(attribute.mark.value);
    let contrast = finish(attribute.family, key, name, change, chance, this, likewise, against);
    Some(Contrast { value, steady, ..contrast })
}

/// Keys that most successes have and this refusal lacks.
fn absent(features: &Features<'_>, against: &Against<'_>, stats: &Stats, out: &mut Vec<Contrast<'_>>) {
    let successes = against.good.len();
    let mut own = features.attributes.iter().peekable();
    for column in against.columns.iter() {
        while own.next_if(|attribute| attribute.mark.key < column.key).is_some() {}
        let here = own.peek().is_some_and(|attribute| attribute.mark.key == column.key);
        if here || column.count() * 3 < successes * 2 {
            continue;
        }
        let Some((family, name)) = stats.name_of(column.key) else { continue };
        if !comparable(family, name, features) {
            continue;
        }
        let missing = successes.saturating_sub(column.count());
        let chance = (missing as f32 + 0.5) / (successes as f32 + 1.0);
        let likewise = against.unlike(column.key, Some(column));
        let name = Label::Made(name.into());
        let contrast =
            finish(family, column.key, name, Change::Absent, chance, This::Absent, likewise, against);
        out.push(Contrast { steady: missing == 0, ..contrast });
    }
}

/// Whether an absence means something: claims only with a token, members only with a body that could be read.
fn comparable(family: Family, name: &str, features: &Features<'_>) -> bool {
    match family {
        // An equality is broken only where both sides are there.
        Family::Ownership => {
            let there = |side: &str| features.attributes.iter().any(|one| &*one.name == side);
            name.split_once(" = ").is_some_and(|(one, other)| there(one) && there(other))
        }
        Family::Csrf if name == "token = cookie" => features.family(Family::Csrf).count() >= 2,
        Family::Fact | Family::Client | Family::Network | Family::Segment | Family::VersionSegment => false,
        Family::Audience
        | Family::Issuer
        | Family::KeyId
        | Family::Scope
        | Family::Role
        | Family::Subject
        | Family::Plan
        | Family::Claim
        | Family::Environment => features.has_token || name.starts_with("x-"),
        Family::Body => features.has_members,
        _ => true,
    }
}

/// A body larger than any accepted one.
fn size(features: &Features<'_>, against: &Against<'_>, out: &mut Vec<Contrast<'_>>) {
    let largest = against.good.iter().map(|sample| sample.body_len).max().unwrap_or(0);
    let above = |len: u64| len > largest.saturating_mul(3) / 2 + 120;
    if above(features.body_len) {
        let group = columns::those(against.bad, against.similar_refusals);
        let likewise = group.filter(|sample| above(sample.body_len)).count() as u32;
        let chance = 0.5 / (against.good.len() as f32 + 1.0);
        let this = This::Text(format!("{} bytes, {largest} at most in successes", features.body_len));
        let name = Label::Fixed("body size");
        out.push(finish(Family::BodySize, 0, name, Change::Value, chance, this, likewise, against));
    }
}

#[expect(clippy::too_many_arguments, reason = "the one place where a contrast is made")]
fn finish<'a>(
    family: Family,
    key: u64,
    name: Label,
    change: Change,
    chance: f32,
    this: This<'a>,
    likewise: u32,
    against: &Against<'_>,
) -> Contrast<'a> {
    let (group, successes) = (against.similar_refusals.count_ones(), against.good.len());
    let share = if group == 0 { 1.0 } else { likewise as f32 / group as f32 };
    let shared = if group > 1 && share > 0.99 { 0.25 * (group as f32).ln().min(2.0) } else { 0.0 };
    let bare = (-chance.max(1e-4).ln()).max(floor(family, change, successes));
    let surprise = bare * (0.35 + 0.65 * share) + if chance < 0.35 { shared } else { 0.0 };
    Contrast {
        key,
        family,
        name,
        change,
        surprise,
        this,
        value: None,
        steady: false,
        refusals: (group.max(1), likewise.max(1)),
        successes: successes as u32,
        chance: 1.0,
    }
}

/// Attributes that rules of servers test by themselves count a little even where successes vary.
fn floor(family: Family, change: Change, successes: usize) -> f32 {
    match family {
        _ if change == Change::Absent || successes < 2 => 0.0,
        Family::UserAgent
        | Family::Origin
        | Family::Referer
        | Family::Host
        | Family::MediaType
        | Family::Country => 0.9,
        Family::Network | Family::ApiKey | Family::Consumer | Family::Tenant => 0.6,
        Family::Client | Family::Subject => 0.4,
        _ => 0.0,
    }
}

/// Whether servers test an attribute of this family by itself.
pub const fn is_gate(family: Family) -> bool {
    matches!(
        family,
        Family::UserAgent
            | Family::Origin
            | Family::Referer
            | Family::Host
            | Family::MediaType
            | Family::Country
            | Family::Network
            | Family::Client
            | Family::ApiKey
            | Family::Consumer
            | Family::Tenant
            | Family::Scheme
            | Family::Scope
            | Family::Role
            | Family::Audience
            | Family::Issuer
            | Family::Csrf
            | Family::Session
            | Family::Ownership
            | Family::Certificate
            | Family::ForwardedFor
            | Family::ForwardedProto
            | Family::Charset
            | Family::ContentEncoding
            | Family::BodySize
    )
}

/// One-sided Fisher's exact test: `likewise` of `refusals` differ, none of `successes` does.
pub fn fisher(likewise: u32, refusals: u32, successes: u32) -> f64 {
    let mut probability = 1.0;
    for step in 0..likewise {
        let left = f64::from(refusals.saturating_sub(step));
        let all = f64::from(refusals + successes).max(1.0) - f64::from(step);
        probability *= left / all.max(1.0);
    }
    probability.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::fisher;

    #[test]
    fn fisher_matches_the_exact_table() {
        assert!((fisher(2, 2, 4) - 1.0 / 15.0).abs() < 1e-9);
        assert!((fisher(3, 3, 3) - 0.05).abs() < 1e-9);
        assert!((fisher(0, 2, 4) - 1.0).abs() < 1e-9);
    }
}
