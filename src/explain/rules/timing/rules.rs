//! Rules over what the traffic did.

use crate::explain::case::Case;
use crate::explain::contrast::{Contrast, is_gate};
use crate::explain::knowledge::rules::{self, Causes, StatusCauses};
use crate::explain::knowledge::words::times;
use crate::explain::request::family::Family;
use crate::explain::rules::timing::RateProfile;
use crate::explain::rules::{EvidenceSink, Rule};
use crate::model::{EvidenceKind, Part, Refuser};

const BEHAVED: EvidenceKind = EvidenceKind::Behaved;

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
        let rule = &case.knowledge.rules().rate;
        let beyond = (case.separation() - rule.alike).max(0.0);
        let alike = (rule.least + rule.likeness * familiarity(case)) / (1.0 + beyond * rule.separation);
        let (client, credential) = (&case.behaviour.client, &case.behaviour.credential);
        for (who, course) in [("this client", client), ("this credential", credential)] {
            // The same requests counted by client and by credential are one observation.
            let again = std::ptr::eq(course, credential)
                && (client.window, client.count, client.accepted)
                    == (course.window, course.count, course.accepted);
            if course.window == 0 || course.ok_before < 2 || again {
                continue;
            }
            let (weight, then) = rate_weight(rule, course);
            let text = format!(
                "{} requests of {who} within {} s before this one, at most {} before any success{then}",
                course.count,
                course.window / 1_000_000_000,
                course.accepted,
            );
            let shares = if course.recovered { &rule.for_a_while } else { &rule.for_good };
            out.add_all(shares, weight * alike, BEHAVED, text, &[case.point(Part::Timing, "")]);
        }
    }
}

/// What a course says for a limit on the rate.
fn rate_weight(rule: &rules::Rate, course: &RateProfile) -> (f32, &'static str) {
    let short = course.window <= 60_000_000_000;
    let margin = course.count >= course.accepted + 2 && course.count >= 4;
    let (base, then) = match (course.recovered, course.hasty) {
        (true, _) if short => (rule.recovered_short, "; accepted again later"),
        (true, _) => (rule.recovered, "; accepted again later"),
        _ if course.burst => (rule.burst, "; a burst came before the first refusal"),
        (false, true) if short => (rule.hasty, "; it came sooner after the one before than any success"),
        (false, true) => (rule.hasty_long, "; it came sooner after the one before than any success"),
        // A rate needs a rate: in seconds to minutes, and clearly more than was accepted.
        (false, false) if !short || !margin => (rule.slow, ""),
        (false, false) => (if course.others { rule.usual_of_others } else { rule.usual }, ""),
    };
    let contradicted = course.others && !course.recovered;
    let dense = if course.dense < 70 { rule.scattered } else { 1.0 };
    let few = if course.count < 3 && !course.recovered { rule.few } else { 1.0 };
    (base * dense * few * if contradicted { rule.contradicted } else { 1.0 }, then)
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
        let rule = &case.knowledge.rules().crowd;
        let causes = if course.open >= 2 { &rule.more } else { &rule.one };
        out.add_all(causes, 1.0, BEHAVED, text, &[case.point(Part::Timing, "")]);
    }
}

/// The request is like accepted ones: the server's state changed.
pub struct StateChange;

impl Rule for StateChange {
    fn id(&self) -> &'static str {
        "state-change"
    }
    fn applies(&self, case: &Case<'_>) -> bool {
        case.own_good().len() >= 2 && case.separation() < case.knowledge.rules().state_change.alike
    }
    fn evidence(&self, case: &Case<'_>, out: &mut EvidenceSink) {
        let behaviour = &case.behaviour;
        let rule = &case.knowledge.rules().state_change;
        let familiar = familiarity(case) * if behaviour.course.leads_to_a_ban() { rule.banned } else { 1.0 };
        let pointer = [case.point(Part::Timing, "")];
        let mut add = |causes: &Causes, text: &str| out.add_all(causes, familiar, BEHAVED, text, &pointer);
        let is_gateway = case.refuser == Refuser::Gateway;
        let same =
            "nothing that could matter differs from accepted requests: a limit or the server's state decides";
        add(&rule.same, same);
        if is_gateway {
            add(&rule.same_gateway, same);
        }
        let all = &behaviour.all;
        if all.ok_before >= 2 && all.ok_after == 0 && all.no >= 2 {
            let text = format!("after {} successes everybody is refused", all.ok_before);
            let several = several(case);
            add(if several { &rule.several } else { &rule.everybody }, &text);
            if is_gateway {
                add(if several { &rule.several_gateway } else { &rule.everybody_gateway }, &text);
            }
        } else if all.ok_before >= 2
            && all.ok_after > 0
            && all.turns == 2
            && all.no >= 2
            && !behaviour.client.hasty
            && several(case)
        {
            add(&rule.everybody_for_a_while, "everybody was refused for a while and accepted again");
        }
        if let Some(text) = lost(&behaviour.credential, behaviour.other_credentials_after, "credential") {
            let burst = behaviour.credential.burst;
            add(if burst { &rule.credential_after_burst } else { &rule.credential }, &text);
        }
        let credential_fine = case.credential == 0 || behaviour.credential.ok_after > 0;
        if let Some(text) = lost(&behaviour.client, behaviour.others_after, "client") {
            let limit = behaviour.client.window != 0 && !behaviour.client.others;
            let causes = match (credential_fine, limit) {
                (true, false) => &rule.client,
                (true, true) => &rule.client_over_limit,
                (false, false) => &rule.untried,
                (false, true) => &rule.untried_over_limit,
            };
            add(causes, &text);
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
    let rule = &case.knowledge.rules().familiarity;
    let strange = case.contrasts.iter().filter(|contrast| is_gate(contrast.family)).count();
    let new =
        case.credential != 0 && case.behaviour.credential.ok_before + case.behaviour.credential.ok_after == 0;
    let known = !new && (case.behaviour.client.ok_before > 0 || case.behaviour.credential.ok_before > 0);
    let separates = |one: &Contrast<'_>| one.family == Family::Body && one.surprise > rule.surprise;
    let body = case.contrasts.iter().any(separates);
    // Whether a signature fits these bytes cannot be seen, so likeness says less.
    let signed = case.features.family(Family::Signature).next().is_some();
    let differs = if body { rule.body } else { 1.0 } * if signed { rule.signed } else { 1.0 };
    differs
        * match (strange, known) {
            _ if new => rule.new,
            (0, true) => 1.0,
            (0, false) => rule.unknown,
            (_, true) => rule.strange,
            (_, false) => rule.strange_unknown,
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
        let rule = &case.knowledge.rules().other_refusals;
        let pointer = [case.point(Part::StatusLine, "")];
        let here = place.with_status(401) > 0 && course.failed < 4;
        if here || case.stats.siblings(case.address).any(|sibling| sibling.with_status(401) > 0) {
            let text =
                "401 is used here for credentials that are absent or wrong, so 403 means something else";
            let scale = if here { 1.0 } else { rule.elsewhere };
            out.add_all(&rule.unauthorized, scale, BEHAVED, text, &pointer);
        }
        let named = rule.status.iter().filter(|one| one.status != 429 || course.limited < 2);
        for StatusCauses { status, causes } in named.filter(|one| place.with_status(one.status) > 0) {
            let text = format!("{status} is used here for that, so 403 means something else");
            out.add_all(causes, 1.0, BEHAVED, text, &pointer);
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
