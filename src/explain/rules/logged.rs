//! What the server's own log says about the refusal.

use crate::explain::case::Case;
use crate::explain::rules::response_text::utterance::{Place, Utterance};
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Cause, EvidenceKind, LogMatch, Part};

/// Characters of a record that evidence quotes.
const QUOTE: usize = 160;

/// Log records that were tied to this very exchange.
pub struct Logged;

impl Rule for Logged {
    fn id(&self) -> &'static str {
        "logged"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        tied(case).next().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        for one in tied(case) {
            let text = out.text(|| quote(one));
            for (cause, weight) in causes(case, one) {
                out.add(cause, weight * one.confidence, EvidenceKind::Logged, &text, &[]);
            }
        }
    }
}

/// The records that are tied to the exchange with enough certainty.
fn tied<'a>(case: &'a Case<'_>) -> impl Iterator<Item = &'a LogMatch> {
    let floor = case.knowledge.rules().logged.floor;
    case.logs.iter().filter(move |one| one.confidence >= floor)
}

/// The causes that a record speaks for: by a known pattern, else by its words.
fn causes(case: &Case<'_>, one: &LogMatch) -> Vec<(Cause, f32)> {
    let weights = case.knowledge.combine();
    if let Some(says) = &one.says {
        let named = says.cause.map(|cause| (cause, weights.logged_pattern * says.strength));
        let also = says.also.map(|cause| (cause, weights.logged_also * says.strength));
        if named.is_some() {
            return named.into_iter().chain(also).collect();
        }
    }
    let words = without_request(case, words(&one.text));
    let utterance = Utterance::new(Place::Prose, Part::ResponseBody, "log", &words);
    let hits = case.knowledge.lexicon.hits(&utterance);
    hits.into_iter().map(|hit| (hit.cause, hit.weight * weights.logged_words)).collect()
}

/// The words of a record without what the client sent: its path and the name of its program say nothing of a reason.
fn without_request(case: &Case<'_>, words: &str) -> String {
    let exchange = case.exchange();
    let target = String::from_utf8_lossy(exchange.target());
    let path = target.split('?').next().unwrap_or_default();
    let agent = exchange.request.as_ref().and_then(|request| request.head.fields().text("user-agent"));
    let sent = [&*target, path, agent.unwrap_or_default()];
    sent.iter().filter(|part| part.len() > 1).fold(words.to_owned(), |words, part| words.replace(part, " "))
}

/// The record's first line.
fn words(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn quote(one: &LogMatch) -> String {
    let line = words(&one.text);
    let short: String = line.chars().take(QUOTE).collect();
    let more = if short.len() < line.len() { "…" } else { "" };
    format!("the server's log says: {short}{more} ({}:{}, tied by {})", one.file, one.line, one.kind.as_str())
}
