//! What a person does, without a terminal: keys in, state out.

use why403::feed::Message;
use why403::model::ExchangeId;
use why403::tui::action::{Action, Effect};
use why403::tui::settle::settle;
use why403::tui::state::detail::Tab;
use why403::tui::state::{Focus, View};
use why403::tui::update::update;

use super::staging::{exchanges, press, staged};

const REFUSED: &str = "method:POST status:403";

#[test]
fn the_selection_never_moves_under_the_user() {
    let mut state = staged("", (80, 24));
    press(&mut state, "k k");
    let (selected, before) = (state.stream.selected(), visible(&state));
    update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    settle(&mut state);
    assert_eq!(state.stream.selected(), selected);
    assert!(visible(&state).starts_with(&before), "{:?}", visible(&state));
    assert_eq!(state.stream.unseen(), exchanges().len());
    press(&mut state, "G");
    assert!(state.stream.follows());
    assert_eq!(state.stream.unseen(), 0);
}

fn visible(state: &why403::tui::state::State) -> Vec<ExchangeId> {
    state.stream.visible().1.collect()
}

#[test]
fn pause_freezes_the_view_and_not_the_capture() {
    let mut state = staged("", (80, 24));
    press(&mut state, "p");
    let before = visible(&state);
    update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    settle(&mut state);
    assert_eq!(visible(&state), before);
    assert_eq!(state.inspector.history().len(), 2 * exchanges().len());
    press(&mut state, "p");
    assert_ne!(visible(&state), before);
}

#[test]
fn counts_and_marks_work_as_in_vim() {
    let mut state = staged("", (80, 24));
    press(&mut state, "g 5 j");
    assert_eq!(state.stream.selected(), Some(ExchangeId(6)));
    press(&mut state, "m a G k ' a");
    assert_eq!(state.stream.selected(), Some(ExchangeId(6)));
    press(&mut state, "3 G");
    assert_eq!(state.stream.selected(), Some(ExchangeId(3)));
}

#[test]
fn evidence_leads_to_the_bytes_and_esc_leads_back() {
    let mut state = staged(REFUSED, (120, 40));
    press(&mut state, "g Enter / 'insufficient_scope Enter Enter");
    let linked = state.detail.tab;
    assert_ne!(linked, Tab::Why, "evidence has a place");
    let (line, range) = state.detail.page.spot.clone().expect("the evidence is marked");
    let text = state.detail.page.doc.lines()[line].text();
    assert!(text[range].contains("insufficient_scope"), "{text}");
    press(&mut state, "Esc");
    assert_eq!(state.detail.tab, Tab::Why);
    press(&mut state, "Esc");
    assert_eq!(state.focus, Focus::List);
}

#[test]
fn an_open_why_follows_what_becomes_known_and_keeps_its_place() {
    let mut state = staged(REFUSED, (120, 40));
    press(&mut state, "g Enter / 'Compared Enter");
    let (before, read) = (why(&state), read(&state));
    assert!(read.1.starts_with("Compared with"), "{read:?}");
    more(&mut state);
    assert_ne!(why(&state), before, "successes and refusals came");
    assert_eq!(self::read(&state), read, "what is read stays where it is");
    let report = state.detail.report.as_ref().and_then(|report| report.diagnosis.as_ref()).unwrap();
    let listed = state.causes.get(state.current().unwrap()).and_then(|brief| brief.cause);
    assert_eq!(listed, report.findings.first().map(|finding| (finding.cause, finding.confidence)));
    press(&mut state, "p");
    let before = why(&state);
    more(&mut state);
    assert_eq!(why(&state), before, "a pause freezes it");
    press(&mut state, "p");
    assert_ne!(why(&state), before);
}

/// The box once more.
fn more(state: &mut why403::tui::state::State) {
    update(state, Action::Feed(Message::Exchanges(exchanges())));
    settle(state);
}

fn why(state: &why403::tui::state::State) -> Vec<String> {
    assert_eq!(state.detail.tab, Tab::Why);
    state.detail.page.doc.lines().iter().map(|line| line.text().to_owned()).collect()
}

/// At which row of the pane the cursor is, and what stands there.
fn read(state: &why403::tui::state::State) -> (usize, String) {
    let page = &state.detail.page;
    let line = &page.doc.lines()[page.doc.line_of(page.cursor)];
    (page.cursor - page.top, line.text().to_owned())
}

#[test]
fn secrets_are_masked_until_the_user_asks() {
    let mut state = staged(REFUSED, (120, 40));
    press(&mut state, "g Enter Tab Tab");
    let shows = |state: &why403::tui::state::State| {
        state.detail.page.doc.lines().iter().any(|line| line.text().contains(".c2lnbmF0dXJl"))
    };
    assert!(!shows(&state));
    press(&mut state, "s");
    assert!(shows(&state));
    press(&mut state, "s");
    assert!(!shows(&state));
}

#[test]
fn copies_what_was_chosen_masked() {
    let mut state = staged(REFUSED, (80, 24));
    press(&mut state, "k y");
    let effects = update(&mut state, Action::Key("c".parse().unwrap()));
    let [Effect::Copy { what, text }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*what, "curl");
    assert!(text.contains("curl") && text.contains("/profile"), "{text}");
    press(&mut state, "y h");
    let effects = update(&mut state, Action::Key("a".parse().unwrap()));
    assert_eq!(effects, [Effect::Copy { what: "field", text: "shop.acme.example".into() }]);
    press(&mut state, "e");
    let effects = update(&mut state, Action::Key("q".parse().unwrap()));
    assert!(matches!(effects.as_slice(), [Effect::Save { extension: "http", .. }]), "{effects:?}");
}

#[test]
fn filters_narrow_exclude_and_come_back() {
    let mut state = staged("", (80, 24));
    let all = state.stream.total();
    press(&mut state, "k k o s");
    assert!(state.stream.filter.text().starts_with("status:"), "{}", state.stream.filter.text());
    press(&mut state, "u");
    assert_eq!((state.stream.filter.text(), state.stream.total()), ("", all));
    press(&mut state, "k k k k x e");
    assert!(state.stream.total() < all, "{}", state.stream.filter.text());
    assert!(state.stream.filter.text().starts_with("-endpoint:"), "{}", state.stream.filter.text());
    press(&mut state, "/ Up Up");
    press(&mut state, "Esc");
    assert!(state.stream.filter.text().starts_with("-endpoint:"), "Esc keeps the filter");
}

#[test]
fn the_filter_line_counts_while_typing_and_keeps_a_wrong_query_open() {
    let mut state = staged("", (80, 24));
    press(&mut state, "/ 'status:403");
    let Some(why403::tui::state::input::Input::Filter(line)) = &state.input else { panic!("open") };
    assert_eq!((line.count, line.parsed.is_ok()), (4, true));
    press(&mut state, "x Enter");
    let Some(why403::tui::state::input::Input::Filter(line)) = &state.input else { panic!("still open") };
    assert!(line.parsed.is_err());
    press(&mut state, "Backspace Enter");
    assert!(state.input.is_none());
    assert_eq!((state.stream.filter.text(), state.stream.total()), ("status:403", 4));
}

#[test]
fn an_endpoint_opens_its_refusals() {
    let mut state = staged("", (80, 24));
    press(&mut state, "E Enter");
    assert_eq!(state.view, View::Stream);
    assert_eq!(state.stream.filter.text(), "endpoint:POST*api.acme.example/v1/orders status:4xx");
    assert_eq!(state.stream.total(), 3);
    press(&mut state, "u");
    assert_eq!(state.stream.filter.text(), "");
}

#[test]
fn two_marked_exchanges_are_compared() {
    let mut state = staged("", (120, 40));
    press(&mut state, "C");
    assert_eq!(state.view, View::Stream, "nothing is marked");
    press(&mut state, "g Space j Space C");
    assert_eq!(state.view, View::Compare);
    assert!(!state.page.doc.lines().is_empty());
    press(&mut state, "q");
    assert_eq!(state.view, View::Stream);
    assert_eq!(update(&mut state, Action::Key("q".parse().unwrap())), [Effect::Quit]);
}

#[test]
fn a_baseline_can_be_chosen() {
    let mut state = staged(REFUSED, (120, 40));
    press(&mut state, "g d");
    let first = state.detail.report.as_ref().and_then(|report| report.baseline.clone()).expect("a baseline");
    press(&mut state, "b b b");
    let similar =
        state.detail.report.as_ref().and_then(|report| report.baseline.clone()).expect("a baseline");
    assert_ne!(first.choice, similar.choice);
    press(&mut state, "b");
    let again = state.detail.report.as_ref().and_then(|report| report.baseline.clone()).expect("a baseline");
    assert_eq!(first, again);
}

#[test]
fn any_size_is_drawn_without_a_panic() {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    for keys in
        ["", "k k", "g d", "E", "?", "H", "g Space j Space C", "k y", "/ 'status:", "k Enter Tab Tab Tab"]
    {
        let mut state = staged("", (80, 24));
        press(&mut state, keys);
        for (width, height) in
            [(1, 1), (20, 5), (40, 8), (41, 9), (60, 15), (79, 17), (131, 12), (129, 34), (400, 120)]
        {
            update(&mut state, Action::Resize(width, height));
            settle(&mut state);
            why403::tui::render::render(&state, &mut Buffer::empty(Rect::new(0, 0, width, height)));
        }
    }
}

#[test]
fn n_goes_to_the_next_exchange_of_the_same_endpoint() {
    let mut state = staged("", (80, 24));
    press(&mut state, "g");
    let endpoint = |state: &why403::tui::state::State| {
        state.inspector.history().row_of(state.stream.selected().unwrap()).unwrap().endpoint
    };
    let (first, mut seen) = (endpoint(&state), vec![state.stream.selected().unwrap()]);
    for _ in 0..state.stream.total() {
        press(&mut state, "n");
        if seen.last() != state.stream.selected().as_ref() {
            seen.push(state.stream.selected().unwrap());
        }
        assert_eq!(endpoint(&state), first);
    }
    let rows = state.inspector.history().iter();
    let all: Vec<ExchangeId> =
        rows.filter(|record| record.endpoint == first).map(|record| record.exchange.id).collect();
    assert_eq!(seen, all);
    for expected in all.iter().rev().skip(1) {
        press(&mut state, "N");
        assert_eq!(state.stream.selected(), Some(*expected));
    }
}
