//! Rules over what the traffic did.

use crate::explain::case::Case;
use crate::explain::contrast::is_gate;
use crate::explain::knowledge::words::times;
use crate::explain::request::family::Family;
use crate::explain::rules::timing::RateProfile;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{Cause, EvidenceKind, Part, Refuser};

const BEHAVED: EvidenceKind = EvidenceKind::Behaved;
/// Separation below which the request is taken to be like accepted ones.
const ALIKE: f32 = 1.5;

/// More requests in a short time than before any success.
pub struct Rate;

impl Rule for Rate {
    fn id(&self) -> &'static str {
        "rate"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.place.is_some_and(|place| place.ok >= 2)
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let alike = (0.3 + 0.7 * familiarity(case)) / (1.0 + (case.separation() - ALIKE).max(0.0) * 1.2);
        let (client, credential) = (&case.behaviour.client, &case.behaviour.credential);
        for (who, course) in [("this client", client), ("this credential", credential)] {
            // The same requests counted by client and by credential are one observation.
            let again = std::ptr::eq(course, credential)
                && (client.window, client.count, client.accepted)
                    == (course.window, course.count, course.accepted);
            if course.window == 0 || course.ok_before < 2 || again {
                continue;
            }
            let (weight, then) = rate_weight(course);
            let text = format!(
                "{} requests of {who} within {} s before this one, at most {} before any success{then}",
                course.count,
                course.window / 1_000_000_000,
                course.accepted,
            );
            let pointer = vec![case.point(Part::Timing, "")];
            out.add(Cause::RateLimited, weight * alike, BEHAVED, &text, &pointer);
            let share = if course.recovered { 0.2 } else { 0.5 };
            out.add(Cause::Quota, weight * alike * share, BEHAVED, text, pointer);
        }
    }
}

/// What a course says for a limit on the rate.
fn rate_weight(course: &RateProfile) -> (f32, &'static str) {
    let short = course.window <= 60_000_000_000;
    let margin = course.count >= course.accepted + 2 && course.count >= 4;
    let (base, then) = match (course.recovered, course.hasty) {
        (true, _) if short => (3.2, "; accepted again later"),
        (true, _) => (2.2, "; accepted again later"),
        _ if course.burst => (2.6, "; a burst came before the first refusal"),
        (false, true) if short => (1.7, "; it came sooner after the one before than any success"),
        (false, true) => (0.4, "; it came sooner after the one before than any success"),
        // A rate needs a rate: in seconds to minutes, and clearly more than was accepted.
        (false, false) if !short || !margin => (0.2, ""),
        (false, false) => (if course.others { 0.4 } else { 1.1 }, ""),
    };
    let contradicted = course.others && !course.recovered;
    let dense = if course.dense < 70 { 0.3 } else { 1.0 };
    let few = if course.count < 3 && !course.recovered { 0.5 } else { 1.0 };
    (base * dense * few * if contradicted { 0.35 } else { 1.0 }, then)
}

/// More requests at once than when successes came.
pub struct Crowd;

impl Rule for Crowd {
    fn id(&self) -> &'static str {
        "crowd"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.behaviour.client.open > case.behaviour.client.open_accepted
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let course = &case.behaviour.client;
        let text = format!(
            "{} requests of this client were still being answered, at most {} when a success came",
            course.open, course.open_accepted
        );
        out.add(
            Cause::RateLimited,
            if course.open >= 2 { 3.0 } else { 1.2 },
            BEHAVED,
            text,
            vec![case.point(Part::Timing, "")],
        );
    }
}

/// The request is like accepted ones: the server's state changed.
pub struct StateChange;

impl Rule for StateChange {
    fn id(&self) -> &'static str {
        "state-change"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2 && case.separation() < ALIKE
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let behaviour = &case.behaviour;
        let familiar = familiarity(case) * if behaviour.course.leads_to_a_ban() { 0.3 } else { 1.0 };
        let mut add = |cause, weight: f32, text: &str| {
            out.add(cause, weight * familiar, BEHAVED, text, vec![case.point(Part::Timing, "")]);
        };
        let same =
            "nothing that could matter differs from accepted requests: a limit or the server's state decides";
        for cause in [Cause::RateLimited, Cause::ResourceState, Cause::ServerConfig, Cause::Quota] {
            add(cause, 0.7, same);
        }
        if case.refuser == Refuser::Gateway {
            add(Cause::GatewayPolicy, 0.7, same);
        }
        let all = &behaviour.all;
        if all.ok_before >= 2 && all.ok_after == 0 && all.no >= 2 {
            let text = format!("after {} successes everybody is refused", all.ok_before);
            let many = several(case);
            add(Cause::ServerConfig, if many { 2.2 } else { 1.5 }, &text);
            if case.refuser == Refuser::Gateway {
                add(Cause::GatewayPolicy, if many { 2.0 } else { 1.4 }, &text);
            }
            add(Cause::ResourceState, if many { 1.2 } else { 0.9 }, &text);
            add(Cause::Quota, 0.3, &text);
        } else if all.ok_before >= 2
            && all.ok_after > 0
            && all.turns == 2
            && all.no >= 2
            && !behaviour.client.hasty
            && several(case)
        {
            let text = "everybody was refused for a while and accepted again";
            add(Cause::ServerConfig, 1.0, text);
            add(Cause::ResourceState, 0.6, text);
        }
        if let Some(text) = lost(&behaviour.credential, behaviour.other_credentials_after, "credential") {
            let burst = behaviour.credential.burst;
            let share = if burst { 0.3 } else { 1.0 };
            add(Cause::InvalidCredentials, 3.2 * share, &text);
            add(Cause::ExpiredCredentials, 1.4 * share, &text);
            add(Cause::Quota, 1.2, &text);
            add(Cause::RateLimited, if burst { 2.4 } else { 0.0 }, &text);
        }
        let credential_fine = case.credential == 0 || behaviour.credential.ok_after > 0;
        if let Some(text) = lost(&behaviour.client, behaviour.others_after, "client") {
            let limit = behaviour.client.window != 0 && !behaviour.client.others;
            let weight = if credential_fine { 3.0 } else { 1.0 };
            add(Cause::IpDenied, if limit { weight * 0.4 } else { weight }, &text);
            add(Cause::RateLimited, if limit { 1.2 } else { 0.3 }, &text);
        }
    }
}

/// Whether the refusals are of several clients that were accepted before.
fn several(case: &Case<'_>) -> bool {
    let Some(place) = case.place else { return false };
    place.clients.values().filter(|tally| tally.ok > 0 && tally.no > 0).count() >= 2
}

/// How like accepted requests this one is in what servers test by itself: 1 for no difference.
fn familiarity(case: &Case<'_>) -> f32 {
    let strange = case.contrasts.iter().filter(|contrast| is_gate(contrast.family)).count();
    let new =
        case.credential != 0 && case.behaviour.credential.ok_before + case.behaviour.credential.ok_after == 0;
    let known = !new && (case.behaviour.client.ok_before > 0 || case.behaviour.credential.ok_before > 0);
    let body =
        case.contrasts.iter().any(|contrast| contrast.family == Family::Body && contrast.surprise > 1.2);
    // Whether a signature fits these bytes cannot be seen, so likeness says less.
    let signed = case.features.family(Family::Signature).next().is_some();
    let differs = if body { 0.5 } else { 1.0 } * if signed { 0.6 } else { 1.0 };
    differs
        * match (strange, known) {
            _ if new => 0.25,
            (0, true) => 1.0,
            (0, false) => 0.7,
            (_, true) => 0.4,
            (_, false) => 0.2,
        }
}

/// Accepted before, refused ever since, while others go on.
fn lost(course: &RateProfile, others: u32, what: &str) -> Option<String> {
    let lost = course.ok_before > 0 && course.ok_after == 0 && !course.recovered && others > 0;
    lost.then(|| {
        format!(
            "this {what} was accepted {} and is refused since, while others are accepted ({})",
            times(course.ok_before),
            times(others)
        )
    })
}

/// Other statuses at the same place say what 403 is not.
pub struct OtherRefusals;

impl Rule for OtherRefusals {
    fn id(&self) -> &'static str {
        "other-refusals"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.exchange().status() == Some(403)
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let Some(place) = case.place else { return };
        let course = case.behaviour.course;
        let here = place.with_status(401) > 0 && course.failed < 4;
        if here || case.stats.siblings(case.address).any(|sibling| sibling.with_status(401) > 0) {
            let text =
                "401 is used here for credentials that are absent or wrong, so 403 means something else";
            for (cause, weight) in [
                (Cause::MissingCredentials, -1.8),
                (Cause::InvalidCredentials, -1.3),
                (Cause::ExpiredCredentials, -1.3),
                (Cause::WrongEnvironment, -0.5),
                (Cause::InsufficientRole, 0.8),
                (Cause::InsufficientScope, 0.7),
                (Cause::NotOwner, 0.4),
            ] {
                out.add(
                    cause,
                    weight * if here { 1.0 } else { 0.5 },
                    BEHAVED,
                    text,
                    vec![case.point(Part::StatusLine, "")],
                );
            }
        }
        let named = [
            (429, Cause::RateLimited),
            (405, Cause::Method),
            (415, Cause::ContentType),
            (406, Cause::Accept),
            (421, Cause::Host),
        ];
        let named = named.into_iter().filter(|(status, _)| *status != 429 || course.limited < 2);
        for (status, cause) in named.filter(|(status, _)| place.with_status(*status) > 0) {
            let text = format!("{status} is used here for that, so 403 means something else");
            out.add(cause, -1.3, BEHAVED, text, vec![case.point(Part::StatusLine, "")]);
        }
    }
}

/// Who refused makes some causes likelier.
pub struct Layer;

impl Rule for Layer {
    fn id(&self) -> &'static str {
        "layer"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.refuser != Refuser::Unknown
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let text = out.text(|| format!("the {} refused", case.refuser.as_str().replace('-', " ")));
        let pointer = vec![case.point(Part::ResponseHeader, "server")];
        for (cause, weight) in case.knowledge.layer(case.refuser) {
            out.add(*cause, *weight, BEHAVED, &text, &pointer);
        }
    }
}
