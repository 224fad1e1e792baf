//! `why403 check`: what a new capture says against what a history knows: endpoints that were accepted and are refused now, and
//! refusals that are new.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::cli::CheckFormat;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::explain::inspector::Inspector;
use crate::model::{Cause, EndpointId, ExchangeId};

/// Regressions that are listed; further ones are counted.
const LISTED: usize = 1000;
/// Characters of an endpoint's name that are shown.
const NAME: usize = 300;

/// What a capture came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Endpoints of the new capture by name, with their regressions.
    pub endpoints: Vec<(String, Vec<Regression>)>,
}

/// A refusal that the history does not explain.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// The first exchange of it.
    pub id: ExchangeId,
    /// The status.
    pub status: u16,
    /// The most probable cause.
    pub cause: Cause,
    /// How often it came.
    pub count: u64,
    /// Whether the endpoint was accepted before and is not any more; else the refusal is new.
    pub accepted_before: bool,
}

/// What is known of an endpoint.
#[derive(Default)]
struct Known {
    accepted_before: bool,
    accepted_now: bool,
    /// Status and cause of earlier refusals.
    refusals: HashSet<(u16, Cause)>,
    /// Of the new ones, in the order in which they came first.
    new: Vec<Regression>,
}

impl Verdict {
    /// Compares the exchanges after `last` with those before; both are in `inspector`.
    pub(super) fn of(inspector: &Inspector, last: ExchangeId, redactor: &Redactor) -> Self {
        let history = inspector.history();
        let mut order: Vec<EndpointId> = Vec::new();
        let mut known: HashMap<EndpointId, Known> = HashMap::new();
        for record in history.iter() {
            let (exchange, endpoint) = (&record.exchange, history.canonical(record.endpoint));
            let is_new = exchange.id > last;
            let of = known.entry(endpoint).or_default();
            if is_new && !order.contains(&endpoint) && order.len() < LISTED {
                order.push(endpoint);
            }
            if exchange.is_success() {
                of.accepted_before |= !is_new;
                of.accepted_now |= is_new;
            }
            if let (Some(status), Some((cause, _))) = (exchange.status(), inspector.top_cause(exchange.id)) {
                of.refused(exchange.id, (status, cause), is_new);
            }
        }
        let name = |endpoint: EndpointId| {
            let name = history.endpoint(endpoint).map(ToString::to_string).unwrap_or_default();
            sanitize::short(redactor.endpoint(&name).as_bytes(), NAME).into_owned()
        };
        let endpoints =
            order.into_iter().filter_map(|id| Some((name(id), known.remove(&id)?.regressions()))).collect();
        Self { endpoints }
    }
    /// Whether there is a regression.
    pub fn failed(&self) -> bool {
        self.endpoints.iter().any(|(_, regressions)| !regressions.is_empty())
    }
    /// As it is written.
    pub(super) fn text(&self, format: CheckFormat) -> String {
        match format {
            CheckFormat::Text => self.lines(),
            CheckFormat::Junit => self.junit(),
            CheckFormat::Github => self.github(),
        }
    }

    fn each(&self) -> impl Iterator<Item = (&str, &Regression)> {
        self.endpoints.iter().flat_map(|(name, all)| all.iter().map(move |one| (name.as_str(), one)))
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        for (name, one) in self.each() {
            let _ = writeln!(text, "{name}: {}", one.sentence());
        }
        let count = self.each().count();
        let _ = writeln!(text, "{} endpoints checked, {count} regressions", self.endpoints.len());
        text
    }

    /// As `JUnit` XML, which every CI system reads: an endpoint is a test.
    fn junit(&self) -> String {
        let failed = self.endpoints.iter().filter(|(_, all)| !all.is_empty()).count();
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"why403 check\" tests=\"{}\" failures=\"{failed}\">\n",
            self.endpoints.len()
        );
        for (name, all) in &self.endpoints {
            let _ = write!(text, "  <testcase classname=\"why403\" name=\"{}\"", xml(name));
            if all.is_empty() {
                text.push_str("/>\n");
                continue;
            }
            text.push_str(">\n");
            for one in all {
                let _ = writeln!(
                    text,
                    "    <failure type=\"{}\" message=\"{}\"/>",
                    one.cause.id(),
                    xml(&one.sentence())
                );
            }
            text.push_str("  </testcase>\n");
        }
        text + "</testsuite>\n"
    }

    /// As annotations of a GitHub workflow.
    fn github(&self) -> String {
        let mut text = String::new();
        for (name, one) in self.each() {
            let title = format!("{} {}", one.status, one.cause.id());
            let message = format!("{name}: {}", one.sentence());
            let _ = writeln!(text, "::error title={}::{}", escaped(&title, true), escaped(&message, false));
        }
        text
    }
}

impl Known {
    fn refused(&mut self, id: ExchangeId, (status, cause): (u16, Cause), is_new: bool) {
        if !is_new {
            self.refusals.insert((status, cause));
            return;
        }
        match self.new.iter_mut().find(|one| (one.status, one.cause) == (status, cause)) {
            Some(one) => one.count += 1,
            None => self.new.push(Regression { id, status, cause, count: 1, accepted_before: false }),
        }
    }
    fn regressions(self) -> Vec<Regression> {
        let broken = self.accepted_before && !self.accepted_now;
        let known = self.refusals;
        let mut new = self.new;
        new.retain(|one| broken || !known.contains(&(one.status, one.cause)));
        for one in &mut new {
            one.accepted_before = broken;
        }
        new
    }
}

impl Regression {
    fn sentence(&self) -> String {
        let what = if self.accepted_before { "was accepted before, is refused now" } else { "a new refusal" };
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        let (status, cause) = (self.status, self.cause);
        format!(
            "{what}: {status} {} ({}), {times}, first in exchange {}",
            cause.id(),
            cause.title(),
            self.id.0
        )
    }
}

/// `text` in an attribute of XML.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// `text` in a command of a GitHub workflow.
fn escaped(text: &str, is_property: bool) -> String {
    let text = text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    if is_property { text.replace(':', "%3A").replace(',', "%2C") } else { text }
}

#[cfg(test)]
mod tests {
    use super::Verdict;
    use crate::cli::CheckFormat;
    use crate::edge::redact::Redactor;
    use crate::explain::diagnoser::Diagnoser;
    use crate::explain::inspector::Inspector;
    use crate::features::tests::{exchange, request, response};
    use crate::history::History;

    /// The verdict on `new` after `old`, each a path and a status.
    fn verdict(old: &[(&str, u16)], new: &[(&str, u16)]) -> Verdict {
        let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
        let push = |all: &[(&str, u16)], inspector: &mut Inspector| {
            for (path, status) in all {
                let body: &[u8] = if *status == 403 { b"{\"error\":\"insufficient_scope\"}" } else { b"" };
                let request =
                    request("POST", path, &[("Host", "h"), ("Authorization", "Bearer x1y2z3x1y2z3")], b"{}");
                inspector.push(exchange("10.0.0.1", 1, request, response(*status, &[], body)));
            }
        };
        push(old, &mut inspector);
        let last = inspector.history().last_id();
        push(new, &mut inspector);
        Verdict::of(&inspector, last, &Redactor::for_tests(false))
    }

    #[test]
    fn what_was_accepted_and_is_refused_now_fails() {
        let broken = verdict(&[("/a", 200), ("/b", 200)], &[("/a", 403), ("/a", 403), ("/b", 200)]);
        assert!(broken.failed());
        let text = broken.text(CheckFormat::Text);
        assert!(text.contains("POST h/a: was accepted before, is refused now: 403 "), "{text}");
        assert!(text.contains("2 times") && text.ends_with("2 endpoints checked, 1 regressions\n"), "{text}");
    }

    #[test]
    fn what_was_refused_before_is_no_regression() {
        let known = [("/a", 200), ("/a", 403), ("/c", 403)];
        assert!(!verdict(&known, &[("/a", 200), ("/a", 403), ("/c", 403)]).failed());
        assert!(verdict(&known, &[("/a", 403)]).failed(), "it is never accepted any more");
        assert!(verdict(&known, &[("/c", 404)]).failed(), "another refusal");
        assert!(verdict(&known, &[("/new", 403)]).failed(), "a new endpoint that is refused");
        assert!(!verdict(&known, &[("/new", 200)]).failed());
        assert!(!verdict(&known, &[]).failed());
    }

    #[test]
    fn hostile_names_stay_within_their_format() {
        let broken = verdict(&[("/a\"<&>%0A::x", 200)], &[("/a\"<&>%0A::x", 403)]);
        let junit = broken.text(CheckFormat::Junit);
        assert!(
            junit.contains("tests=\"1\" failures=\"1\"") && junit.contains("&quot;&lt;&amp;&gt;"),
            "{junit}"
        );
        let github = broken.text(CheckFormat::Github);
        assert!(github.starts_with("::error title=403 ") && github.lines().count() == 1, "{github}");
        assert!(github.contains("%250A::x"), "{github}");
    }
}
