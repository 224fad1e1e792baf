//! What each command does.

use super::{command_line, filter, menu, movement, prompt, search, timeline};
use crate::model::{BaselineChoice, ExchangeId};
use crate::tui::action::Effect;
use crate::tui::columns::Column;
use crate::tui::doc::Link;
use crate::tui::keys::Command;
use crate::tui::state::detail::Tab;
use crate::tui::state::input::PromptKind;
use crate::tui::state::{Focus, State, View};
use crate::tui::views::Kind;

/// Does `command`, `count` times where that means something.
///
/// `confirmed` is the command that the key before this one asked to confirm.
pub(super) fn run(
    state: &mut State,
    command: Command,
    count: Option<u32>,
    confirmed: Option<Command>,
) -> Vec<Effect> {
    if let Some(effects) = state.view.screen().run(state, command) {
        return effects;
    }
    let times = i64::from(count.unwrap_or(1).max(1));
    match command {
        Command::Quit => return quit(state, confirmed),
        Command::Leave => return leave(state, command, confirmed),
        Command::Secrets => secrets(state, confirmed == Some(command)),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Redraw => return vec![Effect::Redraw],
        Command::Down => movement::step(state, times),
        Command::Up => movement::step(state, -times),
        Command::HalfDown => movement::scroll(state, times),
        Command::HalfUp => movement::scroll(state, -times),
        Command::PageDown => movement::scroll(state, 2 * times),
        Command::PageUp => movement::scroll(state, -2 * times),
        Command::First => movement::first(state, count),
        Command::Last => movement::last(state, count),
        Command::NextSame => movement::same_endpoint(state, true),
        Command::PreviousSame => movement::same_endpoint(state, false),
        Command::SetMark => state.pending.mark = Some(true),
        Command::GoToMark => state.pending.mark = Some(false),
        Command::Copy => menu::copy(state),
        Command::Save => menu::save(state),
        Command::Only => menu::narrow(state, false),
        Command::Exclude => menu::narrow(state, true),
        Command::GroupBy => menu::group_by(state),
        Command::Timeline => timeline::open(state),
        Command::Columns => menu::columns(state, 0),
        Command::SortNext | Command::SortPrevious => sort(state, command == Command::SortNext),
        Command::CommandLine => prompt::open(state, PromptKind::Command, ""),
        Command::Search => prompt::open(state, PromptKind::Search, ""),
        Command::NextHit | Command::PreviousHit => search::next(state, command == Command::NextHit),
        Command::Filter => filter::edit(state),
        Command::UndoFilter => filter::undo(state),
        _ => look(state, command),
    }
    Vec::new()
}

/// Sorts the stream by the next column that it can be sorted by, or the one before.
fn sort(state: &mut State, forward: bool) {
    let columns: Vec<Column> = Column::sortable().collect();
    let by = state.stream.sorted().map_or(Column::Time, |sorted| sorted.by);
    let at = columns.iter().position(|column| *column == by).unwrap_or_default();
    let step = if forward { 1 } else { columns.len() - 1 };
    match columns.get((at + step) % columns.len()) {
        Some(Column::Time) | None => {
            state.stream.follow();
            state.say("in the order of time");
        }
        Some(column) => command_line::sort_by(state, *column),
    }
    state.detail.leave();
}

/// Commands that change what is looked at.
pub(super) fn look(state: &mut State, command: Command) {
    match command {
        Command::Help => show(state, View::Help),
        Command::Show(view) => show(state, view),
        Command::Back => state.view.screen().back(state),
        Command::Open => state.view.screen().open(state),
        Command::FocusNext => focus(state),
        Command::Mark => toggle_mark(state),
        Command::Follow => follow(state),
        Command::Pause => pause(state),
        Command::Zoom => state.zoom = !state.zoom,
        Command::Theme => {
            state.theme = state.theme.next();
            state.unkept = true;
            state.say(format!("theme {}", state.theme.name.as_str()));
        }
        _ => read(state, command),
    }
}

/// Commands of the exchange.
fn read(state: &mut State, command: Command) {
    match command {
        Command::Diff => {
            state.detail.tab = Tab::Diff;
            state.view.screen().open(state);
        }
        Command::NextTab | Command::PreviousTab if state.view == View::Stream => {
            let by = if command == Command::NextTab { 1 } else { -1 };
            state.detail.tab = state.detail.tab.step(by);
        }
        Command::Jump => jump(state),
        Command::Wrap => {
            state.detail.cut = !state.detail.cut;
            let now = if state.detail.cut { "cut; h and l scroll" } else { "wrapped" };
            state.say(format!("long lines are {now}"));
        }
        Command::Baseline => cycle_baseline(state),
        Command::Pin => pin(state),
        Command::Fold => state.detail.noise = !state.detail.noise,
        Command::NextExchange | Command::PrevExchange => neighbour(state, command == Command::NextExchange),
        Command::Left => left(state),
        Command::Right => {
            if state.detail.cut
                && let Some(page) = movement::page(state)
            {
                page.left += 8;
            }
        }
        _ => {}
    }
}

/// Closes what is open; in a list, leaves the program.
fn quit(state: &mut State, confirmed: Option<Command>) -> Vec<Effect> {
    if state.view.screen().close(state) {
        return Vec::new();
    }
    leave(state, Command::Quit, confirmed)
}

/// Leaves the program; asks once when that loses exchanges that are nowhere else.
fn leave(state: &mut State, command: Command, confirmed: Option<Command>) -> Vec<Effect> {
    if !state.is_unsaved() || matches!(confirmed, Some(Command::Quit | Command::Leave)) {
        return vec![Effect::Quit];
    }
    state.pending.confirm = Some(command);
    let lost = crate::tui::text::plural(state.traffic.exchanges, "exchange is", "exchanges are");
    let key = state.keys.key(command);
    state.complain(format!("{lost} only in memory: {key} again quits and loses them, any other key stays"));
    Vec::new()
}

/// Opens `view`; a page that is open already is closed.
pub(in crate::tui) fn show(state: &mut State, view: View) {
    let screen = view.screen();
    if let Some(why) = screen.refuses(state) {
        state.complain(why);
        return;
    }
    if state.view == view && screen.kind() == Kind::Page && view != View::Compare {
        state.view = state.list;
        return;
    }
    if screen.kind() == Kind::List {
        state.list = view;
    }
    state.page.set(crate::tui::doc::Doc::default(), false);
    state.view = view;
    if screen.kind() == Kind::List && view != View::Stream {
        state.focus = Focus::List;
    }
}

fn focus(state: &mut State) {
    if state.view == View::Stream && state.stream.current().is_some() {
        state.view.screen().open(state);
    }
}

fn toggle_mark(state: &mut State) {
    if let Some(id) = state.stream.current()
        && state.view == View::Stream
    {
        state.stream.toggle_mark(id);
        let compare = state.keys.key(Command::Show(View::Compare));
        match state.stream.marked.len() {
            2 => state.say(format!("two are marked; {compare} compares them")),
            1 => state.say("one is marked"),
            _ => {}
        }
    }
}

fn follow(state: &mut State) {
    if state.stream.follows() {
        state.stream.hold();
    } else {
        state.stream.follow();
        state.detail.leave();
    }
}

fn pause(state: &mut State) {
    let key = state.keys.key(Command::Pause);
    if state.stream.toggle_pause(state.inspector.history()) {
        state.say(format!("the view is frozen, the capture goes on; {key} resumes it"));
    }
}

/// Masks secrets, or shows them once that is confirmed.
fn secrets(state: &mut State, confirmed: bool) {
    if state.redactor.reveals() {
        state.redactor.set_reveal(false);
        state.say("secrets are masked");
    } else if confirmed {
        state.redactor.set_reveal(true);
        state.complain("secrets are shown, on the screen and in what you copy or save");
    } else {
        state.pending.confirm = Some(Command::Secrets);
        let key = state.keys.key(Command::Secrets);
        state.complain(format!(
            "{key} again shows passwords, tokens and cookies, also in what you copy or save"
        ));
    }
}

fn jump(state: &mut State) {
    let Some(link) = movement::page(state).and_then(|page| page.link().cloned()) else {
        state.say("nothing to jump to in this line");
        return;
    };
    match link {
        Link::Noise => state.detail.noise = !state.detail.noise,
        Link::Exchange(id) => {
            state.detail.open(id);
            state.detail.tab = Tab::Request;
        }
        Link::Bytes(pointer) => {
            if state.inspector.history().get(pointer.exchange).is_none() {
                state.complain(format!("#{} is no longer kept; --memory keeps more", pointer.exchange.0));
                return;
            }
            let current = state.current();
            if state.view != View::Stream {
                show(state, View::Stream);
                state.focus = Focus::Detail;
                state.stream.hold();
            }
            state.detail.jump(pointer, current);
        }
    }
}

fn cycle_baseline(state: &mut State) {
    use BaselineChoice::{LastSuccess, MostSimilar, Pinned, SameClient, SamePrincipal};
    let (next, name) = match state.detail.choice {
        LastSuccess => (SameClient, "last success of the same client"),
        SameClient => (SamePrincipal, "last success of the same user"),
        SamePrincipal => (MostSimilar, "most similar success"),
        MostSimilar | Pinned(_) => (LastSuccess, "last success"),
    };
    state.detail.choice = next;
    state.say(format!("baseline: {name}"));
    let has = state.current().and_then(|id| state.inspector.history().baseline(id, next)).is_some();
    if !has {
        state.complain(format!("baseline: {name}; there is none"));
    }
}

fn pin(state: &mut State) {
    let current = state.current();
    match state.stream.marked.iter().rev().find(|id| Some(**id) != current) {
        Some(&id) => {
            state.detail.choice = BaselineChoice::Pinned(id);
            state.say(format!("compared with #{} from now on", id.0));
        }
        None => state.complain("mark the exchange to compare with first: Space in the list"),
    }
}

fn neighbour(state: &mut State, forward: bool) {
    state.stream.hold();
    state.stream.step(if forward { 1 } else { -1 });
    state.detail.leave();
}

fn left(state: &mut State) {
    let moved = movement::page(state).is_some_and(|page| {
        let moved = page.left > 0;
        page.left = page.left.saturating_sub(8);
        moved
    });
    if !moved {
        state.focus = Focus::List;
        if state.view != View::Stream {
            show(state, View::Stream);
        }
    }
}

/// The two exchanges to compare, older first.
pub fn pair(state: &State) -> Option<(ExchangeId, ExchangeId)> {
    match state.stream.marked.as_slice() {
        [a, b] => Some((*a.min(b), *a.max(b))),
        _ => None,
    }
}
