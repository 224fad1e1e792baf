//! The stream: exchanges that match, with the one that is open beside or instead of the list.

mod first_minute;
mod rows;

use ratatui::layout::Rect;

pub(super) use rows::cause;

use super::endpoints::overview;
use super::{Kind, Mover, Rows, Screen, View, reads_exchange};
use crate::model::ExchangeId;
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::layout::{self, Areas, HEADING};
use crate::tui::prepare_frame::shows_exchange;
use crate::tui::render::{Canvas, detail, frame};
use crate::tui::state::stream::Stream;
use crate::tui::state::{Focus, State};
use crate::tui::update::filter;

/// The view.
pub(super) struct StreamView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Stream),
    name: "stream",
    place: Place::Everywhere,
    keys: &["F2", "S"],
    hint: "stream",
    help: "Stream: exchanges that match",
};

impl Screen for StreamView {
    fn name(&self) -> &'static str {
        "Stream"
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn places(&self, state: &State) -> &'static [Place] {
        if reads_exchange(state) {
            &[Place::Detail, Place::Everywhere]
        } else {
            &[Place::Stream, Place::List, Place::Everywhere]
        }
    }

    fn lay_out(&self, state: &State, body: Rect, areas: &mut Areas) {
        layout::stream(state, body, areas);
    }

    fn prepare(&self, state: &mut State, height: usize) -> bool {
        if !shows_exchange(state) {
            state.endpoints.prepare(state.inspector.history(), height);
            state.stream.rank(state.inspector.history());
        }
        false
    }

    fn shown_causes(&self, state: &State, areas: &Areas) -> Vec<ExchangeId> {
        let mut shown: Vec<ExchangeId> = state.stream.visible().1.collect();
        if !shows_exchange(state) {
            let rows = state.stream.refusing().iter().take(usize::from(areas.detail.height));
            shown.extend(rows.map(|(_, tally)| tally.last));
        }
        shown
    }

    fn prepare_document(&self, state: &mut State, areas: &Areas) {
        if shows_exchange(state) && areas.detail.height > HEADING {
            let current = state.current();
            let size = (areas.detail.width.saturating_sub(2), areas.detail.height - HEADING);
            let tools = (&state.inspector, &state.redactor, &state.exports);
            let known = (&mut state.causes, state.stream.is_paused());
            state.detail.prepare(current, tools, known, state.theme.glyphs, size);
        }
    }

    fn draw(&self, canvas: &mut Canvas<'_>, areas: &Areas, state: &State) {
        rows::draw(canvas, areas.list, state);
        frame::divider(canvas, areas);
        if shows_exchange(state) {
            detail::draw(canvas, areas.detail, state);
        } else {
            overview(canvas, areas.detail, state);
        }
    }

    fn mover<'s>(&self, state: &'s mut State) -> Mover<'s> {
        if reads_exchange(state) {
            Mover::Page(&mut state.detail.page)
        } else {
            Mover::Rows(&mut state.stream)
        }
    }

    fn open(&self, state: &mut State) {
        if state.stream.current().is_none() {
            state.say("nothing is selected yet");
        } else {
            state.stream.hold();
            state.focus = Focus::Detail;
        }
    }

    fn back(&self, state: &mut State) {
        if reads_exchange(state) {
            if !state.detail.go_back() {
                state.focus = Focus::List;
            }
        } else if state.origin.is_some() {
            filter::return_to_origin(state);
        } else if !state.stream.follows() {
            state.stream.follow();
            state.detail.leave();
        }
    }

    fn close(&self, state: &mut State) -> bool {
        let reads = reads_exchange(state);
        if reads {
            state.detail.leave();
            state.focus = Focus::List;
        }
        reads
    }

    fn has_hint(&self, state: &State, command: Command) -> bool {
        command != Command::Back || reads_exchange(state)
    }
}

impl Rows for Stream {
    fn len(&self) -> usize {
        Self::len(self)
    }

    fn position(&self) -> Option<usize> {
        self.selected().map(|id| Self::position(self, id))
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

    fn step(&mut self, rows: i64) {
        if self.follows() && rows > 0 {
            return;
        }
        let last = self.len().saturating_sub(1) as i64;
        let at = self.current().map_or(last, |id| Self::position(self, id) as i64);
        Self::step(self, (at + rows).clamp(0, last.max(0)) - at);
    }

    fn last(&mut self) {
        self.follow();
    }
}
