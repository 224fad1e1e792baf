//! Up, down, marks, search.

use crossterm::event::{KeyCode, KeyModifiers};

use crate::tui::keys::Chord;
use crate::tui::state::State;
use crate::tui::state::input::Line;
use crate::tui::state::page::Page;
use crate::tui::views::{Mover, Rows};

fn mover(state: &mut State) -> Mover<'_> {
    state.view.screen().mover(state)
}

/// The page that is read, if one is.
pub(super) fn page(state: &mut State) -> Option<&mut Page> {
    match mover(state) {
        Mover::Page(page) => Some(page),
        Mover::Rows(_) => None,
    }
}

/// Moves within a list; an exchange that was jumped to is left.
fn move_rows(state: &mut State, by: impl FnOnce(&mut dyn Rows)) {
    if let Mover::Rows(rows) = mover(state) {
        by(rows);
        state.detail.leave();
    }
}

/// By rows.
pub(super) fn step(state: &mut State, rows: i64) {
    match page(state) {
        Some(page) => page.step(rows),
        None => move_rows(state, |list| list.step(rows)),
    }
}

/// By halves of what is visible.
pub(super) fn scroll(state: &mut State, halves: i64) {
    let height = match mover(state) {
        Mover::Page(page) => page.height(),
        Mover::Rows(rows) => rows.height(),
    } as i64;
    let rows = if halves.abs() == 1 { height / 2 * halves } else { (height - 1) * halves / 2 };
    let rows = if rows == 0 { halves.signum() } else { rows };
    match mover(state) {
        Mover::Page(page) => page.scroll(rows),
        Mover::Rows(_) => step(state, rows),
    }
}

/// To the first row, or to row `count`.
pub(super) fn first(state: &mut State, count: Option<u32>) {
    go(state, count.map_or(0, |count| count.saturating_sub(1) as usize));
}

/// To the last row; the stream follows from there.
pub(super) fn last(state: &mut State, count: Option<u32>) {
    match count {
        Some(count) => go(state, count.saturating_sub(1) as usize),
        None if page(state).is_some() => go(state, usize::MAX),
        None => move_rows(state, |list| list.last()),
    }
}

pub(super) fn go(state: &mut State, row: usize) {
    match page(state) {
        Some(page) => page.go(row),
        None => move_rows(state, |list| list.select(row)),
    }
}

/// Sets a mark or goes to it.
pub(super) fn mark(state: &mut State, letter: char, set: bool) {
    if set {
        if let Some(id) = state.current() {
            state.marks.insert(letter, id);
            state.say(format!("mark {letter} is set; '{letter} returns here"));
        }
        return;
    }
    match state.marks.get(&letter) {
        None => state.complain(format!("there is no mark {letter}; m{letter} sets it")),
        Some(&id) if !state.stream.select_id(id) => {
            state.complain(format!("mark {letter} is on #{}, which the filter hides", id.0));
        }
        Some(_) => state.detail.leave(),
    }
}

/// The next or previous exchange of the selected one's endpoint.
pub(super) fn same_endpoint(state: &mut State, forward: bool) {
    let history = state.inspector.history();
    let Some(current) = state.stream.current() else { return };
    let Some(endpoint) = history.row_of(current).map(|row| history.canonical(row.endpoint)) else { return };
    let found = state.stream.of_endpoint(history, endpoint, current, forward);
    match found {
        Some(id) => {
            state.stream.select_id(id);
            state.detail.leave();
        }
        None => state.say("no further exchange of this endpoint matches"),
    }
}

/// What a key did to a line.
pub(super) enum Edited {
    Open,
    Done,
    Cancelled,
}

/// Edits a line with the keys that shells use.
pub(super) fn edit(line: &mut Line, chord: Chord) -> Edited {
    let control = chord.modifiers.contains(KeyModifiers::CONTROL);
    match chord.code {
        KeyCode::Enter => return Edited::Done,
        KeyCode::Esc => return Edited::Cancelled,
        KeyCode::Char('c' | 'g') if control => return Edited::Cancelled,
        KeyCode::Char('h') if control => return backspace(line),
        KeyCode::Backspace => return backspace(line),
        KeyCode::Delete => line.delete(),
        KeyCode::Left => line.step(false),
        KeyCode::Right => line.step(true),
        KeyCode::Home => line.cursor = 0,
        KeyCode::End => line.cursor = line.text.len(),
        KeyCode::Char('a') if control => line.cursor = 0,
        KeyCode::Char('e') if control => line.cursor = line.text.len(),
        KeyCode::Char('u') if control => line.clear_before(),
        KeyCode::Char('k') if control => line.text.truncate(line.cursor),
        KeyCode::Char('w') if control => line.delete_word(),
        _ => {
            if let Some(letter) = chord.typed() {
                line.insert(letter.encode_utf8(&mut [0; 4]));
            }
        }
    }
    Edited::Open
}

fn backspace(line: &mut Line) -> Edited {
    if line.backspace() { Edited::Open } else { Edited::Cancelled }
}
