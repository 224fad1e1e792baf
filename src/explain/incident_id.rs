//! The id of an incident: what refusals that broke the same way have in common.

use std::fmt;

use crate::explain::response_fingerprint;
use crate::model::{Cause, Diagnosis, Exchange, Refuser};

/// Equal for refusals with the same cause, refuser and response, identifiers and times in it aside; the same in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidentId(u64);

impl IncidentId {
    /// From the cause, who refused, and [`response_fingerprint::stable`] of the response.
    pub fn new(cause: Cause, refuser: Refuser, response: u64) -> Self {
        let mut text = response.to_le_bytes().to_vec();
        text.extend_from_slice(cause.id().as_bytes());
        text.push(0);
        text.extend_from_slice(refuser.as_str().as_bytes());
        Self(response_fingerprint::fnv(&text))
    }

    /// Of a diagnosed refusal; `None` without a response.
    pub fn of(exchange: &Exchange, diagnosis: &Diagnosis) -> Option<Self> {
        let finding = diagnosis.findings.first()?;
        let response = response_fingerprint::stable(exchange.response.as_ref()?);
        Some(Self::new(finding.cause, diagnosis.refuser, response))
    }
}

impl fmt::Display for IncidentId {
    /// Ten hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:010x}", self.0 >> 24)
    }
}

#[cfg(test)]
mod tests {
    use super::IncidentId;
    use crate::explain::response_fingerprint::stable;
    use crate::features::tests::response;
    use crate::model::{Cause, Refuser};

    #[test]
    fn ids_are_the_same_for_the_same_words_and_differ_by_cause_and_refuser() {
        let body = |id: &str| format!("<h1>Forbidden</h1> request {id}");
        let answer = |id| stable(&response(403, &[("Content-Type", "text/html")], body(id).as_bytes()));
        assert_eq!(answer("7c9e6679-7425-40de"), answer("1b4f0e98-51d2-4a3c"));
        let (first, second) = (&Cause::Csrf, &Cause::Waf);
        let id = |cause, refuser| IncidentId::new(cause, refuser, answer("x"));
        assert_eq!(id(*first, Refuser::Waf), id(*first, Refuser::Waf));
        assert_ne!(id(*first, Refuser::Waf), id(*second, Refuser::Waf));
        assert_ne!(id(*first, Refuser::Waf), id(*first, Refuser::Cdn));
        assert_eq!(id(*first, Refuser::Waf).to_string().len(), 10);
    }
}
