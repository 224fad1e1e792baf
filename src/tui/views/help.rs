//! Help: every key, from the table, with the signs and the filter language.

use super::{Kind, Screen};
use crate::tui::doc::{Doc, Line};
use crate::tui::keys::{Chord, Command, Place};
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// The view.
pub(super) struct HelpView;

impl Screen for HelpView {
    fn name(&self) -> &'static str {
        "Help"
    }

    fn kind(&self) -> Kind {
        Kind::Page
    }

    fn is_in_header(&self) -> bool {
        false
    }

    fn document(&self, state: &State, width: u16) -> Doc {
        help(state, width)
    }

    fn has_hint(&self, _state: &State, command: Command) -> bool {
        !matches!(
            command,
            Command::NextTab
                | Command::Baseline
                | Command::Copy
                | Command::Pause
                | Command::Jump
                | Command::Help
        )
    }
}

/// Every key, from the table; in two columns where there is room.
fn help(state: &State, width: u16) -> Doc {
    let mut doc = Doc::default();
    let places =
        [Place::Everywhere, Place::List, Place::Stream, Place::Incidents, Place::Endpoints, Place::Detail];
    let widest = state.keys.iter().map(|(binding, _)| text::width(binding.help)).max().unwrap_or_default();
    let name_column = 20 + widest + 2;
    let longest = state.keys.iter().map(|(binding, _)| binding.name.len()).max().unwrap_or_default();
    let named = usize::from(width) >= name_column + longest;
    for place in places {
        doc.gap();
        doc.push(Line::of(Role::Title, place.title()));
        for (binding, chords) in state.keys.iter().filter(|(binding, _)| binding.place == place) {
            let keys: Vec<String> = chords.iter().map(Chord::to_string).collect();
            let line = Line::of(Role::Key, &format!("  {}", keys.join("  "))).pad(20);
            let line = line.add(Role::Text, binding.help);
            let line = if named { line.pad(name_column).add(Role::Dim, binding.name) } else { line };
            doc.push(line.hang(20).prose());
        }
    }
    doc.gap();
    doc.push(Line::of(Role::Title, "Signs"));
    let glyphs = state.theme.glyphs;
    let [sure, likely, perhaps] = glyphs.confidence;
    let signs = [
        (sure, "certain (80% and more)"),
        (likely, "likely (50% and more)"),
        (perhaps, "possible"),
        (glyphs.marked, "marked for comparison"),
        (glyphs.ellipsis, "cut here; zoom, wrap or widen to see all"),
    ];
    for (sign, meaning) in signs {
        doc.push(Line::of(Role::Key, &format!("  {sign}")).pad(20).add(Role::Text, meaning).hang(20).prose());
    }
    doc.gap();
    doc.push(Line::of(Role::Title, "Filter"));
    for (example, meaning) in FILTERS {
        doc.push(
            Line::of(Role::Key, &format!("  {example}")).pad(30).add(Role::Text, meaning).hang(30).prose(),
        );
    }
    if named {
        doc.gap();
        let text = "  The names on the right are for [tui.keys] in the configuration";
        doc.push(Line::of(Role::Dim, text).prose());
    }
    doc
}

const FILTERS: [(&str, &str); 8] = [
    ("method:POST status:403", "a blank means and"),
    ("status:4xx or status:5xx", "either; parentheses group"),
    ("-path:/health", "not"),
    ("endpoint:/v1/users/{id}", "an endpoint, or part of its name"),
    ("cause:insufficient-scope", "by top cause"),
    ("header:authorization", "has the field; header:name=value compares"),
    ("client:10.0.0.0/8", "an address or a network"),
    ("latency:>500ms since:5m", "slower than, newer than"),
];
