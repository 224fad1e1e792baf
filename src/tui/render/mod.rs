//! Draws the state. Reads only what `prepare_frame` prepared; looks at no clock.

mod canvas;
mod detail;
mod endpoints;
mod first_minute;
mod frame;
mod incidents;
mod input;
mod stream;

use ratatui::buffer::Buffer;

pub use canvas::Canvas;

use super::layout::areas;
use super::prepare_frame::shows_exchange;
use super::state::{State, View};

/// Draws `state` into `buffer`, which has the size that the state knows. Returns where the cursor belongs, if anywhere.
pub fn render(state: &State, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let areas = areas(state);
    let mut canvas = Canvas::new(buffer, &state.theme);
    if state.size.0 < 40 || state.size.1 < 8 {
        canvas.put(0, 0, state.size.0, "why403 needs 40x8", super::theme::Role::Warn);
        return None;
    }
    frame::header(&mut canvas, areas.header, state);
    match state.view {
        View::Stream => {
            stream::draw(&mut canvas, areas.list, state);
            frame::divider(&mut canvas, &areas);
            if shows_exchange(state) {
                detail::draw(&mut canvas, areas.detail, state);
            } else {
                endpoints::overview(&mut canvas, areas.detail, state);
            }
        }
        View::Endpoints => {
            endpoints::table(&mut canvas, areas.list, state);
            frame::divider(&mut canvas, &areas);
            detail::card(&mut canvas, areas.detail, state);
        }
        View::Incidents => {
            incidents::table(&mut canvas, areas.list, state);
            frame::divider(&mut canvas, &areas);
            detail::card(&mut canvas, areas.detail, state);
        }
        View::Compare | View::Help | View::Health => detail::page(&mut canvas, areas.page, state),
    }
    input::draw(&mut canvas, &areas, state)
}
