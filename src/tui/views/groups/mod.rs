//! Groups: exchanges counted by the value of one property.

pub(in crate::tui) mod list;
mod table;

use ratatui::layout::Rect;

use super::{Kind, Mover, Screen, View};
use crate::edge::sanitize;
use crate::filter::Filter;
use crate::incidents::GroupBy;
use crate::model::ExchangeId;
use crate::tui::action::Effect;
use crate::tui::doc::{Doc, Line};
use crate::tui::keys::{Command, Place};
use crate::tui::render::Canvas;
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::update::filter::{open_from_list, quoted};

/// The view.
pub(super) struct GroupsView;

impl Screen for GroupsView {
    fn name(&self) -> &'static str {
        "Groups"
    }

    fn kind(&self) -> Kind {
        Kind::List
    }

    fn is_in_header(&self) -> bool {
        false
    }

    fn places(&self, _state: &State) -> &'static [Place] {
        &[Place::Endpoints, Place::List, Place::Everywhere]
    }

    fn prepare(&self, state: &mut State, height: usize) -> bool {
        state.views.groups.prepare(height);
        false
    }

    fn rows_wanted(&self, state: &State) -> Option<usize> {
        Some(state.views.groups.len())
    }

    fn document(&self, state: &State, _width: u16) -> Doc {
        card(state)
    }

    fn draw_list(&self, canvas: &mut Canvas<'_>, area: Rect, state: &State) {
        table::table(canvas, area, state);
    }

    fn mover<'s>(&self, state: &'s mut State) -> Mover<'s> {
        Mover::Rows(&mut state.views.groups)
    }

    fn current(&self, state: &State) -> Option<ExchangeId> {
        state.views.groups.selected().and_then(|(_, group)| group.last)
    }

    fn open(&self, state: &mut State) {
        open(state);
    }

    fn back(&self, state: &mut State) {
        let to = state.views.groups.from.unwrap_or(View::Stream);
        crate::tui::update::show(state, to);
    }

    fn close(&self, state: &mut State) -> bool {
        self.back(state);
        true
    }

    fn run(&self, state: &mut State, command: Command) -> Option<Vec<Effect>> {
        (command == Command::Sort).then(|| {
            let list = &mut state.views.groups;
            list.order = list.order.next();
            let order = list.order.as_str();
            state.say(format!("ordered by {order}"));
            Vec::new()
        })
    }

    fn has_hint(&self, _state: &State, command: Command) -> bool {
        !matches!(command, Command::Mark | Command::Pause)
    }
}

/// Groups by `by` what the list that is open shows.
pub(in crate::tui) fn group(state: &mut State, by: GroupBy) {
    let incident = (state.view == View::Incidents).then(|| state.incidents.selected().cloned()).flatten();
    let (base, matching, scope) = match &incident {
        Some(incident) => {
            let [base, matching] = crate::tui::update::filter::incident_filters(state, incident);
            (base, matching, format!("incident {}", incident.id))
        }
        None if state.view == View::Groups => {
            let list = &state.views.groups;
            (list.base().text().to_owned(), list.matching().text().to_owned(), list.scope.clone())
        }
        None => (String::new(), state.stream.filter.text().to_owned(), String::new()),
    };
    let (Ok(base), Ok(matching)) = (Filter::parse(&base), Filter::parse(&matching)) else {
        state.complain("these requests cannot be grouped: their filter cannot be read");
        return;
    };
    if state.view != View::Groups {
        state.views.groups.from = Some(state.list);
    }
    state.views.groups.start(by, base, matching, scope);
    crate::tui::update::show(state, View::Groups);
}

/// The filter for the exchanges of a group; `None` where no filter can express it.
fn term(by: &GroupBy, value: &str) -> Option<String> {
    let masked = value.contains("redacted") || value.len() >= 160;
    let (key, name) = match by {
        GroupBy::Client => ("client", ""),
        GroupBy::Server => ("server", ""),
        GroupBy::Host => ("host", ""),
        GroupBy::Method => ("method", ""),
        GroupBy::Status => ("status", ""),
        GroupBy::Cause => ("cause", ""),
        GroupBy::Endpoint => ("endpoint", ""),
        GroupBy::UserAgent => ("request-header", "user-agent"),
        GroupBy::Header(name) => ("request-header", name.as_str()),
        GroupBy::ResponseHeader(name) => ("response-header", name.as_str()),
        GroupBy::Query(name) => ("query", name.as_str()),
        GroupBy::Cookie(name) => ("cookie", name.as_str()),
        GroupBy::Identity | GroupBy::Claim(_) | GroupBy::Refuser => return None,
    };
    match (name, value) {
        ("", "(none)") if key == "status" => Some("status:none".to_owned()),
        ("", "(none)") => None,
        (name, "(none)") => Some(format!("-{key}:{name}")),
        _ if masked => None,
        ("", value) => Some(format!("{key}:{}", quoted(value))),
        (name, value) => Some(format!("{key}:{name}={}", quoted(value))),
    }
}

/// From a group to its exchanges.
fn open(state: &mut State) {
    let groups = &state.views.groups;
    let (Some(by), Some((value, group))) = (groups.by(), groups.selected()) else { return };
    let named = format!("{by} = {}", sanitize::text(value));
    let Some(term) = term(by, value) else {
        match group.last {
            Some(id) if state.stream.select_id(id) => {
                crate::tui::update::show(state, View::Stream);
                state.say(format!("no filter can say {named}: this is the latest of them"));
            }
            _ => state.complain(format!("no filter can say {named}")),
        }
        return;
    };
    let mut parts = vec![groups.base().text()];
    if group.matched > 0 {
        parts.push(groups.matching().text());
    }
    parts.retain(|text| !text.is_empty());
    parts.dedup();
    let parts: Vec<String> = parts.into_iter().map(|part| format!("({part})")).chain([term]).collect();
    open_from_list(state, &parts.join(" "));
}

/// What is known of the selected group.
fn card(state: &State) -> Doc {
    let mut doc = Doc::default();
    let list = &state.views.groups;
    let (Some(by), Some((value, group))) = (list.by(), list.selected()) else { return doc };
    doc.push(Line::of(Role::Dim, &format!("{by} ")).add(Role::Title, value).hang(2));
    let refused = text::plural(group.refusals, "refusal", "refusals");
    let share = group.refused_share() * 100.0;
    let counts =
        format!("{refused} of {}, {share:.0}%", text::plural(group.exchanges, "exchange", "exchanges"));
    let line = Line::of(if group.refusals > 0 { Role::Bad } else { Role::Good }, &counts);
    let matches = format!("; {}", text::plural(group.matched, "match", "matches"));
    doc.push(line.add(Role::Dim, &matches).prose());
    for (name, counts, role) in [
        ("refused  ", &group.timeline.refusals, Role::Bad),
        ("succeeded", &group.timeline.successes, Role::Good),
    ] {
        let peak = counts.iter().copied().max().unwrap_or_default();
        let drawn = text::spark(counts, peak, &state.theme.glyphs.levels);
        let peak = text::count(u64::from(peak));
        doc.push(
            Line::of(Role::Dim, &format!("{name} "))
                .add(role, &drawn)
                .add(Role::Dim, &format!(" peak {peak}")),
        );
    }
    if let Some((cause, count)) = group.top_cause() {
        let line = Line::of(Role::Dim, "top cause ").add(Role::Text, cause.id());
        doc.push(line.add(Role::Dim, &format!(" ({}), {}", text::count(count), cause.title())).prose());
    }
    doc
}
