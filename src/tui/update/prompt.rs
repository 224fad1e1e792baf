//! A line of text that is asked for: what Enter does with it.

use super::movement::{Edited, edit};
use crate::explain::incident_id::IncidentId;
use crate::tui::action::Effect;
use crate::tui::keys::Chord;
use crate::tui::state::State;
use crate::tui::state::input::{Input, Line, Prompt, PromptKind};
use crate::tui::views::groups;

/// Opens the line.
pub(in crate::tui) fn open(state: &mut State, kind: PromptKind, text: &str) {
    state.input = Some(Input::Prompt(Prompt { kind, line: Line::new(text) }));
}

/// A key in the line.
pub(super) fn key(state: &mut State, mut prompt: Prompt, chord: Chord) -> Vec<Effect> {
    match edit(&mut prompt.line, chord) {
        Edited::Cancelled => {}
        Edited::Open => state.input = Some(Input::Prompt(prompt)),
        Edited::Done => done(state, &prompt),
    }
    Vec::new()
}

fn done(state: &mut State, prompt: &Prompt) {
    let text = prompt.line.text.trim();
    match prompt.kind {
        PromptKind::Note(id) => acknowledge(state, id, text),
        PromptKind::GroupBy => match text.parse() {
            Ok(by) => groups::group(state, by),
            Err(error) => state.complain(crate::incidents::GroupByError::to_string(&error)),
        },
    }
}

fn acknowledge(state: &mut State, id: IncidentId, note: &str) {
    state.incidents.acknowledge(id, Some(note.to_owned()));
    state.say(format!("incident {id} is known; the same key takes that back"));
}
