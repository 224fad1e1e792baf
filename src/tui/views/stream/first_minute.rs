//! What to say while there is nothing to show.

use ratatui::layout::Rect;

use crate::edge::sanitize;
use crate::tui::doc::{Doc, Line};
use crate::tui::keys::Command;
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// Statuses that are listed.
const STATUSES: usize = 8;

/// Says what is listened to, what was seen and what to try.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Rect, state: &State) {
    let mut doc = words(state);
    let width = area.width.saturating_sub(4).min(96);
    doc.flow(width, true);
    let top = area.y + u16::from(area.height > 8);
    let bottom = area.bottom();
    crate::tui::render::detail::rows(
        canvas,
        Rect { x: area.x + 2, y: top, width, height: bottom.saturating_sub(top) },
        &doc,
        0,
    );
}

fn words(state: &State) -> Doc {
    let mut doc = Doc::default();
    let traffic = &state.traffic;
    let listening = sanitize::text(&state.source.listening);
    let verb = if traffic.ended.is_some() { "Read" } else { "Listening to" };
    doc.push(Line::of(Role::Dim, &format!("{verb} ")).add(Role::Title, &listening).prose().hang(2));
    doc.gap();
    if state.stream.is_scanning() {
        doc.push(Line::of(Role::Dim, "Searching the history …"));
    } else if traffic.exchanges == 0 {
        nothing(&mut doc, state);
    } else {
        none_matches(&mut doc, state);
    }
    doc
}

fn nothing(doc: &mut Doc, state: &State) {
    let counters = &state.traffic.counters;
    let tls = state.traffic.unparsed("tls");
    if tls > 0 {
        let seen = text::plural(tls, "TLS connection", "TLS connections");
        let line = Line::of(Role::Warn, &seen)
            .add(Role::Text, ", and no plaintext HTTP. TLS cannot be read from outside: see ");
        doc.push(
            line.add(Role::Key, "why403 tap --help")
                .add(Role::Text, ", which terminates it in front of the service.")
                .prose(),
        );
    } else if counters.frames == 0 {
        let listening = sanitize::text(&state.source.listening);
        doc.push(Line::of(Role::Text, &format!("No packets yet on {listening}.")).prose());
    } else {
        let text = format!(
            "{}, {}, no HTTP/1.1 yet.",
            text::plural(counters.frames, "frame", "frames"),
            text::plural(counters.flows, "connection", "connections")
        );
        doc.push(Line::of(Role::Text, &text).prose());
    }
    for (kind, count) in counters.flows_unparsed.iter().filter(|(kind, _)| !kind.eq_ignore_ascii_case("tls"))
    {
        doc.push(Line::of(
            Role::Dim,
            &format!("  {kind}: {}", text::plural(*count, "connection", "connections")),
        ));
    }
    hints(doc, state);
}

fn hints(doc: &mut Doc, state: &State) {
    if state.source.hints.is_empty() {
        return;
    }
    doc.gap();
    doc.push(Line::of(Role::Title, "What to try"));
    for hint in &state.source.hints {
        doc.push(Line::of(Role::Text, &format!("  {}", sanitize::text(hint))).hang(4).prose());
    }
}

fn none_matches(doc: &mut Doc, state: &State) {
    let traffic = &state.traffic;
    let filter = state.stream.filter.text();
    let posts = text::plural(traffic.posts, "POST", "POSTs");
    let first = if traffic.posts > 0 && traffic.posts_forbidden == 0 {
        Line::of(Role::Good, &format!("{posts}, none refused with 403"))
    } else {
        Line::of(
            Role::Text,
            &format!("{}, none matches", text::plural(traffic.exchanges, "exchange", "exchanges")),
        )
    };
    doc.push(first.add(Role::Dim, &format!("  {}", sanitize::text(filter))).prose().hang(2));
    doc.gap();
    let mut statuses: Vec<_> = traffic.statuses.iter().collect();
    statuses.sort_by_key(|(status, count)| (std::cmp::Reverse(**count), **status));
    for (status, count) in statuses.into_iter().take(STATUSES) {
        let name = if *status == 0 { "no response".to_owned() } else { status.to_string() };
        let role = if *status == 0 { Role::Warn } else { crate::tui::doc::message::status_role(*status) };
        let line = Line::of(role, &format!("  {name:<12}")).add(Role::Text, &text::count(*count));
        doc.push(line);
    }
    doc.gap();
    let (edit, only, endpoints) = (
        state.keys.key(Command::Filter),
        state.keys.key(Command::Only),
        state.keys.key(Command::Show(crate::tui::views::View::Endpoints)),
    );
    let text = format!(
        "{edit} edits the filter, {endpoints} shows every endpoint, {only} narrows by what is selected"
    );
    doc.push(Line::of(Role::Dim, &text).prose());
    hints(doc, state);
}
