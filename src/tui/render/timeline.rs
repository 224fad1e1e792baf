//! The line along the top: refusals and successes over time, onsets of incidents, changes of the servers, the selected range.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::tui::state::State;
use crate::tui::state::input::Input;
use crate::tui::state::time_axis::Selecting;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::views::clock;

/// Columns of the labels on the left and of the figures on the right.
const LABEL: u16 = 11;
const FIGURES: u16 = 20;

/// Draws two rows.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height < 2 || area.width < LABEL + FIGURES + 16 {
        return;
    }
    let axis = &state.time_axis;
    let selecting = selecting(state);
    let window = selecting.map_or(0..axis.used().max(1), |selecting| selecting.window.clone());
    let room = area.width - LABEL - FIGURES;
    let (accepted, refused, per) = axis.columns(&window, usize::from(room));
    let x = area.x + LABEL;
    for (row, counts, name, role) in
        [(0, &refused, "refused", Role::Bad), (1, &accepted, "accepted", Role::Good)]
    {
        let y = area.y + row;
        canvas.put(area.x + 2, y, LABEL - 3, name, Role::Dim);
        let peak = counts.iter().copied().max().unwrap_or_default();
        let drawn = text::spark(counts, peak, &canvas.glyphs().levels);
        canvas.raw(x, y, room, &drawn, role);
        let each = text::duration(axis.width().saturating_mul(per as i64));
        let figures = format!("peak {} per {each}", text::count(u64::from(peak)));
        canvas.put_right(area.right() - FIGURES, y, FIGURES - 1, &figures, Role::Dim);
    }
    let column = |bucket: usize| {
        let at = bucket.checked_sub(window.start).filter(|_| bucket < window.end)? / per;
        u16::try_from(at).ok().filter(|at| *at < room).map(|at| x + at)
    };
    let mark = |canvas: &mut Canvas<'_>, bucket: usize, row: u16, role: Role| {
        if let Some(x) = column(bucket) {
            canvas.tint(Rect { x, y: area.y + row, width: 1, height: 1 }, role);
        }
    };
    for change in state.incidents.found.server_changes() {
        mark(canvas, axis.index(change.at), 1, Role::Hit);
    }
    for incident in state.incidents.all() {
        if let Some(at) = incident.onset_time() {
            mark(canvas, axis.index(at), 0, Role::Hit);
        }
    }
    if let Some(selecting) = selecting {
        for bucket in selecting.range() {
            for row in 0..2 {
                mark(canvas, bucket, row, Role::Selected);
            }
        }
        mark(canvas, selecting.cursor, 0, Role::Spot);
    }
}

fn selecting(state: &State) -> Option<&Selecting> {
    match &state.input {
        Some(Input::Timeline(selecting)) => Some(selecting),
        _ => None,
    }
}

/// What the keys do while a range is selected, and where the cursor is.
pub(super) fn hints(canvas: &mut Canvas<'_>, area: Rect, state: &State, selecting: &Selecting) {
    let axis = &state.time_axis;
    let range = selecting.range();
    let time = |bucket: usize| axis.begin(bucket).map(clock).unwrap_or_default();
    let text = format!(
        "{} to {}   h l move  H L far  Space from here  + - zoom  Enter selects  0 all  Esc closes",
        time(range.start),
        time(range.end)
    );
    canvas.put(area.x + 1, area.y, area.width.saturating_sub(2), &text, Role::Accent);
}
