//! Incidents: the table.

use ratatui::layout::Rect;

use crate::edge::sanitize;
use crate::incidents::{BUCKETS, Incident, Onset, Scale, State as Course};
use crate::tui::layout::HEADING;
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::views::endpoints::clock;

/// From this width on the sparkline is shown.
const SPARK: u16 = 100;
/// From this width on it has a column for every bucket.
const FULL: u16 = 170;

/// Columns of a row; a width of 0 leaves the column out.
struct Columns {
    cause: u16,
    spark: u16,
    rate: u16,
    place: u16,
    who: u16,
}

/// Columns of the state, the onset and the count, each with a blank.
const FIXED: u16 = 8 + 9 + 8;

impl Columns {
    fn new(width: u16) -> Self {
        let spark = match width {
            FULL.. => BUCKETS as u16,
            SPARK.. => BUCKETS as u16 / 2,
            _ => 0,
        };
        let rate = if width >= 90 { 8 } else { 0 };
        let cause = 21;
        let gaps = [spark, rate].iter().filter(|width| **width > 0).count() as u16 + 2;
        let rest = width.saturating_sub(2 + FIXED + cause + spark + rate + gaps);
        let who = rest / 2;
        Self { cause, spark, rate, place: rest.saturating_sub(who + 1), who }
    }
}

/// The table of all incidents.
pub(super) fn table(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let columns = Columns::new(area.width);
    let (_, scale) = state.incidents.found.timeline();
    heading(canvas, area, &columns, scale);
    let (first, visible) = state.incidents.visible();
    let selected = state.incidents.position();
    for (number, incident) in visible.enumerate() {
        let line = Rect { y: area.y + HEADING + number as u16, height: 1, ..area };
        if line.y >= area.bottom() {
            break;
        }
        let onset = row(canvas, line, &columns, state, incident);
        if first + number == selected {
            canvas.tint(line, Role::Selected);
            canvas.raw(line.x, line.y, 1, canvas.glyphs().cursor, Role::Accent);
        }
        // Over the cursor's row, so that the onset is seen in it as well.
        if let Some(x) = onset {
            canvas.tint(Rect { x, width: 1, ..line }, Role::Hit);
        }
    }
    if state.incidents.is_empty() {
        let text = if state.traffic.exchanges == 0 { "No exchanges yet" } else { "Nothing was refused" };
        canvas.put(area.x + 2, area.y + 2, area.width.saturating_sub(2), text, Role::Dim);
    }
}

fn heading(canvas: &mut Canvas<'_>, area: Rect, columns: &Columns, scale: &Scale) {
    let mut x = area.x + 2;
    let per = if columns.spark > 0 { BUCKETS as u64 / u64::from(columns.spark) } else { 1 };
    let over = format!("REFUSED ({} s)", scale.seconds() * per);
    let names = [
        ("STATE", 7),
        ("SINCE", 8),
        ("REFUSED", 7),
        ("RATE", columns.rate),
        (over.as_str(), columns.spark),
        ("WHY", columns.cause),
        ("WHO", columns.who),
        ("WHERE", columns.place),
    ];
    for (name, width) in names.into_iter().filter(|(_, width)| *width > 0) {
        canvas.put(x, area.y, width, name, Role::Dim);
        x += width + 1;
    }
}

/// Draws an incident; returns the column of the sparkline at which it began.
fn row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &Columns,
    state: &State,
    incident: &Incident,
) -> Option<u16> {
    let (mut x, y) = (area.x + 2, area.y);
    let role = match incident.state {
        Course::New => Role::Bad,
        Course::Ongoing => Role::Warn,
        Course::Over => Role::Good,
        Course::Known => Role::Dim,
    };
    canvas.put(x, y, 7, incident.state.as_str(), role);
    x += 8;
    canvas.put(x, y, 8, &since(incident.onset), Role::Text);
    x += 9;
    canvas.put_right(x, y, 7, &text::short(incident.refusals), Role::Bad);
    x += 8;
    if columns.rate > 0 {
        canvas.put_right(x, y, columns.rate, &rate(incident, canvas.glyphs().arrow), Role::Text);
        x += columns.rate + 1;
    }
    let mut onset = None;
    if columns.spark > 0 {
        let per = (BUCKETS / usize::from(columns.spark)).max(1);
        let buckets: Vec<u32> = incident.timeline.chunks(per).map(|chunk| chunk.iter().sum()).collect();
        let peak = state.incidents.peak().saturating_mul(per as u32);
        let drawn = text::spark(&buckets, peak, &canvas.glyphs().levels);
        canvas.raw(x, y, columns.spark, &drawn, Role::Bad);
        let (_, scale) = state.incidents.found.timeline();
        onset = incident.onset_bucket(scale).map(|bucket| x + (bucket / per) as u16);
        x += columns.spark + 1;
    }
    let sign = canvas.glyphs().confidence_of(incident.confidence);
    canvas.pieces(
        x,
        y,
        columns.cause,
        &[(sign, Role::Bad), (" ", Role::Text), (incident.cause.id(), Role::Text)],
    );
    x += columns.cause + 1;
    match incident.who() {
        Some(who) => canvas.put(x, y, columns.who, &who.short(), Role::Accent),
        None => canvas.put(x, y, columns.who, &everyone(incident), Role::Dim),
    };
    x += columns.who + 1;
    canvas.put_middle(x, y, columns.place, &place(state, incident), Role::Text);
    onset
}

/// Who is refused, where no property tells.
fn everyone(incident: &Incident) -> String {
    match (&incident.lead, incident.affected.refused) {
        (Some(lead), _) => format!("differ in {}", sanitize::text(&lead.name)),
        (None, _) if incident.successes == 0 => "everyone".to_owned(),
        (None, 0) => String::new(),
        (None, _) => "no common property".to_owned(),
    }
}

/// `07:52:07`, or that it began before.
fn since(onset: Onset) -> String {
    match onset {
        Onset::At(at) | Onset::Sporadic(at) => clock(at),
        Onset::BeforeCapture => "before".to_owned(),
    }
}

/// `0→34%`: the share refused before and since.
fn rate(incident: &Incident, arrow: &str) -> String {
    let (before, after) = incident.rate;
    match incident.onset {
        Onset::At(_) if before < after => format!("{:.0}{arrow}{:.0}%", before * 100.0, after * 100.0),
        Onset::At(_) | Onset::BeforeCapture | Onset::Sporadic(_) => format!("{:.0}%", after * 100.0),
    }
}

/// The first endpoint, and how many more there are.
fn place(state: &State, incident: &Incident) -> String {
    let first = incident.endpoints.first().and_then(|id| state.inspector.history().endpoint(*id));
    let name = first.map(|endpoint| format!("{} {}", endpoint.method, endpoint.template)).unwrap_or_default();
    let name = sanitize::text(&state.redactor.endpoint(&name)).into_owned();
    match incident.endpoints.len().saturating_sub(1) {
        0 => name,
        more => format!("{name} +{more}"),
    }
}
