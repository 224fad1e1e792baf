//! The Why tab: findings best first with their evidence and next steps, who refused, what is ruled out.

use super::diff::no_baseline;
use super::message::{anomalies, no_response};
use super::{Doc, Line, Link, Scene};
use crate::edge::sanitize;
use crate::explain::inspector::Report;
use crate::history::{History, Record};
use crate::model::{BaselineChoice, Diagnosis, Evidence, EvidenceKind, Finding, Refuser};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns before an evidence's text: the indent and the widest label.
const HANG: usize = 18;

/// Findings that are shown with all their evidence; later ones are short.
const FULL: usize = 3;

/// The Why tab.
pub fn why(
    record: &Record,
    (report, choice): (&Report, BaselineChoice),
    history: &History,
    scene: &Scene<'_>,
) -> Doc {
    let mut doc = Doc::default();
    match &report.diagnosis {
        Some(diagnosis) => refused(&mut doc, diagnosis, scene),
        None => not_refused(&mut doc, record),
    }
    compared(&mut doc, record, (report, choice), history);
    if let Some(diagnosis) = &report.diagnosis {
        ruled_out(&mut doc, diagnosis, scene);
    }
    anomalies(&mut doc, &record.exchange);
    doc
}

fn not_refused(doc: &mut Doc, record: &Record) {
    let text = match record.exchange.status() {
        Some(status @ 100..=399) => format!("{status} is not a refusal: nothing to explain"),
        Some(status) => format!("{status} is a failure of the server, not a refusal: see the response"),
        None => no_response(record.exchange.outcome).to_owned(),
    };
    doc.push(Line::of(Role::Text, &text).prose());
}

fn refused(doc: &mut Doc, diagnosis: &Diagnosis, scene: &Scene<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    if let Some(separates) = diagnosis.findings.first().and_then(|finding| finding.separates.as_ref()) {
        let sentence = separates.sentence();
        let text = scene.redactor.text(sentence.as_bytes());
        doc.push(Line::of(Role::Bad, &sanitize::sentence(&text)).hang(4).prose());
    }
    for (rank, finding) in diagnosis.findings.iter().take(FULL).enumerate() {
        if rank < FULL {
            doc.gap();
        }
        head(doc, finding, rank, scene);
        if rank < FULL {
            next(doc, finding.next.get(..1).unwrap_or_default(), "Fix", scene);
        }
        // What a cause shares with a more likely one is said once.
        let (fresh, above): (Vec<_>, Vec<_>) =
            finding.evidence.iter().partition(|evidence| !seen.contains(&evidence.text.as_str()));
        for evidence in fresh.iter().take(if rank < FULL { usize::MAX } else { 1 }) {
            self::evidence(doc, evidence, scene);
            seen.push(&evidence.text);
        }
        if !above.is_empty() && rank < FULL {
            repeated(doc, above.len(), fresh.is_empty());
        }
        if rank == 0 {
            next(doc, finding.next.get(1..).unwrap_or_default(), "Next", scene);
        }
    }
    if diagnosis.refuser != Refuser::Unknown || !diagnosis.refuser_evidence.is_empty() {
        doc.gap();
        doc.push(Line::of(Role::Title, "Refused by ").add(Role::Accent, refuser(diagnosis.refuser)));
        for evidence in &diagnosis.refuser_evidence {
            self::evidence(doc, evidence, scene);
        }
    }
}

/// Which layer, in words.
pub fn refuser(refuser: Refuser) -> &'static str {
    match refuser {
        Refuser::Application => "the application",
        Refuser::Gateway => "a gateway in front",
        Refuser::Waf => "a web application firewall",
        Refuser::Cdn => "a CDN",
        Refuser::WebServer => "the web server",
        Refuser::OutboundProxy => "a proxy in the client's own network",
        Refuser::Unknown => "(unknown)",
    }
}

fn head(doc: &mut Doc, finding: &Finding, rank: usize, scene: &Scene<'_>) {
    let role = if rank == 0 { Role::Bad } else { Role::Title };
    let percent = format!("{:>3.0}%", finding.confidence * 100.0);
    let line = Line::of(role, scene.glyphs.confidence_of(finding.confidence))
        .add(Role::Text, &format!(" {percent}  "))
        .add(role, finding.cause.id())
        .add(Role::Dim, &format!("  {}", finding.cause.title()));
    doc.push(line.hang(8).prose());
}

fn evidence(doc: &mut Doc, evidence: &Evidence, scene: &Scene<'_>) {
    let kind = match evidence.kind {
        EvidenceKind::Said => "Response says",
        EvidenceKind::Shown => "Request shows",
        EvidenceKind::Differs => "Difference",
        EvidenceKind::Behaved => "Timing",
        EvidenceKind::Logged => "Log says",
    };
    let against = evidence.weight < 0.0;
    let text = scene.redactor.text(evidence.text.as_bytes());
    let text = sanitize::sentence(&text);
    let mut line = Line::of(Role::Dim, &format!("    {kind:<13} "));
    if against {
        line = line.add(Role::Warn, "but ");
    }
    line = line.add(Role::Text, &text).hang(HANG).prose();
    if let Some(pointer) = evidence.pointers.first() {
        line = line.add(Role::Accent, &format!(" {}", scene.glyphs.arrow)).link(Link::Bytes(pointer.clone()));
    }
    doc.push(line);
}

/// Evidence that stands above already.
fn repeated(doc: &mut Doc, count: usize, all: bool) {
    let only = if all { "only " } else { "" };
    let text = format!("{only}{} from above", text::plural(count as u64, "evidence item", "evidence items"));
    doc.push(Line::of(Role::Dim, "    Also          ").add(Role::Dim, &text).hang(HANG).prose());
}

fn next(doc: &mut Doc, steps: &[String], label: &str, scene: &Scene<'_>) {
    for (number, step) in steps.iter().enumerate() {
        let label = if number == 0 { label } else { "" };
        let step = scene.redactor.text(step.as_bytes());
        let line =
            Line::of(Role::Good, &format!("    {label:<13} ")).add(Role::Text, &sanitize::sentence(&step));
        doc.push(line.hang(HANG).prose());
    }
}

fn compared(doc: &mut Doc, record: &Record, (report, choice): (&Report, BaselineChoice), history: &History) {
    doc.gap();
    match &report.baseline {
        Some(baseline) => {
            let line = Line::of(Role::Title, "Compared with ")
                .add(Role::Accent, &format!("#{}", baseline.id.0))
                .add(Role::Text, &format!("  {}", sanitize::text(&baseline.why)));
            doc.push(line.hang(4).prose().link(Link::Exchange(baseline.id)));
        }
        None => {
            let text = no_baseline(record, history, choice);
            doc.push(Line::of(Role::Title, "Compared with nothing: ").add(Role::Text, &text).hang(4).prose());
        }
    }
}

fn ruled_out(doc: &mut Doc, diagnosis: &Diagnosis, scene: &Scene<'_>) {
    if diagnosis.ruled_out.is_empty() {
        return;
    }
    doc.gap();
    doc.push(Line::of(Role::Title, "Ruled out"));
    for (cause, reason) in &diagnosis.ruled_out {
        let reason = scene.redactor.text(reason.as_bytes());
        let line =
            Line::of(Role::Dim, &format!("    {:<19} ", cause.id())).add(Role::Dim, &sanitize::line(&reason));
        doc.push(line.hang(24).prose());
    }
}
