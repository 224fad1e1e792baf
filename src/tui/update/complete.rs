//! Completion in the filter line: the query language's keys and values, and saved filters.

use crate::filter::{Completion, complete};
use crate::tui::state::State;
use crate::tui::state::input::FilterLine;

/// Puts the next candidate for the word at the cursor into the line, or the one before.
pub(super) fn next(state: &State, line: &mut FilterLine, forward: bool) {
    let at = match line.chosen.filter(|_| line.candidates.len() > 1) {
        None => {
            line.candidates = candidates(state, &line.line.text, line.line.cursor);
            0
        }
        Some(at) if forward => (at + 1) % line.candidates.len().max(1),
        Some(at) => at.checked_sub(1).unwrap_or(line.candidates.len().saturating_sub(1)),
    };
    let Some(candidate) = line.candidates.get(at) else { return };
    let start = candidate.replaces.start;
    if line.line.text.get(start..line.line.cursor).is_none() {
        return;
    }
    line.line.text.replace_range(start..line.line.cursor, &candidate.text);
    line.line.cursor = start + candidate.text.len();
    line.chosen = Some(at);
}

fn candidates(state: &State, text: &str, cursor: usize) -> Vec<Completion> {
    let mut found = complete(text, cursor, state.inspector.history());
    let before = text.get(..cursor).unwrap_or_default();
    let start = before.rfind([' ', '(']).map_or(0, |at| at + 1);
    let typed = before.get(start..).unwrap_or_default();
    if typed.is_empty() || typed.starts_with('@') {
        let saved = state.saved.iter().map(|(name, filter)| (format!("@{name}"), filter.clone()));
        let fits = saved.filter(|(name, _)| name.starts_with(typed));
        found.extend(fits.map(|(text, help)| Completion { replaces: start..cursor, text, help }));
    }
    found
}
