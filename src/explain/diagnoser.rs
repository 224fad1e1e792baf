//! Why an exchange was refused: rules find evidence, one place combines it.
//!
//! [`Diagnoser::observe`] counts every exchange of a place (server, method, path template) within bounds; [`Diagnoser::diagnose`]
//! prepares a [`Case`] from the refusal and what was counted, asks every [`rules::Rule`] for evidence and lets
//! [`combine::rank`] turn it into probabilities. What is known of systems and words is data in `assets/`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::explain::case::{Case, Known};
use crate::explain::contrast::recall::Recall;
use crate::explain::contrast::stats::Stats;
use crate::explain::contrast::{Change, lead};
use crate::explain::knowledge::Knowledge;
use crate::explain::legs::Path;
use crate::explain::request::parsed_exchange::ParsedExchange;
use crate::explain::request::principal;
use crate::explain::rules::EvidenceSink;
use crate::explain::rules::contrast_rules::rules::part_of;
use crate::explain::rules::response_text::Memory;
use crate::explain::top_cause::Top;
use crate::explain::{combine, next, refuser, rules, top_cause};
use crate::history::{History, Record};
use crate::knowledge::Error;
use crate::model::{
    Cause, Diagnosis, Difference, Evidence, EvidenceKind, ExchangeId, Finding, LogMatch, Refuser, Separates,
};

/// Knows the causes, and keeps incremental, bounded statistics of every place.
#[derive(Debug, Default)]
pub struct Diagnoser {
    own: Option<Arc<Knowledge>>,
    stats: Stats,
    memory: Memory,
    recall: Recall,
    answers: top_cause::Answers,
    /// What the server's log says about refusals that are in the history.
    logs: HashMap<ExchangeId, Vec<LogMatch>>,
    /// The legs of refusals that are in the history.
    paths: HashMap<ExchangeId, Path>,
}

impl Diagnoser {
    /// With the knowledge of this process ([`crate::knowledge::current`]), read when the first refusal needs it.
    pub fn new() -> Self {
        Self::default()
    }
    /// With knowledge of its own.
    pub fn with_knowledge(knowledge: Knowledge) -> Self {
        Self { own: Some(Arc::new(knowledge)), ..Self::default() }
    }
    /// Counts an exchange that the history took in.
    pub fn observe(&mut self, record: &Record, history: &History) {
        self.observe_as(record, history, principal::credential_of(record));
    }
    /// The same where the credential is known already, see [`principal::credential_of`].
    pub fn observe_as(&mut self, record: &Record, history: &History, credential: u64) {
        self.stats.observe(record, history, credential);
    }
    /// Bytes in use by what was counted, about.
    pub fn memory(&self) -> u64 {
        self.stats.memory()
    }
    /// The top cause of `this` with its confidence, cheaper than a whole diagnosis where many refusals are alike.
    pub fn top(&self, history: &History, this: &Record) -> (Cause, f32) {
        let top = self.top_of(history, this);
        (top.cause, top.confidence)
    }
    /// The same, and who refused.
    pub fn top_of(&self, history: &History, this: &Record) -> Top {
        if self.logs.contains_key(&this.exchange.id) || self.paths.contains_key(&this.exchange.id) {
            return self.find_top(history, this);
        }
        self.answers.of(this, history, &self.stats, || self.find_top(history, this))
    }
    /// What the server's log says about `id`, best first.
    pub fn logs(&self, id: ExchangeId) -> &[LogMatch] {
        self.logs.get(&id).map_or(&[], Vec::as_slice)
    }
    /// Sets what the server's log says about some refusals.
    pub fn add_logs(&mut self, logs: HashMap<ExchangeId, Vec<LogMatch>>) {
        self.logs.extend(logs);
    }
    /// The legs of a refusal through proxies, where they are known.
    pub fn path(&self, id: ExchangeId) -> Option<&Path> {
        self.paths.get(&id)
    }
    /// Sets the legs of a refusal.
    pub fn set_path(&mut self, id: ExchangeId, path: Path) {
        self.paths.insert(id, path);
    }
    /// Forgets what the server's log says about `id`, which leaves the history.
    pub fn forget_logs(&mut self, id: ExchangeId) {
        self.logs.remove(&id);
        self.paths.remove(&id);
    }
    /// Sets what the server's log says, in place of what was known before.
    pub fn set_logs(&mut self, logs: HashMap<ExchangeId, Vec<LogMatch>>) {
        self.logs = logs;
    }

    fn find_top(&self, history: &History, this: &Record) -> Top {
        let nothing = Top { cause: Cause::Unknown, confidence: 0.0, refuser: Refuser::Unknown };
        let Ok(knowledge) = self.knowledge() else { return nothing };
        let mut out = EvidenceSink { brief: true, ..EvidenceSink::default() };
        let parsed = ParsedExchange::of(this);
        let (case, _) = self.gather(&knowledge, history, &parsed, &[], &mut out);
        let refuser = case.refuser;
        let compared = history.successes(this.exchange.id).next().is_some();
        let judged = combine::judge(&knowledge, &mut out, quality(&case, compared));
        judged.first().map_or(nothing, |(cause, confidence)| Top {
            cause: *cause,
            confidence: *confidence,
            refuser,
        })
    }
    /// Why `this` was refused, given the differences to its baseline (if there is one).
    pub fn diagnose(
        &self,
        history: &History,
        this: &Record,
        baseline: Option<&Record>,
        differences: &[Difference],
    ) -> Diagnosis {
        self.diagnose_parsed(history, &ParsedExchange::of(this), baseline.is_some(), differences)
    }
    /// The same for somebody who has taken the request apart; whether it was `compared` with a baseline.
    pub fn diagnose_parsed(
        &self,
        history: &History,
        this: &ParsedExchange<'_>,
        compared: bool,
        differences: &[Difference],
    ) -> Diagnosis {
        let knowledge = match self.knowledge() {
            Ok(knowledge) => knowledge,
            Err(error) => return nothing(&error),
        };
        let mut out = EvidenceSink::default();
        let (case, refuser_evidence) = self.gather(&knowledge, history, this, differences, &mut out);
        let refuser = case.refuser;
        let ranked = combine::rank(&knowledge, &mut out, quality(&case, compared));
        let mut findings = ranked.into_iter().map(|ranked| finding(&case, ranked)).collect::<Vec<_>>();
        if let Some(first) = findings.first_mut() {
            first.separates = separates(&case);
        }
        let top = findings.first().map(|finding| finding.cause);
        let ruled_out = out.ruled_out.into_iter().filter(|(cause, _)| Some(*cause) != top).collect();
        Diagnosis { findings, refuser, refuser_evidence, ruled_out }
    }

    fn knowledge(&self) -> Result<Arc<Knowledge>, Error> {
        self.own.clone().map_or_else(Knowledge::current, Ok)
    }

    /// Prepares the case and asks every rule about it; the evidence is for who refused.
    fn gather<'a>(
        &'a self,
        knowledge: &'a Knowledge,
        history: &'a History,
        this: &'a ParsedExchange<'a>,
        differences: &'a [Difference],
        out: &mut EvidenceSink,
    ) -> (Case<'a>, Vec<Evidence>) {
        let known = Known { memory: &self.memory, stats: &self.stats, recall: &self.recall };
        let mut case = Case::new(knowledge, known, history, this, differences);
        let (refuser, evidence) = refuser::find(&case, out.brief);
        case.refuser = refuser;
        case.path = self.path(this.record.exchange.id);
        case.logs = self.logs(this.record.exchange.id);
        for rule in rules::rules() {
            if rule.applies(&case) {
                rule.evidence(&case, out);
            }
        }
        (case, evidence)
    }
}

/// Less where bytes are missing.
fn quality(case: &Case<'_>, compared: bool) -> f32 {
    use crate::model::Anomaly;
    let mut quality: f32 = 1.0;
    let lost = [
        Anomaly::GapInRequestHead,
        Anomaly::GapInResponseHead,
        Anomaly::GapInResponseBody,
        Anomaly::SnaplenCut,
        Anomaly::MidStream,
        Anomaly::GapBetweenMessages,
    ];
    if lost.iter().any(|anomaly| case.exchange().anomalies.contains(*anomaly)) {
        quality -= 0.4;
    }
    if !compared && case.own_good().is_empty() {
        quality -= 0.1;
    }
    quality
}

fn finding(case: &Case<'_>, ranked: combine::Ranked) -> Finding {
    let mut evidence: Vec<Evidence> = ranked.evidence;
    evidence.dedup_by(|a, b| a.text == b.text);
    if evidence.is_empty() {
        evidence.push(Evidence {
            kind: EvidenceKind::Said,
            text: "nothing on the wire tells".into(),
            weight: 0.0,
            pointers: Vec::new(),
        });
    }
    Finding {
        cause: ranked.cause,
        confidence: ranked.confidence,
        evidence,
        next: next::steps(case, ranked.cause),
        separates: None,
    }
}

/// The attribute that leads, counted over all successes that the history has.
fn separates(case: &Case<'_>) -> Option<Separates> {
    let (contrast, _) = case.lead()?;
    let accepted = lead::count(case, contrast);
    let (refusals, likewise) = contrast.refusals;
    (accepted.0 == 0).then(|| Separates {
        part: part_of(contrast.family),
        name: contrast.name.to_string(),
        refused: (likewise, refusals),
        accepted,
        this: (contrast.change != Change::Absent).then(|| contrast.this().into_owned()),
        accepted_value: lead::accepted_value(case, contrast),
    })
}

fn nothing(error: &Error) -> Diagnosis {
    let evidence = Evidence {
        kind: EvidenceKind::Said,
        text: format!("the knowledge cannot be read: {error}"),
        weight: 0.0,
        pointers: Vec::new(),
    };
    let finding = Finding {
        cause: Cause::Unknown,
        confidence: 0.0,
        evidence: vec![evidence],
        next: Vec::new(),
        separates: None,
    };
    Diagnosis {
        findings: vec![finding],
        refuser: Refuser::Unknown,
        refuser_evidence: Vec::new(),
        ruled_out: Vec::new(),
    }
}
