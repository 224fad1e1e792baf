//! Groups: the table.

use ratatui::layout::Rect;

use crate::incidents::{BUCKETS, Group};
use crate::tui::layout::HEADING;
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::views::endpoints::clock;

/// From this width on the sparkline is shown.
const SPARK: u16 = 112;

/// Columns of a row; a width of 0 leaves the column out.
struct Columns {
    value: u16,
    matches: u16,
    counts: u16,
    share: u16,
    since: u16,
    spark: u16,
    cause: u16,
}

impl Columns {
    fn new(width: u16) -> Self {
        let spark = if width >= SPARK { BUCKETS as u16 / 2 } else { 0 };
        let since = if width >= 64 { 8 } else { 0 };
        let cause = if width >= 72 { 20 } else { 0 };
        let (matches, counts, share) = (7, 13, 6);
        let used: u16 = [matches, counts, share, since, spark, cause]
            .iter()
            .filter(|width| **width > 0)
            .map(|width| width + 1)
            .sum();
        Self { value: width.saturating_sub(used + 3), matches, counts, share, since, spark, cause }
    }
}

/// The table of all groups.
pub(super) fn table(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if area.height == 0 {
        return;
    }
    let list = &state.views.groups;
    let columns = Columns::new(area.width);
    heading(canvas, area, &columns, state);
    let (first, visible) = list.visible();
    let rows: Vec<(&str, &Group)> = visible.collect();
    let peak = rows.iter().flat_map(|(_, group)| group.timeline.refusals).max().unwrap_or_default();
    let selected = list.position();
    for (number, (value, group)) in rows.into_iter().enumerate() {
        let line = Rect { y: area.y + HEADING + number as u16, height: 1, ..area };
        if line.y >= area.bottom() {
            break;
        }
        row(canvas, line, &columns, state, (value, group), peak);
        if first + number == selected {
            canvas.tint(line, Role::Selected);
            canvas.raw(line.x, line.y, 1, canvas.glyphs().cursor, Role::Accent);
        }
    }
    if list.visible().1.next().is_none() {
        let text = if list.is_counting(&state.inspector) { "Counting …" } else { "No exchanges yet" };
        canvas.put(area.x + 2, area.y + 2, area.width.saturating_sub(2), text, Role::Dim);
    }
}

fn heading(canvas: &mut Canvas<'_>, area: Rect, columns: &Columns, state: &State) {
    let list = &state.views.groups;
    let by = list.by().map(ToString::to_string).unwrap_or_default();
    let scope = if list.scope.is_empty() { String::new() } else { format!("  {}", list.scope) };
    let y = area.y;
    let mut x = area.x + 2;
    canvas.put(x, y, columns.value, &format!("{}{scope}", by.to_uppercase()), Role::Dim);
    x += columns.value + 1;
    let names = [
        ("MATCH", columns.matches, true),
        ("REFUSED/TOTAL", columns.counts, true),
        ("SHARE", columns.share, true),
        ("SINCE", columns.since, false),
        ("REFUSED", columns.spark, false),
        ("TOP CAUSE", columns.cause, false),
    ];
    for (name, width, right) in names.into_iter().filter(|(_, width, _)| *width > 0) {
        if right {
            canvas.put_right(x, y, width, name, Role::Dim);
        } else {
            canvas.put(x, y, width, name, Role::Dim);
        }
        x += width + 1;
    }
}

fn row(
    canvas: &mut Canvas<'_>,
    area: Rect,
    columns: &Columns,
    state: &State,
    (value, group): (&str, &Group),
    peak: u32,
) {
    let (mut x, y) = (area.x + 2, area.y);
    let fine = group.matched == 0;
    let role = if fine { Role::Dim } else { Role::Text };
    canvas.put_middle(x, y, columns.value, value, role);
    x += columns.value + 1;
    canvas.put_right(x, y, columns.matches, &text::short(group.matched), role);
    x += columns.matches + 1;
    let counts = format!("{}/{}", text::short(group.refusals), text::short(group.exchanges));
    canvas.put_right(x, y, columns.counts, &counts, if group.refusals > 0 { Role::Bad } else { Role::Good });
    x += columns.counts + 1;
    canvas.put_right(x, y, columns.share, &format!("{:.0}%", group.refused_share() * 100.0), role);
    x += columns.share + 1;
    if columns.since > 0 {
        let groups = state.views.groups.groups().filter(|_| group.refusals > 0);
        let onset = groups.and_then(|groups| groups.onset(group));
        canvas.put(x, y, columns.since, &onset.map(clock).unwrap_or_default(), role);
        x += columns.since + 1;
    }
    if columns.spark > 0 {
        let per = (BUCKETS / usize::from(columns.spark)).max(1);
        let buckets: Vec<u32> = group.timeline.refusals.chunks(per).map(|chunk| chunk.iter().sum()).collect();
        let drawn = text::spark(&buckets, peak.saturating_mul(per as u32), &canvas.glyphs().levels);
        canvas.raw(x, y, columns.spark, &drawn, Role::Bad);
        x += columns.spark + 1;
    }
    if columns.cause > 0 {
        let cause = group.top_cause().map_or("", |(cause, _)| cause.id());
        canvas.put(x, y, columns.cause, cause, role);
    }
}
