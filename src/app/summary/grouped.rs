//! `--summary --by FIELD`: matches counted by a property, beside everything else that has it.

use std::fmt::Write as _;

use serde::Serialize;

use super::grouped;
use crate::edge::sanitize;
use crate::incidents::{Group, Groups};
use crate::model::Cause;

/// Lines that are printed as text.
const LINES: usize = 50;

#[derive(Serialize)]
struct Row<'a> {
    value: &'a str,
    exchanges: u64,
    refusals: u64,
    matched: u64,
    since: Option<String>,
    onset: Option<String>,
    cause: Option<&'static str>,
}

/// The table.
pub(super) fn text(groups: &Groups, out: &mut String) {
    let rows = groups.sorted();
    if rows.is_empty() {
        return;
    }
    let name = sanitize::text(&groups.by().to_string()).into_owned();
    let _ = writeln!(
        out,
        "\n{:>9}  {:>9}  {:>9}  {:>7}  {:<12}  {:<20}  {name}",
        "matched", "refused", "of", "refused", "since UTC", "top cause"
    );
    for (value, group) in rows.iter().take(LINES) {
        line(out, value, group);
    }
    if rows.len() > LINES {
        let rest: u64 = rows.iter().skip(LINES).map(|(_, group)| group.matched).sum();
        let _ = writeln!(out, "{:>9}  with {} further values", grouped(rest), rows.len() - LINES);
    }
    if groups.other().matched > 0 {
        line(out, "(values beyond the limit)", groups.other());
    }
    let (values, exchanges) = groups.without_match();
    if values > 0 {
        let what = if values == 1 { "value" } else { "values" };
        let _ =
            writeln!(out, "{:>9}  {} exchanges with {values} {what} without a match", 0, grouped(exchanges));
    }
}

fn line(out: &mut String, value: &str, group: &Group) {
    let since = group.since.map(|at| at.to_string().get(11..23).unwrap_or_default().to_owned());
    let cause = group.top_cause().map_or("-", |(cause, _)| cause.id());
    let _ = writeln!(
        out,
        "{:>9}  {:>9}  {:>9}  {:>6.1}%  {:<12}  {cause:<20}  {value}",
        grouped(group.matched),
        grouped(group.refusals),
        grouped(group.exchanges),
        group.refused_share() * 100.0,
        since.unwrap_or_default(),
    );
}

/// The same for JSON, everything included.
pub(super) fn json(groups: &Groups) -> serde_json::Value {
    let row = |(value, group): (&'_ str, &Group)| {
        let row = Row {
            value,
            exchanges: group.exchanges,
            refusals: group.refusals,
            matched: group.matched,
            since: group.since.map(|at| at.to_string()),
            onset: groups.onset(group).map(|at| at.to_string()),
            cause: group.top_cause().map(|(cause, _)| Cause::id(cause)),
        };
        serde_json::json!(row)
    };
    let rows: Vec<serde_json::Value> = groups.sorted().into_iter().map(row).collect();
    serde_json::json!({ "by": groups.by().to_string(), "groups": rows, "beyond_limit": groups.other().matched })
}
