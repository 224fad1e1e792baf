//! Actions change the state; what must be done outside comes back as effects.

mod command;
mod command_line;
mod complete;
mod feed;
pub(super) mod filter;
pub(super) mod menu;
mod mouse;
mod movement;
pub(super) mod prompt;
mod search;
mod timeline;

pub use command::pair;
pub(super) use command::show;
pub use filter::apply as apply_filter;

use super::action::{Action, Effect};
use super::keys::Chord;
use super::state::input::Input;
use super::state::{State, View};

/// Takes `action` in.
pub fn update(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Key(chord) => key(state, chord),
        Action::Paste(text) => {
            match &mut state.input {
                Some(Input::Filter(_)) => filter::paste(state, &text),
                Some(Input::Prompt(prompt)) => prompt.line.insert(&text),
                _ => {}
            }
            Vec::new()
        }
        Action::Wheel(x, y, rows) => {
            mouse::focus(state, x, y);
            movement::step(state, rows);
            Vec::new()
        }
        Action::Click(x, y) => {
            mouse::click(state, x, y);
            Vec::new()
        }
        Action::Feed(message) => feed::take(state, message),
        Action::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Action::Tick(clock) => {
            state.clock = clock;
            state.traffic.forget(clock);
            feed::join_logs(state);
            feed::arrivals(state, false)
        }
        Action::Scan => {
            state.stream.scan(&state.inspector);
            filter::scan(state);
            count_groups(state);
            search::scan(state);
            Vec::new()
        }
    }
}

/// Whether there are older exchanges to look at for a new filter.
pub fn wants_scan(state: &State) -> bool {
    state.stream.is_scanning()
        || filter::wants_scan(state)
        || counts_groups(state)
        || search::is_searching(state)
}

fn counts_groups(state: &State) -> bool {
    state.view == View::Groups && state.views.groups.is_counting(&state.inspector)
}

/// Counts some more exchanges of the groups that are shown.
fn count_groups(state: &mut State) {
    if counts_groups(state) {
        let masking = state.masking();
        state.views.groups.count(&state.inspector, &masking);
    }
}

fn key(state: &mut State, chord: Chord) -> Vec<Effect> {
    state.notice = None;
    state.touched = true;
    match state.input.take() {
        Some(Input::Filter(line)) => filter::key(state, line, chord),
        Some(Input::Menu(open)) => menu::key(state, open, chord),
        Some(Input::Prompt(open)) => prompt::key(state, open, chord),
        Some(Input::Timeline(open)) => timeline::key(state, open, chord),
        None => plain(state, chord),
    }
}

/// A key while no line and no menu is open.
fn plain(state: &mut State, chord: Chord) -> Vec<Effect> {
    let confirmed = state.pending.confirm.take();
    if let Some(set) = state.pending.mark.take() {
        if let Some(letter) = chord.typed() {
            movement::mark(state, letter, set);
        }
        return Vec::new();
    }
    if let Some(digit) = chord.typed().and_then(|letter| letter.to_digit(10))
        && (digit > 0 || state.pending.count.is_some())
    {
        let count = state.pending.count.unwrap_or(0).saturating_mul(10).saturating_add(digit);
        state.pending.count = Some(count);
        return Vec::new();
    }
    let count = state.pending.count.take();
    match state.keys.command(chord, state.places()) {
        Some(command) => command::run(state, command, count, confirmed),
        None => {
            let help = state.keys.key(super::keys::Command::Help);
            state.say(format!("{chord} does nothing here; {help} shows the keys"));
            Vec::new()
        }
    }
}
