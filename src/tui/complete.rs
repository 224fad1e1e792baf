//! Completion in the filter line: keys, and values that were seen.

use crate::model::Cause;
use crate::tui::state::State;
use crate::tui::state::input::FilterLine;
use crate::tui::update::quoted;

/// Keys of the query language that a person is likely to want, most likely first.
const KEYS: &[&str] = &[
    "status:",
    "method:",
    "endpoint:",
    "host:",
    "path:",
    "cause:",
    "client:",
    "header:",
    "body:",
    "latency:",
    "size:",
    "since:",
    "server:",
    "port:",
    "not ",
    "or ",
];

/// Candidates at most.
const MAX: usize = 50;

/// Exchanges looked at for values.
const RECENT: usize = 2000;

/// Puts the next candidate for the word at the cursor into the line.
pub(super) fn next(state: &State, line: &mut FilterLine, forward: bool) {
    let (start, index) = match line.completing {
        Some((start, index)) => {
            let len = line.candidates.len();
            (start, if forward { (index + 1) % len.max(1) } else { (index + len.max(1) - 1) % len.max(1) })
        }
        None => {
            let start = word_start(line.line.text.get(..line.line.cursor).unwrap_or_default());
            line.candidates =
                candidates(state, line.line.text.get(start..line.line.cursor).unwrap_or_default());
            (start, 0)
        }
    };
    let Some(candidate) = line.candidates.get(index) else { return };
    line.line.text.replace_range(start..line.line.cursor, candidate);
    line.line.cursor = start + candidate.len();
    line.completing = Some((start, index));
}

/// Where the word begins that ends the text: after a blank, an opening parenthesis or a minus sign outside of quotes.
fn word_start(before: &str) -> usize {
    let (mut start, mut in_quotes) = (0, false);
    for (at, letter) in before.char_indices() {
        match letter {
            '"' => in_quotes = !in_quotes,
            ' ' | '(' if !in_quotes => start = at + 1,
            '-' | '!' if at == start && !in_quotes => start = at + 1,
            _ => {}
        }
    }
    start
}

/// What the word may become.
pub(super) fn candidates(state: &State, word: &str) -> Vec<String> {
    let found: Vec<String> = match word.split_once(':') {
        Some((key, value)) => {
            let value = value.trim_start_matches('"').to_lowercase();
            let fits = |seen: &String| seen.to_lowercase().contains(&value) && seen.to_lowercase() != value;
            let mut seen: Vec<String> = values(state, key).into_iter().filter(fits).collect();
            seen.sort_by_key(|seen| !seen.to_lowercase().starts_with(&value));
            seen.into_iter().map(|seen| format!("{key}:{}", quoted(&seen))).collect()
        }
        None => {
            let saved = state.saved.keys().map(|name| format!("@{name}"));
            let keys = KEYS.iter().map(|key| (*key).to_owned());
            keys.chain(saved).filter(|key| key.starts_with(word) && key != word).collect()
        }
    };
    found.into_iter().take(MAX).collect()
}

/// Values of `key` that were seen, the most frequent or newest first.
fn values(state: &State, key: &str) -> Vec<String> {
    let history = state.inspector.history();
    let recent = || history.iter().rev().take(RECENT);
    let mut seen: Vec<String> = match key.trim_start_matches(['-', '!']) {
        "endpoint" => {
            let mut all: Vec<_> = history.endpoints().map(|(_, state)| state).collect();
            all.sort_by_key(|state| std::cmp::Reverse((state.refusals, state.exchanges)));
            all.iter().map(|state| state.endpoint.to_string()).collect()
        }
        "host" => history.endpoints().map(|(_, state)| state.endpoint.authority.to_string()).collect(),
        "method" => history.methods().iter().skip(1).map(ToString::to_string).collect(),
        "path" => history.endpoints().map(|(_, state)| state.endpoint.template.to_string()).collect(),
        "status" => {
            let seen = state.traffic.statuses.keys().filter(|status| **status > 0).map(ToString::to_string);
            seen.chain(["4xx", "5xx", "2xx"].map(str::to_owned)).collect()
        }
        "cause" => {
            let known = recent().filter_map(|record| state.causes.get(record.exchange.id)?.cause);
            known
                .map(|(cause, _)| cause)
                .chain(Cause::ALL.iter().copied())
                .map(|cause| cause.id().to_owned())
                .collect()
        }
        "client" => recent().map(|record| record.exchange.client.ip().to_string()).collect(),
        "server" => recent().map(|record| record.exchange.server.ip().to_string()).collect(),
        "port" => recent().map(|record| record.exchange.server.port().to_string()).collect(),
        "header" => recent()
            .take(50)
            .filter_map(|record| record.exchange.request.as_ref())
            .flat_map(|request| request.head.fields().iter().map(|field| field.name_text().to_lowercase()))
            .collect(),
        "since" => ["30s", "1m", "5m", "1h"].map(str::to_owned).to_vec(),
        "latency" => [">100ms", ">500ms", ">1s"].map(str::to_owned).to_vec(),
        _ => Vec::new(),
    };
    let mut known = std::collections::HashSet::new();
    seen.retain(|value| known.insert(value.clone()));
    seen
}

#[cfg(test)]
mod tests {
    use super::word_start;

    #[test]
    fn the_word_begins_after_blanks_signs_and_parentheses() {
        for (before, start) in
            [("", 0), ("status:4", 0), ("a st", 2), ("-st", 1), ("(me", 1), ("endpoint:\"POST a", 0)]
        {
            assert_eq!(word_start(before), start, "{before}");
        }
    }
}
