//! The command line: every action of the key table by its name, and what needs words.

use super::filter;
use super::{command, prompt, search};
use crate::filter::{Completion, instant};
use crate::incidents::GroupBy;
use crate::model::ExchangeId;
use crate::tui::action::Effect;
use crate::tui::columns::Column;
use crate::tui::keys::{Command, Place};
use crate::tui::settings::ThemeName;
use crate::tui::state::input::Prompt;
use crate::tui::state::{State, View};
use crate::tui::views::groups;

/// Exchanges that are written at once; of more the latest.
const MAX_WRITTEN: usize = 20_000;

/// Commands that take words: name, an example of the words, what it does.
const WORDS: &[(&str, &str, &str)] = &[
    ("filter", "method:POST status:403", "Show what matches"),
    ("group", "header:x-app-version", "Group by a property"),
    ("sort", "latency", "Sort the stream by a column; without one by time"),
    ("search", "text", "Search heads and bodies"),
    ("note", "rolled back", "Acknowledge the selected incident with a note"),
    ("w", "refusals.har", "Write what matches to a file; its extension is the format"),
    ("export", "har refusals", "Write what matches in a format"),
    ("theme", "light", "Colours"),
    ("set", "columns=time,status,target", "Settings: columns, bell, wrap"),
    ("save-filter", "name", "Keep the filter as @name"),
    ("q", "", "Quit"),
];

const FORMATS: [&str; 11] =
    ["har", "json", "markdown", "curl", "nc", "httpie", "fetch", "python", "powershell", "raw", "md"];

const SETTINGS: [&str; 5] = ["columns=", "bell", "nobell", "wrap", "nowrap"];

/// Runs what was typed.
pub(super) fn run(state: &mut State, text: &str) -> Vec<Effect> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let (name, words) = text.split_once(' ').unwrap_or((text, ""));
    let words = words.trim();
    if let Some(id) = name.strip_prefix('#').unwrap_or(name).parse().ok().filter(|_| words.is_empty()) {
        go_to(state, ExchangeId(id));
        return Vec::new();
    }
    if is_time(name) {
        go_to_time(state, text);
        return Vec::new();
    }
    if words.is_empty()
        && let Some(found) = named(state, name)
    {
        return command::run(state, found, None, None);
    }
    match name {
        "filter" => filter::apply(state, words),
        "group" => match words.parse::<GroupBy>() {
            Ok(by) => groups::group(state, by),
            Err(error) => state.complain(error.to_string()),
        },
        "sort" => sort(state, words),
        "search" => search::start(state, words),
        "note" => match state.incidents.selected().map(|incident| incident.id) {
            Some(id) if state.view == View::Incidents => prompt::acknowledge(state, id, words),
            _ => state.complain("select an incident first"),
        },
        "theme" => theme(state, words),
        "set" => set(state, words),
        "save-filter" => save_filter(state, words),
        "w" | "write" => return write(state, words),
        "export" => match words.split_once(' ') {
            Some((format, file)) => return export(state, format, file.trim()),
            None => return export(state, words, "why403"),
        },
        "q" | "quit" | "q!" => return command::run(state, Command::Leave, None, None),
        _ => unknown(state, name),
    }
    Vec::new()
}

/// The command of the key table with this name that means something here.
fn named(state: &State, name: &str) -> Option<Command> {
    let places = state.places();
    let mut found = state.keys.iter().map(|(binding, _)| binding).filter(|binding| binding.name == name);
    found.find(|binding| places.contains(&binding.place)).map(|binding| binding.command)
}

fn unknown(state: &mut State, name: &str) {
    let names: Vec<&str> = names(state).collect();
    let known = |known: &&str| crate::spelling::distance(name, known);
    let nearest = names.iter().copied().min_by_key(known).filter(|nearest| known(nearest) <= 2);
    let name = crate::edge::sanitize::short(name.as_bytes(), 30).into_owned();
    state.complain(match nearest {
        Some(nearest) => format!("no command is called '{name}'; did you mean '{nearest}'?"),
        None => format!("no command is called '{name}'; Tab lists them"),
    });
}

fn names(state: &State) -> impl Iterator<Item = &'static str> {
    let places = state.places();
    let keys = state.keys.iter().map(|(binding, _)| binding);
    let active = keys.filter(move |binding| places.contains(&binding.place)).map(|binding| binding.name);
    WORDS.iter().map(|(name, ..)| *name).chain(active)
}

fn is_time(word: &str) -> bool {
    let word = word.strip_prefix('-').unwrap_or(word);
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && instant(word, crate::model::Timestamp(0)).is_some()
}

/// `12:04` today, `-5m` before now: the first match from then on.
fn go_to_time(state: &mut State, text: &str) {
    let now = state.now();
    let Some(at) = instant(text.strip_prefix('-').unwrap_or(text), now) else {
        state.complain("times are written 12:04, 12:04:30, -5m or 2026-11-22T12:04");
        return;
    };
    match state.stream.since(at, state.inspector.history()) {
        Some(id) => {
            if state.view != View::Stream {
                command::show(state, View::Stream);
            }
            state.stream.select_id(id);
            state.detail.leave();
        }
        None => state.complain(format!(
            "nothing matches from {} UTC on",
            at.to_string().get(..19).unwrap_or_default()
        )),
    }
}

fn go_to(state: &mut State, id: ExchangeId) {
    if state.stream.select_id(id) {
        if state.view != View::Stream {
            command::show(state, View::Stream);
        }
        state.detail.leave();
    } else if state.inspector.history().row_of(id).is_some() {
        state.complain(format!("#{} does not match the filter", id.0));
    } else {
        state.complain(format!("#{} is not kept", id.0));
    }
}

/// Sorts the stream by the column called `name`, by time without one.
fn sort(state: &mut State, name: &str) {
    if name.is_empty() {
        state.stream.follow();
        return;
    }
    let Some(column) = Column::named(name) else {
        let names: Vec<&str> = Column::sortable().map(Column::as_str).collect();
        state.complain(format!("the stream can be sorted by {}", names.join(", ")));
        return;
    };
    sort_by(state, column);
}

/// Sorts the stream by `column`; by the same one again: the other way round.
pub(super) fn sort_by(state: &mut State, column: Column) {
    let follow = state.keys.key(Command::Follow);
    if state.stream.sort(column, state.inspector.history()) {
        state.say(format!("sorted by {}: what came up to now; {follow} returns to time", column.as_str()));
    } else {
        state.complain(format!("the stream cannot be sorted by {}", column.as_str()));
    }
}

fn theme(state: &mut State, name: &str) {
    match ThemeName::ALL.into_iter().find(|theme| theme.as_str() == name) {
        Some(theme) => {
            state.theme.name = theme;
            state.unkept = true;
        }
        None => {
            let names: Vec<&str> = ThemeName::ALL.into_iter().map(ThemeName::as_str).collect();
            state.complain(format!("the themes are {}", names.join(", ")));
        }
    }
}

fn set(state: &mut State, words: &str) {
    let (name, value) = words.split_once(['=', ' ']).unwrap_or((words, ""));
    match name {
        "bell" => state.bell = true,
        "nobell" => state.bell = false,
        "wrap" => state.detail.cut = false,
        "nowrap" => state.detail.cut = true,
        "columns" => columns(state, value),
        _ => state.complain("settings are columns=…, bell, nobell, wrap, nowrap"),
    }
}

fn columns(state: &mut State, names: &str) {
    let read: Option<Vec<Column>> =
        names.split([',', ' ']).filter(|name| !name.is_empty()).map(Column::named).collect();
    match read {
        Some(columns) => {
            state.columns = columns;
            state.unkept = true;
        }
        None => {
            let names: Vec<&str> = Column::ALL.iter().map(|column| column.as_str()).collect();
            state.complain(format!("the columns are {}", names.join(", ")));
        }
    }
}

fn save_filter(state: &mut State, name: &str) {
    let fits =
        !name.is_empty() && name.chars().all(|letter| letter.is_alphanumeric() || "-_".contains(letter));
    if !fits {
        state.complain("name the filter with letters, digits, - and _");
        return;
    }
    let text = state.stream.filter.text().to_owned();
    state.saved.insert(name.to_owned(), text);
    state.unkept = true;
    state.say(format!("@{name} is this filter from now on"));
}

/// `refusals.har`: the extension says the format.
fn write(state: &mut State, file: &str) -> Vec<Effect> {
    let (stem, extension) = file.rsplit_once('.').unwrap_or((file, "json"));
    let format = match extension {
        "sh" => "curl",
        "py" => "python",
        "js" | "mjs" => "fetch",
        "ps1" => "powershell",
        "http" | "txt" => "raw",
        "ndjson" | "jsonl" => "json",
        other => other,
    };
    export(state, format, stem)
}

fn export(state: &mut State, format: &str, file: &str) -> Vec<Effect> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain = !stem.is_empty()
        && stem.len() <= 100
        && !stem.starts_with('.')
        && stem.chars().all(|letter| letter.is_alphanumeric() || "-_.".contains(letter));
    if !plain {
        state.complain("name a file without a directory: letters, digits, - _ and .");
        return Vec::new();
    }
    let all = state.stream.len();
    let ids: Vec<ExchangeId> =
        (all.saturating_sub(MAX_WRITTEN)..all).filter_map(|at| state.stream.at(at)).collect();
    if ids.is_empty() {
        state.complain("nothing matches");
        return Vec::new();
    }
    match (state.exports.many)(&state.inspector, &ids, format, &state.redactor) {
        Ok((text, extension)) => vec![Effect::Save { stem: stem.to_owned(), extension, text }],
        Err(why) => {
            state.complain(why);
            Vec::new()
        }
    }
}

/// Candidates for the word at the cursor.
pub(super) fn complete(state: &State, prompt: &Prompt) -> Vec<Completion> {
    let before = prompt.line.text.get(..prompt.line.cursor).unwrap_or_default();
    let end = before.len();
    let Some((name, words)) = before.split_once(' ') else { return commands(state, before) };
    let start = end - words.len();
    let last = end - words.rsplit([' ', ',', '=']).next().unwrap_or_default().len();
    let typed = before.get(last..).unwrap_or_default();
    let among = |all: &mut dyn Iterator<Item = (String, String)>| -> Vec<Completion> {
        all.filter(|(text, _)| text.starts_with(typed))
            .map(|(text, help)| Completion { replaces: last..end, text, help })
            .collect()
    };
    let plain = |name: &str| (name.to_owned(), String::new());
    match name {
        "filter" => crate::filter::complete(words, words.len(), state.inspector.history())
            .into_iter()
            .map(|one| Completion { replaces: start + one.replaces.start..end, ..one })
            .collect(),
        "theme" => among(&mut ThemeName::ALL.into_iter().map(|theme| plain(theme.as_str()))),
        "export" => among(&mut FORMATS.into_iter().map(plain)),
        "sort" => among(
            &mut Column::sortable().map(|column| (column.as_str().to_owned(), column.help().to_owned())),
        ),
        "set" if words.contains("columns") => among(
            &mut Column::ALL.iter().map(|column| (column.as_str().to_owned(), column.help().to_owned())),
        ),
        "set" => among(&mut SETTINGS.into_iter().map(plain)),
        "group" => {
            let record = state.current().and_then(|id| state.inspector.history().get(id));
            let own = record.map(crate::incidents::telling_names).unwrap_or_default();
            let usual = GroupBy::NAMES.iter().map(|name| (*name).to_owned());
            among(&mut usual.chain(own).map(|name| (name, String::new())))
        }
        _ => Vec::new(),
    }
}

fn commands(state: &State, typed: &str) -> Vec<Completion> {
    let places: &[Place] = state.places();
    let keys = state.keys.iter().map(|(binding, _)| binding);
    let active = keys
        .filter(|binding| places.contains(&binding.place))
        .map(|binding| (binding.name.to_owned(), binding.help.to_owned()));
    let words = WORDS.iter().map(|(name, example, help)| {
        let example = if example.is_empty() { String::new() } else { format!(", as in {name} {example}") };
        ((*name).to_owned(), format!("{help}{example}"))
    });
    let mut all: Vec<(String, String)> =
        words.chain(active).filter(|(name, _)| name.starts_with(typed)).collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    all.into_iter().map(|(text, help)| Completion { replaces: 0..typed.len(), text, help }).collect()
}
