//! The bars around everything: header, status line, hints, dividers.

use ratatui::layout::Rect;

use super::canvas::Canvas;
use crate::edge::sanitize;
use crate::feed::{Ended, SourceKind};
use crate::tui::keys::{Binding, Command};
use crate::tui::layout::{self, Areas};
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// From this width on the status line says what its figures are.
const ROOMY: u16 = 100;

/// Name, views, filter.
pub(in crate::tui) fn header(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    canvas.fill(area, Role::Bar);
    canvas.put(area.x + 1, area.y, layout::NAME, "why403", Role::Title);
    canvas.tint(Rect { width: layout::NAME.min(area.width), ..area }, Role::Bar);
    let mut x = area.x + layout::NAME;
    for (view, name, start, width) in layout::headings(state) {
        let role = if state.view == view { Role::Selected } else { Role::Bar };
        x = area.x + start;
        x += canvas.put(x, area.y, width.min(area.right().saturating_sub(x)), &format!(" {name} "), role);
    }
    let filter = state.stream.filter.text();
    let shown = if filter.is_empty() { "(everything)" } else { filter };
    let key = state.keys.key(Command::Filter);
    let room = area.right().saturating_sub(x + 2);
    let label = text::fit_middle(
        &format!("{key} {}", sanitize::text(shown)),
        usize::from(room),
        canvas.glyphs().ellipsis,
    );
    canvas.put_right(x, area.y, area.right().saturating_sub(x + 1), &label, Role::Bar);
}

/// The line between two panes.
pub(in crate::tui) fn divider(canvas: &mut Canvas<'_>, areas: &Areas) {
    let area = areas.divider;
    if areas.side_by_side() {
        for y in area.top()..area.bottom() {
            canvas.raw(area.x, y, 1, canvas.glyphs().vertical, Role::Line);
        }
    } else if area.height > 0 {
        let line = canvas.glyphs().horizontal.repeat(usize::from(area.width));
        canvas.raw(area.x, area.y, area.width, &line, Role::Line);
    }
}

/// Source, rate, matches, 403s, losses, memory; what is unusual stands out.
pub(in crate::tui) fn status(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    canvas.fill(area, Role::Bar);
    let mut x = area.x + 1;
    for (text, loud) in flags(state) {
        let role = if loud { Role::Hit } else { Role::Selected };
        x += canvas.put(x, area.y, area.right().saturating_sub(x), &format!(" {text} "), role) + 1;
    }
    for (number, (text, role)) in facts(state).into_iter().enumerate() {
        let room = area.right().saturating_sub(x);
        let needed = text::width(&text) as u16 + if number > 0 { 2 } else { 0 };
        if needed > room {
            canvas.put(area.right() - 1, area.y, 1, canvas.glyphs().ellipsis, Role::Bar);
            break;
        }
        x += if number > 0 { 2 } else { 0 };
        let start = x;
        x += canvas.put(x, area.y, room, &text, Role::Bar);
        if role == Role::Warn {
            canvas.tint(Rect { x: start, width: x - start, ..area }, Role::Hit);
        }
    }
}

fn flags(state: &State) -> Vec<(String, bool)> {
    let mut flags = Vec::new();
    if state.stream.is_paused() {
        flags.push(("PAUSED".to_owned(), true));
    }
    let unseen = state.stream.unseen() as u64;
    if unseen > 0 {
        let [_, down] = state.theme.glyphs.more;
        flags.push((format!("{down} {} new", text::count(unseen)), false));
    }
    if state.redactor.reveals() {
        flags.push(("SECRETS SHOWN".to_owned(), true));
    }
    if let Some(count) = state.pending.count {
        flags.push((count.to_string(), false));
    }
    flags
}

fn facts(state: &State) -> Vec<(String, Role)> {
    let traffic = &state.traffic;
    let [running, _, stopped] = state.theme.glyphs.states;
    let label = sanitize::text(&state.source.label);
    let label = text::fit_middle(&label, usize::from(state.size.0 / 4), state.theme.glyphs.ellipsis);
    let mut facts = vec![match (&traffic.ended, traffic.progress) {
        (Some(Ended::Failed(_)), _) => (format!("{stopped} {label} failed"), Role::Warn),
        (Some(_), _) => (format!("{stopped} {label}"), Role::Bar),
        (None, Some(progress)) if state.source.kind == SourceKind::File => {
            let done = progress.total.map_or_else(
                || text::bytes(progress.read),
                |total| format!("{:.0}%", progress.read as f64 * 100.0 / total.max(1) as f64),
            );
            (format!("{running} {label} reading {done}"), Role::Bar)
        }
        (None, _) => (format!("{running} {label}"), Role::Bar),
    }];
    if traffic.ended.is_none() {
        facts.push((format!("{}/s", text::short(traffic.rate(state.clock))), Role::Bar));
    }
    let scanning = if state.stream.is_scanning() { "+" } else { "" };
    let matches = text::count(state.stream.total() as u64);
    facts.push((format!("{matches}{scanning} of {} match", text::count(traffic.exchanges)), Role::Bar));
    facts.push((format!("403: {}", text::count(traffic.forbidden)), Role::Bar));
    let lost = traffic.lost();
    facts.push((format!("lost {}", text::short(lost)), if lost > 0 { Role::Warn } else { Role::Bar }));
    let history = state.inspector.history();
    let label = if state.size.0 >= ROOMY { "memory " } else { "" };
    let mut memory = format!("{label}{} of {}", text::bytes(history.memory()), text::bytes(state.budget));
    if history.evicted() > 0 {
        let oldest = if state.size.0 >= ROOMY { "oldest exchanges " } else { "" };
        let given_up = text::short(history.evicted());
        memory = format!("{memory}, {given_up} {oldest}given up");
    }
    facts.push((memory, Role::Bar));
    facts
}

/// The last line: a message, or the keys that matter here.
pub(in crate::tui) fn hints(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    if let Some(notice) = &state.notice {
        let role = if notice.bad { Role::Bad } else { Role::Accent };
        canvas.put(area.x + 1, area.y, area.width.saturating_sub(2), &notice.text, role);
        return;
    }
    if let Some(set) = state.pending.mark {
        let text = if set { "mark: a letter" } else { "go to mark: its letter" };
        canvas.put(area.x + 1, area.y, area.width, text, Role::Accent);
        return;
    }
    let mut x = area.x + 1;
    for place in state.places() {
        for (binding, chords) in state.keys.iter().filter(|(binding, _)| binding.place == *place) {
            let Some(chord) = chords.first().filter(|_| is_worth_a_hint(binding, state)) else { continue };
            let key = chord.to_string();
            let needed = (text::width(&key) + binding.hint.len() + 3) as u16;
            if x + needed > area.right() {
                return;
            }
            x += canvas.put(x, area.y, needed, &key, Role::Key);
            x += canvas.put(x, area.y, needed, &format!(" {}  ", binding.hint), Role::Dim);
        }
    }
}

/// Whether the key does something here that people would look for.
fn is_worth_a_hint(binding: &Binding, state: &State) -> bool {
    let useful = match binding.command {
        Command::Show(view) => state.view != view,
        command => state.view.screen().has_hint(state, command),
    };
    useful && !binding.hint.is_empty()
}
