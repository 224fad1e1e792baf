//! Selects a range of the time line: lists and groups then show what began within it.

use crossterm::event::KeyCode;

use super::filter;
use crate::model::Timestamp;
use crate::tui::action::Effect;
use crate::tui::keys::Chord;
use crate::tui::state::State;
use crate::tui::state::input::Input;
use crate::tui::state::time_axis::Selecting;

/// Buckets of a long step.
const FAR: i64 = 10;

/// Begins at the end, or where the selected exchange began.
pub(super) fn open(state: &mut State) {
    let axis = &state.time_axis;
    if axis.used() == 0 {
        state.say("no exchanges yet");
        return;
    }
    let selected = state.current().filter(|_| !state.stream.follows());
    let at = selected.and_then(|id| state.inspector.history().row_of(id)).map(|row| axis.index(row.started));
    let cursor = at.unwrap_or(axis.used() - 1);
    state.input = Some(Input::Timeline(Selecting { cursor, anchor: None, window: 0..axis.used() }));
}

/// A key while a range is selected.
pub(super) fn key(state: &mut State, mut selecting: Selecting, chord: Chord) -> Vec<Effect> {
    let used = state.time_axis.used();
    match (chord.code, chord.typed()) {
        (KeyCode::Esc, _) | (_, Some('q')) => return Vec::new(),
        (KeyCode::Enter, _) => {
            apply(state, &selecting);
            return Vec::new();
        }
        (_, Some('0')) => {
            narrow(state, None);
            return Vec::new();
        }
        (KeyCode::Left, _) | (_, Some('h')) => selecting.step(-1, used),
        (KeyCode::Right, _) | (_, Some('l')) => selecting.step(1, used),
        (_, Some('H')) => selecting.step(-FAR, used),
        (_, Some('L')) => selecting.step(FAR, used),
        (KeyCode::Home, _) | (_, Some('g')) => selecting.step(i64::MIN / 2, used),
        (KeyCode::End, _) | (_, Some('G')) => selecting.step(i64::MAX / 2, used),
        (_, Some(' ')) => selecting.anchor = Some(selecting.cursor),
        (_, Some('+' | '=')) => selecting.zoom(true, used),
        (_, Some('-')) => selecting.zoom(false, used),
        _ => {}
    }
    state.input = Some(Input::Timeline(selecting));
    Vec::new()
}

fn apply(state: &mut State, selecting: &Selecting) {
    let range = selecting.range();
    let (from, to) = (state.time_axis.begin(range.start), state.time_axis.begin(range.end));
    narrow(state, from.zip(to));
}

/// The filter with these times instead of those that it has.
fn narrow(state: &mut State, times: Option<(Timestamp, Timestamp)>) {
    let text = state.stream.filter.text();
    let is_time = |word: &&str| word.starts_with("since:") || word.starts_with("until:");
    let kept: Vec<&str> = text.split_ascii_whitespace().filter(|word| !is_time(word)).collect();
    let mut text = kept.join(" ");
    if let Some((from, to)) = times {
        if kept.iter().any(|word| word.eq_ignore_ascii_case("or")) {
            text = format!("({text})");
        }
        text = format!("{text} since:{from} until:{to}");
    }
    filter::apply(state, text.trim());
}
