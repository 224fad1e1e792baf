//! The views of the screen. Each is one type behind [`Screen`], in a file or folder of its own, and one line of the list below.

mod affected;
mod compare;
mod endpoints;
pub(super) mod groups;
mod health;
mod help;
mod incidents;
mod stream;

pub(super) use endpoints::clock;

use super::action::Effect;
use super::doc::Doc;
use super::keys::{Binding, Command, Place};
use super::layout::{self, Areas, HEADING};
use super::render::Canvas;
use super::render::{detail, frame};
use super::state::page::Page;
use super::state::{Focus, State};
use crate::model::ExchangeId;
use ratatui::layout::Rect;

macro_rules! views {
    ($($(#[$doc:meta])* $view:ident = $screen:expr $(, $field:ident: $own:ty)?;)*) => {
        /// What fills the screen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum View { $($(#[$doc])* $view,)* }

        impl View {
            /// Every view, in the order of the header.
            pub const ALL: &'static [Self] = &[$(Self::$view),*];

            /// The type that draws it and takes its keys.
            pub(in crate::tui) fn screen(self) -> &'static dyn Screen {
                match self { $(Self::$view => &$screen,)* }
            }
        }

        /// What views keep for themselves.
        #[derive(Debug, Default)]
        pub struct ViewStates {
            $($(#[doc = stringify!($view)] pub $field: $own,)?)*
        }
    };
}

views! {
    /// Exchanges that match.
    Stream = stream::StreamView;
    /// Endpoints.
    Endpoints = endpoints::EndpointsView;
    /// Incidents.
    Incidents = incidents::IncidentsView;
    /// Exchanges counted by a property.
    Groups = groups::GroupsView, groups: groups::list::GroupList;
    /// Who an incident affects.
    Affected = affected::AffectedView;
    /// Two exchanges side by side.
    Compare = compare::CompareView;
    /// Source, losses, memory, queue.
    Health = health::HealthView;
    /// Keys.
    Help = help::HelpView;
}

/// What a view is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Kind {
    /// A list, to which pages return.
    List,
    /// One document.
    Page,
}

/// One view: its keys, its layout, what it draws and what its keys do. State of its own is named in the list of views.
pub(in crate::tui) trait Screen: Sync {
    /// The name in the header.
    fn name(&self) -> &'static str;

    /// Whether it is a list or a page.
    fn kind(&self) -> Kind;

    /// The key that opens it, as a line of the key table.
    fn binding(&self) -> Option<&'static Binding> {
        None
    }

    /// Whether the header names it although it is not open.
    fn is_in_header(&self) -> bool {
        true
    }

    /// Why it cannot be opened now.
    fn refuses(&self, _state: &State) -> Option<String> {
        None
    }

    /// The places whose keys are active, narrowest first.
    fn places(&self, _state: &State) -> &'static [Place] {
        match self.kind() {
            Kind::List => &[Place::List, Place::Everywhere],
            Kind::Page => &[Place::Detail, Place::Everywhere],
        }
    }

    /// Divides `body`, the screen without its bars.
    fn lay_out(&self, state: &State, body: Rect, areas: &mut Areas) {
        match self.kind() {
            Kind::List => layout::list_and_card(state, body, areas, self.rows_wanted(state)),
            Kind::Page => areas.page = body,
        }
    }

    /// Rows of the list that there are, where the card is to have what they leave.
    fn rows_wanted(&self, _state: &State) -> Option<usize> {
        None
    }

    /// Orders the list for the next frame, before the screen is laid out; `height` rows of it are visible. Whether something is left
    /// for the frame after.
    fn prepare(&self, _state: &mut State, _height: usize) -> bool {
        false
    }

    /// Exchanges whose top cause the frame shows.
    fn shown_causes(&self, _state: &State, _areas: &Areas) -> Vec<ExchangeId> {
        Vec::new()
    }

    /// The document of a page, or of the pane below a list.
    fn document(&self, _state: &State, _width: u16) -> Doc {
        Doc::default()
    }

    /// Prepares the document for the next frame.
    fn prepare_document(&self, state: &mut State, areas: &Areas) {
        let (area, heading) = match self.kind() {
            Kind::List => (areas.detail, 0),
            Kind::Page => (areas.page, HEADING),
        };
        let width = area.width.saturating_sub(2);
        let doc = self.document(state, width);
        state.page.set(doc, true);
        state.page.prepare(width, area.height.saturating_sub(heading), !state.detail.cut);
    }

    /// Draws the list.
    fn draw_list(&self, _canvas: &mut Canvas<'_>, _area: Rect, _state: &State) {}

    /// The heading of a page.
    fn title(&self) -> &'static str {
        self.name()
    }

    /// Draws everything between the bars.
    fn draw(&self, canvas: &mut Canvas<'_>, areas: &Areas, state: &State) {
        match self.kind() {
            Kind::Page => detail::page(canvas, areas.page, state, self.title()),
            Kind::List => {
                self.draw_list(canvas, areas.list, state);
                frame::divider(canvas, areas);
                detail::card(canvas, areas.detail, state);
            }
        }
    }

    /// What the movement keys move.
    fn mover<'s>(&self, state: &'s mut State) -> Mover<'s> {
        Mover::Page(&mut state.page)
    }

    /// The exchange that commands act on.
    fn current(&self, state: &State) -> Option<ExchangeId> {
        state.detail.jumped.or_else(|| state.stream.current())
    }

    /// What Enter and a second click do.
    fn open(&self, _state: &mut State) {}

    /// What Esc does.
    fn back(&self, state: &mut State) {
        let to = if self.kind() == Kind::List { View::Stream } else { state.list };
        super::update::show(state, to);
    }

    /// Whether Quit closes something here instead of leaving the program; closes it.
    fn close(&self, state: &mut State) -> bool {
        if self.kind() == Kind::Page {
            super::update::show(state, state.list);
        }
        self.kind() == Kind::Page
    }

    /// What `command` does here, where that differs from what it does elsewhere.
    fn run(&self, _state: &mut State, _command: Command) -> Option<Vec<Effect>> {
        None
    }

    /// Whether the footer shows the key of `command` while this view is open.
    fn has_hint(&self, _state: &State, command: Command) -> bool {
        let reading = self.kind() == Kind::Page;
        match command {
            Command::NextTab | Command::Baseline | Command::Copy | Command::Pause | Command::Jump => !reading,
            Command::Back => reading,
            _ => true,
        }
    }
}

/// What the movement keys move.
pub(in crate::tui) enum Mover<'a> {
    /// A document.
    Page(&'a mut Page),
    /// A list.
    Rows(&'a mut dyn Rows),
}

/// A list with a selected row.
pub(in crate::tui) trait Rows {
    /// Number of rows.
    fn len(&self) -> usize;
    /// The index of the selected row; `None` when there is none.
    fn position(&self) -> Option<usize>;
    /// Rows that were visible last.
    fn height(&self) -> usize;
    /// The first row that was visible last.
    fn top(&self) -> usize;
    /// Selects the row at `index`, or the last.
    fn select(&mut self, index: usize);
    /// Moves by `rows`.
    fn step(&mut self, rows: i64) {
        let at = self.position().unwrap_or_default() as i64;
        self.select(usize::try_from(at.saturating_add(rows)).unwrap_or(0));
    }
    /// To the last row.
    fn last(&mut self) {
        self.select(usize::MAX);
    }
}

/// Whether the pane beside the stream has the keys.
fn reads_exchange(state: &State) -> bool {
    state.focus == Focus::Detail
}
