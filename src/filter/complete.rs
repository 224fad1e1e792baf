//! What could stand where somebody is typing a query: keys, and values that were seen.

use std::collections::BTreeMap;
use std::ops::Range;

use super::keys::{KEYS, Key};
use super::lex::quote;
use super::term::Is;
use super::values::OUTCOMES;
use crate::history::History;
use crate::model::{Anomaly, Cause};

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
    let known = KEYS.iter().filter(|info| info.name.starts_with(&typed));
    let completion = |info: &super::KeyInfo| Completion {
        replaces: replaces.clone(),
        text: format!("{}:", info.name),
        help: info.help.into(),
    };
    known.map(completion).collect()
}

/// Values of `key` with a line about each: the most frequent first where they come from traffic.
pub fn values_of(key: Key, history: &History) -> Vec<(String, String)> {
    let fixed = |values: &mut dyn Iterator<Item = (&str, &str)>| {
        values.map(|(value, help)| (value.to_owned(), help.to_owned())).collect()
    };
    match key {
        Key::Cause => fixed(&mut Cause::ALL.iter().map(|cause| (cause.id(), cause.title()))),
        Key::Anomaly => fixed(&mut Anomaly::ALL.iter().map(|anomaly| (anomaly.name(), anomaly.describe()))),
        Key::Outcome => fixed(&mut OUTCOMES.iter().map(|outcome| (outcome.as_str(), ""))),
        Key::Is => fixed(&mut Is::ALL.iter().map(|(name, _)| (*name, ""))),
        Key::Endpoint => by_endpoint(history, ToString::to_string),
        Key::Host => by_endpoint(history, |endpoint| endpoint.authority.to_string()),
        Key::Method => by_endpoint(history, |endpoint| endpoint.method.to_string()),
        Key::Path => by_endpoint(history, |endpoint| glob(&endpoint.template)),
        Key::Status => {
            let mut values = seen(history, |record, add| {
                if let Some(status) = record.exchange.status() {
                    add(status.to_string());
                }
            });
            values
                .extend(["2xx", "3xx", "4xx", "5xx", "none"].map(|class| (class.to_owned(), String::new())));
            values
        }
        Key::Client => seen(history, |record, add| add(record.exchange.client.ip().to_string())),
        Key::Server => seen(history, |record, add| add(record.exchange.server.to_string())),
        Key::Port => seen(history, |record, add| add(record.exchange.server.port().to_string())),
        Key::RequestHeader | Key::Header => seen(history, |record, add| {
            let fields = record.exchange.request.iter().flat_map(|request| request.head.fields().iter());
            fields.for_each(|field| add(field.name_text().to_ascii_lowercase()));
        }),
        Key::ResponseHeader => seen(history, |record, add| {
            let fields = record.exchange.response.iter().flat_map(|response| response.head.fields().iter());
            fields.for_each(|field| add(field.name_text().to_ascii_lowercase()));
        }),
        Key::Since | Key::Until => fixed(&mut ["30s", "5m", "1h", "1d"].into_iter().map(|span| (span, ""))),
        Key::Latency => fixed(&mut [">100ms", ">500ms", ">1s"].into_iter().map(|span| (span, ""))),
        Key::Size | Key::ResponseSize => fixed(&mut ["0", ">8k", ">64k"].into_iter().map(|size| (size, ""))),
        _ => Vec::new(),
    }
}

fn glob(template: &str) -> String {
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

fn by_endpoint(history: &History, name: impl Fn(&crate::model::Endpoint) -> String) -> Vec<(String, String)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for (_, state) in history.endpoints() {
        *counts.entry(name(&state.endpoint)).or_default() += state.exchanges;
    }
    by_count(counts)
}

fn seen(
    history: &History,
    values: impl Fn(&crate::history::Record, &mut dyn FnMut(String)),
) -> Vec<(String, String)> {
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
