//! The refusals of a command as lines for people.

use serde_json::Value;

/// Bytes of NDJSON that a report is made of, at most.
pub(super) const MOST: u64 = 64 << 20;

/// A few lines for each refusal.
pub(super) fn lines(ndjson: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for exchange in ndjson.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let status = &exchange["response"]["status"];
        let Some(best) = exchange["diagnosis"].get(0) else { continue };
        let percent = (best["confidence"].as_f64().unwrap_or_default() * 100.0).round();
        lines.push(format!(
            "{} got {}: {} ({percent} %)",
            text(&exchange["endpoint"]),
            status.as_u64().unwrap_or_default(),
            text(&best["cause"])
        ));
        lines.extend(
            best["evidence"].as_array().into_iter().flatten().take(3).map(|one| format!("  {}", text(one))),
        );
        lines.extend(
            best["next"].as_array().into_iter().flatten().take(1).map(|one| format!("  next: {}", text(one))),
        );
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_refusal_has_its_cause_evidence_and_next_step() {
        let line = r#"{"endpoint":"POST a.test/x","response":{"status":403},"diagnosis":[{"cause":"waf","confidence":0.934,"evidence":["a","b"],"next":["c","d"]}]}"#;
        let text = format!("{line}\nno json\n");
        assert_eq!(lines(&text), ["POST a.test/x got 403: waf (93 %)", "  a", "  b", "  next: c"]);
    }
}
