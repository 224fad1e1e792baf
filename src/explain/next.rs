//! What to do next: concrete, filled in from the case.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::explain::case::Case;
use crate::explain::contrast::{Change, Contrast, lead};
use crate::explain::knowledge::causes::about;
use crate::explain::knowledge::logs::{self, Log};
use crate::explain::request::family::Family;
use crate::explain::rules::contrast_rules::rules::{label, part_of};
use crate::explain::rules::response_text::utterance::{Place, Utterance};
use crate::model::{Cause, Part, Refuser};

/// Steps for `cause`, most useful first.
pub fn steps(case: &Case<'_>, cause: Cause) -> Vec<String> {
    let mut out = Vec::new();
    out.extend(leading(case));
    out.extend(specific(case, cause));
    out.extend(remedy(case));
    if let Some(about) = about(cause) {
        out.push(about.check.clone());
    }
    out.extend(log(case, cause));
    if let Some(about) = about(cause) {
        out.push(about.mend.clone());
    }
    if cause == Cause::Unknown {
        for contrast in case.contrasts.iter().filter(|contrast| contrast.surprise > 0.5).take(3) {
            out.push(format!("look at {}: {} here, unlike successes", named(contrast), value(contrast)));
        }
    }
    let mut once = Vec::with_capacity(out.len());
    for step in out {
        if !once.contains(&step) {
            once.push(step);
        }
    }
    once
}

fn named(contrast: &Contrast<'_>) -> String {
    label(contrast.family, &contrast.name)
}

/// What to send instead, for the attribute that separates.
fn leading(case: &Case<'_>) -> Option<String> {
    let (contrast, _) = case.lead()?;
    if matches!(contrast.family, Family::Client | Family::ForwardedFor | Family::Country) {
        return None;
    }
    Some(instead(case, contrast))
}

/// "Send `x-tenant-id: t-1`; this request has none".
fn instead(case: &Case<'_>, contrast: &Contrast<'_>) -> String {
    let accepted =
        lead::accepted_value(case, contrast).filter(|value| !value.is_empty() && !value.starts_with('#'));
    let field = part_of(contrast.family) == Part::RequestHeader;
    let wanted = match &accepted {
        Some(value) if field => format!("`{}: {}`", contrast.name, clip(value)),
        Some(value) => format!("{} as `{}`", named(contrast), clip(value)),
        None => format!("{} as accepted requests have it", named(contrast)),
    };
    match contrast.change {
        Change::Absent => format!("send {wanted}; this request has none"),
        Change::Added => format!("leave {} out; no accepted request has it", named(contrast)),
        Change::Value => format!("send {wanted}; this request sent `{}`", clip(&value(contrast))),
    }
}

/// What the provider says itself that helps.
fn remedy(case: &Case<'_>) -> Option<String> {
    let said = case.own_said().unwrap_or(&case.heard.said);
    let asks = |one: &&Utterance| {
        one.place == Place::Prose
            && one.text.len() <= 240
            && !one.words.contains(" administrator ")
            && ASKS.iter().any(|word| one.words.contains(word))
    };
    let text = &said.iter().find(asks)?.text;
    Some(format!("the response says what helps: {text:?}"))
}

/// Words with which providers say what to do.
const ASKS: [&str; 14] = [
    " please ",
    " enable ",
    " upgrade ",
    " visit ",
    " must accept ",
    " must be accepted ",
    " add the ",
    " request access ",
    " make sure ",
    " retry after ",
    " try again ",
    " you need to ",
    " you must ",
    " to allow this ",
];

fn specific(case: &Case<'_>, cause: Cause) -> Option<String> {
    let find = |families: &[Family]| {
        case.contrasts.iter().find(|contrast| families.contains(&contrast.family) && contrast.surprise > 0.5)
    };
    let absent = |contrast: &Contrast<'_>| contrast.change == Change::Absent;
    match cause {
        Cause::InsufficientScope => lacking(case, &[Family::Scope, Family::Role]),
        Cause::InsufficientRole => lacking(case, &[Family::Role, Family::Scope]),
        Cause::MissingCredentials => {
            let missing = case.contrasts.iter().find(|one| {
                absent(one)
                    && matches!(
                        one.family,
                        Family::Credential | Family::ApiKey | Family::Session | Family::Consumer
                    )
            })?;
            Some(format!("send {}, which successes carry", named(missing)))
        }
        Cause::Csrf => find(&[Family::Csrf])
            .filter(|one| absent(one))
            .map(|one| format!("send {}, which successes carry", named(one))),
        Cause::WrongEnvironment => find(&[Family::Audience, Family::Issuer]).map(|one| {
            format!(
                "{} is {}: ask for a token with the value that accepted ones have",
                named(one),
                one.this()
            )
        }),
        Cause::IpDenied | Cause::GeoDenied => {
            let client = case.exchange().client.ip().to_canonical();
            let accepted =
                case.place.and_then(|place| place.clients.get(&case.client)).is_some_and(|one| one.ok > 0);
            Some(if accepted {
                format!(
                    "{client} was accepted before: find out which address the server takes for the client's (X-Forwarded-For, egress), and whether it was blocked since"
                )
            } else {
                format!("ask for {client} to be allowed; send the same request from an accepted address")
            })
        }
        Cause::Referer
        | Cause::Origin
        | Cause::Host
        | Cause::ContentType
        | Cause::Accept
        | Cause::BotChallenge
        | Cause::Waf => find(wanted(cause)).map(|one| instead(case, one)),
        Cause::RateLimited | Cause::Quota => {
            let after = case.response()?.head.fields().text("retry-after")?;
            Some(format!("wait: Retry-After says {after}"))
        }
        _ => None,
    }
}

/// The scope or role that accepted tokens have and this one lacks, of the first family that has such a thing.
fn lacking(case: &Case<'_>, families: &[Family]) -> Option<String> {
    let of = |family| {
        case.contrasts
            .iter()
            .find(|one| one.change == Change::Absent && one.family == family && one.name.contains(": "))
    };
    let missing = families.iter().copied().find_map(of)?;
    let (claim, word) = missing.name.split_once(": ")?;
    let mend = if missing.family == Family::Role {
        "have it granted, then use a new token"
    } else {
        "request a token with it"
    };
    Some(format!("the token lacks `{word}` in its {claim}; accepted ones have it: {mend}"))
}

/// This refusal's value for people.
fn value<'a>(contrast: &'a Contrast<'_>) -> Cow<'a, str> {
    Some(contrast.this()).filter(|this| !this.is_empty()).unwrap_or(Cow::Borrowed("absent"))
}

/// The families that a cause rests on.
fn wanted(cause: Cause) -> &'static [Family] {
    match cause {
        Cause::Referer => &[Family::Referer],
        Cause::Origin => &[Family::Origin],
        Cause::Host => &[Family::Host],
        Cause::ContentType => &[Family::MediaType, Family::Charset],
        Cause::Accept => &[Family::Accept],
        _ => &[Family::UserAgent, Family::Clearance, Family::BodySize],
    }
}

/// What the refusing server writes about it.
fn log(case: &Case<'_>, cause: Cause) -> Option<String> {
    if case.refuser == Refuser::OutboundProxy {
        let host = case.request()?.head.fields().text("host").unwrap_or_default();
        return Some(format!(
            "the team that runs the proxy of the client's network, not the server's: its log has this request to {}, {}",
            clip(host),
            case.line()
        ));
    }
    if is_elsewhere(case) {
        return Some(format!(
            "the provider's support: hand over this exchange, {}, with its request id",
            case.line()
        ));
    }
    let server = case.response()?.head.fields().text("server").unwrap_or_default();
    let known = case.prints.iter().find_map(|print| logs::of_system(&print.system));
    let known = known.or_else(|| logs::of_system(server));
    let (place, what) = match known {
        Some(log) => (format!("{} {}", log.system, log.place), look_for(log, case, cause)),
        None => (format!("{} request log", keeper(case, server)), request_line(case)),
    };
    let unsaid = known.is_none() && matches!(case.refuser, Refuser::Application | Refuser::Unknown);
    let more = if unsaid { "; the reason stands there only if the application logs it" } else { "" };
    Some(format!("{place}: {what}, {}{more}", case.line()))
}

/// Whether the server belongs to somebody else: a public address asked from a private one.
fn is_elsewhere(case: &Case<'_>) -> bool {
    let private = |address: IpAddr| match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || (address.segments().first().copied().unwrap_or(0) & 0xfe00) == 0xfc00
        }
    };
    let exchange = case.exchange();
    private(exchange.client.ip()) && !private(exchange.server.ip())
}

fn look_for(log: &Log, case: &Case<'_>, cause: Cause) -> String {
    let exchange = case.exchange();
    let filled =
        |text: &str| text.replace("{path}", &path(case)).replace("{method}", &clip(exchange.method()));
    let own = log.fields.as_ref().filter(|_| cause == Cause::Waf && !suspicious(case));
    match own.or_else(|| log.of(cause)) {
        Some(list) => {
            let parts: Vec<String> = list.split(" or ").map(|one| format!("`{}`", filled(one))).collect();
            format!("look for {}", parts.join(" or "))
        }
        None => filled(&log.otherwise),
    }
}

/// Whether the request holds what a firewall looks for, beyond the fields that say who sends it.
fn suspicious(case: &Case<'_>) -> bool {
    let telling =
        |id: &str| id.starts_with("payload") || matches!(id, "file-executable" | "field-restricted");
    case.features.facts.iter().any(|fact| telling(fact.id))
}

/// Whose log it is: the product that the answer names, else the layer.
fn keeper(case: &Case<'_>, server: &str) -> String {
    let powered = case.response().and_then(|response| response.head.fields().text("x-powered-by"));
    let named = powered.filter(|text| !text.is_empty()).unwrap_or(server);
    let product: String =
        named.chars().take_while(|letter| !matches!(letter, '/' | '(' | ' ' | ',')).take(40).collect();
    if !product.is_empty() {
        return format!("{product}'s");
    }
    match case.refuser {
        Refuser::Gateway => "the gateway's",
        Refuser::Cdn => "the CDN's",
        Refuser::Waf => "the firewall's",
        Refuser::WebServer => "the web server's",
        Refuser::OutboundProxy => "the outbound proxy's",
        Refuser::Application | Refuser::Unknown => "the application's",
    }
    .to_owned()
}

/// The line that every server writes of a request.
fn request_line(case: &Case<'_>) -> String {
    let exchange = case.exchange();
    let status = exchange.status().unwrap_or_default();
    format!("look for `{} {}` with {status}", clip(exchange.method()), path(case))
}

/// The path as on the wire, without its query.
fn path(case: &Case<'_>) -> String {
    let target = String::from_utf8_lossy(case.exchange().target()).into_owned();
    clip(target.split('?').next().unwrap_or_default())
}

fn clip(text: &str) -> String {
    text.chars().filter(|letter| *letter != '`').take(100).collect()
}

#[cfg(test)]
mod tests {
    use crate::explain::diagnoser::Diagnoser;
    use crate::explain::fixture;
    use crate::explain::inspector::Inspector;
    use crate::history::History;
    use crate::model::BaselineChoice;

    #[test]
    fn a_server_without_a_name_is_known_by_its_words() {
        let text = "POST /x\n--- 403\nCache-Control: no-cache\nContent-Type: text/html\n\n\
            <html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
        let mut inspector = Inspector::new(History::new(1 << 20), Diagnoser::new());
        let id = inspector.push(fixture::exchanges(text).remove(0));
        let diagnosis = inspector.report(id, BaselineChoice::default()).unwrap().diagnosis.unwrap();
        let steps = &diagnosis.findings[0].next;
        assert!(steps.iter().any(|step| step.contains("HAProxy log") && step.contains("PR--")), "{steps:?}");
    }
}
