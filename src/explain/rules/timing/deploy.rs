//! A new version of the server that came between the last success and the first refusal, as response fields tell it.

use crate::explain::case::Case;
use crate::explain::contrast::sample::Sample;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, ExchangeId, Fields, Part, Refuser, Response, Timestamp};

/// What a field's name contains that tells a version.
const NAMED: [&str; 7] = ["version", "build", "release", "revision", "commit", "deploy", "git-sha"];
/// Fields whose value names a product and its version.
const PRODUCTS: [&str; 2] = ["server", "x-powered-by"];
/// Longest value that is taken for a version.
const LONGEST: usize = 80;

/// A field that tells a version has another value since the refusals began.
pub struct Deploy;

impl Rule for Deploy {
    fn id(&self) -> &'static str {
        "deploy"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2 && case.behaviour.all.ok_before >= 2
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let onset = case.group().map(|sample| sample.at).min().unwrap_or(case.exchange().started().0);
        let Some(last) = case.own_good().iter().filter(|sample| sample.at < onset).max_by_key(|one| one.at)
        else {
            return;
        };
        let Some(before) = response(case, last.id) else { return };
        let Some((name, was, is)) = changed(case, before, onset) else { return };
        let text = out.text(|| {
            let seconds = Timestamp(onset);
            format!("{name} was {was:?} until the last success and is {is:?} since {seconds}: a new version")
        });
        let pointer = [case.point(Part::ResponseHeader, &name)];
        let rule = &case.knowledge.rules().deploy;
        if let Some((contrast, _)) = case.lead() {
            // What the new version asks for is what separates.
            for (cause, _) in case.knowledge.mechanism(contrast.family, contrast.change.id()) {
                out.add(*cause, rule.separates, EvidenceKind::Behaved, &text, &pointer);
            }
            return;
        }
        out.add_all(&rule.causes, 1.0, EvidenceKind::Behaved, &text, &pointer);
        if case.refuser == Refuser::Gateway {
            out.add_all(&rule.gateway, 1.0, EvidenceKind::Behaved, &text, &pointer);
        }
    }
}

/// The field that changed, with its value before and after: in a success after the onset, else in this refusal where the same
/// server answered.
fn changed(case: &Case<'_>, before: &Response, onset: i64) -> Option<(String, String, String)> {
    let later = |sample: &&&Sample| sample.at > onset;
    let newest = case.own_good().iter().filter(later).max_by_key(|one| one.at);
    let after = newest.and_then(|sample| response(case, sample.id));
    let after = after.or_else(|| case.response().filter(|after| is_alike(after, before)))?;
    let fields = before.head.fields();
    versions(fields).find_map(|(name, was)| {
        let is = after.head.fields().text(&name)?.trim().to_owned();
        (is != was && product(&is) == product(&was)).then_some((name, was, is))
    })
}

fn response<'a>(case: &Case<'a>, id: ExchangeId) -> Option<&'a Response> {
    case.history.get(id)?.exchange.response.as_ref()
}

/// Whether the same server answered both: it calls itself by the same name.
fn is_alike(one: &Response, other: &Response) -> bool {
    let name = |response: &Response| {
        response.head.fields().text("server").map(|text| product(text.trim()).to_ascii_lowercase())
    };
    name(one) == name(other)
}

/// `nginx` of `nginx/1.24`.
fn product(value: &str) -> &str {
    value.split(['/', ' ']).next().filter(|name| name.len() < value.len()).unwrap_or_default()
}

/// The fields that tell a version.
fn versions(fields: &Fields) -> impl Iterator<Item = (String, String)> + '_ {
    fields.iter().filter(|field| field.value.len() <= LONGEST).filter_map(|field| {
        let name = field.name_text().to_ascii_lowercase();
        let value = field.value_text().trim().to_owned();
        let tells = NAMED.iter().any(|part| name.contains(part))
            || PRODUCTS.contains(&name.as_str()) && value.bytes().any(|byte| byte.is_ascii_digit());
        tells.then_some((name, value))
    })
}
