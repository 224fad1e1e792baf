//! The filter line: live feedback, completion, history; and filters made from what is selected.

use crossterm::event::KeyCode;

use super::complete;
use super::movement::{Edited, edit as edit_line};
use crate::edge::redact;
use crate::filter::Filter;
use crate::incidents::Incident;
use crate::model::{Endpoint, ExchangeId};
use crate::tui::action::Effect;
use crate::tui::keys::Chord;
use crate::tui::state::input::{FilterLine, Input, Line};
use crate::tui::state::stream::scan_some;
use crate::tui::state::{Focus, Origin, State, View};
use crate::tui::views::Kind;

/// Endpoints of an incident that its filter names; beyond that its cause has to do.
const MAX_ENDPOINTS: usize = 8;

/// Opens the line.
pub(super) fn edit(state: &mut State) {
    let text = state.stream.filter.text().to_owned();
    let spaced = if text.is_empty() { text } else { format!("{text} ") };
    let mut line = FilterLine {
        line: Line::new(&spaced),
        parsed: Ok(Filter::default()),
        count: 0,
        scan: ExchangeId(0),
        recalled: state.stream.past.len(),
        draft: String::new(),
        candidates: Vec::new(),
        chosen: None,
    };
    changed(state, &mut line);
    state.input = Some(Input::Filter(line));
}

/// A key in the line.
pub(super) fn key(state: &mut State, mut line: FilterLine, chord: Chord) -> Vec<Effect> {
    match chord.code {
        KeyCode::Tab => complete::next(state, &mut line, true),
        KeyCode::BackTab => complete::next(state, &mut line, false),
        KeyCode::Up => recall(state, &mut line, true),
        KeyCode::Down => recall(state, &mut line, false),
        _ => {
            let before = line.line.text.clone();
            match edit_line(&mut line.line, chord) {
                Edited::Cancelled => return Vec::new(),
                Edited::Done => return accept(state, line),
                Edited::Open => {
                    line.chosen = None;
                    if before == line.line.text {
                        state.input = Some(Input::Filter(line));
                        return Vec::new();
                    }
                }
            }
        }
    }
    changed(state, &mut line);
    state.input = Some(Input::Filter(line));
    Vec::new()
}

/// Pastes into the line.
pub(super) fn paste(state: &mut State, text: &str) {
    if let Some(Input::Filter(mut line)) = state.input.take() {
        line.line.insert(text.trim_end());
        line.chosen = None;
        changed(state, &mut line);
        state.input = Some(Input::Filter(line));
    }
}

fn accept(state: &mut State, line: FilterLine) -> Vec<Effect> {
    match &line.parsed {
        Ok(_) => {
            let text = line.line.text.trim().to_owned();
            apply(state, &text);
        }
        Err(_) => state.input = Some(Input::Filter(line)),
    }
    Vec::new()
}

fn recall(state: &State, line: &mut FilterLine, older: bool) {
    let past = &state.stream.past;
    if line.recalled >= past.len() {
        line.draft.clone_from(&line.line.text);
    }
    let next = if older { line.recalled.saturating_sub(1) } else { (line.recalled + 1).min(past.len()) };
    line.recalled = next;
    let text = past.get(next).unwrap_or(&line.draft).clone();
    line.line.set(&text);
    line.chosen = None;
}

/// Reads the line anew and begins to count its matches.
fn changed(state: &State, line: &mut FilterLine) {
    let expanded = expand(state, line.line.text.trim());
    line.parsed = Filter::parse(&expanded);
    line.count = 0;
    line.scan = match line.parsed {
        Ok(_) => ExchangeId(state.inspector.history().last_id().0 + 1),
        Err(_) => ExchangeId(0),
    };
}

/// Counts matches of the line in some more of the history.
pub(super) fn scan(state: &mut State) {
    if let Some(Input::Filter(line)) = &mut state.input
        && let Ok(filter) = &line.parsed
        && line.scan.0 > 0
    {
        let mut count = 0;
        line.scan = scan_some(filter, &state.inspector, line.scan, |_, _, _| count += 1);
        line.count += count;
    }
}

/// Whether matches are still being counted.
pub(super) fn wants_scan(state: &State) -> bool {
    matches!(&state.input, Some(Input::Filter(line)) if line.scan.0 > 0)
}

/// Replaces `@name` by the saved filter of that name, in parentheses.
fn expand(state: &State, text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| match word.strip_prefix('@').and_then(|name| state.saved.get(name)) {
            Some(saved) => format!("({saved})"),
            None => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

/// Puts `text` in effect; says what is wrong when it cannot be read.
pub fn apply(state: &mut State, text: &str) {
    match Filter::parse(&expand(state, text)) {
        Ok(filter) => {
            if state.launched.is_none() {
                state.launched = Some(state.stream.filter.clone());
            }
            state.stream.set_filter(filter, state.inspector.history());
            state.stream.scan(&state.inspector);
            state.detail.leave();
            state.origin = None;
        }
        Err(error) => state.complain(error.to_string()),
    }
}

/// Back to the filter before.
pub(super) fn undo(state: &mut State) {
    match state.stream.past.pop() {
        Some(text) => {
            let kept = state.stream.past.clone();
            apply(state, &text);
            state.stream.past = kept;
            let shown = if text.is_empty() { "(everything)".to_owned() } else { text };
            state.say(format!("filter: {shown}"));
        }
        None => state.say("there was no filter before this one"),
    }
}

/// Narrows the filter by `term`.
pub(super) fn narrow(state: &mut State, term: &str) {
    let text = state.stream.filter.text().trim();
    let text = match text {
        "" => term.to_owned(),
        _ if text.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case("or")) => {
            format!("({text}) {term}")
        }
        _ => format!("{text} {term}"),
    };
    apply(state, &text);
    if state.view.screen().kind() == Kind::List {
        state.view = View::Stream;
    }
}

/// From an endpoint to its refusals.
pub(in crate::tui) fn endpoint(state: &mut State) {
    let Some(id) = state.endpoints.selected_id() else { return };
    let refusals = state.endpoints.row(id).map_or(0, |row| row.refusals);
    let Some(name) = state.inspector.history().endpoint(id).map(whole) else { return };
    let status = if refusals > 0 { " status:4xx" } else { "" };
    open_from_list(state, &format!("endpoint:{name}{status}"));
}

/// From an incident to its refusals.
pub(in crate::tui) fn incident(state: &mut State) {
    let Some(incident) = state.incidents.selected() else { return };
    let [endpoints, matching] = incident_filters(state, incident);
    open_from_list(state, format!("{matching} {endpoints}").trim_end());
}

/// The filters for everything at an incident's endpoints, and for the refusals of its cause.
pub(in crate::tui) fn incident_filters(state: &State, incident: &Incident) -> [String; 2] {
    let history = state.inspector.history();
    let names: Vec<String> = incident
        .endpoints
        .iter()
        .take(MAX_ENDPOINTS)
        .filter_map(|id| Some(format!("endpoint:{}", whole(history.endpoint(*id)?))))
        .collect();
    let endpoints = match names.as_slice() {
        _ if incident.endpoints.len() > MAX_ENDPOINTS => String::new(),
        [name] => name.clone(),
        names => format!("({})", names.join(" or ")),
    };
    [endpoints, format!("status:4xx cause:{}", incident.cause.id())]
}

/// From a list of something to its exchanges, which `text` selects; Esc returns.
pub(in crate::tui) fn open_from_list(state: &mut State, text: &str) {
    let origin = Origin { view: state.view, filter: state.stream.filter.text().to_owned() };
    apply(state, text);
    state.origin = Some(origin);
    state.list = View::Stream;
    state.view = View::Stream;
    state.focus = Focus::List;
    state.stream.follow();
    let key = state.keys.key(crate::tui::keys::Command::Back);
    state.say(format!("{key} returns to the list and to the filter before"));
}

/// Back to the list from which these exchanges were opened, with its filter.
pub(in crate::tui) fn return_to_origin(state: &mut State) {
    let Some(origin) = state.origin.take() else { return };
    apply(state, &origin.filter);
    state.stream.past.retain(|past| *past != origin.filter);
    state.stream.follow();
    super::command::show(state, origin.view);
}

/// A filter value that means this endpoint and no other whose name begins like it: a pattern, which is anchored.
pub(super) fn whole(endpoint: &Endpoint) -> String {
    // A secret in the path is left to the pattern: the filter is shown.
    let template = redact::starred(&endpoint.template);
    let name = format!("{}*{}{template}", endpoint.method, endpoint.authority);
    if quoted(&name) == name { name } else { quoted(&redact::starred(&endpoint.to_string())) }
}

/// A value for the filter, quoted where it must be.
pub(in crate::tui) fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:{}*".contains(letter);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }
}
