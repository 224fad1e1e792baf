//! What could stand where somebody is typing a query: keys, and values that were seen.

use std::collections::BTreeMap;
use std::ops::Range;

use super::keys::{KEYS, Key, KeyInfo};
use super::lex::quote;
use super::term::Is;
use crate::history::History;
use crate::model::{Anomaly, Cause, Outcome};

/// Most completions that are offered.
pub const MAX_COMPLETIONS: usize = 50;
/// Newest exchanges that values are collected from.
const LOOKED_AT: usize = 4096;

/// One way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// Bytes of the query that it replaces.
    pub replaces: Range<usize>,
    /// What to put there.
    pub text: String,
    /// One line about it.
    pub help: String,
}

/// Completions for the term that ends at `cursor` (a byte offset), best first. Keys come first, then, after `key:`, values
/// that the history has seen or that exist at all.
pub fn complete(query: &str, cursor: usize, history: &History) -> Vec<Completion> {
    let before = query.get(..cursor).unwrap_or(query);
    let start = before.rfind(|c: char| c.is_whitespace() || matches!(c, '(' | '!')).map_or(0, |at| at + 1);
    let word = before.get(start..).unwrap_or_default();
    let sign = usize::from(word.starts_with('-'));
    let word = word.get(sign..).unwrap_or_default();
    let start = start + sign;
    let mut found = match word.split_once(':') {
        None => keys(word, start..before.len()),
        Some((name, values)) => {
            let Some(key) = Key::named(name) else { return Vec::new() };
            let last = values.rsplit(',').next().unwrap_or_default();
            let range = before.len() - last.len()..before.len();
            let typed = last.trim_start_matches('"').to_ascii_lowercase();
            let fits = |value: &(String, String)| value.0.to_ascii_lowercase().contains(&typed);
            let completion = |(value, help): (String, String)| Completion {
                replaces: range.clone(),
                text: quoted(&value),
                help,
            };
            values_of(key, history).into_iter().filter(fits).map(completion).collect()
        }
    };
    found.truncate(MAX_COMPLETIONS);
    found
}

fn keys(word: &str, replaces: Range<usize>) -> Vec<Completion> {
    let typed = word.to_ascii_lowercase();
    // `request.body` is another name for `request-body`, offered to those who type a dot.
    let names = |info: &'static KeyInfo| {
        let aliases = info.aliases.iter().filter(|alias| typed.contains('.') && alias.contains('.'));
        std::iter::once(&info.name).chain(aliases).map(|name| (*name, info.help))
    };
    let known = KEYS.iter().flat_map(names).filter(|(name, _)| name.starts_with(&typed));
    let completion = |(name, help): (&str, &str)| Completion {
        replaces: replaces.clone(),
        text: format!("{name}:"),
        help: help.into(),
    };
    known.map(completion).collect()
}

/// Values of `key` with a line about each: the most frequent first where they come from traffic.
pub fn values_of(key: Key, history: &History) -> Vec<(String, String)> {
    (key.info().seen)(history)
}

type Values = Vec<(String, String)>;

/// Values that exist whatever the traffic.
pub(super) fn fixed(values: &[&str]) -> Values {
    values.iter().map(|value| ((*value).to_owned(), String::new())).collect()
}

pub(super) fn causes(_: &History) -> Values {
    Cause::ALL.iter().map(|cause| (cause.id().to_owned(), cause.title().to_owned())).collect()
}

pub(super) fn anomalies(_: &History) -> Values {
    Anomaly::ALL.iter().map(|anomaly| (anomaly.name().to_owned(), anomaly.describe().to_owned())).collect()
}

pub(super) fn outcomes(_: &History) -> Values {
    fixed(&Outcome::ALL.map(Outcome::as_str))
}

pub(super) fn kinds(_: &History) -> Values {
    fixed(&Is::ALL.map(|(name, _)| name))
}

/// Statuses that were seen, then the classes.
pub(super) fn statuses(history: &History) -> Values {
    let mut values = seen(history, |record, add| {
        if let Some(status) = record.exchange.status() {
            add(status.to_string());
        }
    });
    values.extend(fixed(&["2xx", "3xx", "4xx", "5xx", "none"]));
    values
}

pub(super) fn request_fields(history: &History) -> Values {
    seen(history, |record, add| {
        let fields = record.exchange.request.iter().flat_map(|request| request.head.fields().iter());
        fields.for_each(|field| add(field.name_text().to_ascii_lowercase()));
    })
}

pub(super) fn response_fields(history: &History) -> Values {
    seen(history, |record, add| {
        let fields = record.exchange.response.iter().flat_map(|response| response.head.fields().iter());
        fields.for_each(|field| add(field.name_text().to_ascii_lowercase()));
    })
}

/// A path template as a pattern.
pub(super) fn glob(template: &str) -> String {
    let mut text = String::new();
    let mut depth = 0;
    for c in template.chars() {
        match c {
            '{' => {
                depth += 1;
                text.push('*');
            }
            '}' => depth -= 1,
            c if depth == 0 => text.push(c),
            _ => {}
        }
    }
    text
}

/// What `name` says of each endpoint.
pub(super) fn by_endpoint(history: &History, name: impl Fn(&crate::model::Endpoint) -> String) -> Values {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, state) in history.endpoints() {
        *counts.entry(name(&state.endpoint)).or_default() += state.exchanges;
    }
    by_count(counts)
}

/// What `values` adds for each of the newest exchanges.
pub(super) fn seen(
    history: &History,
    values: impl Fn(&crate::history::Record, &mut dyn FnMut(String)),
) -> Values {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for record in history.iter().rev().take(LOOKED_AT) {
        values(record, &mut |value| {
            if counts.len() < LOOKED_AT || counts.contains_key(&value) {
                *counts.entry(value).or_default() += 1;
            }
        });
    }
    by_count(counts)
}

fn by_count(counts: BTreeMap<String, u64>) -> Vec<(String, String)> {
    let mut counts: Vec<(String, u64)> = counts.into_iter().filter(|(value, _)| !value.is_empty()).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(value, count)| (value, format!("{count} exchanges"))).collect()
}

/// As a value of a query.
fn quoted(value: &str) -> String {
    let special = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | ',' | '(' | ')' | '\\');
    if value.contains(special) { quote(value) } else { value.to_owned() }
}
