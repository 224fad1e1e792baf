//! What is known of the selected incident, and the note of it for a chat.

use std::fmt::Write as _;

use crate::edge::sanitize;
use crate::explain::inspector::Report;
use crate::incidents::{Incident, Onset, Trait};
use crate::model::BaselineChoice;
use crate::tui::doc::why::refuser;
use crate::tui::doc::{Doc, Line};
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// Endpoints and pieces of evidence that are listed.
const LISTED: usize = 4;

/// The facts of an incident: a label and a sentence each.
fn facts(state: &State, incident: &Incident) -> Vec<(&'static str, String)> {
    let others = match (incident.who().is_some(), incident.successes_since, incident.successes) {
        (_, _, 0) => "no success seen at these endpoints".to_owned(),
        (true, ..) => "others still succeed".to_owned(),
        (false, 0, _) => "no success since the last refusal".to_owned(),
        (false, since, _) => {
            format!("{} since the last refusal", text::plural(since, "success", "successes"))
        }
    };
    let mut facts = vec![("Since", since(state, incident)), ("Who", who(incident)), ("Others", others)];
    if !incident.changes.is_empty() {
        facts.push(("Changed", changed(incident)));
    }
    facts.push(("Where", endpoints(state, incident)));
    facts.push(("By", refuser(incident.refuser).to_owned()));
    if let Some(note) = state.incidents.note(incident.id) {
        let note = if note.is_empty() { "acknowledged" } else { note };
        facts.push(("Note", note.to_owned()));
    }
    facts
}

fn since(state: &State, incident: &Incident) -> String {
    let clock = |at: crate::model::Timestamp| at.to_string().get(..19).unwrap_or_default().replace('T', " ");
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let (before, after) = incident.rate;
    match incident.onset {
        Onset::At(at) => {
            let rate = if before < after {
                format!("{} refused before, {} since", percent(before), percent(after))
            } else {
                format!("{} refused", percent(after))
            };
            format!("{} UTC ({}); {rate}", clock(at), text::ago(state.now().since(at)))
        }
        Onset::BeforeCapture => format!("before the capture began; {} refused", percent(after)),
        Onset::Sporadic(at) => format!("now and then, first {} UTC; {} refused", clock(at), percent(after)),
    }
}

/// Who is refused and who is not, with how many callers there are.
fn who(incident: &Incident) -> String {
    let mut who = match incident.who() {
        Some(who) => who.sentence(),
        None if incident.successes == 0 => "everyone".to_owned(),
        None => "no property tells refused callers from accepted ones".to_owned(),
    };
    for (of, one, many) in [(Trait::Client, "client", "clients"), (Trait::Identity, "user", "users")] {
        let callers = incident.affected.callers.iter().find(|callers| callers.of == of);
        let Some(callers) = callers.filter(|callers| !callers.shares.is_empty()) else { continue };
        let refused = callers.shares.iter().filter(|share| share.refused > 0).count() as u64;
        let count =
            if callers.more > 0 { format!("{refused}+ {many}") } else { text::plural(refused, one, many) };
        let _ = write!(who, "; {count}");
    }
    who
}

fn changed(incident: &Incident) -> String {
    let each = incident.changes.iter().map(|change| {
        let clock = change.at.to_string().get(11..19).unwrap_or_default().to_owned();
        format!("{} {} to {} at {clock}", change.field, change.before, change.after)
    });
    each.collect::<Vec<_>>().join("; ")
}

fn endpoints(state: &State, incident: &Incident) -> String {
    let history = state.inspector.history();
    let names = incident.endpoints.iter().take(LISTED).filter_map(|id| history.endpoint(*id));
    let mut endpoints =
        names.map(|name| state.redactor.endpoint(&name.to_string())).collect::<Vec<_>>().join(", ");
    if incident.endpoints.len() > LISTED {
        let _ = write!(endpoints, " and {} more", incident.endpoints.len() - LISTED);
    }
    endpoints
}

fn report(state: &State, incident: &Incident) -> Option<Report> {
    state.inspector.report(incident.last_id, BaselineChoice::default())
}

/// Evidence and next steps of the last refusal, redacted and escaped.
fn evidence(state: &State, incident: &Incident, report: &Report) -> (Vec<String>, Vec<String>) {
    let history = state.inspector.history();
    let baseline = report.baseline.as_ref().map(|baseline| baseline.id);
    let records = [Some(incident.last_id), baseline].into_iter().flatten().filter_map(|id| history.get(id));
    let redactor = state.redactor.knowing(&records.map(|record| &record.exchange).collect::<Vec<_>>());
    let shown = |text: &str| sanitize::line(&redactor.text(text.as_bytes())).into_owned();
    let finding = report.diagnosis.as_ref().and_then(|diagnosis| diagnosis.findings.first());
    let evidence = finding.into_iter().flat_map(|finding| &finding.evidence).take(LISTED);
    let next = finding.into_iter().flat_map(|finding| &finding.next).take(LISTED);
    (evidence.map(|evidence| shown(&evidence.text)).collect(), next.map(|step| shown(step)).collect())
}

/// The card below the list.
pub(super) fn card(state: &State) -> Doc {
    let mut doc = Doc::default();
    let Some(incident) = state.incidents.selected() else { return doc };
    let sign = state.theme.glyphs.confidence_of(incident.confidence);
    let title = format!("{sign} {:.0}%  {}", incident.confidence * 100.0, incident.cause.id());
    doc.push(Line::of(Role::Bad, &title).add(Role::Dim, &format!("  {}", incident.cause.title())).prose());
    let counts = format!(
        "{}, {}, incident {}",
        text::plural(incident.refusals, "refusal", "refusals"),
        incident.state.as_str(),
        incident.id
    );
    doc.push(Line::of(Role::Dim, "  What    ").add(Role::Text, &counts).hang(10).prose());
    for (label, value) in facts(state, incident) {
        let line = Line::of(Role::Dim, &format!("  {label:<8}"));
        doc.push(line.add(Role::Text, &sanitize::text(&value)).hang(10).prose());
    }
    let Some(report) = report(state, incident) else { return doc };
    let (evidence, next) = self::evidence(state, incident, &report);
    for (label, lines, role) in [("Why", evidence, Role::Text), ("Next", next, Role::Good)] {
        for (number, line) in lines.iter().enumerate() {
            let label = if number == 0 { label } else { "" };
            doc.push(Line::of(Role::Dim, &format!("  {label:<8}")).add(role, line).hang(10).prose());
        }
    }
    doc
}

/// The same as Markdown, with the last refusal as a curl command.
pub(super) fn note(state: &State, incident: &Incident) -> String {
    let mut out = String::new();
    let (id, title) = (incident.cause.id(), incident.cause.title());
    let count = text::plural(incident.refusals, "refusal", "refusals");
    let _ = writeln!(
        out,
        "**{title}** (`{id}`, {:.0}%): {count}, {} (incident {})\n",
        incident.confidence * 100.0,
        incident.state.as_str(),
        incident.id
    );
    for (label, value) in facts(state, incident) {
        let _ = writeln!(out, "- {label}: {}", sanitize::text(&value));
    }
    if let Some(report) = report(state, incident) {
        let (evidence, next) = self::evidence(state, incident, &report);
        for (label, lines) in [("Evidence", evidence), ("Next", next)] {
            for line in lines {
                let _ = writeln!(out, "- {label}: {line}");
            }
        }
    }
    if let Some(record) = state.inspector.history().get(incident.last_id) {
        let _ = writeln!(out, "\n```sh\n{}\n```", (state.exports.curl)(record, &state.redactor).trim_end());
    }
    out
}
