//! Whole diagnoses of scenarios written as text.

use super::Diagnoser;
use super::fixture::{self, Scenario};
use crate::history::History;
use crate::inspector::Inspector;
use crate::model::{BaselineChoice, Diagnosis, Exchange};

/// Diagnoses every 403 of `exchanges`, all of them known.
fn diagnose(exchanges: Vec<Exchange>) -> Vec<Diagnosis> {
    let mut inspector = Inspector::new(History::new(64 << 20), Diagnoser::new());
    let ids: Vec<_> = exchanges.into_iter().map(|exchange| inspector.push(exchange)).collect();
    let refused = ids.into_iter().filter(|id| {
        inspector.history().get(*id).is_some_and(|record| record.exchange.status() == Some(403))
    });
    refused.filter_map(|id| inspector.report(id, BaselineChoice::default())?.diagnosis).collect()
}

fn top(text: &str) -> String {
    let all = diagnose(fixture::exchanges(text));
    all.last()
        .and_then(|diagnosis| diagnosis.findings.first())
        .map(|finding| finding.cause.to_string())
        .unwrap_or_default()
}

#[test]
fn a_refusal_without_anything_is_unknown() {
    assert_eq!(
        top("POST /x\nHost: a\nUser-Agent: A/1\nAccept: */*\nAuthorization: Bearer z\n--- 403\n"),
        "unknown"
    );
}

#[test]
fn scenario_files_parse() {
    let scenarios: Vec<Scenario> =
        fixture::scenarios("\n=== a | csrf | origin\nPOST /x\n--- 403\n\n=== b | waf\nPOST /y\n--- 403\n");
    assert_eq!(scenarios.len(), 2);
    assert_eq!(scenarios[0].accept, ["origin"]);
}
