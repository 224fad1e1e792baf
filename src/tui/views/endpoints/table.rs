//! Endpoints: the table, and what is refused now.

use ratatui::layout::Rect;

use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::model::{Endpoint, EndpointId, ExchangeId, Timestamp};
use crate::tui::layout::HEADING;
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::state::endpoints::{EndpointRow, Trend};
use crate::tui::state::traffic::{BUCKETS, Timeline};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::views::stream::cause;

/// From this width on the sparklines are shown.
const SPARKS: u16 = 112;

/// From this width on the time of the last success is shown.
const SUCCESS: u16 = SPARKS + 40;

/// The table of all endpoints.
pub(super) fn table(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let columns = Columns::new(area.width);
    columns.heading(canvas, area, state, "ENDPOINT");
    let (first, visible) = state.endpoints.visible();
    let selected = state.endpoints.position();
    for (number, (id, row)) in visible.enumerate() {
        let line = Rect { y: area.y + HEADING + number as u16, height: 1, ..area };
        if line.y >= area.bottom() {
            break;
        }
        columns.row(canvas, line, state, (id, row), (row.refusals, row.last_refusal));
        if first + number == selected {
            canvas.tint(line, Role::Selected);
            canvas.raw(line.x, line.y, 1, canvas.glyphs().cursor, Role::Accent);
        }
    }
    if state.endpoints.is_empty() {
        canvas.put(area.x + 2, area.y + 2, area.width, "No exchanges yet", Role::Dim);
    }
}

/// Endpoints that refuse, the most refusals first: what is refused, since when, and why.
pub(in crate::tui::views) fn overview(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let columns = Columns::new(area.width);
    columns.heading(canvas, area, state, "REFUSALS BY ENDPOINT");
    let refusing = state.stream.refusing();
    let count = refusing.len();
    let room = usize::from(area.height - HEADING);
    let roomy = count > 0 && room / count.min(8) >= 3;
    for (number, (id, tally)) in refusing.iter().take(room).enumerate() {
        let Some(row) = state.endpoints.row(*id) else { continue };
        let y = area.y + HEADING + if roomy { number as u16 * 3 } else { number as u16 };
        if y >= area.bottom() {
            break;
        }
        let counts = (tally.refusals, Some(tally.last));
        columns.row(canvas, Rect { y, height: 1, ..area }, state, (*id, row), counts);
        if roomy && y + 1 < area.bottom() {
            story(canvas, Rect { y: y + 1, height: 1, ..area }, state, row);
        }
    }
    if count == 0 {
        let text = if state.traffic.exchanges == 0 { "No exchanges yet" } else { "Nothing was refused" };
        canvas.put(area.x + 2, area.y + 1, area.width.saturating_sub(2), text, Role::Dim);
    }
}

/// One sentence below an endpoint: since when, and whether requests still succeed.
fn story(canvas: &mut Canvas<'_>, area: Rect, state: &State, row: &EndpointRow) {
    let now = state.now();
    let since = row.onset.map(|onset| format!("since {} ({})", clock(onset), text::ago(now.since(onset))));
    let success = match row.trend() {
        Trend::NeverSucceeded => "no success seen".to_owned(),
        Trend::LastSucceeded => "last request succeeded".to_owned(),
        Trend::OthersSucceed => "others still succeed".to_owned(),
        Trend::Stopped(at) => format!("last success {}", text::ago(now.since(at))),
    };
    let text = format!("{}, {success}", since.unwrap_or_default());
    canvas.put(area.x + 4, area.y, area.width.saturating_sub(4), &text, Role::Dim);
}

/// `07:52:01` of a time.
pub(in crate::tui) fn clock(at: Timestamp) -> String {
    at.to_string().get(11..19).unwrap_or_default().to_owned()
}

struct Columns {
    name: u16,
    spark: u16,
    counts: u16,
    since: u16,
    success: u16,
    cause: u16,
}

impl Columns {
    fn new(width: u16) -> Self {
        let spark = if width >= SPARKS + 40 {
            BUCKETS as u16
        } else if width >= SPARKS {
            BUCKETS as u16 / 2
        } else {
            0
        };
        let since = if width >= 72 { 8 } else { 0 };
        let success = if width >= SUCCESS { 8 } else { 0 };
        let (counts, cause) = (14, if width >= 64 { 20 } else { 3 });
        let sparks = if spark > 0 { 2 * (spark + 1) } else { 0 };
        let times = if since > 0 { since + 1 } else { 0 } + if success > 0 { success + 1 } else { 0 };
        let used = 2 + counts + 1 + cause + 1 + sparks + times;
        Self { name: width.saturating_sub(used), spark, counts, since, success, cause }
    }

    fn heading(&self, canvas: &mut Canvas<'_>, area: Rect, state: &State, title: &str) {
        let mut x = area.x + 2;
        let y = area.y;
        let scale = state.endpoints.scale.seconds();
        canvas.put(x, y, self.name, title, Role::Dim);
        x += self.name + 1;
        if self.spark > 0 {
            let step = scale * BUCKETS as u64 / u64::from(self.spark);
            let each = if self.spark < BUCKETS as u16 { "" } else { " per bar" };
            canvas.put(x, y, self.spark, &format!("REFUSED ({step} s{each})"), Role::Dim);
            canvas.put(x + self.spark + 1, y, self.spark, "SUCCEEDED", Role::Dim);
            x += 2 * (self.spark + 1);
        }
        canvas.put_right(x, y, self.counts - 1, "REFUSED/TOTAL", Role::Dim);
        x += self.counts;
        if self.since > 0 {
            canvas.put(x, y, self.since, "SINCE", Role::Dim);
            x += self.since + 1;
        }
        if self.success > 0 {
            canvas.put(x, y, self.success, "LAST OK", Role::Dim);
            x += self.success + 1;
        }
        canvas.put(x, y, self.cause, "WHY", Role::Dim);
    }

    fn row(
        &self,
        canvas: &mut Canvas<'_>,
        area: Rect,
        state: &State,
        (id, row): (EndpointId, &EndpointRow),
        (refused, last): (u64, Option<ExchangeId>),
    ) {
        let (mut x, y) = (area.x + 2, area.y);
        if let Some(endpoint) = state.inspector.history().endpoint(id) {
            name(canvas, (x, y), self.name, (endpoint, &state.redactor));
        }
        x += self.name + 1;
        if self.spark > 0 {
            let (successes, refusals) = state.endpoints.peaks;
            let Timeline { successes: ok, refusals: bad } = &row.timeline;
            spark(canvas, (x, y), self.spark, (bad, refusals), Role::Bad);
            spark(canvas, (x + self.spark + 1, y), self.spark, (ok, successes), Role::Good);
            x += 2 * (self.spark + 1);
        }
        let counts = format!("{}/{}", text::short(refused), text::short(row.exchanges));
        let role = if refused == 0 { Role::Good } else { Role::Bad };
        canvas.put_right(x, y, self.counts - 1, &counts, role);
        x += self.counts;
        if self.since > 0 {
            if let Some(onset) = row.onset {
                canvas.put(x, y, self.since, &clock(onset), Role::Text);
            }
            x += self.since + 1;
        }
        if self.success > 0 {
            match row.last_success {
                Some(at) => canvas.put(x, y, self.success, &clock(at), Role::Good),
                None => canvas.put(x, y, self.success, "never", Role::Dim),
            };
            x += self.success + 1;
        }
        if let Some(known) = last.and_then(|id| state.causes.get(id)) {
            cause(canvas, (x, y), self.cause, known);
        }
    }
}

/// Method and as much of the end of host and path as fits, the host in whole labels: their end tells endpoints apart.
fn name(
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    (endpoint, redactor): (&Endpoint, &Redactor),
) {
    if endpoint.method.is_empty() {
        // Only responses: without a request there is no name but the address.
        let text = format!("(no request) {}", sanitize::text(&endpoint.authority));
        canvas.put(x, y, width, &text, Role::Warn);
        return;
    }
    let method = sanitize::text(&endpoint.method);
    let used = canvas.put(x, y, width, &method, Role::Dim) + 1;
    let template = redactor.endpoint(&endpoint.template);
    let (host, path) = (sanitize::text(&endpoint.authority), sanitize::text(&template));
    let room = width.saturating_sub(used);
    let over = text::width(&host) + text::width(&path) > usize::from(room);
    let for_host = usize::from(room).saturating_sub(text::width(&path));
    let host = match over {
        false => host.into_owned(),
        true if for_host > 1 => {
            format!("{}{}", canvas.glyphs().ellipsis, text::labels(&host, for_host - 1))
        }
        true => String::new(),
    };
    let taken = canvas.put(x + used, y, room, &host, Role::Dim);
    canvas.put_middle(x + used + taken, y, room - taken, &path, Role::Text);
}

/// A sparkline of `width` columns, whose scale is the highest bucket of all rows.
fn spark(
    canvas: &mut Canvas<'_>,
    (x, y): (u16, u16),
    width: u16,
    (counts, peak): (&[u32; BUCKETS], u32),
    role: Role,
) {
    let per = (BUCKETS / usize::from(width).max(1)).max(1);
    let buckets: Vec<u32> = counts.chunks(per).map(|chunk| chunk.iter().sum()).collect();
    let drawn = text::spark(&buckets, peak.saturating_mul(per as u32), &canvas.glyphs().levels);
    canvas.raw(x, y, width, &drawn, role);
}
