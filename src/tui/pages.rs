//! Pages that fill the screen: help, health, comparison.

use super::doc::diff::{self, Pair};
use super::doc::{Doc, Line, Scene};
use super::keys::{Chord, Place};
use super::state::traffic::Traffic;
use super::state::{State, View};
use super::text;
use super::theme::Role;
use crate::edge::sanitize;
use crate::explain::difference::compare;
use crate::feed::Ended;

/// Makes the page that is open and lays it out.
pub fn prepare(state: &mut State, (width, height): (u16, u16)) {
    let doc = match state.view {
        View::Help => help(state, width),
        View::Health => health(state),
        View::Compare => comparison(state, width),
        View::Endpoints => super::card::card(state),
        View::Incidents => super::incident_card::card(state),
        View::Stream => return,
    };
    state.page.set(doc, true);
    state.page.prepare(width, height, !state.detail.cut);
}

/// Every key, from the table; in two columns where there is room.
fn help(state: &State, width: u16) -> Doc {
    let mut doc = Doc::default();
    let places = [Place::Everywhere, Place::List, Place::Stream, Place::Endpoints, Place::Detail];
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

fn health(state: &State) -> Doc {
    let mut doc = Doc::default();
    let traffic = &state.traffic;
    let counters = &traffic.counters;
    heading(&mut doc, "Source");
    row(&mut doc, "source", sanitize::text(&state.source.listening).as_ref(), Role::Text);
    let ended = match &traffic.ended {
        None => ("running".to_owned(), Role::Good),
        Some(Ended::Whole) => ("read to its end".to_owned(), Role::Good),
        Some(Ended::Stopped(why)) => (format!("stopped: {}", sanitize::text(why)), Role::Warn),
        Some(Ended::Failed(why)) => (format!("failed: {}", sanitize::text(why)), Role::Bad),
    };
    row(&mut doc, "state", &ended.0, ended.1);
    number(&mut doc, "frames", counters.frames);
    row(&mut doc, "bytes", &text::bytes(counters.frame_bytes), Role::Text);
    number(&mut doc, "connections", counters.flows);
    number(&mut doc, "requests", counters.requests);
    number(&mut doc, "responses", counters.responses);
    if !state.source.notes.is_empty() {
        heading(&mut doc, "Startup messages");
        for note in &state.source.notes {
            doc.push(Line::of(Role::Warn, &format!("  {}", sanitize::text(note))).hang(4).prose());
        }
    }
    losses(&mut doc, traffic);
    not_http(&mut doc, state);
    payload(&mut doc, traffic);
    memory(&mut doc, state);
    if !traffic.warnings.is_empty() {
        heading(&mut doc, "Warnings");
        for warning in &traffic.warnings {
            doc.push(Line::of(Role::Warn, &format!("  {warning}")).hang(4).prose());
        }
    }
    doc
}

/// The accounts of the payload; all but the last add up to the first.
fn payload(doc: &mut Doc, traffic: &Traffic) {
    heading(doc, "Bytes of payload");
    for (name, bytes, what) in traffic.counters.payload_accounts() {
        let line = Line::of(Role::Dim, &format!("  {name}")).pad(18).value(Role::Text, &text::count(bytes));
        doc.push(line.pad(34).add(Role::Dim, what).hang(34).prose());
    }
}

fn losses(doc: &mut Doc, traffic: &Traffic) {
    let counters = &traffic.counters;
    heading(doc, "Lost, by stage");
    loss(
        doc,
        "kernel",
        traffic.source.kernel_dropped,
        "frames; a larger -B or a narrower BPF expression helps",
    );
    loss(doc, "interface", traffic.source.interface_dropped, "frames dropped by the driver");
    loss(doc, "cut", counters.frames_cut, "frames cut by the snapshot length; -s 0 keeps all");
    loss(doc, "gaps", counters.gaps, &format!("in connections, {} missing", text::bytes(counters.gap_bytes)));
    loss(doc, "connections", counters.flows_evicted, "given up: memory limit reached");
    loss(doc, "payload", counters.dropped_bytes, "bytes given up: memory limit reached");
    loss(doc, "queue", traffic.source.queue_dropped, "exchanges dropped: the queue to the screen was full");
    loss(doc, "orphans", counters.orphan_responses, "responses without their request");
}

fn memory(doc: &mut Doc, state: &State) {
    heading(doc, "Memory");
    let history = state.inspector.history();
    row(
        doc,
        "history",
        &format!("{} of {}", text::bytes(history.memory()), text::bytes(state.budget)),
        Role::Text,
    );
    number(doc, "kept", history.len() as u64);
    let evicted = history.evicted();
    if evicted > 0 {
        let what = "oldest successes first, then oldest refusals; --memory SIZE keeps more";
        row(doc, "given up", &format!("{} exchanges, {what}", text::count(evicted)), Role::Warn);
    } else {
        row(doc, "given up", "nothing", Role::Text);
    }
    let (queued, capacity) = state.queue;
    row(doc, "queue", &format!("{queued} of {capacity} batches"), Role::Text);
    row(doc, "screen", &format!("{} sent", text::bytes(state.sent)), Role::Text);
}

fn not_http(doc: &mut Doc, state: &State) {
    let counters = &state.traffic.counters;
    if !counters.flows_unparsed.is_empty() || !counters.frames_skipped.is_empty() {
        heading(doc, "Not HTTP/1.1");
    }
    for (kind, count) in &counters.flows_unparsed {
        row(doc, kind, &text::plural(*count, "connection", "connections"), Role::Text);
    }
    for (kind, count) in &counters.frames_skipped {
        row(doc, kind, &text::plural(*count, "frame", "frames"), Role::Dim);
    }
}

fn heading(doc: &mut Doc, title: &str) {
    doc.gap();
    doc.push(Line::of(Role::Title, title));
}

fn row(doc: &mut Doc, name: &str, value: &str, role: Role) {
    doc.push(Line::of(Role::Dim, &format!("  {name}")).pad(18).value(role, value).hang(18).prose());
}

fn number(doc: &mut Doc, name: &str, value: u64) {
    row(doc, name, &text::count(value), Role::Text);
}

fn loss(doc: &mut Doc, name: &str, value: u64, what: &str) {
    let role = if value > 0 { Role::Warn } else { Role::Dim };
    let line = Line::of(Role::Dim, &format!("  {name}")).pad(18).value(role, &text::count(value)).pad(28);
    doc.push(line.add(Role::Dim, what).hang(28).prose());
}

fn comparison(state: &State, width: u16) -> Doc {
    let history = state.inspector.history();
    let pair = super::update::pair(state);
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
