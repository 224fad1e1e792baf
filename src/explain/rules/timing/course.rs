//! What the same client was answered before everything of it was refused: 429s, failed logins, probes of paths that are not there.

use crate::explain::case::Case;
use crate::explain::contrast::stats::Event;
use crate::explain::knowledge::rules;
use crate::explain::rules::response_text::Heard;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Exchange, ExchangeId, Part};

const BEHAVED: EvidenceKind = EvidenceKind::Behaved;
/// How long before the first refusal answers count, in nanoseconds.
const WITHIN: i64 = 15 * 60 * 1_000_000_000;
/// 429s, failed logins and probes from which on they count.
const ENOUGH: [u32; 3] = [2, 4, 6];
/// Answers of 200 to logins that are read, the latest first.
const READ: usize = 8;

/// Answers of one client in the time before its first refusal of this kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// Answers with 429.
    pub limited: u32,
    /// Failed logins: answers with 401, and with 200 where the page says that it failed.
    pub failed: u32,
    /// Answers with 404.
    pub probed: u32,
}

impl Course {
    /// What came before the refusals of the client of `case`. Nothing when it is accepted somewhere in between.
    pub fn of(case: &Case<'_>) -> Self {
        let Some(status) = case.exchange().status() else { return Self::default() };
        let now = case.exchange().started().0;
        let server = case.server.and_then(|server| server.clients.get(&case.client));
        let last_ok = server.map_or(i64::MIN, |tally| if tally.ok > 0 { tally.last_ok } else { i64::MIN });
        let own =
            || case.stats.recent.iter().filter(|event| event.client == case.client && event.from <= now);
        let same = |event: &&Event| event.status == status;
        let Some(first) = own().filter(same).map(|event| event.from).filter(|at| *at > last_ok).min() else {
            return Self::default();
        };
        let count = |wanted: u16| {
            let before =
                |event: &&Event| event.status == wanted && event.from < first && event.from > first - WITHIN;
            own().filter(before).count() as u32
        };
        if own().any(|event| event.from > first && event.status != status && event.status != 429) {
            return Self::default();
        }
        let good = case.server.into_iter().flat_map(|server| server.good.iter().rev());
        let own = good.filter(|one| one.client == case.client && one.at < first && one.at > first - WITHIN);
        let failed = own.take(READ).filter(|one| is_failed_login(case, one.id)).count() as u32;
        Self { limited: count(429), failed: count(401) + failed, probed: count(404) }
    }
    /// Whether it came to a ban, as far as can be told.
    pub const fn leads_to_a_ban(self) -> bool {
        self.limited >= ENOUGH[0] || self.failed >= ENOUGH[1] || self.probed >= ENOUGH[2]
    }
}

fn is_login(rule: &rules::Banned, exchange: &Exchange) -> bool {
    let target = String::from_utf8_lossy(exchange.target()).to_ascii_lowercase();
    exchange.method() == "POST" && rule.login.iter().any(|word| target.contains(&**word))
}

/// Whether a login was answered with 200 and a page that says that it failed.
fn is_failed_login(case: &Case<'_>, id: ExchangeId) -> bool {
    let rule = &case.knowledge.rules().banned;
    let record = case.history.get(id).filter(|record| is_login(rule, &record.exchange));
    let response = record.and_then(|record| record.exchange.response.as_ref());
    response.is_some_and(|response| {
        let hits = Heard::of(case.knowledge, response).hits;
        hits.iter().any(|(cause, weight, _)| *cause == rule.login_failed && *weight >= rule.login_words)
    })
}

/// Everything of a client is refused after it was told to slow down, failed to log in or probed.
pub struct Banned;

impl Rule for Banned {
    fn id(&self) -> &'static str {
        "banned"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.behaviour.course.leads_to_a_ban()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let (course, rule) = (case.behaviour.course, &case.knowledge.rules().banned);
        let pointer = [case.point(Part::Timing, "")];
        if course.limited >= ENOUGH[0] {
            let text = format!(
                "{} answers of 429 to this client came before, since then all is refused",
                course.limited
            );
            out.add_all(&rule.limited, 1.0, BEHAVED, text, &pointer);
        }
        if course.failed >= ENOUGH[1] {
            let text = format!(
                "{} failed logins of this client came before, since then all is refused",
                course.failed
            );
            out.add_all(&rule.failed, 1.0, BEHAVED, text, &pointer);
        }
        if course.probed >= ENOUGH[2] {
            let text = format!(
                "{} answers of 404 to this client came before, since then all is refused",
                course.probed
            );
            out.add_all(&rule.probed, 1.0, BEHAVED, text, &pointer);
        }
    }
}
