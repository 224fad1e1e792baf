//! Health: source, losses by stage, memory, queue.

use super::{Kind, Screen, View};
use crate::edge::sanitize;
use crate::feed::Ended;
use crate::tui::doc::{Doc, Line};
use crate::tui::keys::{Binding, Command, Place};
use crate::tui::state::State;
use crate::tui::state::traffic::Traffic;
use crate::tui::text;
use crate::tui::theme::Role;

/// The view.
pub(super) struct HealthView;

static BINDING: Binding = Binding {
    command: Command::Show(View::Health),
    name: "health",
    place: Place::Everywhere,
    keys: &["F5", "H"],
    hint: "",
    help: "Health: source, losses by stage, memory, queue",
};

impl Screen for HealthView {
    fn name(&self) -> &'static str {
        "Health"
    }

    fn kind(&self) -> Kind {
        Kind::Page
    }

    fn binding(&self) -> Option<&'static Binding> {
        Some(&BINDING)
    }

    fn document(&self, state: &State, _width: u16) -> Doc {
        health(state)
    }
}

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
