//! A report for a ticket: what was refused, why most likely, on what evidence, what to do, and both messages.
//!
//! Everything from the wire is inside code spans and fences that it cannot close, with controls escaped.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::content::{Shown, content};
use super::{Item, curl};
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::model::{Body, Difference, Exchange, Fields, Finding, Significance};

/// Longest value in the table of differences, in characters.
const VALUE: usize = 200;
/// Differences that are listed.
const DIFFERENCES: usize = 40;
/// Longest content that is shown, in bytes.
const CONTENT: usize = 4096;

/// The report on one exchange.
pub fn report(item: &Item<'_>, redactor: &Redactor) -> String {
    let exchange = &item.record.exchange;
    let redactor = &item.redactor(redactor);
    let mut out = String::new();
    let status = exchange.status().map_or("no response".to_owned(), |status| status.to_string());
    let _ = writeln!(out, "## {status} for {}\n", code(&redactor.target(item.endpoint.as_bytes())));
    let _ = writeln!(out, "- when: {}", exchange.started());
    let _ = writeln!(out, "- client {} → server {}", exchange.client_text(), exchange.server);
    let _ = writeln!(out, "- outcome: {}, exchange {} of this run", exchange.outcome.as_str(), exchange.id.0);
    if let Some(bytes) = &exchange.not_http {
        let _ = writeln!(out, "- the server sent, which is not HTTP: {}", code(&redactor.text(bytes)));
    }
    if let Some(process) = &item.record.process {
        let name = |text: &str| code(text.as_bytes());
        let part = |what: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!(", {what} {}", name(value))).unwrap_or_default()
        };
        let (unit, container) = (part("unit", &process.unit), part("container", &process.container));
        let (program, user) = (name(&process.program), name(&process.user));
        let _ =
            writeln!(out, "- server process: {program} (pid {}, user {user}{unit}{container})", process.pid);
    }
    if let Some(nanos) = exchange.latency() {
        let _ = writeln!(out, "- answered after {:.3} ms", nanos as f64 / 1e6);
    }
    for anomaly in exchange.anomalies.iter() {
        let _ = writeln!(out, "- odd: {}", anomaly.describe());
    }
    why(&mut out, item, redactor);
    legs(&mut out, item, redactor);
    differences(&mut out, item, redactor);
    messages(&mut out, exchange, redactor);
    if let Some(command) = curl::command(exchange, redactor) {
        out.push_str("\n### As a command\n\n");
        fenced(&mut out, "sh", &command.text);
    }
    out
}

fn why(out: &mut String, item: &Item<'_>, redactor: &Redactor) {
    let Some(diagnosis) = &item.report.diagnosis else { return };
    let _ = writeln!(out, "\n### Why\n\nRefused by: {}\n", diagnosis.refuser.as_str());
    for (number, finding) in diagnosis.findings.iter().take(CAUSES).enumerate() {
        self::finding(out, number + 1, finding, redactor);
    }
    for (cause, why) in &diagnosis.ruled_out {
        let _ = writeln!(out, "- not {cause}: {}", sentence(why, redactor));
    }
}

/// The legs of the request through proxies.
fn legs(out: &mut String, item: &Item<'_>, redactor: &Redactor) {
    let path = &item.report.path;
    if let Some(refused) = &path.refused_at {
        let _ = writeln!(out, "\n### On the way\n\n{}\n", sentence(&refused.text, redactor));
    }
    for leg in &path.legs {
        let status = leg.status.map_or("no response".to_owned(), |status| status.to_string());
        let _ = writeln!(out, "- {} → {}: {status} ({})", leg.client, leg.server, leg.role.as_str());
        for one in leg.changed.iter().filter(|one| one.significance == Significance::Suspect) {
            let _ = writeln!(
                out,
                "  - {} {} {}",
                one.kind.as_str(),
                one.part.as_str(),
                code(one.name.as_bytes())
            );
        }
    }
}

/// Causes and steps of each that are shown; NDJSON has all.
const CAUSES: usize = 3;
const STEPS: usize = 5;

fn finding(out: &mut String, number: usize, finding: &Finding, redactor: &Redactor) {
    let (title, percent) = (finding.cause.title(), finding.confidence * 100.0);
    let _ = writeln!(out, "{number}. **{title}** ({}, {percent:.0} %)", finding.cause);
    if let Some(separates) = &finding.separates {
        let _ = writeln!(out, "   - **{}**", sentence(&separates.sentence(), redactor));
    }
    for evidence in &finding.evidence {
        let _ = writeln!(out, "   - {}", sentence(&evidence.text, redactor));
    }
    for next in finding.next.iter().take(STEPS) {
        let _ = writeln!(out, "   - to do: {}", sentence(next, redactor));
    }
}

fn differences(out: &mut String, item: &Item<'_>, redactor: &Redactor) {
    let Some(baseline) = &item.report.baseline else {
        out.push_str("\nThere is no success to compare it with.\n");
        return;
    };
    let why = sentence(&baseline.why, redactor);
    let _ = writeln!(out, "\n### What differs from exchange {} ({why})\n", baseline.id.0);
    let relevant = item.report.differences.iter().filter(|one| one.significance != Significance::Noise);
    let shown: Vec<&Difference> = relevant.clone().take(DIFFERENCES).collect();
    if shown.is_empty() {
        out.push_str("Nothing that does not also vary between successes.\n");
        return;
    }
    out.push_str("| | where | name | it was | it is |\n|---|---|---|---|---|\n");
    for one in &shown {
        let value = |value: &Option<Vec<u8>>| match value {
            None => "—".to_owned(),
            Some(value) => cell(&redactor.value(one.part, &one.name, value)),
        };
        let (name, part) = (cell(one.name.as_bytes()), one.part.as_str());
        let (was, is) = (value(&one.baseline), value(&one.this));
        let _ = writeln!(out, "| {} | {part} | {name} | {was} | {is} |", one.significance.as_str());
    }
    let left = relevant.count() - shown.len();
    if left > 0 {
        let _ = writeln!(out, "\n{left} more.");
    }
}

fn messages(out: &mut String, exchange: &Exchange, redactor: &Redactor) {
    if let Some(request) = &exchange.request {
        let head = &request.head;
        let target = redactor.target(head.target());
        let line = format!("{} {} {}", head.method(), sanitize::line(&target), head.version().as_str());
        message(out, "Request", &line, head.fields(), &request.body, redactor);
    }
    if let Some(response) = &exchange.response {
        let head = &response.head;
        let line = format!(
            "{} {} {}",
            head.version().as_str(),
            head.status(),
            sanitize::line(&redactor.text(head.reason()))
        );
        message(out, "Response", &line, head.fields(), &response.body, redactor);
    }
}

fn message(out: &mut String, title: &str, line: &str, fields: &Fields, body: &Body, redactor: &Redactor) {
    let mut text = format!("{line}\n");
    for field in fields.iter() {
        let value = redactor.field(field.name, field.value);
        let _ = writeln!(text, "{}: {}", sanitize::line(field.name), sanitize::line(&value));
    }
    if !body.kept.is_empty() {
        text.push('\n');
        match content(fields, body, redactor).shown {
            Shown::Text(content) => {
                let end = (0..=CONTENT.min(content.len()))
                    .rev()
                    .find(|at| content.is_char_boundary(*at))
                    .unwrap_or(0);
                text.push_str(&sanitize::block(content.get(..end).unwrap_or_default().as_bytes()));
                if end < content.len() {
                    text.push_str("\n…");
                }
            }
            Shown::Base64(_) => {
                let _ = write!(text, "[{} bytes that are no text]", body.len);
            }
            Shown::Withheld(why) => {
                let _ = write!(text, "[{} bytes, {why}]", body.len);
            }
        }
        text.push('\n');
    }
    let _ = writeln!(out, "\n### {title}\n");
    fenced(out, "http", &text);
}

/// A fenced block that its content cannot close.
fn fenced(out: &mut String, language: &str, text: &str) {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = writeln!(out, "{fence}{language}\n{text}{end}{fence}");
}

/// A code span that its content cannot close.
fn code(bytes: &[u8]) -> String {
    let text = sanitize::short(bytes, VALUE);
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code span in a table, where a bar ends the cell even inside code.
fn cell(bytes: &[u8]) -> String {
    if bytes.is_empty() { String::new() } else { code(bytes).replace('|', "\\|") }
}

/// A sentence of ours, which may quote the wire, without anything that Markdown or HTML would act on.
fn sentence(text: &str, redactor: &Redactor) -> String {
    let hidden = redactor.text(text.as_bytes());
    let shown: Cow<'_, str> = sanitize::line(&hidden);
    let mut out = String::with_capacity(shown.len());
    for c in shown.chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '&' | '~') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}
