//! Which attributes separate this refusal, and those that sound like it, from the successes.

use super::attribute::{Attribute, Sheet};
use super::family::Family;
use super::stats::{Sample, Stats};

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
pub struct Contrast {
    /// Hash of family and name.
    pub key: u64,
    /// Family.
    pub family: Family,
    /// Name.
    pub name: String,
    /// How it differs.
    pub change: Change,
    /// How surprising that is if it had nothing to do with the refusal, in nats.
    pub surprise: f32,
    /// This refusal's value as it may be shown; empty when absent.
    pub this: String,
    /// Refusals that sound the same, this one included, and how many of them differ likewise.
    pub refusals: (u32, u32),
    /// Successes looked at.
    pub successes: u32,
    /// One-sided Fisher probability of so clean a separation, times the number of attributes tried.
    pub chance: f64,
}

/// Sets `sheet` against `good`, with `group` (refusals that sound like it) as fellows; best first.
pub fn contrasts(sheet: &Sheet, good: &[&Sample], group: &[&Sample], stats: &Stats) -> Vec<Contrast> {
    if good.is_empty() {
        return Vec::new();
    }
    let (columns, extra) = columns(sheet, good);
    let pairs = sheet.attributes.iter().zip(columns);
    let mut out: Vec<Contrast> =
        pairs.filter_map(|(attribute, values)| present(attribute, values, good, group)).collect();
    absent(sheet, &extra, good, group, stats, &mut out);
    size(sheet, good, group, &mut out);
    let tried = (sheet.attributes.len() + out.len()).max(1) as f64;
    for contrast in &mut out {
        let (all, likewise) = contrast.refusals;
        contrast.chance = (fisher(likewise, all, contrast.successes) * tried).min(1.0);
    }
    out.sort_by(|a, b| b.surprise.total_cmp(&a.surprise).then_with(|| a.name.cmp(&b.name)));
    out
}

/// For each attribute of `sheet` the values that successes have, and the keys that only successes have. One pass over the
/// sorted lists.
fn columns(sheet: &Sheet, good: &[&Sample]) -> (Vec<Vec<u64>>, Vec<u64>) {
    let mut columns = vec![Vec::with_capacity(good.len()); sheet.attributes.len()];
    let mut extra = Vec::new();
    for sample in good {
        let mut own = sheet.attributes.iter().zip(columns.iter_mut()).peekable();
        for mark in &sample.marks {
            while own.next_if(|(attribute, _)| attribute.mark.key < mark.key).is_some() {}
            match own.peek_mut() {
                Some((attribute, column)) if attribute.mark.key == mark.key => column.push(mark.value),
                _ => extra.push(mark.key),
            }
        }
    }
    extra.sort_unstable();
    (columns, extra)
}

fn present(
    attribute: &Attribute,
    mut values: Vec<u64>,
    good: &[&Sample],
    group: &[&Sample],
) -> Option<Contrast> {
    if attribute.family == Family::Fact {
        return None;
    }
    let key = attribute.mark.key;
    if values.contains(&attribute.mark.value) {
        return None;
    }
    values.sort_unstable();
    let having = values.len();
    let once = singletons(&values) as f32;
    let (change, chance) = if having == 0 {
        (Change::Added, 0.5 / (good.len() as f32 + 1.0))
    } else {
        (Change::Value, (once + 0.5) / (having as f32 + 1.0))
    };
    let likewise = group
        .iter()
        .filter(|sample| sample.value(key).is_none_or(|value| values.binary_search(&value).is_err()));
    Some(finish(
        attribute.family,
        key,
        &attribute.name,
        change,
        chance,
        attribute.shown(),
        group,
        likewise.count(),
        good.len(),
    ))
}

/// Keys that most successes have and this refusal lacks.
fn absent(
    sheet: &Sheet,
    keys: &[u64],
    good: &[&Sample],
    group: &[&Sample],
    stats: &Stats,
    out: &mut Vec<Contrast>,
) {
    for run in keys.chunk_by(|a, b| a == b) {
        let Some(key) = run.first().copied() else { continue };
        let missing = good.len().saturating_sub(run.len());
        if run.len() * 3 < good.len() * 2 {
            continue;
        }
        let Some((family, name)) = stats.name_of(key) else { continue };
        if !comparable(family, sheet) {
            continue;
        }
        let chance = (missing as f32 + 0.5) / (good.len() as f32 + 1.0);
        let known: Vec<u64> = good.iter().filter_map(|sample| sample.value(key)).collect();
        let unlike = |sample: &&&Sample| sample.value(key).is_none_or(|value| !known.contains(&value));
        let likewise = group.iter().filter(unlike).count();
        out.push(finish(
            family,
            key,
            name,
            Change::Absent,
            chance,
            String::new(),
            group,
            likewise,
            good.len(),
        ));
    }
}

/// Whether an absence means something: claims only with a token, members only with a body that could be read.
fn comparable(family: Family, sheet: &Sheet) -> bool {
    match family {
        Family::Fact | Family::Client | Family::Network | Family::Segment | Family::VersionSegment => false,
        Family::Audience
        | Family::Issuer
        | Family::KeyId
        | Family::Scope
        | Family::Role
        | Family::Subject
        | Family::Plan
        | Family::Claim
        | Family::Environment => sheet.has_token,
        Family::Body => sheet.has_members,
        _ => true,
    }
}

/// A body larger than any accepted one.
fn size(sheet: &Sheet, good: &[&Sample], group: &[&Sample], out: &mut Vec<Contrast>) {
    let largest = good.iter().map(|sample| sample.body_len).max().unwrap_or(0);
    let above = |len: u64| len > largest.saturating_mul(3) / 2 + 120;
    if above(sheet.body_len) {
        let likewise = group.iter().filter(|sample| above(sample.body_len)).count();
        let chance = 0.5 / (good.len() as f32 + 1.0);
        let shown = format!("{} bytes, {largest} at most in successes", sheet.body_len);
        out.push(finish(
            Family::BodySize,
            0,
            "body size",
            Change::Value,
            chance,
            shown,
            group,
            likewise,
            good.len(),
        ));
    }
}

#[expect(clippy::too_many_arguments, reason = "the one place where a contrast is made")]
fn finish(
    family: Family,
    key: u64,
    name: &str,
    change: Change,
    chance: f32,
    this: String,
    group: &[&Sample],
    likewise: usize,
    successes: usize,
) -> Contrast {
    let share = if group.is_empty() { 1.0 } else { likewise as f32 / group.len() as f32 };
    let shared =
        if group.len() > 1 && share > 0.99 { 0.25 * (group.len() as f32).ln().min(2.0) } else { 0.0 };
    let bare = (-chance.max(1e-4).ln()).max(floor(family, change, successes));
    let surprise = bare * (0.35 + 0.65 * share) + if chance < 0.35 { shared } else { 0.0 };
    Contrast {
        key,
        family,
        name: name.to_owned(),
        change,
        surprise,
        this,
        refusals: (group.len().max(1) as u32, likewise.max(1) as u32),
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

/// Values that occur once, of a sorted list.
fn singletons(values: &[u64]) -> usize {
    values.chunk_by(|a, b| a == b).filter(|run| run.len() == 1).count()
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
