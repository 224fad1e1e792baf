//! Attributes that separate refusals from successes, and credentials or clients that were accepted.

use crate::diagnosis::case::Case;
use crate::diagnosis::contrast::{Change, Contrast};
use crate::diagnosis::family::Family;
use crate::diagnosis::rule::{Out, Rule};
use crate::model::{Cause, EvidenceKind, Part};

const DIFFERS: EvidenceKind = EvidenceKind::Differs;
/// Surprise at which a mechanism's weight counts fully: what four like-minded successes give.
const FULL: f32 = 2.3;
/// Strongest effect of surprise.
const MOST: f32 = 1.3;

/// Every attribute that separates.
pub struct Separation;

impl Rule for Separation {
    fn id(&self) -> &'static str {
        "separation"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        !case.contrasts.is_empty()
    }
    fn evidence(&self, case: &Case<'_>, out: &mut Out) {
        let told = case.sheet.has_token
            && case.contrasts.iter().any(|contrast| is_claim(contrast.family) && contrast.surprise > 1.0);
        for contrast in case.contrasts.iter().filter(|contrast| contrast.surprise > 0.25).take(24) {
            let mut scale = (contrast.surprise / FULL).min(MOST);
            if case.borrowed {
                scale *= borrowed(contrast.family);
            }
            if contrast.family == Family::Credential && contrast.change == Change::Value && told {
                scale *= 0.15;
            }
            let text = sentence(contrast);
            let pointer = vec![case.point(part_of(contrast.family), &contrast.name)];
            for (cause, weight) in case.knowledge.mechanism(contrast.family, contrast.change.id()) {
                out.add(*cause, weight * scale, DIFFERS, text.clone(), pointer.clone());
            }
        }
    }
}

/// How much a difference to successes of other endpoints counts.
fn borrowed(family: Family) -> f32 {
    match family {
        Family::Credential
        | Family::ApiKey
        | Family::Scheme
        | Family::Session
        | Family::Csrf
        | Family::Certificate => 0.6,
        Family::UserAgent
        | Family::Client
        | Family::Host
        | Family::Origin
        | Family::Country
        | Family::ApiVersion => 0.45,
        _ => 0.0,
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

fn sentence(contrast: &Contrast) -> String {
    let name = label(contrast);
    let (all, likewise) = contrast.refusals;
    let count = if all == likewise {
        format!("all {all} such refusals")
    } else {
        format!("{likewise} of {all} such refusals")
    };
    let chance =
        if contrast.chance < 0.2 { format!(" (chance {:.2})", contrast.chance) } else { String::new() };
    let (this, successes) = (&contrast.this, contrast.successes);
    match contrast.change {
        Change::Absent => format!(
            "{name} is absent here and in {count}; successes carry it ({successes} looked at){chance}"
        ),
        Change::Added => {
            format!("{name} ({this}) is here and in {count}, in none of {successes} successes{chance}")
        }
        Change::Value => {
            format!("{name} ({this}) was never accepted: {count}, none of {successes} successes{chance}")
        }
    }
}

/// The attribute for people.
pub fn label(contrast: &Contrast) -> String {
    let name = &contrast.name;
    match contrast.family {
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
        _ => name.clone(),
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
    fn evidence(&self, case: &Case<'_>, out: &mut Out) {
        let Some(place) = case.place else { return };
        let now = case.exchange().started().0;
        if let Some(client) = place.clients.get(&case.client).filter(|tally| tally.ok > 0) {
            let later = client.last_ok > now;
            let text = format!("the same client was accepted here {} times", client.ok);
            for cause in [Cause::IpDenied, Cause::GeoDenied] {
                out.add(
                    cause,
                    if later { -2.6 } else { -0.7 },
                    DIFFERS,
                    text.clone(),
                    vec![case.point(Part::Client, "")],
                );
                if later {
                    out.rule_out(cause, "the same client was accepted here afterwards");
                }
            }
        }
        let tally =
            place.credentials.get(&case.credential).filter(|tally| case.credential != 0 && tally.ok > 0);
        let Some(credential) = tally else { return };
        let later = credential.last_ok > now;
        let text = format!("the same credential was accepted here {} times", credential.ok);
        for (cause, weight) in CREDENTIAL_CAUSES {
            let scale = if later { 1.0 } else { 0.4 };
            out.add(
                cause,
                weight * scale,
                DIFFERS,
                text.clone(),
                vec![case.point(Part::RequestHeader, "authorization")],
            );
            if later {
                out.rule_out(cause, "the same credential was accepted here afterwards");
            }
        }
    }
}

/// What an accepted credential speaks against.
const CREDENTIAL_CAUSES: [(Cause, f32); 7] = [
    (Cause::MissingCredentials, -3.0),
    (Cause::InvalidCredentials, -2.6),
    (Cause::ExpiredCredentials, -2.2),
    (Cause::WrongEnvironment, -2.6),
    (Cause::InsufficientScope, -2.4),
    (Cause::InsufficientRole, -1.8),
    (Cause::Subscription, -2.0),
];
