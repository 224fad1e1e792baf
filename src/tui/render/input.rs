//! The bottom of the screen: status and hints, or the line or menu that is open.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use super::{frame, timeline};
use crate::edge::sanitize;
use crate::filter::Completion;
use crate::tui::layout::Areas;
use crate::tui::state::State;
use crate::tui::state::input::{FilterLine, Input, Line, Menu};
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws it; returns where the cursor belongs.
pub(super) fn draw(canvas: &mut Canvas<'_>, areas: &Areas, state: &State) -> Option<(u16, u16)> {
    match &state.input {
        Some(Input::Filter(line)) => {
            feedback(canvas, areas.status, line);
            let wrong = line.parsed.as_ref().err().map(|error| error.position);
            let cursor = edited(canvas, areas.hints, "filter / ", &line.line, wrong);
            Some(cursor)
        }
        Some(Input::Menu(menu)) => {
            frame::status(canvas, areas.status, state);
            popup(canvas, areas, menu);
            let text = "Enter or the letter takes it, Esc closes";
            canvas.put(areas.hints.x + 1, areas.hints.y, areas.hints.width, text, Role::Dim);
            None
        }
        Some(Input::Timeline(selecting)) => {
            frame::status(canvas, areas.status, state);
            timeline::hints(canvas, areas.hints, state, selecting);
            None
        }
        Some(Input::Prompt(prompt)) => {
            if prompt.chosen.is_some() {
                canvas.fill(areas.status, Role::Bar);
                candidates(canvas, areas.status, areas.status.x + 1, (&prompt.candidates, prompt.chosen));
            } else {
                frame::status(canvas, areas.status, state);
            }
            Some(edited(canvas, areas.hints, prompt.kind.label(), &prompt.line, None))
        }
        None => {
            frame::status(canvas, areas.status, state);
            frame::hints(canvas, areas.hints, state);
            None
        }
    }
}

/// What the filter means so far.
fn feedback(canvas: &mut Canvas<'_>, area: Rect, line: &FilterLine) {
    canvas.fill(area, Role::Bar);
    let mut x = area.x + 1;
    match &line.parsed {
        Err(_) if line.chosen.is_some() => {}
        Err(error) => {
            let text = sanitize::text(&error.to_string()).into_owned();
            canvas.put(x, area.y, area.width - 2, &text, Role::Bar);
            canvas.put(x, area.y, area.width - 2, &text, Role::Bad);
            return;
        }
        Ok(_) => {
            let more = if line.scan.0 > 0 { "+" } else { "" };
            let count = line.count as u64;
            let word = if count == 1 && more.is_empty() { "match" } else { "matches" };
            let text = format!("{}{more} {word}", text::count(count));
            x += canvas.put(x, area.y, area.width, &text, Role::Bar) + 2;
        }
    }
    if line.chosen.is_none() {
        canvas.put(
            x,
            area.y,
            area.right().saturating_sub(x + 1),
            "Tab completes  Up recalls  Esc cancels",
            Role::Bar,
        );
        return;
    }
    candidates(canvas, area, x, (&line.candidates, line.chosen));
}

/// What the word at the cursor could become, with a line about the one that is chosen.
fn candidates(
    canvas: &mut Canvas<'_>,
    area: Rect,
    mut x: u16,
    (all, chosen): (&[Completion], Option<usize>),
) {
    let Some(chosen) = chosen else { return };
    for (index, candidate) in all.iter().enumerate().skip(chosen.saturating_sub(2)) {
        let room = area.right().saturating_sub(x + 1);
        if room < 4 {
            break;
        }
        let role = if index == chosen { Role::Selected } else { Role::Bar };
        x += canvas.put(x, area.y, room, &sanitize::text(&candidate.text), role) + 1;
        if index == chosen && !candidate.help.is_empty() {
            let room = area.right().saturating_sub(x + 1);
            x += canvas.put(x, area.y, room, &sanitize::text(&candidate.help), Role::Bar);
        }
        x += 1;
    }
}

/// A line with its label; scrolls so that the cursor is in sight. The letter at `wrong` is marked.
fn edited(canvas: &mut Canvas<'_>, area: Rect, label: &str, line: &Line, wrong: Option<usize>) -> (u16, u16) {
    let start = area.x + 1 + canvas.put(area.x + 1, area.y, area.width, label, Role::Key);
    let room = usize::from(area.right().saturating_sub(start + 1));
    let (before, after) = line.text.split_at_checked(line.cursor).unwrap_or((&line.text, ""));
    // What Tab completed is a stranger's word, and every letter of an escape takes its column.
    let (before, after) = (sanitize::text(before), sanitize::text(after));
    let shown = text::tail(&before, room);
    let hidden = text::width(&before) - text::width(shown);
    let role = if wrong.is_some() { Role::Bad } else { Role::Text };
    canvas.raw(start, area.y, room as u16, &format!("{shown}{after}"), role);
    let whole = |at: usize| text::width(&sanitize::text(line.text.get(..at).unwrap_or(&line.text)));
    if let Some(column) = wrong.and_then(|at| whole(at).checked_sub(hidden))
        && column < room
    {
        canvas.tint(Rect { x: start + column as u16, y: area.y, width: 1, height: 1 }, Role::Spot);
    }
    (start + text::width(shown) as u16, area.y)
}

/// A menu in a box above the status line.
fn popup(canvas: &mut Canvas<'_>, areas: &Areas, menu: &Menu) {
    let labels = menu.items.iter().map(|item| text::width(&item.label));
    let widest = labels.max().unwrap_or_default().max(text::width(menu.title)) as u16;
    let width = (widest + 8).min(areas.status.width.saturating_sub(2));
    let height = (menu.items.len() as u16 + 2).min(areas.status.y);
    let area = Rect { x: 1, y: areas.status.y - height, width, height };
    canvas.fill(area, Role::Text);
    border(canvas, area, menu.title);
    let rows = usize::from(height.saturating_sub(2));
    let top = (menu.cursor + 1).saturating_sub(rows);
    for (number, item) in menu.items.iter().enumerate().skip(top).take(rows) {
        let y = area.y + 1 + (number - top) as u16;
        canvas.put(area.x + 2, y, 2, &item.key.to_string(), Role::Key);
        canvas.put(area.x + 5, y, width.saturating_sub(7), &item.label, Role::Text);
        if number == menu.cursor {
            canvas.tint(Rect { x: area.x + 1, y, width: width - 2, height: 1 }, Role::Selected);
        }
    }
}

fn border(canvas: &mut Canvas<'_>, area: Rect, title: &str) {
    let glyphs = canvas.glyphs();
    let [top_left, top_right, bottom_left, bottom_right] = glyphs.corners;
    let line = glyphs.horizontal.repeat(usize::from(area.width.saturating_sub(2)));
    let (right, bottom) = (area.right() - 1, area.bottom() - 1);
    canvas.raw(area.x, area.y, area.width, &format!("{top_left}{line}{top_right}"), Role::Line);
    canvas.raw(area.x, bottom, area.width, &format!("{bottom_left}{line}{bottom_right}"), Role::Line);
    for y in area.y + 1..bottom {
        canvas.raw(area.x, y, 1, glyphs.vertical, Role::Line);
        canvas.raw(right, y, 1, glyphs.vertical, Role::Line);
    }
    canvas.put(area.x + 2, area.y, area.width - 4, &format!(" {title} "), Role::Title);
}
