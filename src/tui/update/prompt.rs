//! A line of text that is asked for: what keys do in it, and what Enter does with it.

use crossterm::event::KeyCode;

use super::movement::{Edited, edit};
use super::{command_line, search};
use crate::explain::incident_id::IncidentId;
use crate::tui::action::Effect;
use crate::tui::keys::Chord;
use crate::tui::state::State;
use crate::tui::state::input::{Input, Line, Prompt, PromptKind};
use crate::tui::views::groups;

/// Commands that are remembered.
const MAX_TYPED: usize = 100;

/// Opens the line.
pub(in crate::tui) fn open(state: &mut State, kind: PromptKind, text: &str) {
    let line = Line::new(text);
    state.input =
        Some(Input::Prompt(Prompt { kind, line, candidates: Vec::new(), chosen: None, recalled: 0 }));
}

/// A key in the line.
pub(super) fn key(state: &mut State, mut prompt: Prompt, chord: Chord) -> Vec<Effect> {
    match chord.code {
        KeyCode::Tab | KeyCode::BackTab => complete(state, &mut prompt, chord.code == KeyCode::Tab),
        KeyCode::Up => recall(state, &mut prompt, true),
        KeyCode::Down => recall(state, &mut prompt, false),
        _ => match edit(&mut prompt.line, chord) {
            Edited::Cancelled => return Vec::new(),
            Edited::Done => return done(state, &prompt),
            Edited::Open => {
                prompt.candidates.clear();
                prompt.chosen = None;
            }
        },
    }
    state.input = Some(Input::Prompt(prompt));
    Vec::new()
}

fn done(state: &mut State, prompt: &Prompt) -> Vec<Effect> {
    let text = prompt.line.text.trim();
    match prompt.kind {
        PromptKind::Note(id) => acknowledge(state, id, text),
        PromptKind::GroupBy => match text.parse() {
            Ok(by) => groups::group(state, by),
            Err(error) => state.complain(crate::incidents::GroupByError::to_string(&error)),
        },
        PromptKind::Search => search::start(state, text),
        PromptKind::Command => {
            remember(state, text);
            return command_line::run(state, text);
        }
    }
    Vec::new()
}

/// Acknowledges an incident.
pub(super) fn acknowledge(state: &mut State, id: IncidentId, note: &str) {
    state.incidents.acknowledge(id, Some(note.to_owned()));
    state.unkept = true;
    state.say(format!("incident {id} is known; the same key takes that back"));
}

fn remember(state: &mut State, text: &str) {
    if text.is_empty() {
        return;
    }
    state.typed.retain(|typed| typed != text);
    state.typed.push(text.to_owned());
    if state.typed.len() > MAX_TYPED {
        state.typed.remove(0);
    }
}

fn recall(state: &State, prompt: &mut Prompt, older: bool) {
    if prompt.kind != PromptKind::Command {
        return;
    }
    let next =
        if older { (prompt.recalled + 1).min(state.typed.len()) } else { prompt.recalled.saturating_sub(1) };
    prompt.recalled = next;
    let text = state.typed.len().checked_sub(next).and_then(|at| state.typed.get(at));
    prompt.line.set(text.map_or("", String::as_str));
    prompt.candidates.clear();
    prompt.chosen = None;
}

/// Puts the next candidate for the word at the cursor into the line, or the one before.
fn complete(state: &State, prompt: &mut Prompt, forward: bool) {
    if prompt.kind != PromptKind::Command {
        return;
    }
    let at = match prompt.chosen.filter(|_| prompt.candidates.len() > 1) {
        None => {
            prompt.candidates = command_line::complete(state, prompt);
            0
        }
        Some(at) if forward => (at + 1) % prompt.candidates.len().max(1),
        Some(at) => at.checked_sub(1).unwrap_or(prompt.candidates.len().saturating_sub(1)),
    };
    let Some(candidate) = prompt.candidates.get(at) else { return };
    let (start, cursor) = (candidate.replaces.start, prompt.line.cursor);
    if prompt.line.text.get(start..cursor).is_none() {
        return;
    }
    prompt.line.text.replace_range(start..cursor, &candidate.text);
    prompt.line.cursor = start + candidate.text.len();
    prompt.chosen = Some(at);
}
