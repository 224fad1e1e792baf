//! What a click does: it goes where it points, and a second one on the same row opens it.

use ratatui::layout::{Position, Rect};

use super::{command, filter, movement};
use crate::tui::keys::Command;
use crate::tui::layout::{HEADING, areas, headings, tabs};
use crate::tui::prepare_frame::shows_exchange;
use crate::tui::state::{Focus, State, View};
use crate::tui::views::Mover;

/// A click at column `x` of row `y`.
pub(super) fn click(state: &mut State, x: u16, y: u16) {
    focus(state, x, y);
    let areas = areas(state);
    let at = Position::new(x, y);
    let below = |area: Rect| usize::from(y.saturating_sub(area.y + HEADING));
    if areas.header.contains(at) {
        header(state, x);
    } else if areas.list.contains(at) && y >= areas.list.y + HEADING {
        row(state, below(areas.list));
    } else if areas.detail.contains(at) && shows_exchange(state) {
        state.focus = Focus::Detail;
        if y == areas.detail.y {
            let clicked =
                |(_, start, width): &(_, u16, u16)| (*start..start + width).contains(&(x - areas.detail.x));
            state.detail.tab = tabs().find(clicked).map_or(state.detail.tab, |(tab, ..)| tab);
        } else {
            let line = state.detail.page.top + below(areas.detail);
            movement::go(state, line);
        }
    } else if areas.page.contains(at) && y >= areas.page.y + HEADING {
        let line = state.page.top + below(areas.page);
        movement::go(state, line);
    }
}

/// Gives the keys to the pane at a place.
pub(super) fn focus(state: &mut State, x: u16, y: u16) {
    let areas = areas(state);
    let at = Position::new(x, y);
    if areas.detail.contains(at) && state.view == View::Stream && !state.stream.follows() {
        state.focus = Focus::Detail;
    } else if areas.list.contains(at) {
        state.focus = Focus::List;
    }
}

fn header(state: &mut State, x: u16) {
    let names = headings(state).last().map_or(0, |(_, _, start, width)| start + width);
    let clicked = headings(state).find(|(_, _, start, width)| (*start..start + width).contains(&x));
    match clicked {
        Some((view, ..)) if view != state.view => command::show(state, view),
        None if x > names => filter::edit(state),
        _ => {}
    }
}

fn row(state: &mut State, number: usize) {
    let Mover::Rows(rows) = state.view.screen().mover(state) else { return };
    let (first, len, selected) = (rows.top(), rows.len(), rows.position());
    let clicked = first + number;
    if clicked >= len {
        return;
    }
    if selected == Some(clicked) {
        command::look(state, Command::Open);
    } else {
        movement::go(state, clicked);
    }
}
