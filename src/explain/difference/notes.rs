//! What is worth saying about a difference, and verdicts that need more than the name: token times, scopes, schemes,
//! media types, where a request comes from. Notes never hold a secret.

use serde_json::Value;

use crate::explain::difference::align::Pair;
use crate::explain::difference::weigh::Scene;
use crate::features::target::authority;
use crate::features::{Authorization, MediaType};
use crate::history::related::in_words;
use crate::model::{DifferenceKind, Part, Significance};

/// A significance that is known whatever the successes do.
pub(crate) fn verdict(scene: &Scene<'_>, pair: &Pair<'_>) -> Option<Significance> {
    match (pair.part, &*pair.name) {
        (Part::Claim, name) => claim_verdict(scene, name, pair),
        (Part::RequestHeader, "host") => {
            let authority = |record: &crate::history::Record| {
                record
                    .exchange
                    .request
                    .as_ref()
                    .and_then(|r| authority(&r.head).map(<[u8]>::to_ascii_lowercase))
            };
            (authority(scene.this) == authority(scene.baseline)).then_some(Significance::Context)
        }
        (Part::RequestHeader, "referer") if origins(pair).is_some_and(|(one, two)| one == two) => {
            Some(Significance::Context)
        }
        (Part::RequestHeader, "content-type") if only_boundary_differs(pair) => Some(Significance::Noise),
        _ => None,
    }
}

/// One more thing to know about the difference.
pub(crate) fn of(scene: &Scene<'_>, pair: &Pair<'_>) -> Option<String> {
    if let Some((baseline, this)) = pair.kinds {
        return Some(format!("{} instead of {}", this.as_str(), baseline.as_str()));
    }
    match (pair.part, &*pair.name) {
        (Part::Claim, name) => claim_note(scene, name, pair),
        (Part::RequestHeader, "authorization" | "proxy-authorization") => authorization_note(scene, pair),
        (Part::RequestHeader, "content-type") if only_boundary_differs(pair) => {
            Some("only the boundary differs".into())
        }
        (Part::RequestHeader, "referer") => origins(pair).map(|(one, two)| {
            if one == two { "another page of the same origin".into() } else { "another origin".into() }
        }),
        (Part::ResponseHeader, name) => {
            name.strip_prefix("set-cookie:").map(|cookie| format!("cookie {cookie}"))
        }
        _ => None,
    }
}

fn base(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, name)| name)
}

fn claim_verdict(scene: &Scene<'_>, name: &str, pair: &Pair<'_>) -> Option<Significance> {
    let this = pair.this.as_deref();
    match base(name) {
        "exp" => this
            .and_then(number)
            .map(|exp| if exp <= now(scene) { Significance::Suspect } else { Significance::Noise }),
        "nbf" => this
            .and_then(number)
            .map(|nbf| if nbf > now(scene) { Significance::Suspect } else { Significance::Noise }),
        "scope" | "scp" | "scopes" | "permissions" | "roles" | "groups"
            if pair.kind == DifferenceKind::Changed =>
        {
            let (lacks, _) = words_between(pair)?;
            (!lacks.is_empty()).then_some(Significance::Suspect)
        }
        _ => None,
    }
}

fn claim_note(scene: &Scene<'_>, name: &str, pair: &Pair<'_>) -> Option<String> {
    let this = pair.this.as_deref();
    match base(name) {
        "exp" => this.and_then(number).map(|exp| lifetime(exp, now(scene))),
        "nbf" => this
            .and_then(number)
            .filter(|nbf| *nbf > now(scene))
            .map(|nbf| format!("not valid before {} from the request", span(nbf - now(scene)))),
        "scope" | "scp" | "scopes" | "permissions" | "roles" | "groups" => {
            let (lacks, has) = words_between(pair)?;
            match (lacks.is_empty(), has.is_empty()) {
                (false, true) => Some(format!("lacks {}", lacks.join(", "))),
                (true, false) => Some(format!("also has {}", has.join(", "))),
                (false, false) => Some(format!("lacks {}; has {} instead", lacks.join(", "), has.join(", "))),
                (true, true) => Some("the same words in another order".into()),
            }
        }
        _ => None,
    }
}

/// `expired 3 h 5 min before this request`, `valid for another 5.0 s`.
pub(crate) fn lifetime(exp: i64, now: i64) -> String {
    if exp <= now {
        format!("expired {} before this request", span(now - exp))
    } else {
        format!("valid for another {}", span(exp - now))
    }
}

fn span(seconds: i64) -> String {
    let words = in_words(seconds.saturating_mul(1_000_000_000));
    words.strip_suffix(" before").map_or_else(|| "0 s".to_owned(), str::to_owned)
}

/// When the request was sent, in seconds since the epoch.
pub(crate) fn now(scene: &Scene<'_>) -> i64 {
    scene.this.exchange.started().seconds()
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.split('.').next()?.parse().ok()
}

/// Words that only the baseline has, and words that only this one has.
fn words_between(pair: &Pair<'_>) -> Option<(Vec<String>, Vec<String>)> {
    let before = words(pair.baseline.as_deref().unwrap_or_default());
    let now = words(pair.this.as_deref().unwrap_or_default());
    let only = |one: &[String], two: &[String]| -> Vec<String> {
        one.iter().filter(|word| !two.contains(word)).take(16).cloned().collect()
    };
    (before.len() + now.len() < 2_000).then(|| (only(&before, &now), only(&now, &before)))
}

fn words(text: &[u8]) -> Vec<String> {
    match serde_json::from_slice(text) {
        Ok(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => String::from_utf8_lossy(text)
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

fn authorization_note(scene: &Scene<'_>, pair: &Pair<'_>) -> Option<String> {
    if pair.kind != DifferenceKind::Changed {
        return None;
    }
    let before = Authorization::parse(pair.baseline.as_deref()?);
    let now = Authorization::parse(pair.this.as_deref()?);
    let same_caller = scene.this.principal.is_some() && scene.this.principal == scene.baseline.principal;
    Some(match (&before, &now) {
        _ if before.scheme() != now.scheme() => {
            let name = |scheme: &str| {
                if scheme.is_empty() { "no scheme".to_owned() } else { format!("scheme {scheme}") }
            };
            format!("{} instead of {}", name(&now.scheme()), name(&before.scheme()))
        }
        (Authorization::Basic { user: Some(one) }, Authorization::Basic { user: Some(two) })
            if one == two =>
        {
            "the same user with another password".into()
        }
        (Authorization::Basic { user: Some(one) }, Authorization::Basic { user: Some(two) }) => {
            format!("user {two} instead of {one}")
        }
        (Authorization::Aws4(one), Authorization::Aws4(two)) => aws(one, two),
        (Authorization::Bearer { .. }, _) if same_caller => "another token of the same subject".into(),
        _ if scene.caller_succeeds() => "this caller also succeeds here".into(),
        _ => return None,
    })
}

fn aws(
    one: &crate::features::authorization::Aws4<'_>,
    two: &crate::features::authorization::Aws4<'_>,
) -> String {
    let mut notes = Vec::new();
    let text = String::from_utf8_lossy;
    if one.access_key != two.access_key {
        notes.push("another access key".to_owned());
    }
    if (one.region, one.service) != (two.region, two.service) {
        notes.push(format!(
            "scope {}/{} instead of {}/{}",
            text(two.region),
            text(two.service),
            text(one.region),
            text(one.service)
        ));
    }
    if one.signed_headers != two.signed_headers {
        notes.push(format!("signs {} instead of {}", text(two.signed_headers), text(one.signed_headers)));
    }
    if notes.is_empty() { "the same key with another signature".into() } else { notes.join(", ") }
}

fn only_boundary_differs(pair: &Pair<'_>) -> bool {
    let media = |value: &Option<std::borrow::Cow<'_, [u8]>>| {
        let media = MediaType::parse(value.as_deref()?)?;
        Some((
            media.essence.to_ascii_lowercase(),
            media.charset().map(str::to_ascii_lowercase),
            media.boundary()?.len(),
        ))
    };
    media(&pair.baseline)
        .is_some_and(|one| media(&pair.this).is_some_and(|two| one.0 == two.0 && one.1 == two.1))
}

/// `scheme://host` of both values.
fn origins(pair: &Pair<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let origin = |value: &[u8]| {
        let host = memchr::memmem::find(value, b"://")? + 3;
        let end = value.iter().skip(host).position(|byte| matches!(byte, b'/' | b'?' | b'#'));
        Some(value.get(..end.map_or(value.len(), |end| host + end))?.to_ascii_lowercase())
    };
    Some((origin(pair.baseline.as_deref()?)?, origin(pair.this.as_deref()?)?))
}
