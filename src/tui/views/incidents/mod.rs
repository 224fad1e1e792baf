//! Incidents: refusals grouped by what broke, since when and for whom.

mod card;
mod table;

use ratatui::layout::Rect;

use super::{Kind, Mover, Rows, Screen, View};
use crate::model::ExchangeId;
use crate::tui::action::Effect;
use crate::tui::doc::Doc;
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::state::incidents::IncidentList;
use crate::tui::update::filter;

/// The view.
pub(super) struct IncidentsView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Incidents),
    name: "incidents",
    place: Place::Everywhere,
    keys: &["F6", "I"],
    hint: "incidents",
    help: "Incidents: what broke, since when, for whom",
};

impl Screen for IncidentsView {
    fn name(&self) -> &'static str {
        "Incidents"
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn prepare(&self, state: &mut State, height: usize) {
        let now = state.now();
        state.incidents.prepare(&state.inspector, now, height);
    }

    fn document(&self, state: &State, _width: u16) -> Doc {
        card::card(state)
    }

    fn draw_list(&self, canvas: &mut Canvas<'_>, area: Rect, state: &State) {
        table::table(canvas, area, state);
    }

    fn mover<'s>(&self, state: &'s mut State) -> Mover<'s> {
        Mover::Rows(&mut state.incidents)
    }

    fn current(&self, state: &State) -> Option<ExchangeId> {
        state.incidents.selected().map(|incident| incident.last_id)
    }

    fn open(&self, state: &mut State) {
        filter::incident(state);
    }

    fn run(&self, state: &mut State, command: Command) -> Option<Vec<Effect>> {
        (command == Command::Copy).then(|| copy_note(state))
    }
}

/// Copies the note of the selected incident.
fn copy_note(state: &mut State) -> Vec<Effect> {
    let Some(incident) = state.incidents.selected() else {
        state.say("nothing is selected yet");
        return Vec::new();
    };
    vec![Effect::Copy { what: "incident note", text: card::note(state, incident) }]
}

impl Rows for IncidentList {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn position(&self) -> Option<usize> {
        (!self.is_empty()).then(|| Self::position(self))
    }

    fn height(&self) -> usize {
        Self::height(self)
    }

    fn top(&self) -> usize {
        self.visible().0
    }

    fn select(&mut self, index: usize) {
        Self::select(self, index);
    }
}
