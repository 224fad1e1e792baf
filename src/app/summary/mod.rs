//! `--summary`: what was refused, counted by endpoint, status and cause.

mod grouped;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;

use serde::Serialize;

use crate::app::Totals;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::explain::inspector::Inspector;
use crate::history::Record;
use crate::incidents::{GroupBy, Groups};
use crate::model::{Cause, EndpointId};

/// Kinds of matches that are told apart; further ones are counted together.
const KINDS: usize = 100_000;
/// Lines that are printed as text.
const LINES: usize = 50;

/// Counts of matches.
#[derive(Debug, Default)]
pub struct Summary {
    counts: HashMap<Kind, u64, ahash::RandomState>,
    names: HashMap<EndpointId, String, ahash::RandomState>,
    /// What hides keys in paths.
    redactor: Redactor,
    /// Matches beyond the bound.
    other: u64,
    /// Counts by the property that was asked for (`--by`), instead of by endpoint, status and cause.
    groups: Option<(Groups, Redactor)>,
}

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Kind {
    endpoint: EndpointId,
    status: Option<u16>,
    cause: Option<Cause>,
}

#[derive(Serialize)]
struct Row<'a> {
    endpoint: &'a str,
    status: Option<u16>,
    cause: Option<&'static str>,
    count: u64,
}

impl Summary {
    /// Counts by `by`, or by endpoint, status and cause.
    pub fn new(by: Option<GroupBy>, reveal: bool) -> Self {
        let groups = by.map(|by| (Groups::new(by), Redactor::new(reveal)));
        Self { groups, redactor: Redactor::new(reveal), ..Self::default() }
    }

    /// Whether it has to see every exchange, and not only those that match.
    pub fn is_grouped(&self) -> bool {
        self.groups.is_some()
    }

    /// Takes note of an exchange that may match or not.
    pub fn see(&mut self, inspector: &Inspector, record: &Record) {
        if let Some((groups, redactor)) = &mut self.groups {
            groups.count(record, inspector, redactor);
        }
    }

    /// Counts a match.
    pub fn count(&mut self, inspector: &Inspector, record: &Record) {
        if let Some((groups, redactor)) = &mut self.groups {
            groups.matched(record, inspector, redactor);
            return;
        }
        let exchange = &record.exchange;
        self.add(inspector, record.endpoint, exchange.status(), inspector.top_cause(exchange.id), 1);
    }

    /// Counts `count` matches alike.
    pub fn add(
        &mut self,
        inspector: &Inspector,
        endpoint: EndpointId,
        status: Option<u16>,
        cause: Option<(Cause, f32)>,
        count: u64,
    ) {
        let endpoint = inspector.history().canonical(endpoint);
        let kind = Kind { endpoint, status, cause: cause.map(|(cause, _)| cause) };
        let known = self.counts.len();
        match self.counts.entry(kind) {
            Entry::Occupied(mut entry) => *entry.get_mut() += count,
            Entry::Vacant(entry) if known < KINDS => {
                let name = || {
                    let name =
                        inspector.history().endpoint(endpoint).map(ToString::to_string).unwrap_or_default();
                    self.redactor.endpoint(&name)
                };
                self.names.entry(endpoint).or_insert_with(name);
                entry.insert(count);
            }
            Entry::Vacant(_) => self.other += count,
        }
    }

    fn name(&self, id: EndpointId) -> &str {
        self.names.get(&id).map_or("", String::as_str)
    }

    /// Most frequent first.
    fn sorted(&self) -> Vec<(&Kind, u64)> {
        let mut rows: Vec<_> = self.counts.iter().map(|(kind, count)| (kind, *count)).collect();
        rows.sort_by(|a, b| {
            b.1.cmp(&a.1)
                .then_with(|| self.name(a.0.endpoint).cmp(self.name(b.0.endpoint)))
                .then_with(|| a.0.cmp(b.0))
        });
        rows
    }

    /// A table with a line of totals.
    pub fn text(&self, query: &str, totals: &Totals) -> String {
        let counters = &totals.counters;
        let mut out = String::new();
        let shown =
            if query.is_empty() { "everything".to_owned() } else { sanitize::text(query).into_owned() };
        let _ = writeln!(
            out,
            "{} frames, {} connections, {} requests, {} responses; {} matched {shown}",
            grouped(counters.frames),
            grouped(counters.flows),
            grouped(counters.requests),
            grouped(counters.responses),
            grouped(totals.matched),
        );
        let [(_, payload, _), accounts @ ..] = counters.payload_accounts();
        let accounts: Vec<_> =
            accounts.iter().map(|(name, bytes, _)| format!("{} {name}", grouped(*bytes))).collect();
        let _ = writeln!(out, "{} bytes of payload: {}", grouped(payload), accounts.join(", "));
        for (what, counted) in
            [("not HTTP/1.1", &counters.flows_unparsed), ("frames skipped", &counters.frames_skipped)]
        {
            let counted: Vec<_> =
                counted.iter().map(|(name, count)| format!("{} {name}", grouped(*count))).collect();
            if !counted.is_empty() {
                let _ = writeln!(out, "{what}: {}", counted.join(", "));
            }
        }
        for loss in losses(totals) {
            let _ = writeln!(out, "lost: {loss}");
        }
        if let Some((groups, _)) = &self.groups {
            self::grouped::text(groups, &mut out);
            return out;
        }
        let rows = self.sorted();
        if rows.is_empty() {
            return out;
        }
        let _ = writeln!(out, "\n{:>9}  {:<6}  {:<20}  endpoint", "count", "status", "cause");
        for (kind, count) in rows.iter().take(LINES) {
            let status = kind.status.map_or("-".to_owned(), |status| status.to_string());
            let cause = kind.cause.map_or("-", Cause::id);
            let endpoint = sanitize::short(self.name(kind.endpoint).as_bytes(), 160);
            let _ = writeln!(out, "{:>9}  {status:<6}  {cause:<20}  {endpoint}", grouped(*count));
        }
        let rest: u64 = rows.iter().skip(LINES).map(|(_, count)| count).sum::<u64>() + self.other;
        if rest > 0 {
            let kinds = rows.len().saturating_sub(LINES);
            let _ = writeln!(out, "{:>9}  in {kinds} further kinds", grouped(rest));
        }
        out
    }

    /// The same as one JSON object, everything included.
    pub fn json(&self, query: &str, totals: &Totals) -> String {
        let rows: Vec<Row<'_>> = self
            .sorted()
            .into_iter()
            .map(|(kind, count)| Row {
                endpoint: self.name(kind.endpoint),
                status: kind.status,
                cause: kind.cause.map(Cause::id),
                count,
            })
            .collect();
        let mut value = stats(query, totals);
        if let (Some(object), Some((groups, _))) = (value.as_object_mut(), &self.groups) {
            object.insert("grouped".to_owned(), self::grouped::json(groups));
            return crate::export::json_line(&value);
        }
        if let Some(object) = value.as_object_mut() {
            object.insert("matches".to_owned(), serde_json::json!(rows));
            object.insert("uncounted_kinds".to_owned(), self.other.into());
        }
        crate::export::json_line(&value)
    }
}

/// The totals of a run, as the last line of NDJSON has them.
pub fn stats(query: &str, totals: &Totals) -> serde_json::Value {
    let c = &totals.counters;
    let named = |pairs: &[(&'static str, u64)]| -> serde_json::Value {
        pairs
            .iter()
            .map(|(name, count)| ((*name).to_owned(), (*count).into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    serde_json::json!({
        "v": 1, "type": "summary", "filter": query, "matched": totals.matched,
        "frames": c.frames, "frame_bytes": c.frame_bytes, "frames_cut": c.frames_cut, "frames_skipped": named(&c.frames_skipped),
        "segments": c.segments, "payload_bytes": c.payload_bytes, "parsed_bytes": c.parsed_bytes,
        "skipped_bytes": c.skipped_bytes, "duplicate_bytes": c.duplicate_bytes, "unparsed_bytes": c.unparsed_bytes,
        "dropped_bytes": c.dropped_bytes, "gap_bytes": c.gap_bytes, "gaps": c.gaps,
        "flows": c.flows, "flows_evicted": c.flows_evicted, "flows_unparsed": named(&c.flows_unparsed),
        "requests": c.requests, "responses": c.responses, "interim_responses": c.interim_responses,
        "orphan_responses": c.orphan_responses, "exchanges": c.exchanges, "evicted": totals.evicted,
        "kept": totals.kept, "kept_bytes": totals.kept_bytes,
        "bytes_per_exchange": totals.kept_bytes.checked_div(totals.kept),
        "received": totals.source.received, "kernel_dropped": totals.source.kernel_dropped,
        "interface_dropped": totals.source.interface_dropped, "queue_dropped": totals.source.queue_dropped,
    })
}

/// Every loss of the run, in words.
pub fn losses(totals: &Totals) -> Vec<String> {
    let (c, s) = (&totals.counters, &totals.source);
    let losses = [
        (s.kernel_dropped, "frames dropped by the kernel (a larger -B may help)"),
        (s.interface_dropped, "frames dropped by the interface"),
        (s.queue_dropped, "exchanges that came faster than they could be taken in"),
        (c.gap_bytes, "bytes missing from the capture"),
        (c.frames_cut, "frames cut by the snapshot length (-s)"),
        (c.dropped_bytes, "bytes given up: memory limit reached"),
        (c.flows_evicted, "connections given up: memory limit reached"),
        (c.orphan_responses, "responses without their request"),
        (totals.evicted, "exchanges that left the history to stay within --memory"),
    ];
    losses
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", grouped(*count)))
        .collect()
}

/// `1,234,567`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn groups_of_three() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}
