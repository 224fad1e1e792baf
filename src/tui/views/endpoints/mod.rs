//! Endpoints: refusals and successes of each.

mod card;
mod table;

use ratatui::layout::Rect;

pub(in crate::tui) use table::clock;
pub(super) use table::overview;

use super::{Kind, Mover, Rows, Screen, View};
use crate::model::ExchangeId;
use crate::tui::action::Effect;
use crate::tui::doc::Doc;
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::layout::Areas;
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::state::endpoints::EndpointList;
use crate::tui::update::filter;

/// The view.
pub(super) struct EndpointsView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Endpoints),
    name: "endpoints",
    place: Place::Everywhere,
    keys: &["F3", "E"],
    hint: "endpoints",
    help: "Endpoints: refusals and successes of each",
};

impl Screen for EndpointsView {
    fn name(&self) -> &'static str {
        "Endpoints"
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn places(&self, _state: &State) -> &'static [Place] {
        &[Place::Endpoints, Place::List, Place::Everywhere]
    }

    fn prepare(&self, state: &mut State, height: usize) -> bool {
        state.endpoints.prepare(state.inspector.history(), height);
        false
    }

    fn shown_causes(&self, state: &State, _areas: &Areas) -> Vec<ExchangeId> {
        state.endpoints.visible().1.filter_map(|(_, row)| row.last_refusal).collect()
    }

    fn document(&self, state: &State, _width: u16) -> Doc {
        card::card(state)
    }

    fn draw_list(&self, canvas: &mut Canvas<'_>, area: Rect, state: &State) {
        table::table(canvas, area, state);
    }

    fn mover<'s>(&self, state: &'s mut State) -> Mover<'s> {
        Mover::Rows(&mut state.endpoints)
    }

    fn current(&self, state: &State) -> Option<ExchangeId> {
        state.endpoints.selected().and_then(|row| row.last_refusal)
    }

    fn open(&self, state: &mut State) {
        filter::endpoint(state);
    }

    fn run(&self, state: &mut State, command: Command) -> Option<Vec<Effect>> {
        (command == Command::Sort).then(|| {
            state.endpoints.order = state.endpoints.order.next();
            state.say(format!("ordered by {}", state.endpoints.order.as_str()));
            Vec::new()
        })
    }
}

impl Rows for EndpointList {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn position(&self) -> Option<usize> {
        Some(Self::position(self))
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
