//! The stream: one line an exchange.

use ratatui::layout::Rect;

use super::first_minute;
use crate::edge::sanitize;
use crate::history::Record;
use crate::model::{ExchangeId, Refuser};
use crate::tui::doc::message::status_role;
use crate::tui::layout::HEADING;
use crate::tui::render::Canvas;
use crate::tui::state::causes::RowCause;
use crate::tui::state::{Focus, State};
use crate::tui::text;
use crate::tui::theme::Role;

/// From this width on host, client and milliseconds are shown.
const FULL: u16 = 98;

/// Columns of a row; a width of 0 leaves the column out.
#[derive(Clone, Copy, Debug)]
struct Columns {
    time: u16,
    method: u16,
    host: u16,
    target: u16,
    client: u16,
    latency: u16,
    cause: u16,
}

impl Columns {
    /// What fits into `width`; the target takes what is left.
    fn new(width: u16) -> Self {
        let mut columns = Self {
            time: if width >= FULL { 12 } else { 8 },
            method: if width >= 60 { 5 } else { 0 },
            host: if width >= FULL { (width * 3 / 20).min(32) } else { 0 },
            target: 0,
            client: if width >= FULL { 15 } else { 0 },
            latency: if width >= 66 { 7 } else { 0 },
            cause: if width >= 130 {
                28
            } else if width >= 50 {
                22
            } else {
                3
            },
        };
        let others =
            [columns.time, columns.method, columns.host, columns.client, columns.latency, columns.cause];
        let used: u16 = others.iter().filter(|width| **width > 0).map(|width| width + 1).sum();
        columns.target = width.saturating_sub(used + 2 + 4);
        columns
    }
}

/// Draws heading and rows.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let columns = Columns::new(area.width);
    heading(canvas, area, columns);
    if state.stream.is_empty() {
        let rest = Rect { y: area.y + HEADING, height: area.height - HEADING, ..area };
        first_minute::draw(canvas, rest, state);
        return;
    }
    let (_, visible) = state.stream.visible();
    for (number, id) in visible.enumerate() {
        let y = area.y + HEADING + number as u16;
        if y >= area.bottom() {
            break;
        }
        let line = Rect { y, height: 1, ..area };
        match state.inspector.history().get(id) {
            Some(record) => row(canvas, line, columns, state, record),
            None => {
                canvas.put(line.x + 2, y, line.width - 2, &format!("#{} is no longer kept", id.0), Role::Dim);
            }
        }
        select(canvas, line, state, id);
    }
}

fn heading(canvas: &mut Canvas<'_>, area: Rect, columns: Columns) {
    let mut x = area.x + 2;
    let mut cell = |name: &str, width: u16| {
        if width > 0 {
            canvas.put(x, area.y, width, name, Role::Dim);
            x += width + 1;
        }
    };
    cell(if columns.time > 10 { "TIME UTC" } else { "UTC" }, columns.time);
    cell("ST", 3);
    cell("METH", columns.method);
    cell("HOST", columns.host);
    cell("TARGET", columns.target);
    cell("CLIENT", columns.client);
    cell("LATENCY", columns.latency);
    cell("WHY", columns.cause);
}

fn row(canvas: &mut Canvas<'_>, area: Rect, columns: Columns, state: &State, record: &Record) {
    let exchange = &record.exchange;
    let (mut x, y) = (area.x + 2, area.y);
    let time = exchange.started().to_string();
    canvas.raw(x, y, columns.time, time.get(11..23).unwrap_or_default(), Role::Dim);
    x += columns.time + 1;
    match exchange.status() {
        Some(status) => canvas.raw(x, y, 3, &status.to_string(), status_role(status)),
        None => canvas.raw(x, y, 3, "---", Role::Warn),
    };
    x += 4;
    if columns.method > 0 {
        canvas.put(x, y, columns.method, &sanitize::text(exchange.method()), Role::Text);
        x += columns.method + 1;
    }
    if columns.host > 0 {
        let endpoint = state.inspector.history().endpoint(record.endpoint);
        let host =
            endpoint.map(|endpoint| sanitize::text(&endpoint.authority).into_owned()).unwrap_or_default();
        canvas.put_middle(x, y, columns.host, &host, Role::Dim);
        x += columns.host + 1;
    }
    let bounded = exchange.target().get(..400).unwrap_or(exchange.target());
    let target = state.redactor.target(bounded);
    canvas.put_middle(x, y, columns.target, &sanitize::line(&target), Role::Text);
    x += columns.target + 1;
    if columns.client > 0 {
        canvas.put_middle(x, y, columns.client, &exchange.client.ip().to_string(), Role::Dim);
        x += columns.client + 1;
    }
    if columns.latency > 0 {
        let latency = exchange.latency().map(text::duration).unwrap_or_default();
        canvas.put_right(x, y, columns.latency, &latency, Role::Dim);
        x += columns.latency + 1;
    }
    why(canvas, (x, y), columns.cause, state, record);
}

fn why(canvas: &mut Canvas<'_>, (x, y): (u16, u16), width: u16, state: &State, record: &Record) {
    let exchange = &record.exchange;
    if exchange.status().is_none() {
        canvas.put(x, y, width, exchange.outcome.as_str(), Role::Warn);
    } else if exchange.is_refusal() {
        match state.causes.get(exchange.id) {
            Some(known) => cause(canvas, (x, y), width, known),
            None => {
                canvas.put(x, y, width, canvas.glyphs().ellipsis, Role::Dim);
            }
        }
    }
}

/// The top cause with the sign of its confidence.
pub(in crate::tui::views) fn cause(canvas: &mut Canvas<'_>, (x, y): (u16, u16), width: u16, known: RowCause) {
    let Some((cause, confidence)) = known.cause else { return };
    let role = match confidence {
        0.8.. => Role::Bad,
        0.5.. => Role::Warn,
        _ => Role::Dim,
    };
    let sign = canvas.glyphs().confidence_of(confidence);
    let used = canvas.pieces(x, y, width, &[(sign, role), (" ", Role::Text), (cause.id(), Role::Text)]);
    let by = match known.refuser {
        Refuser::Unknown => return,
        Refuser::Application => "(by app)",
        Refuser::Gateway => "(by gateway)",
        Refuser::Waf => "(by WAF)",
        Refuser::Cdn => "(by CDN)",
        Refuser::WebServer => "(by web server)",
        Refuser::OutboundProxy => "(by outbound proxy)",
    };
    if width > used + by.len() as u16 {
        canvas.put(x + used + 1, y, width - used - 1, by, Role::Dim);
    }
}

fn select(canvas: &mut Canvas<'_>, line: Rect, state: &State, id: ExchangeId) {
    let glyphs = canvas.glyphs();
    if state.stream.marked.contains(&id) {
        canvas.raw(line.x + 1, line.y, 1, glyphs.marked, Role::Accent);
    }
    if state.stream.current() == Some(id) {
        // While following the cursor is on the newest row, which is what commands act on.
        let chosen = state.focus == Focus::List && !state.stream.follows();
        let role = if chosen { Role::Selected } else { Role::SelectedBlur };
        canvas.tint(line, role);
        canvas.raw(line.x, line.y, 1, glyphs.cursor, Role::Accent);
    }
}
