//! Draws the state. Reads only what `prepare_frame` prepared; looks at no clock.

mod canvas;
pub(super) mod detail;
pub(super) mod frame;
mod input;
mod timeline;

use ratatui::buffer::Buffer;

pub use canvas::Canvas;

use super::layout::areas;
use super::state::State;

/// Draws `state` into `buffer`, which has the size that the state knows. Returns where the cursor belongs, if anywhere.
pub fn render(state: &State, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let areas = areas(state);
    let mut canvas = Canvas::new(buffer, &state.theme);
    if state.size.0 < 40 || state.size.1 < 8 {
        canvas.put(0, 0, state.size.0, "why403 needs 40x8", super::theme::Role::Warn);
        return None;
    }
    frame::header(&mut canvas, areas.header, state);
    timeline::draw(&mut canvas, areas.timeline, state);
    state.view.screen().draw(&mut canvas, &areas, state);
    input::draw(&mut canvas, &areas, state)
}
