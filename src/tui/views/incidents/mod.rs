//! Incidents: refusals grouped by what broke, since when and for whom.

mod card;
mod table;

use ratatui::layout::Rect;

use super::{Kind, Mover, Rows, Screen, View, groups};
use crate::incidents::GroupBy;
use crate::model::ExchangeId;
use crate::tui::action::Effect;
use crate::tui::doc::Doc;
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::state::incidents::IncidentList;
use crate::tui::state::input::PromptKind;
use crate::tui::update::{filter, prompt};

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

    fn places(&self, _state: &State) -> &'static [Place] {
        &[Place::Incidents, Place::List, Place::Everywhere]
    }

    fn prepare(&self, state: &mut State, height: usize) -> bool {
        prepare(state, height)
    }

    fn rows_wanted(&self, state: &State) -> Option<usize> {
        Some(state.incidents.len())
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
        match command {
            Command::Copy => return Some(copy_note(state)),
            Command::Clients => groups::group(state, GroupBy::Client),
            Command::Acknowledge => acknowledge(state),
            _ => return None,
        }
        Some(Vec::new())
    }
}

/// Finds the incidents for the next frame.
pub(super) fn prepare(state: &mut State, height: usize) -> bool {
    let (now, masking) = (state.now(), state.masking());
    state.incidents.prepare(&state.inspector, now, &masking, height)
}

/// Asks for the note that acknowledges the selected incident, or takes the acknowledgement back.
fn acknowledge(state: &mut State) {
    let Some(id) = state.incidents.selected().map(|incident| incident.id) else {
        state.say("nothing is selected yet");
        return;
    };
    if state.incidents.note(id).is_some() {
        state.incidents.acknowledge(id, None);
        state.unkept = true;
        state.say(format!("incident {id} is no longer acknowledged"));
    } else {
        prompt::open(state, PromptKind::Note(id), "");
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
