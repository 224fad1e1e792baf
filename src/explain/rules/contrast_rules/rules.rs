//! Attributes that separate refusals from successes, and credentials or clients that were accepted.

use crate::explain::case::{Case, Nearness};
use crate::explain::contrast::columns;
use crate::explain::contrast::lead::{Lead, separates};
use crate::explain::contrast::sample::identifies;
use crate::explain::contrast::{Change, Contrast};
use crate::explain::knowledge::rules;
use crate::explain::knowledge::words::times;
use crate::explain::request::family::Family;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part};

const DIFFERS: EvidenceKind = EvidenceKind::Differs;

/// Every attribute that separates.
pub struct Separation;

impl Rule for Separation {
    fn id(&self) -> &'static str {
        "separation"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.contrasts.is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let rule = &case.knowledge.rules().separation;
        let claim = |contrast: &Contrast<'_>| is_claim(contrast.family) && contrast.surprise > rule.claims;
        let told = case.features.has_token && case.contrasts.iter().any(claim);
        let paired = case.features.family(Family::Csrf).any(|one| &*one.name == "token = cookie");
        let lead = case.lead();
        for contrast in case.contrasts.iter().filter(|contrast| contrast.surprise > rule.surprise).take(24) {
            let mut scale = (contrast.surprise / rule.full).min(rule.most);
            if case.behaviour.course.leads_to_a_ban() {
                scale *= rule.banned;
            }
            match lead {
                Some((leading, lead)) if leading.key == contrast.key => {
                    scale =
                        if scale < rule.weak { scale } else { scale.max(1.0) * leading_factor(rule, lead) };
                }
                Some((_, lead)) if lead.certain && !separates(contrast) => scale *= rule.beside_lead,
                _ => {}
            }
            if case.borrowed {
                scale *= borrowed(rule, contrast.family, case.nearness);
            }
            if contrast.family == Family::Credential && contrast.change == Change::Value && told {
                scale *= rule.beside_claims;
            }
            if contrast.family == Family::Csrf && contrast.change == Change::Value && paired {
                continue;
            }
            let causes = case.knowledge.mechanism(contrast.family, contrast.change.id());
            if causes.is_empty() {
                continue;
            }
            let text = out.text(|| sentence(rule, contrast));
            let pointer = [case.point(part_of(contrast.family), &contrast.name)];
            if lead.is_some_and(|(leading, _)| leading.key == contrast.key) {
                // Whatever the kind of attribute speaks for, something speaks: it is not unknown what differs.
                let most = causes.iter().map(|(_, weight)| *weight).fold(0.0, f32::max);
                scale *= if most > 0.0 { (rule.least / most).max(1.0) } else { 1.0 };
                out.add_all(&rule.explained, 1.0, DIFFERS, &text, &pointer);
            }
            for (cause, weight) in causes {
                out.add(*cause, weight * scale, DIFFERS, &text, &pointer);
            }
        }
    }
}

/// How much more the attribute that separates counts.
const fn leading_factor(rule: &rules::Separation, lead: Lead) -> f32 {
    match (lead.certain, lead.alone) {
        (true, true) => rule.certain_alone,
        (false, true) => rule.alone,
        (true, false) => rule.certain,
        (false, false) => 1.0,
    }
}

/// How much a difference to successes of other endpoints counts.
fn borrowed(rule: &rules::Separation, family: Family, nearness: Nearness) -> f32 {
    match (family, nearness) {
        (Family::Segment | Family::VersionSegment, _) => 0.0,
        (_, Nearness::Node) => rule.node,
        (Family::Body | Family::Query, _) => 0.0,
        (_, Nearness::Sibling) => rule.sibling,
        _ => rule.borrowed.get(&family).copied().unwrap_or(0.0),
    }
}

/// Whether an attribute is part of a token.
pub fn is_claim(family: Family) -> bool {
    matches!(
        family,
        Family::Audience
            | Family::Issuer
            | Family::KeyId
            | Family::Scope
            | Family::Role
            | Family::Plan
            | Family::Environment
            | Family::Claim
            | Family::Subject
    )
}

fn sentence(rule: &rules::Separation, contrast: &Contrast<'_>) -> String {
    let name = label(contrast.family, &contrast.name);
    let (all, likewise) = contrast.refusals;
    let count = if all == likewise {
        format!("all {all} such refusals")
    } else {
        format!("{likewise} of {all} such refusals")
    };
    let chance = match contrast.chance {
        chance if chance < rule.chance_small.into() => " (chance < 0.01)".to_owned(),
        chance if chance < rule.chance_large.into() => format!(" (chance {chance:.2})"),
        _ => String::new(),
    };
    let successes = contrast.successes;
    let this = contrast.this();
    let this = if this.is_empty() { String::new() } else { format!(" ({this})") };
    match contrast.change {
        Change::Absent => format!(
            "{name} is absent here and in {count}; successes carry it ({successes} looked at){chance}"
        ),
        Change::Added => {
            format!("{name}{this} is here and in {count}, in none of {successes} successes{chance}")
        }
        Change::Value => {
            format!("{name}{this} was never accepted: {count}, none of {successes} successes{chance}")
        }
    }
}

/// The attribute for people.
pub fn label(family: Family, name: &str) -> String {
    match family {
        Family::Client => "the client's address".to_owned(),
        Family::Network => "the client's network".to_owned(),
        Family::Scheme => format!("the scheme of {name}"),
        Family::Cookie | Family::Session | Family::Clearance => format!("the cookie {name}"),
        Family::Query | Family::Expiry => format!("the query parameter {name}"),
        Family::Segment | Family::VersionSegment => format!("path {name}"),
        Family::Body => format!("{name} of the body"),
        Family::HttpVersion => "the version".to_owned(),
        Family::BodyKind => "the kind of body".to_owned(),
        Family::Ownership => format!("the equality {name}"),
        family if is_claim(family) => format!("the claim {name}"),
        _ => name.to_string(),
    }
}

/// Which part of the exchange a family belongs to.
pub fn part_of(family: Family) -> Part {
    match family {
        Family::Client | Family::Network => Part::Client,
        Family::HttpVersion => Part::RequestLine,
        Family::Segment | Family::VersionSegment => Part::Path,
        Family::Query | Family::Expiry => Part::Query,
        Family::Cookie | Family::Session | Family::Clearance => Part::Cookie,
        Family::Body | Family::BodySize | Family::BodyKind => Part::RequestBody,
        Family::Ownership => Part::Claim,
        family if is_claim(family) => Part::Claim,
        _ => Part::RequestHeader,
    }
}

/// The same client or credential was accepted here: what cannot be wrong with it then.
pub struct Accepted;

impl Rule for Accepted {
    fn id(&self) -> &'static str {
        "accepted"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.place.is_some_and(|place| place.ok > 0)
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let Some(place) = case.place else { return };
        let rule = &case.knowledge.rules().accepted;
        let now = case.exchange().started().0;
        if let Some(client) = place.clients.get(&case.client).filter(|tally| tally.ok > 0) {
            let later = client.last_ok > now;
            let text = out.text(|| format!("the same client was accepted here {}", times(client.ok)));
            let causes = if later { &rule.client_later } else { &rule.client_before };
            out.add_all(causes, 1.0, DIFFERS, text, &[case.point(Part::Client, "")]);
            for cause in causes.keys().filter(|_| later) {
                out.rule_out(*cause, "the same client was accepted here afterwards");
            }
        }
        let tally =
            place.credentials.get(&case.credential).filter(|tally| case.credential != 0 && tally.ok > 0);
        let Some(credential) = tally else { return };
        let later = credential.last_ok > now;
        let text = out.text(|| format!("the same credential was accepted here {}", times(credential.ok)));
        let pointer = vec![case.point(Part::RequestHeader, "authorization")];
        let lost = case.lead().is_some_and(|(leading, _)| leading.change == Change::Absent);
        for (cause, weight) in &rule.credential {
            if lost && rule.not_where_lost.contains(cause) {
                continue;
            }
            let scale = match later {
                true => 1.0,
                false if rule.revocable.contains(cause) => rule.revocable_before,
                false => rule.before,
            };
            out.add(*cause, weight * scale, DIFFERS, &text, &pointer);
            if later {
                out.rule_out(*cause, "the same credential was accepted here afterwards");
            }
        }
    }
}

/// Neither this request nor the successes say who asks: then it is not about who may do what.
pub struct Nobody;

impl Rule for Nobody {
    fn id(&self) -> &'static str {
        "nobody"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.good.len() >= 2 && !case.features.attributes.iter().any(|one| identifies(one.family))
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        if case.good.iter().filter(|sample| sample.named).count() * 2 > case.good.len() {
            return;
        }
        let rule = &case.knowledge.rules().nobody;
        let (text, scale) = if case.borrowed {
            ("neither this request nor the successes of other endpoints carry a credential", rule.borrowed)
        } else {
            ("neither this request nor the successes carry a credential", 1.0)
        };
        let pointer = [case.point(Part::RequestHeader, "authorization")];
        for (cause, weight) in &rule.causes {
            let open = case.borrowed && rule.not_where_borrowed.contains(cause);
            out.add(*cause, if open { 0.0 } else { weight * scale }, DIFFERS, text, &pointer);
        }
    }
}

/// A signature or a token's signature that nobody here can check, in a request that is otherwise like accepted ones.
pub struct Signed;

impl Rule for Signed {
    fn id(&self) -> &'static str {
        "signed"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2 && case.features.family(Family::Signature).next().is_some()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let rule = &case.knowledge.rules().signed;
        for signature in case.features.family(Family::Signature) {
            let key = signature.mark.key;
            let Some(column) = case.own_columns().column(key) else { continue };
            if column.count() * 3 < case.own_good().len() * 2 {
                continue;
            }
            let pointer = [case.point(Part::RequestHeader, &signature.name)];
            let same = column.with(signature.mark.value);
            // What is signed is the body as a rule, so a body of its own speaks for a wrong signature as well.
            let alike = 1.0 / (1.0 + case.separation_by(|family| family != Family::Body));
            if same == 0 {
                let text = format!(
                    "{} is there as in successes; whether it fits these bytes only the server knows",
                    signature.name
                );
                let causes = if single_use(case) { &rule.single_use } else { &rule.same };
                out.add_all(causes, alike, DIFFERS, text, &pointer);
            } else if body_differs(case, same) {
                let text = format!("{} was accepted with another body", signature.name);
                out.add_all(&rule.other_body, 1.0, DIFFERS, text, &pointer);
            }
        }
    }
}

/// Whether the body of each of `samples` differs.
fn body_differs(case: &Case<'_>, samples: u64) -> bool {
    let good = case.own_good().iter().enumerate();
    let alike = case
        .features
        .family(Family::Body)
        .fold(u64::MAX, |alike, one| alike & case.own_columns().with(one.mark.key, one.mark.value));
    let same = |slot: usize| columns::bit(slot) & samples & alike != 0;
    !good.into_iter().any(|(slot, sample)| same(slot) && sample.body_len == case.features.body_len)
}

/// A credential that was never accepted anywhere, in a request that is otherwise like accepted ones.
pub struct NewCredential;

impl Rule for NewCredential {
    fn id(&self) -> &'static str {
        "new-credential"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        let known =
            |tally: Option<&crate::explain::contrast::stats::Tally>| tally.is_some_and(|tally| tally.ok > 0);
        case.own_good().len() >= 2
            && case.credential != 0
            && !known(case.server.and_then(|server| server.credentials.get(&case.credential)))
            && !single_use(case)
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let rule = &case.knowledge.rules().new_credential;
        let claim = |contrast: &Contrast<'_>| is_claim(contrast.family) && contrast.surprise > rule.claims;
        let told = case.contrasts.iter().any(claim);
        let alike = 1.0 / (1.0 + case.separation() * rule.separation);
        let pointer = [case.point(Part::RequestHeader, "authorization")];
        if case.features.has_token && !told {
            let text = "the token's claims are like those of accepted ones; it was never accepted: its signature may be wrong";
            let fresh = if renewed(case) { rule.renewed } else { 1.0 };
            out.add_all(&rule.token, alike * fresh, DIFFERS, text, &pointer);
        } else if !case.features.has_token {
            let text = "this credential was never accepted anywhere";
            out.add_all(&rule.opaque, alike, DIFFERS, text, &pointer);
        }
    }
}

/// Whether the credential holds a signature, so that each request has one of its own.
fn single_use(case: &Case<'_>) -> bool {
    case.features.family(Family::Signature).any(|one| &*one.name == "authorization")
}

/// Whether every success came with a credential of its own, so that one which was never seen before is nothing new.
fn renewed(case: &Case<'_>) -> bool {
    let mut seen: Vec<u64> = case.own_good().iter().map(|sample| sample.credential).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    all >= 3 && seen.len() == all
}
