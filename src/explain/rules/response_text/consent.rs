//! What the wire says against words: a token with minutes left is not expired, a limit with requests left is not used up.

use crate::explain::case::Case;
use crate::explain::rules::request_facts::facts::span;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part};

const SHOWN: EvidenceKind = EvidenceKind::Shown;
/// Seconds that a token must last on to be taken for valid.
const LEFT: i64 = 30;

/// Facts that contradict what words speak for.
pub struct Consent;

impl Rule for Consent {
    fn id(&self) -> &'static str {
        "consent"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.request().is_some() && case.response().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let (Some(request), Some(response)) = (case.request(), case.response()) else { return };
        let rule = &case.knowledge.rules().consent;
        let now = request.started.seconds();
        let tokens = if case.features.has_token { crate::features::tokens(request) } else { Vec::new() };
        let exp = tokens.first().and_then(|token| token.jwt.seconds("exp"));
        if let Some(left) = exp.map(|exp| exp - now).filter(|left| *left > LEFT) {
            let text = out.text(|| format!("the token is valid for another {}", span(left)));
            out.add_all(&rule.token_lasts, 1.0, SHOWN, text, &[case.point(Part::Claim, "exp")]);
        }
        let fields = response.head.fields();
        let left = |name: &str| fields.text(name).and_then(|text| text.trim().parse::<u64>().ok());
        if let Some((name, count)) =
            rule.fields.iter().find_map(|name| Some((name, left(name)?))).filter(|one| one.1 > 0)
        {
            let explicit = out.clues.iter().any(|clue| {
                clue.cause == rule.limit && clue.kind == EvidenceKind::Said && clue.weight >= rule.explicit
            });
            let scale = if explicit { rule.beside_explicit } else { 1.0 };
            let text = out.text(|| format!("{name} says that {count} are left"));
            let pointer = [case.point(Part::ResponseHeader, name)];
            out.add_all(&rule.remaining, scale, SHOWN, text, &pointer);
        }
    }
}
