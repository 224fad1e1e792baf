//! Why an exchange was refused: rules find evidence, one place combines it.

use crate::history::{History, Record};
use crate::model::{Cause, Diagnosis, Difference, Evidence, EvidenceKind, Finding, Refuser};

/// Knows the causes, and keeps incremental, bounded statistics of every endpoint.
#[derive(Debug, Default)]
pub struct Diagnoser {}

impl Diagnoser {
    /// With the embedded knowledge (assets/).
    pub fn new() -> Self {
        Self::default()
    }
    /// Counts an exchange that the history took in.
    pub fn observe(&mut self, _record: &Record, _history: &History) {}
    /// Why `this` was refused, given the differences to its baseline (if there is one).
    pub fn diagnose(
        &self,
        _history: &History,
        _this: &Record,
        _baseline: Option<&Record>,
        _differences: &[Difference],
    ) -> Diagnosis {
        let nothing = Evidence {
            kind: EvidenceKind::Said,
            text: "nothing on the wire tells".into(),
            weight: 0.0,
            pointers: Vec::new(),
        };
        Diagnosis {
            findings: vec![Finding {
                cause: Cause::Unknown,
                confidence: 0.0,
                evidence: vec![nothing],
                next: Vec::new(),
            }],
            refuser: Refuser::Unknown,
            refuser_evidence: Vec::new(),
            ruled_out: Vec::new(),
        }
    }
}
