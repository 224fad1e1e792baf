//! Compare: what differs between two exchanges marked in the stream.

use super::{Kind, Screen};
use crate::edge::sanitize;
use crate::explain::difference::compare;
use crate::tui::doc::diff::{self, Pair};
use crate::tui::doc::{Doc, Line, Scene};
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::state::State;
use crate::tui::theme::Role;
use crate::tui::update::pair;

use super::View;

/// The view.
pub(super) struct CompareView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Compare),
    name: "compare",
    place: Place::Everywhere,
    keys: &["F4", "C"],
    hint: "",
    help: "Compare the two exchanges marked with Space",
};

impl Screen for CompareView {
    fn name(&self) -> &'static str {
        "Compare"
    }

    fn title(&self) -> &'static str {
        "Comparison of two exchanges"
    }

    fn kind(&self) -> Kind {
        Kind::Page
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn is_in_header(&self) -> bool {
        false
    }

    fn refuses(&self, state: &State) -> Option<String> {
        let missing = 2_usize.saturating_sub(state.stream.marked.len());
        let key = state.keys.key(Command::Mark);
        (missing > 0).then(|| format!("mark {missing} more with {key}, then compare"))
    }

    fn document(&self, state: &State, width: u16) -> Doc {
        comparison(state, width)
    }

    fn has_hint(&self, _state: &State, command: Command) -> bool {
        !matches!(command, Command::NextTab | Command::Baseline | Command::Copy | Command::Pause)
    }
}

fn comparison(state: &State, width: u16) -> Doc {
    let history = state.inspector.history();
    let pair = pair(state);
    let records = pair.and_then(|(older, newer)| Some((history.get(older)?, history.get(newer)?)));
    let (Some((older, newer)), Some((before, this))) = (pair, records) else {
        let mut doc = Doc::default();
        doc.push(Line::of(Role::Text, "Mark two exchanges in the stream with Space, then come back").prose());
        return doc;
    };
    let differences = compare(history, this, before);
    let name = |id: u64, record: &crate::history::Record| {
        let exchange = &record.exchange;
        let status =
            exchange.status().map_or_else(|| exchange.outcome.as_str().to_owned(), |s| s.to_string());
        let target = state.redactor.target(exchange.target());
        format!("#{id} {status} {}", sanitize::short(&target, 60))
    };
    let names = [name(older.0, before), name(newer.0, this)];
    let [left, right] = &names;
    let scene = Scene {
        redactor: &state.redactor.knowing(&[&before.exchange, &this.exchange]),
        glyphs: state.theme.glyphs,
        width,
    };
    diff::diff(
        &differences,
        Pair { this: newer, baseline: older, names: [left, right] },
        state.detail.noise,
        &scene,
    )
}
