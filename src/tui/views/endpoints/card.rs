//! What is known of one endpoint: counts, onset, the top cause of its latest refusal and what separates it from successes.

use crate::edge::sanitize;
use crate::model::{BaselineChoice, Difference, EvidenceKind, Part, Significance, Timestamp};
use crate::tui::doc::diff::title;
use crate::tui::doc::{Doc, Line};
use crate::tui::state::State;
use crate::tui::text;
use crate::tui::theme::Role;

/// Differences and evidence that are listed.
const LISTED: usize = 6;

/// The card of the selected endpoint.
pub(super) fn card(state: &State) -> Doc {
    let mut doc = Doc::default();
    let history = state.inspector.history();
    let Some((id, row)) = state.endpoints.selected_id().and_then(|id| Some((id, state.endpoints.row(id)?)))
    else {
        return doc;
    };
    let name = history.endpoint(id).map(ToString::to_string).unwrap_or_default();
    let name = state.redactor.endpoint(&name);
    doc.push(Line::of(Role::Title, &sanitize::text(&name)).hang(2));
    if history.endpoint(id).is_some_and(|endpoint| endpoint.method.is_empty()) {
        let text = "Only responses were captured: the connections began before the capture, or one direction is missing. \
                    Without a request the endpoint has no name but the server's address.";
        doc.push(Line::of(Role::Warn, text).prose());
    }
    let (refused, succeeded) = (text::count(row.refusals), text::count(row.successes));
    let line = Line::of(Role::Bad, &format!("{refused} refused")).add(Role::Dim, ", ");
    let line = line.add(Role::Good, &format!("{succeeded} succeeded"));
    doc.push(
        line.add(
            Role::Dim,
            &format!(", {} in all, {:.0}% refused", text::count(row.exchanges), row.ratio() * 100.0),
        )
        .prose(),
    );
    let when = |at: Option<Timestamp>| {
        at.map_or_else(
            || "never".to_owned(),
            |at| {
                let clock = at.to_string().get(11..19).unwrap_or_default().to_owned();
                format!("{clock} ({})", text::ago(state.now().since(at)))
            },
        )
    };
    let line = Line::of(Role::Dim, "refused since ").add(Role::Text, &when(row.onset));
    doc.push(line.add(Role::Dim, ", last success ").add(Role::Text, &when(row.last_success)).prose());
    for (name, counts, role) in
        [("refused  ", &row.timeline.refusals, Role::Bad), ("succeeded", &row.timeline.successes, Role::Good)]
    {
        let peak = counts.iter().copied().max().unwrap_or_default();
        let drawn = text::spark(counts, peak, &state.theme.glyphs.levels);
        let peak = text::count(u64::from(peak));
        let scale = format!(" peak {peak} per {} s", state.endpoints.scale.seconds());
        doc.push(Line::of(Role::Dim, &format!("{name} ")).add(role, &drawn).add(Role::Dim, &scale));
    }
    if let Some((id, report)) =
        row.last_refusal.and_then(|id| Some((id, state.inspector.report(id, BaselineChoice::default())?)))
    {
        let records = [Some(id), report.baseline.as_ref().map(|baseline| baseline.id)];
        let exchanges: Vec<_> =
            records.into_iter().flatten().filter_map(|id| Some(&history.get(id)?.exchange)).collect();
        separates(&mut doc, state, &report, &state.redactor.knowing(&exchanges));
    }
    doc
}

fn separates(
    doc: &mut Doc,
    state: &State,
    report: &crate::explain::inspector::Report,
    redactor: &crate::edge::redact::Redactor,
) {
    let finding = report.diagnosis.as_ref().and_then(|diagnosis| diagnosis.findings.first());
    if let Some(finding) = finding {
        let sign = state.theme.glyphs.confidence_of(finding.confidence);
        let line = Line::of(
            Role::Bad,
            &format!("{sign} {:.0}%  {}", finding.confidence * 100.0, finding.cause.id()),
        );
        doc.push(line.add(Role::Dim, &format!("  {}", finding.cause.title())).prose());
        let mut evidence: Vec<_> = finding.evidence.iter().collect();
        evidence.sort_by_key(|evidence| evidence.kind != EvidenceKind::Differs);
        for evidence in evidence.into_iter().take(LISTED) {
            let text = redactor.text(evidence.text.as_bytes());
            doc.push(Line::of(Role::Text, &format!("    {}", sanitize::line(&text))).hang(6).prose());
        }
    }
    let suspects: Vec<String> = report
        .differences
        .iter()
        .filter(|difference| difference.significance == Significance::Suspect)
        .take(LISTED)
        .map(|difference| format!("{} {}", what(difference), difference.kind.as_str()))
        .collect();
    if !suspects.is_empty() {
        let line = Line::of(Role::Dim, "differs from successes in: ");
        doc.push(line.add(Role::Text, &sanitize::text(&suspects.join("; "))).hang(4).prose());
    }
}

/// What differs, in words.
fn what(difference: &Difference) -> String {
    let name = &difference.name;
    match difference.part {
        part if name.is_empty() => title(part).to_owned(),
        Part::Claim => format!("claim {name}"),
        Part::Cookie => format!("cookie {name}"),
        Part::Query => format!("parameter {name}"),
        Part::RequestBody => format!("{name} of the body"),
        _ => name.clone(),
    }
}
