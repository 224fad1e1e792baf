//! What a person does, without a terminal: keys in, state out.

use why403::feed::Message;
use why403::model::ExchangeId;
use why403::tui::action::{Action, Effect};
use why403::tui::prepare_frame::prepare_frame;
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
    prepare_frame(&mut state);
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
    prepare_frame(&mut state);
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
    press(&mut state, "g Enter t 'insufficient_scope Enter Enter");
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
    let mut state = staged(REFUSED, (120, 24));
    press(&mut state, "g Enter t 'Compared Enter");
    let (before, read) = (why(&state), read(&state));
    assert!(read.1.starts_with("Compared with"), "{read:?}");
    more(&mut state);
    assert_ne!(why(&state), before, "successes and refusals came");
    assert_eq!(self::read(&state), read, "what is read stays where it is");
    let report = state.detail.report.as_ref().and_then(|report| report.diagnosis.as_ref()).unwrap();
    let listed = state.causes.get(state.current().unwrap()).and_then(|known| known.cause);
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
    prepare_frame(state);
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
    assert!(!shows(&state), "one stray key shows nothing");
    assert!(state.notice.as_ref().is_some_and(|notice| notice.text.starts_with("s again shows")));
    press(&mut state, "j s");
    assert!(!shows(&state), "another key in between takes the question back");
    press(&mut state, "s");
    assert!(shows(&state));
    assert!(screen(&state).contains("SECRETS SHOWN"));
    press(&mut state, "s");
    assert!(!shows(&state));
}

fn screen(state: &why403::tui::state::State) -> String {
    use ratatui::buffer::Buffer;
    let mut buffer = Buffer::empty(ratatui::layout::Rect::new(0, 0, state.size.0, state.size.1));
    why403::tui::render::render(state, &mut buffer);
    let rows = buffer.content.chunks(usize::from(state.size.0));
    rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
}

/// What a key does outside of the state.
fn effects(state: &mut why403::tui::state::State, key: &str) -> Vec<Effect> {
    update(state, Action::Key(key.parse().unwrap()))
}

#[test]
fn q_closes_an_exchange_and_does_not_end_the_program() {
    for (keys, view) in
        [("g Enter", View::Stream), ("g Enter Tab Tab", View::Stream), ("E ?", View::Endpoints)]
    {
        let mut state = staged(REFUSED, (80, 24));
        press(&mut state, keys);
        assert_eq!(effects(&mut state, "q"), [], "{keys}");
        assert_eq!((state.view, state.focus), (view, Focus::List), "{keys}");
    }
}

#[test]
fn leaving_a_live_source_asks_once_when_nothing_is_saved() {
    for key in ["q", "Ctrl-c"] {
        let mut state = staged(REFUSED, (80, 24));
        assert_eq!(effects(&mut state, key), []);
        assert!(state.notice.as_ref().is_some_and(|notice| notice.text.contains("only in memory")));
        press(&mut state, "k");
        assert_eq!(effects(&mut state, key), [], "another key stays");
        assert_eq!(effects(&mut state, key), [Effect::Quit]);
    }
    let mut saved = staged(REFUSED, (80, 24));
    saved.recorded = true;
    assert_eq!(effects(&mut saved, "q"), [Effect::Quit], "-w keeps the frames");
    let mut file = staged(REFUSED, (80, 24));
    file.source.kind = why403::feed::SourceKind::File;
    assert_eq!(effects(&mut file, "q"), [Effect::Quit], "a file can be read again");
    let mut empty = super::staging::empty(REFUSED, &why403::tui::Settings::default());
    assert_eq!(effects(&mut empty, "q"), [Effect::Quit], "nothing is lost");
}

#[test]
fn the_cursor_is_on_the_newest_row_while_following() {
    let mut state = staged("", (80, 24));
    assert!(state.stream.follows());
    let newest = state.stream.current().expect("something came");
    let shown = screen(&state);
    let marked: Vec<&str> =
        shown.lines().filter(|line| line.starts_with(state.theme.glyphs.cursor)).collect();
    assert_eq!(marked.len(), 1, "{shown}");
    press(&mut state, "Space");
    assert_eq!(state.stream.marked, [newest], "Space marks the row under the cursor");
}

#[test]
fn ages_go_on_without_traffic_where_the_source_is_live() {
    use std::time::Duration;
    let mut state = staged(REFUSED, (200, 60));
    let before = screen(&state);
    assert!(before.contains("ago"), "{before}");
    assert!(state.changes_at(Duration::from_secs(60)), "the screen is drawn again without traffic");
    update(&mut state, Action::Tick(Duration::from_secs(600)));
    prepare_frame(&mut state);
    assert!(screen(&state).contains("(10 min ago)"), "{}", screen(&state));
    state.source.kind = why403::feed::SourceKind::File;
    assert!(!screen(&state).contains("(10 min ago)"), "a capture's ages are counted from its end");
    assert!(!state.changes_at(Duration::from_secs(600)));
}

#[test]
fn one_success_after_one_refusal_is_the_last_request_and_no_more() {
    let mut state = staged("", (200, 60));
    let refused = |path: &'static str| {
        exchanges().into_iter().filter(move |exchange| exchange.target().starts_with(path.as_bytes()))
    };
    let success = refused("/profile").find(why403::model::Exchange::is_success).unwrap();
    update(&mut state, Action::Feed(Message::Exchanges(vec![success])));
    prepare_frame(&mut state);
    let shown = screen(&state);
    assert!(shown.contains("last request succeeded") && !shown.contains("others still succeed"), "{shown}");
    more(&mut state);
    assert!(screen(&state).contains("others still succeed"), "successes came between refusals");
}

#[test]
fn an_endpoint_without_a_success_says_so_only_where_it_is_true() {
    let mut state = staged("status:403", (120, 40));
    press(&mut state, "G k g Enter b");
    let text = |state: &why403::tui::state::State| {
        let lines = state.detail.page.doc.lines().iter();
        lines.map(|line| line.text().to_owned()).collect::<Vec<_>>().join("\n")
    };
    assert!(text(&state).contains("no success by this client among"), "{}", text(&state));
    assert!(text(&state).contains("8 successes by others"), "{}", text(&state));
    press(&mut state, "Tab");
    assert!(text(&state).contains("8 successes by others"), "{}", text(&state));
}

#[test]
fn columns_of_help_never_touch() {
    for size in [(80, 24), (100, 30), (120, 40), (200, 60)] {
        let mut state = staged("", size);
        press(&mut state, "?");
        for line in state.page.doc.lines() {
            let helps = state.keys.iter().map(|(binding, _)| binding.help);
            let rest = helps
                .filter_map(|help| line.text().get(20..)?.strip_prefix(help))
                .min_by_key(|rest| rest.len());
            assert!(
                rest.is_none_or(|rest| rest.is_empty() || rest.starts_with("  ")),
                "{size:?} {}",
                line.text()
            );
        }
    }
}

#[test]
fn host_client_and_milliseconds_are_shown_from_100_columns_on() {
    let time = regex::Regex::new(r"07:52:\d\d\.\d{3} ").unwrap();
    for width in [100, 110, 120, 129, 130, 150, 169, 170, 180, 200, 240] {
        let mut state = staged("", (width, 45));
        let shown = screen(&state);
        for text in ["TIME UTC", "HOST", "CLIENT", "LATENCY", "WHY", "10.0.0.14", "acme", ".0"] {
            assert!(shown.contains(text), "{width} lacks {text}: {shown}");
        }
        assert!(time.is_match(&shown), "{width} {shown}");
        press(&mut state, "k");
        assert!(screen(&state).contains("CLIENT"), "{width} with an exchange beside the list");
    }
}

#[test]
fn a_full_memory_says_what_was_given_up() {
    use why403::explain::diagnoser::Diagnoser;
    use why403::explain::inspector::Inspector;
    let mut state = super::staging::empty("", &why403::tui::Settings::default());
    state.inspector = Inspector::new(why403::history::History::new(1 << 20), Diagnoser::new());
    update(&mut state, Action::Resize(120, 40));
    while state.inspector.history().evicted() == 0 {
        update(&mut state, Action::Feed(Message::Exchanges(exchanges())));
    }
    prepare_frame(&mut state);
    assert!(screen(&state).contains("oldest exchanges given up"), "{}", screen(&state));
    press(&mut state, "H");
    let page: Vec<&str> = state.page.doc.lines().iter().map(why403::tui::doc::Line::text).collect();
    assert!(page.iter().any(|line| line.contains("oldest successes first")), "{page:?}");
}

#[test]
fn endpoints_known_only_by_responses_say_so() {
    use std::net::SocketAddr;
    use why403::model::Timestamp;
    use why403::synth::Conversation;
    let server: SocketAddr = "127.0.0.1:3100".parse().unwrap();
    let at = |ms: i64| Timestamp::from_parts(super::staging::START, 0).plus(ms * 1_000_000);
    let talk = Conversation::new("127.0.0.1:40001".parse().unwrap(), server);
    let talk = talk.server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", at(1));
    let mut pipeline = why403::wire::pipeline::Pipeline::new(why403::wire::pipeline::Limits::default());
    let mut orphans = Vec::new();
    for frame in why403::synth::merge(vec![talk]) {
        pipeline.ingest(&frame.frame(), &mut orphans);
    }
    pipeline.finish(&mut orphans);
    assert_eq!(orphans.len(), 1);
    let mut state = super::staging::empty("", &why403::tui::Settings::default());
    update(&mut state, Action::Feed(Message::Exchanges(orphans)));
    press(&mut state, "E");
    let shown = screen(&state);
    assert!(shown.contains("(no request) 127.0.0.1:3100"), "{shown}");
    assert!(state.page.doc.lines().iter().any(|line| line.text().contains("began before the capture")));
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
fn an_incident_opens_its_refusals_and_is_copied_as_a_note() {
    let mut state = staged(REFUSED, (120, 40));
    press(&mut state, "I");
    assert_eq!(state.view, View::Incidents);
    let refusals: Vec<u64> = state.incidents.visible().1.map(|incident| incident.refusals).collect();
    assert_eq!(refusals, [3, 1], "{}", screen(&state));
    let shown = screen(&state);
    assert!(
        shown.contains("insufficient-scope")
            && shown.contains("all with scope orders:read; orders:read orders:write accepted"),
        "{shown}"
    );
    let copied = effects(&mut state, "y");
    let [Effect::Copy { what, text }] = copied.as_slice() else { panic!("a copy") };
    assert_eq!(*what, "incident note");
    for part in [
        "**The token lacks a scope** (`insufficient-scope`",
        "- Where: POST api.acme.example/v1/orders",
        "- Since: ",
        "- Who: all ",
        "- Others: others still succeed",
        "- Next: ",
        "```sh\n",
        "curl ",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("c2lnbmF0dXJl"), "secrets are masked");
    press(&mut state, "Enter");
    assert_eq!(
        (state.view, state.stream.total(), state.stream.filter.text()),
        (View::Stream, 3, "status:4xx cause:insufficient-scope endpoint:POST*api.acme.example/v1/orders")
    );
    press(&mut state, "Esc");
    assert_eq!((state.view, state.stream.filter.text()), (View::Incidents, REFUSED));
    press(&mut state, "j");
    assert_eq!(state.incidents.position(), 1);
    press(&mut state, "? q");
    assert_eq!(state.view, View::Incidents, "help returns to where it was opened");
    press(&mut state, "Esc");
    assert_eq!(state.view, View::Stream);
}

#[test]
fn esc_returns_from_an_endpoints_refusals_with_the_filter_before() {
    let mut state = staged(REFUSED, (80, 24));
    let total = state.stream.total();
    press(&mut state, "E Enter");
    assert!(state.stream.filter.text().starts_with("endpoint:"));
    press(&mut state, "g Enter Esc Esc");
    assert_eq!((state.view, state.stream.filter.text()), (View::Endpoints, REFUSED));
    assert_eq!(state.stream.total(), total);
    press(&mut state, "Esc");
    assert_eq!(state.view, View::Stream);
    press(&mut state, "E Enter / x Backspace Enter Esc");
    assert_ne!(state.stream.filter.text(), REFUSED, "a filter of the user's own is not taken back by Esc");
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
    state.recorded = true;
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
    for keys in [
        "",
        "k k",
        "g d",
        "E",
        "I",
        "?",
        "H",
        "g Space j Space C",
        "k y",
        "/ 'status:",
        "k Enter Tab Tab Tab",
    ] {
        let mut state = staged("", (80, 24));
        press(&mut state, keys);
        for (width, height) in
            [(1, 1), (20, 5), (40, 8), (41, 9), (60, 15), (79, 17), (131, 12), (129, 34), (400, 120)]
        {
            update(&mut state, Action::Resize(width, height));
            prepare_frame(&mut state);
            why403::tui::render::render(&state, &mut Buffer::empty(Rect::new(0, 0, width, height)));
        }
    }
}

#[test]
fn braces_go_to_the_next_exchange_of_the_same_endpoint() {
    let mut state = staged("", (80, 24));
    press(&mut state, "g");
    let endpoint = |state: &why403::tui::state::State| {
        state.inspector.history().row_of(state.stream.selected().unwrap()).unwrap().endpoint
    };
    let (first, mut seen) = (endpoint(&state), vec![state.stream.selected().unwrap()]);
    for _ in 0..state.stream.total() {
        press(&mut state, "}");
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
        press(&mut state, "{");
        assert_eq!(state.stream.selected(), Some(*expected));
    }
}
