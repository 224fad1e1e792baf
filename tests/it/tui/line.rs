//! The command line, search, sorting and columns.

use why403::tui::action::{Action, Effect};
use why403::tui::columns::Column;
use why403::tui::state::View;
use why403::tui::state::input::Input;
use why403::tui::update::update;

use super::staging::{press, staged};

/// What Enter does with `line` typed after `:`.
fn command(state: &mut why403::tui::state::State, line: &str) -> Vec<Effect> {
    press(state, ":");
    for letter in line.chars() {
        update(state, Action::Key(why403::tui::Chord::plain(crossterm::event::KeyCode::Char(letter))));
    }
    let effects = update(state, Action::Key("Enter".parse().unwrap()));
    while why403::tui::update::wants_scan(state) {
        update(state, Action::Scan);
    }
    why403::tui::prepare_frame::prepare_frame(state);
    effects
}

fn notice(state: &why403::tui::state::State) -> &str {
    state.notice.as_ref().map_or("", |notice| notice.text.as_str())
}

#[test]
fn every_action_of_the_key_table_has_a_name_in_the_command_line() {
    let mut state = staged("", (120, 40));
    command(&mut state, "endpoints");
    assert_eq!(state.view, View::Endpoints);
    command(&mut state, "incidents");
    assert_eq!(state.view, View::Incidents);
    command(&mut state, "stream");
    command(&mut state, "theme light");
    assert_eq!(state.theme.name.as_str(), "light");
    command(&mut state, "filter status:403");
    assert_eq!((state.stream.filter.text(), state.stream.total()), ("status:403", 4));
    command(&mut state, "save-filter refused");
    command(&mut state, "filter @refused method:POST");
    assert_eq!(state.stream.total(), 4);
    command(&mut state, "endponts");
    assert!(notice(&state).contains("'endpoints'"), "{}", notice(&state));
    command(&mut state, "set columns=time,nonsense");
    assert!(notice(&state).contains("latency"), "{}", notice(&state));
    assert!(matches!(command(&mut state, "quit").as_slice(), [] | [Effect::Quit]));
}

#[test]
fn tab_completes_names_and_words_and_up_recalls() {
    let mut state = staged("", (120, 40));
    let line = |state: &why403::tui::state::State| match &state.input {
        Some(Input::Prompt(prompt)) => prompt.line.text.clone(),
        other => panic!("{other:?}"),
    };
    press(&mut state, ": 'endp Tab");
    assert_eq!(line(&state), "endpoints");
    press(&mut state, "Esc : 'them Tab");
    assert_eq!(line(&state), "theme");
    press(&mut state, "Space 'li Tab");
    assert_eq!(line(&state), "theme light");
    press(&mut state, "Enter : Up");
    assert_eq!(line(&state), "theme light");
    press(&mut state, "Esc : 'filter Space 'cau Tab");
    assert_eq!(line(&state), "filter cause:");
}

#[test]
fn times_and_numbers_are_gone_to() {
    let mut state = staged("", (120, 40));
    command(&mut state, "07:52:07");
    let id = state.stream.selected().expect("a selection");
    let started = |id| state.inspector.history().row_of(id).unwrap().started.to_string();
    assert!(started(id).contains("T07:52:07"), "{}", started(id));
    command(&mut state, "3");
    assert_eq!(state.stream.selected().unwrap().0, 3);
    command(&mut state, "-1h");
    assert_eq!(state.stream.position(state.stream.selected().unwrap()), 0);
    command(&mut state, "999999");
    assert!(notice(&state).contains("not kept"), "{}", notice(&state));
}

#[test]
fn matches_are_written_in_a_format_and_never_outside_the_directory() {
    let mut state = staged("status:403", (120, 40));
    let effects = command(&mut state, "export har refused.har");
    let [Effect::Save { stem, text, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((stem.as_str(), String::from_utf8_lossy(text).as_ref()), ("refused", "har: 4 exchanges\n"));
    let effects = command(&mut state, "w four.py");
    assert!(
        matches!(effects.as_slice(), [Effect::Save { text, .. }] if text.starts_with(b"python: 4")),
        "{effects:?}"
    );
    for file in ["../x.har", "/etc/x.har", "a/b.har", ".bashrc", ""] {
        assert_eq!(command(&mut state, &format!("w {file}")), [], "{file}");
        assert!(notice(&state).contains("directory"), "{file}: {}", notice(&state));
    }
}

#[test]
fn the_stream_is_sorted_by_a_column_and_returns_to_time() {
    let mut state = staged("", (120, 40));
    command(&mut state, "sort latency");
    let latencies = |state: &why403::tui::state::State| -> Vec<i64> {
        let ids = (0..state.stream.len()).filter_map(|at| state.stream.at(at));
        ids.map(|id| state.inspector.history().row_of(id).unwrap().latency).collect()
    };
    let sorted = latencies(&state);
    assert!(sorted.windows(2).all(|pair| pair[0] >= pair[1]), "{sorted:?}");
    assert_eq!(state.stream.position(state.stream.selected().unwrap()), 0);
    press(&mut state, "j j");
    assert_eq!(state.stream.position(state.stream.selected().unwrap()), 2);
    command(&mut state, "sort latency");
    let reversed = latencies(&state);
    assert!(reversed.windows(2).all(|pair| pair[0] <= pair[1]), "{reversed:?}");
    press(&mut state, "f");
    assert!(state.stream.sorted().is_none() && state.stream.follows());
    press(&mut state, ">");
    assert_eq!(state.stream.sorted().map(|sorted| sorted.by), Some(Column::Status));
    press(&mut state, "<");
    assert!(state.stream.sorted().is_none());
}

#[test]
fn columns_are_chosen_from_a_menu_and_by_name() {
    let mut state = staged("", (200, 60));
    press(&mut state, "|");
    let Some(Input::Menu(menu)) = &state.input else { panic!("a menu") };
    let at = menu.items.iter().position(|item| item.label.contains("server")).unwrap();
    let key = menu.items[at].key.to_string();
    press(&mut state, &format!("{key} Esc"));
    assert!(state.columns.contains(&Column::Server));
    command(&mut state, "set columns=status,target,user");
    assert_eq!(state.columns, [Column::Status, Column::Target, Column::User]);
}

#[test]
fn a_range_of_the_time_line_narrows_the_lists() {
    let mut state = staged("", (120, 40));
    let all = state.stream.total();
    press(&mut state, "L g Space L L Enter");
    let text = state.stream.filter.text().to_owned();
    assert!(text.starts_with("since:2026-11-22T07:52:00") && text.contains("until:"), "{text}");
    let narrowed = state.stream.total();
    assert!(narrowed > 0 && narrowed < all, "{narrowed} of {all}");
    press(&mut state, "L h + - Esc");
    assert_eq!(state.stream.filter.text(), text);
    press(&mut state, "L 0");
    assert_eq!((state.stream.filter.text(), state.stream.total()), ("", all));
}

#[test]
fn search_goes_through_all_heads_and_bodies() {
    let mut state = staged("", (120, 40));
    press(&mut state, "g t 'INSUFFICIENT_scope Enter");
    let first = state.stream.selected().unwrap();
    assert!(notice(&state).contains("in the response of"), "{}", notice(&state));
    press(&mut state, "n");
    let second = state.stream.selected().unwrap();
    assert!(second > first);
    press(&mut state, "N");
    assert_eq!(state.stream.selected(), Some(first));
    press(&mut state, "Enter");
    assert!(!state.detail.page.hits.is_empty(), "the hit is marked in what opens");
    press(&mut state, "Esc E t 'nowhere-at-all Enter");
    assert!(notice(&state).contains("in no head and no body"), "{}", notice(&state));
    assert_eq!(state.view, View::Endpoints);
}
