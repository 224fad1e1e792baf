//! What the screen, the summaries and the completion of filters show.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::Totals;
use crate::app::summary::Summary;
use crate::edge::redact::Redactor;
use crate::explain::Diagnoser;
use crate::explain::inspector::{Inspector, ServerLogs};
use crate::export::{curl, markdown, ndjson, sample, with_item};
use crate::feed::{Message, Source};
use crate::filter::{Filter, KEYS, values_of};
use crate::history::History;
use crate::knowledge;
use crate::logs::{Journal, Patterns};
use crate::tui::action::Action;
use crate::tui::prepare_frame::prepare_frame;
use crate::tui::render::render;
use crate::tui::state::detail::Tab;
use crate::tui::state::{Focus, State, View};
use crate::tui::update::update;
use crate::tui::{Environment, Exports, Settings};

const SIZE: (u16, u16) = (170, 60);

/// Every view and every tab, as lines of text.
pub(super) fn screens(exchanges: &[(Vec<u8>, Vec<u8>)], reveal: bool) -> Vec<(&'static str, String)> {
    let inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let exports = Exports {
        curl: |record, redactor| {
            curl::command(&record.exchange, redactor).map(|made| made.text).unwrap_or_default()
        },
        markdown: |inspector, id, redactor| {
            with_item(inspector, id, |item| markdown::report(item, redactor)).unwrap_or_default()
        },
        json: |inspector, id, redactor| {
            with_item(inspector, id, |item| ndjson::pretty(item, redactor)).unwrap_or_default()
        },
        many: |_, _, _, _| Err(String::new()),
    };
    let environment = Environment { term: "xterm-256color".into(), utf8: true, ..Environment::default() };
    let filter = Filter::parse("").unwrap();
    let mut state =
        State::new(inspector, Source::default(), filter, exports, &Settings::default(), &environment)
            .unwrap();
    state.redactor = Redactor::for_tests(reveal);
    update(&mut state, Action::Resize(SIZE.0, SIZE.1));
    let made = exchanges.iter().map(|(request, response)| sample::exchange(request, response)).collect();
    update(&mut state, Action::Feed(Message::Exchanges(made)));
    let mut all = Vec::new();
    for (name, view) in
        [("stream", View::Stream), ("endpoints", View::Endpoints), ("incidents", View::Incidents)]
    {
        state.view = view;
        all.push((name, drawn(&mut state)));
    }
    (state.view, state.focus) = (View::Stream, Focus::Detail);
    for (name, tab) in [("why tab", Tab::Why), ("diff tab", Tab::Diff), ("request tab", Tab::Request)] {
        state.detail.tab = tab;
        all.push((name, drawn(&mut state)));
    }
    all
}

fn drawn(state: &mut State) -> String {
    while prepare_frame(state) {}
    let mut buffer = Buffer::empty(Rect::new(0, 0, SIZE.0, SIZE.1));
    render(state, &mut buffer);
    let lines = buffer.content().chunks(usize::from(SIZE.0));
    lines.map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
}

/// `--summary`, with `--by` what may quote the wire, and what is offered where a filter is typed.
pub(super) fn lists(inspector: &Inspector) -> Vec<(&'static str, String)> {
    let history = inspector.history();
    let records: Vec<_> = history.iter().collect();
    let totals = Totals::default();
    let mut text = String::new();
    let first = records.last().and_then(|record| record.exchange.request.as_ref());
    let fields = first.into_iter().flat_map(|request| request.head.fields().iter());
    let mut groups: Vec<String> = fields.map(|field| format!("header:{}", field.name_text())).collect();
    groups.extend(["identity", "user-agent", "host", "endpoint", "client", "cause"].map(str::to_owned));
    groups.extend(
        ["token", "password", "code", "sig", "q", "redirect", "url", "data"]
            .map(|name| format!("query:{name}")),
    );
    groups.extend(["sid", "session", "remember_me"].map(|name| format!("cookie:{name}")));
    for by in std::iter::once(None).chain(groups.iter().map(|by| by.parse().ok())) {
        let mut summary = Summary::new(by, false);
        for record in &records {
            summary.see(inspector, record);
            summary.count(inspector, record);
        }
        text += &summary.text("", &totals);
        text += &summary.json("", &totals);
    }
    let offered: Vec<String> = KEYS
        .iter()
        .flat_map(|key| values_of(key.key, history))
        .map(|(value, help)| format!("{value} {help}"))
        .collect();
    vec![("summary", text), ("filter completion", offered.join("\n"))]
}

/// NDJSON and the screen of a refusal whose server logged `line`.
pub(super) fn with_log(request: &[u8], response: &[u8], line: &str) -> String {
    let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
    let id = inspector.push(sample::exchange(request, response));
    let patterns = Patterns::read(knowledge::current()).unwrap();
    let mut journal = Journal::new(1970);
    let file = journal.add_file("error.log");
    journal.add_line(file, line.as_bytes(), &patterns);
    inspector.set_logs(Some(ServerLogs { journal, patterns: patterns.into() }));
    assert!(inspector.join_logs());
    let redactor = Redactor::for_tests(false);
    let text = with_item(&inspector, id, |item| {
        assert!(!item.report.log.is_empty(), "{line}");
        ndjson::pretty(item, &redactor) + &markdown::report(item, &redactor)
    });
    text.unwrap()
}
