//! The stream: one line an exchange.

use ratatui::layout::Rect;

use super::first_minute;
use crate::edge::sanitize;
use crate::history::Record;
use crate::incidents::GroupBy;
use crate::model::{ExchangeId, Refuser};
use crate::tui::columns::{Column, lay_out};
use crate::tui::doc::message::status_role;
use crate::tui::layout::HEADING;
use crate::tui::render::Canvas;
use crate::tui::state::causes::RowCause;
use crate::tui::state::{Focus, State};
use crate::tui::text;
use crate::tui::theme::Role;

/// Draws heading and rows.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let columns = lay_out(&state.columns, area.width);
    heading(canvas, area, &columns, state);
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
            Some(record) => row(canvas, line, &columns, state, record),
            None => {
                canvas.put(line.x + 2, y, line.width - 2, &format!("#{} is no longer kept", id.0), Role::Dim);
            }
        }
        select(canvas, line, state, id);
    }
}

fn heading(canvas: &mut Canvas<'_>, area: Rect, columns: &[(Column, u16)], state: &State) {
    let mut x = area.x + 2;
    let sorted = state.stream.sorted().map(|sorted| (sorted.by, sorted.descending));
    for (column, width) in columns {
        let name = match column {
            Column::Time if *width <= 10 => "UTC",
            column => column.heading(),
        };
        match sorted.filter(|(by, _)| by == column) {
            Some((_, descending)) => {
                let [up, down] = canvas.glyphs().more;
                let sign = if descending { down } else { up };
                canvas.put(x, area.y, *width, &format!("{sign}{name}"), Role::Accent);
            }
            None => {
                canvas.put(x, area.y, *width, name, Role::Dim);
            }
        }
        x += width + 1;
    }
}

fn row(canvas: &mut Canvas<'_>, area: Rect, columns: &[(Column, u16)], state: &State, record: &Record) {
    let mut x = area.x + 2;
    for (column, width) in columns {
        cell(canvas, (x, area.y), *width, *column, state, record);
        x += width + 1;
    }
}

fn cell(
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    column: Column,
    state: &State,
    record: &Record,
) {
    let exchange = &record.exchange;
    match column {
        Column::Id => canvas.put_right(x, y, width, &exchange.id.0.to_string(), Role::Dim),
        Column::Time => {
            let time = exchange.started().to_string();
            canvas.raw(x, y, width, time.get(11..23).unwrap_or_default(), Role::Dim);
        }
        Column::Status => {
            match exchange.status() {
                Some(status) => canvas.raw(x, y, width, &status.to_string(), status_role(status)),
                None => canvas.raw(x, y, width, "---", Role::Warn),
            };
        }
        Column::Method => {
            canvas.put(x, y, width, &sanitize::text(exchange.method()), Role::Text);
        }
        Column::Host => {
            let endpoint = state.inspector.history().endpoint(record.endpoint);
            let host = endpoint.map(|endpoint| sanitize::text(&endpoint.authority).into_owned());
            canvas.put_middle(x, y, width, &host.unwrap_or_default(), Role::Dim);
        }
        Column::Target => {
            let bounded = exchange.target().get(..400).unwrap_or(exchange.target());
            let target = state.redactor.target(bounded);
            canvas.put_middle(x, y, width, &sanitize::line(&target), Role::Text);
        }
        Column::Client => {
            canvas.put_middle(x, y, width, &exchange.client.ip().to_string(), Role::Dim);
        }
        Column::Server => {
            canvas.put_middle(x, y, width, &exchange.server.to_string(), Role::Dim);
        }
        Column::User | Column::Agent => {
            let by = if column == Column::User { GroupBy::Identity } else { GroupBy::UserAgent };
            let value = by.value(record, &state.inspector, &state.redactor);
            canvas.put(x, y, width, &value, Role::Dim);
        }
        Column::Size => {
            let size = exchange.request.as_ref().map(|request| text::bytes(request.body.len));
            canvas.put_right(x, y, width, &size.unwrap_or_default(), Role::Dim);
        }
        Column::Received => {
            let size = exchange.response.as_ref().map(|response| text::bytes(response.body.len));
            canvas.put_right(x, y, width, &size.unwrap_or_default(), Role::Dim);
        }
        Column::Latency => {
            let latency = exchange.latency().map(text::duration).unwrap_or_default();
            canvas.put_right(x, y, width, &latency, Role::Dim);
        }
        Column::Cause => why(canvas, (x, y), width, state, record),
    }
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
