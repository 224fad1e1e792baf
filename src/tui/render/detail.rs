//! Documents: the exchange that is open, pages, the card of an endpoint.

use std::ops::Range;

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::edge::sanitize;
use crate::tui::doc::Doc;
use crate::tui::layout::{HEADING, tabs};
use crate::tui::state::detail::Tab;
use crate::tui::state::page::Page;
use crate::tui::state::{Focus, State};
use crate::tui::text;
use crate::tui::theme::Role;

/// The exchange with its tabs.
pub(in crate::tui) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let focused = state.focus == Focus::Detail;
    let mut x = area.x;
    for (tab, start, width) in tabs() {
        let role = match (tab == state.detail.tab, focused) {
            (true, true) => Role::Selected,
            (true, false) => Role::SelectedBlur,
            (false, _) => Role::Dim,
        };
        x = area.x + start;
        x += canvas.put(
            x,
            area.y,
            width.min(area.right().saturating_sub(x)),
            &format!(" {} ", tab.title()),
            role,
        );
    }
    let room = area.right().saturating_sub(x + 2);
    let title = title(state, usize::from(room), canvas.glyphs().ellipsis);
    canvas.put_right(x + 1, area.y, room, &title, Role::Dim);
    let body = Rect { y: area.y + HEADING, height: area.height - HEADING, ..area };
    reading(canvas, body, &state.detail.page, focused);
}

/// What is shown, within `room` columns.
fn title(state: &State, room: usize, ellipsis: &str) -> String {
    let Some(record) = state.detail.shown().and_then(|id| state.inspector.history().get(id)) else {
        return String::new();
    };
    let exchange = &record.exchange;
    if state.detail.tab == Tab::Diff
        && let Some(baseline) = state.detail.report.as_ref().and_then(|report| report.baseline.as_ref())
    {
        let whole = format!("against #{}, {}", baseline.id.0, sanitize::text(&baseline.why));
        return text::fit_parts(&whole, room).to_owned();
    }
    let status = exchange.status().map_or_else(|| exchange.outcome.as_str().to_owned(), |s| s.to_string());
    let target = state.redactor.target(exchange.target().get(..400).unwrap_or(exchange.target()));
    let target = sanitize::line(&target);
    let whole = format!("#{} {status} {} {target}", exchange.id.0, sanitize::text(exchange.method()));
    text::fit_middle(&whole, room, ellipsis)
}

/// Help, health or comparison.
pub(in crate::tui) fn page(canvas: &mut Canvas<'_>, area: Rect, state: &State, title: &str) {
    if area.height == 0 {
        return;
    }
    canvas.put(area.x + 1, area.y, area.width, title, Role::Accent);
    let body = Rect { y: area.y + HEADING, height: area.height - HEADING, ..area };
    reading(canvas, body, &state.page, true);
}

/// What is known of the selected endpoint.
pub(in crate::tui) fn card(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height > 0 {
        rows(canvas, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, &state.page.doc, 0);
    }
}

/// A document with cursor, hits and scroll bar.
fn reading(canvas: &mut Canvas<'_>, area: Rect, page: &Page, focused: bool) {
    let width = area.width.saturating_sub(2);
    for number in 0..area.height {
        let index = page.top + usize::from(number);
        if index >= page.doc.rows().len() {
            break;
        }
        let line = Rect { x: area.x + 1, y: area.y + number, height: 1, width };
        row(canvas, line, &page.doc, index, page.left);
        if focused && index == page.cursor {
            canvas.tint(Rect { x: area.x, width: area.width - 1, ..line }, Role::Selected);
        }
        // Over the cursor's row, so that what evidence points at is seen in the very row it leads to.
        marks(canvas, line, page, index);
    }
    scroll_bar(canvas, area, page);
}

/// Rows of a document from `top` on, nothing marked.
pub(in crate::tui) fn rows(canvas: &mut Canvas<'_>, area: Rect, doc: &Doc, top: usize) {
    for number in 0..area.height {
        row(canvas, Rect { y: area.y + number, height: 1, ..area }, doc, top + usize::from(number), 0);
    }
}

fn row(canvas: &mut Canvas<'_>, area: Rect, doc: &Doc, index: usize, left: usize) {
    let Some(row) = doc.rows().get(index) else { return };
    let Some(line) = doc.lines().get(row.line as usize) else { return };
    let (start, end) = (row.start as usize, row.end as usize);
    let all = line.text().get(start..end).unwrap_or_default();
    let skipped = text::head(all, left).len();
    let mut x = area.x + row.indent;
    for (text, _, role) in line.runs(start + skipped..end) {
        x += canvas.raw(x, area.y, area.right().saturating_sub(x), text, role);
    }
    let over = text::width(all.get(skipped..).unwrap_or_default()) + usize::from(row.indent);
    if over > usize::from(area.width) {
        canvas.raw(area.right() - 1, area.y, 1, canvas.glyphs().ellipsis, Role::Warn);
    }
    if skipped > 0 {
        canvas.raw(area.x, area.y, 1, canvas.glyphs().ellipsis, Role::Warn);
    }
}

/// Search hits and evidence within a row.
fn marks(canvas: &mut Canvas<'_>, area: Rect, page: &Page, index: usize) {
    let Some(row) = page.doc.rows().get(index) else { return };
    let line = row.line as usize;
    let from = page.hits.partition_point(|(hit, _)| *hit < line);
    let hits = page.hits.iter().skip(from).take_while(|(hit, _)| *hit == line);
    for (_, range) in hits {
        tint(canvas, area, page, index, range, Role::Hit);
    }
    if let Some((_, range)) = page.spot.as_ref().filter(|(spot, _)| *spot == line) {
        tint(canvas, area, page, index, range, Role::Spot);
    }
}

fn tint(canvas: &mut Canvas<'_>, area: Rect, page: &Page, index: usize, range: &Range<usize>, role: Role) {
    let Some(row) = page.doc.rows().get(index) else { return };
    let (start, end) = (range.start.max(row.start as usize), range.end.min(row.end as usize));
    let text = page.doc.lines().get(row.line as usize).map_or("", |line| line.text());
    let before = text::width(text.get(row.start as usize..start).unwrap_or_default());
    let Some(marked) = text.get(start..end).filter(|marked| !marked.is_empty()) else { return };
    let x = before + usize::from(row.indent);
    let columns = text::width(marked);
    let (x, columns) = (x.saturating_sub(page.left), columns.saturating_sub(page.left.saturating_sub(x)));
    let x = area.x + x as u16;
    if x < area.right() {
        let width = (columns as u16).min(area.right() - x);
        canvas.tint(Rect { x, width, ..area }, role);
    }
}

fn scroll_bar(canvas: &mut Canvas<'_>, area: Rect, page: &Page) {
    let (rows, height) = (page.doc.rows().len(), usize::from(area.height));
    if rows <= height || height == 0 {
        return;
    }
    let thumb = (height * height / rows).max(1);
    let start = page.top * (height - thumb) / (rows - height).max(1);
    let full = canvas.glyphs().thumb;
    for y in 0..height {
        let inside = (start..start + thumb).contains(&y);
        let (sign, role) = if inside { (full, Role::Dim) } else { (canvas.glyphs().vertical, Role::Line) };
        canvas.raw(area.right() - 1, area.y + y as u16, 1, sign, role);
    }
}
