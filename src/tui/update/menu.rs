//! Menus: copy, save, only this, not this.

use crossterm::event::KeyCode;

use super::filter::{narrow as narrow_by, quoted, whole};
use crate::edge::sanitize;
use crate::history::Record;
use crate::model::{ExchangeId, Fields};
use crate::tui::action::Effect;
use crate::tui::columns::Column;
use crate::tui::doc::wire;
use crate::tui::keys::Chord;
use crate::tui::state::input::{Input, Item, Menu, MenuKind, PromptKind, What};
use crate::tui::state::{Focus, State, View};
use crate::tui::views::groups;

/// Fields listed in a menu.
const MAX_FIELDS: usize = 26;

/// Opens the copy menu.
pub(super) fn copy(state: &mut State) {
    open(state, "Copy", MenuKind::Copy);
}

/// Opens the save menu.
pub(super) fn save(state: &mut State) {
    open(state, "Save to a file", MenuKind::Save);
}

fn open(state: &mut State, title: &'static str, kind: MenuKind) {
    let Some(record) = state.current().and_then(|id| state.inspector.history().get(id)) else {
        state.say("nothing is selected yet");
        return;
    };
    let mut items = vec![
        item('c', "curl command", What::Curl),
        item('t', "HTTPie command", What::As("httpie")),
        item('f', "JavaScript fetch", What::As("fetch")),
        item('p', "Python requests", What::As("python")),
        item('w', "PowerShell", What::As("powershell")),
        item('u', "URL", What::Url),
        item('q', "request", What::Request),
        item('r', "response", What::Response),
        item('m', "report as Markdown", What::Markdown),
        item('j', "exchange as JSON", What::Json),
    ];
    if kind == MenuKind::Copy {
        if state.focus == Focus::Detail && state.view == View::Stream && state.detail.page.value().is_some() {
            items.insert(0, item('v', "value under the cursor", What::Value));
        }
        items.push(item('h', "a field's value …", What::Fields));
    } else {
        items.retain(|item| item.what != What::Url);
    }
    if record.exchange.response.is_none() {
        items.retain(|item| item.what != What::Response);
    }
    state.stream.hold();
    state.input = Some(Input::Menu(Menu { title, kind, items, cursor: 0 }));
}

fn item(key: char, label: &str, what: What) -> Item {
    Item { key, label: label.to_owned(), what }
}

/// Opens the menu of filters made from the selected exchange.
pub(super) fn narrow(state: &mut State, exclude: bool) {
    let Some(record) = state.current().and_then(|id| state.inspector.history().get(id)) else {
        state.say("nothing is selected yet");
        return;
    };
    let mut items = Vec::new();
    let sign = if exclude { "-" } else { "" };
    let mut add = |key, value: Option<String>, name: &str| {
        if let Some(value) = value {
            let value = if name == "endpoint" { value } else { quoted(&value) };
            let term = format!("{sign}{name}:{value}");
            items.push(Item { key, label: sanitize::text(&term).into_owned(), what: What::Filter(term) });
        }
    };
    let exchange = &record.exchange;
    let endpoint = state.inspector.history().endpoint(record.endpoint);
    let cause = state.causes.get(exchange.id).and_then(|known| known.cause);
    add('e', endpoint.map(whole), "endpoint");
    add('a', cause.map(|(cause, _)| cause.id().to_owned()), "cause");
    add('s', exchange.status().map(|status| status.to_string()), "status");
    add('c', Some(exchange.client.ip().to_string()), "client");
    add('h', endpoint.map(|endpoint| endpoint.authority.to_string()), "host");
    add('m', Some(exchange.method().to_owned()).filter(|method| !method.is_empty()), "method");
    if !exclude {
        items.push(item('*', "everything (no filter)", What::Filter(String::new())));
    }
    state.stream.hold();
    let title = if exclude { "Hide" } else { "Show only" };
    state.input = Some(Input::Menu(Menu { title, kind: MenuKind::Filter, items, cursor: 0 }));
}

/// Opens the menu of properties to group by: the usual ones, and fields and claims of the selected exchange.
pub(super) fn group_by(state: &mut State) {
    let usual = [
        ('e', "endpoint"),
        ('c', "client"),
        ('i', "identity"),
        ('u', "user-agent"),
        ('h', "host"),
        ('a', "cause"),
        ('r', "refuser"),
        ('s', "status"),
        ('m', "method"),
        ('v', "server"),
    ];
    let mut items: Vec<Item> =
        usual.into_iter().map(|(key, name)| item(key, name, What::GroupBy(name.to_owned()))).collect();
    let record = state.current().and_then(|id| state.inspector.history().get(id));
    let own = record.map(crate::incidents::telling_names).unwrap_or_default();
    for (name, key) in own.into_iter().zip('1'..='9') {
        items.push(Item { key, label: sanitize::text(&name).into_owned(), what: What::GroupBy(name) });
    }
    items.push(item('o', "another field, claim, parameter or cookie …", What::GroupBy(String::new())));
    state.input = Some(Input::Menu(Menu { title: "Group by", kind: MenuKind::GroupBy, items, cursor: 0 }));
}

/// Opens the menu of the stream's columns; taking one shows or hides it.
pub(super) fn columns(state: &mut State, cursor: usize) {
    let shown = if state.columns.is_empty() { Column::USUAL } else { &state.columns };
    let [yes, _] = state.theme.glyphs.verdicts;
    let items = Column::ALL.iter().zip('a'..='z').map(|(column, key)| {
        let sign = if shown.contains(column) { yes } else { " " };
        let label = format!("{sign} {:<9} {}", column.as_str(), column.help());
        Item { key, label, what: What::Column(*column) }
    });
    let items = items.collect();
    state.input = Some(Input::Menu(Menu { title: "Columns", kind: MenuKind::Columns, items, cursor }));
}

/// Shows a column at the end, before the cause, or hides it.
fn toggle_column(state: &mut State, column: Column) {
    let mut shown = if state.columns.is_empty() { Column::USUAL.to_vec() } else { state.columns.clone() };
    match shown.iter().position(|one| *one == column) {
        Some(at) => {
            shown.remove(at);
        }
        None => {
            let end = shown.iter().position(|one| *one == Column::Cause).unwrap_or(shown.len());
            shown.insert(end, column);
        }
    }
    state.unkept = true;
    state.columns = if shown == Column::USUAL { Vec::new() } else { shown };
}

/// A key in a menu.
pub(super) fn key(state: &mut State, mut menu: Menu, chord: Chord) -> Vec<Effect> {
    let last = menu.items.len().saturating_sub(1);
    let letter = chord.typed();
    if let Some(at) = letter.and_then(|letter| menu.items.iter().position(|item| item.key == letter)) {
        menu.cursor = at;
        return choose(state, &menu);
    }
    match (chord.code, letter) {
        (KeyCode::Enter, _) => return choose(state, &menu),
        (KeyCode::Esc, _) | (_, Some('q')) => return Vec::new(),
        (KeyCode::Down | KeyCode::Tab, _) | (_, Some('j')) => menu.cursor = (menu.cursor + 1).min(last),
        (KeyCode::Up | KeyCode::BackTab, _) | (_, Some('k')) => menu.cursor = menu.cursor.saturating_sub(1),
        _ if !chord.modifiers.is_empty() => return Vec::new(),
        _ => {}
    }
    state.input = Some(Input::Menu(menu));
    Vec::new()
}

fn choose(state: &mut State, menu: &Menu) -> Vec<Effect> {
    let Some(item) = menu.items.get(menu.cursor) else { return Vec::new() };
    if let What::Column(column) = item.what {
        toggle_column(state, column);
        columns(state, menu.cursor);
        return Vec::new();
    }
    if let What::GroupBy(name) = &item.what {
        match name.parse() {
            Ok(by) => groups::group(state, by),
            Err(_) => super::prompt::open(state, PromptKind::GroupBy, "header:"),
        }
        return Vec::new();
    }
    let Some(id) = state.current() else { return Vec::new() };
    match &item.what {
        What::Filter(term) if term.is_empty() => super::filter::apply(state, ""),
        What::Filter(term) => narrow_by(state, term),
        What::Fields => fields(state, id, menu.kind),
        what => {
            let Some((name, text)) = text(state, id, what) else {
                state.complain(format!("#{} is no longer kept", id.0));
                return Vec::new();
            };
            return vec![match menu.kind {
                MenuKind::Save => {
                    let stem = format!("why403-{}-{name}", id.0).replace(' ', "-");
                    Effect::Save { stem, extension: extension(what), text }
                }
                _ => Effect::Copy { what: name, text: String::from_utf8_lossy(&text).into_owned() },
            }];
        }
    }
    Vec::new()
}

fn extension(what: &What) -> &'static str {
    match what {
        What::Markdown => "md",
        What::Json => "json",
        What::As("fetch") => "mjs",
        What::As("python") => "py",
        What::As("powershell") => "ps1",
        What::Curl | What::As(_) => "sh",
        What::Request | What::Response => "http",
        _ => "txt",
    }
}

fn text(state: &State, id: ExchangeId, what: &What) -> Option<(&'static str, Vec<u8>)> {
    let record = state.inspector.history().get(id)?;
    let redactor = &state.redactor.knowing(&[&record.exchange]);
    Some(match what {
        What::Curl => ("curl", (state.exports.curl)(record, redactor).into_bytes()),
        What::Url => ("URL", wire::url(record, redactor).into_bytes()),
        What::Request => ("request", wire::request(record, redactor)?),
        What::Response => ("response", wire::response(record, redactor)?),
        What::Value => ("value", state.detail.page.value()?.as_bytes().to_vec()),
        What::Field(name, value) => ("field", redactor.field(name, value).into_owned()),
        What::Markdown => ("report", (state.exports.markdown)(&state.inspector, id, redactor).into_bytes()),
        What::Json => ("JSON", (state.exports.json)(&state.inspector, id, redactor).into_bytes()),
        What::As(format) => {
            let (text, _) = (state.exports.many)(&state.inspector, &[id], format, redactor).ok()?;
            (format, text)
        }
        What::Fields | What::Filter(_) | What::GroupBy(_) | What::Column(_) => return None,
    })
}

/// Opens the list of fields.
fn fields(state: &mut State, id: ExchangeId, kind: MenuKind) {
    let Some(record) = state.inspector.history().get(id) else { return };
    let redactor = state.redactor.knowing(&[&record.exchange]);
    let items: Vec<Item> = both(record)
        .take(MAX_FIELDS)
        .zip('a'..='z')
        .map(|((name, value), key)| {
            let shown = redactor.field(name, value);
            let label = format!("{}: {}", sanitize::line(name), sanitize::short(&shown, 60));
            Item { key, label, what: What::Field(name.to_vec(), value.to_vec()) }
        })
        .collect();
    state.input = Some(Input::Menu(Menu { title: "Copy a field's value", kind, items, cursor: 0 }));
}

/// Fields of the request, then of the response.
fn both(record: &Record) -> impl Iterator<Item = (&[u8], &[u8])> {
    let exchange = &record.exchange;
    let request = exchange.request.as_ref().map(|request| request.head.fields());
    let response = exchange.response.as_ref().map(|response| response.head.fields());
    let all = request.into_iter().chain(response).flat_map(Fields::iter);
    all.map(|field| (field.name, field.value))
}
