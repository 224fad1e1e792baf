//! Credentials looked at without a key: form, times, signed addresses.

use crate::explain::request::names::{Name, Which};
use crate::explain::request::parsed_request::ParsedRequest;
use crate::features;
use crate::features::jwt::Token;
use crate::features::{Authorization, parameters};
use crate::knowledge::names::Trait;
use crate::model::Exchange;

/// How far a token's end lies before `now`, in seconds; `None` when it does not.
pub fn expired_for(tokens: &[Token<'_>], now: i64) -> Option<i64> {
    let ends = tokens.iter().filter_map(|token| token.jwt.seconds("exp")).map(seconds);
    ends.map(|exp| now - exp).find(|late| *late > 0)
}

/// How far in the future a token begins to be valid (`nbf`, `iat`), in seconds.
pub fn not_yet_for(tokens: &[Token<'_>], now: i64) -> Option<i64> {
    tokens.iter().find_map(|token| {
        let begins = token.jwt.seconds("nbf").or_else(|| token.jwt.seconds("iat")).map(seconds)?;
        (begins > now + 5).then_some(begins - now)
    })
}

/// Milliseconds are taken for seconds too often.
fn seconds(value: i64) -> i64 {
    if value > 100_000_000_000 { value / 1000 } else { value }
}

/// How far a signed address's end lies before the request at `now`, in seconds (`Expires`, `X-Amz-Expires`, `se`, …).
pub fn address_expired_for(now: i64, query: &[u8]) -> Option<i64> {
    let mut begun = None;
    let mut lasts = None;
    for parameter in parameters(query).take(64) {
        let name = parameter.name();
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["x-amz-date", "x-goog-date"]) {
            begun = instant(&parameter.text());
        } else if is(&["x-amz-expires", "x-goog-expires"]) {
            lasts = parameter.text().parse::<i64>().ok();
        } else if is(&["expires", "exp", "expiry", "se", "e", "valid_until", "expires_at", "deadline"]) {
            let text = parameter.text();
            let end = text.parse::<i64>().ok().map(seconds).filter(|end| *end > 1_000_000_000);
            let end = end.or_else(|| instant(&text));
            if let Some(late) = end.map(|end| now - end).filter(|late| *late > 0) {
                return Some(late);
            }
        }
    }
    let late = now - (begun? + lasts?);
    (late > 0).then_some(late)
}

/// How far in the future a signed address begins, in seconds (`st` of a shared access signature, `X-Amz-Date`, `nbf`).
pub fn address_early_for(now: i64, query: &[u8]) -> Option<i64> {
    let (mut begins, mut signed) = (None, false);
    for parameter in parameters(query).take(64) {
        let name = parameter.name();
        let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        if is(&["st", "x-amz-date", "x-goog-date", "nbf", "not_before", "valid_from"]) {
            begins = instant(&parameter.text());
        }
        signed |= is(&["sig", "signature", "x-amz-signature", "x-goog-signature", "hmac", "sign"]);
    }
    begins.map(|begins| begins - now).filter(|early| signed && *early > 5)
}

/// How far a signed time lies from the request, in seconds: positive is behind.
pub fn clock_off(exchange: &Exchange, seen: &ParsedRequest<'_>) -> Option<(String, i64)> {
    let dated = seen.fields.iter().filter(|(name, _)| is_dated(name) || is_signed(name));
    let (name, then) = dated.into_iter().find_map(|(name, value)| {
        let text = String::from_utf8_lossy(value);
        let text = text.trim();
        let then = if is_signed(name) {
            text.split([',', ';']).find_map(|part| part.trim().strip_prefix("t=")).and_then(instant)
        } else {
            instant(text)
        };
        then.map(|then| (name, then))
    })?;
    let date = exchange.response.as_ref().and_then(|response| response.head.fields().text("date"));
    let now = date.and_then(instant).or(Some(exchange.request.as_ref()?.started.seconds()))?;
    Some((name.text.to_string(), now - then))
}

fn is_dated(name: &Name) -> bool {
    name.traits.has_trait(Trait::SigningTime)
}

fn is_signed(name: &Name) -> bool {
    name.traits.has_trait(Trait::Signature)
}

/// Reads `1795333921`, milliseconds, `20261122T075201Z`, RFC 3339 and IMF-fixdate.
pub fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return Some(number as i64).filter(|number| *number > 1_000_000_000).map(seconds);
    }
    if text.len() == 16 && text.ends_with('Z') {
        let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
        return Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second());
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
    }
    let fixed = text.strip_suffix(" GMT")?;
    let time = jiff::civil::DateTime::strptime("%a, %d %b %Y %H:%M:%S", fixed).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

/// What is wrong with the form of the credential, if anything can be seen.
pub fn malformed(seen: &ParsedRequest<'_>) -> Option<String> {
    let value = seen.field(Which::Authorization)?;
    let text = String::from_utf8_lossy(value);
    let said = |what: &str| Some(format!("Authorization {what}"));
    let begins = |with: &str| text.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with));
    let one_of = |text: &str, list: &[&str]| list.iter().any(|known| text.eq_ignore_ascii_case(known));
    let rest = text.split_once(' ').map_or("", |(_, rest)| rest.trim());
    if begins("bearer bearer") || begins("basic basic") {
        return said("repeats its scheme");
    }
    if one_of(text.trim(), &["bearer", "basic", "token"]) {
        return said("has a scheme and no credential");
    }
    if features::is_placeholder(rest.as_bytes()) || rest.starts_with("${") || rest.starts_with("{{") {
        return said("holds a placeholder instead of a credential");
    }
    // OAuth 1, Digest and Hawk write quoted parameters.
    let bare = ["bearer ", "basic ", "token "].into_iter().any(begins) || !rest.contains('=');
    let quoted = |mark| rest.starts_with(mark) || rest.ends_with(mark);
    if bare && (quoted('"') || rest.starts_with('\'') || rest.starts_with('<')) {
        return said("quotes its credential");
    }
    let decoded = |raw: &[u8]| {
        seen.tokens.iter().any(|token| std::ptr::eq(token.raw, raw)) || features::Jwt::decode(raw).is_some()
    };
    match Authorization::parse(value) {
        Authorization::Basic { user: None } => said("is not base64 of user:password"),
        Authorization::Bearer { token } if token.contains(&b' ') || token.contains(&b',') => {
            said("has white space inside the token")
        }
        Authorization::Bearer { token } if token.starts_with(b"eyJ") && !decoded(token) => {
            said("holds a JWT that cannot be decoded (cut or altered)")
        }
        Authorization::Other { scheme: b"", rest } if rest.starts_with(b"eyJ") => {
            said("holds a bare token without a scheme")
        }
        _ => None,
    }
}

/// Whether the first token names no signing algorithm.
pub fn unsigned(tokens: &[Token<'_>]) -> bool {
    tokens.first().is_some_and(|token| {
        let algorithm = token.jwt.header.get("alg").and_then(|alg| alg.as_str()).unwrap_or_default();
        algorithm.eq_ignore_ascii_case("none") || !token.jwt.signed
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::fixture::exchanges;

    #[test]
    fn times_in_every_usual_form() {
        for text in [
            "1795333921",
            "1795333921000",
            "20261122T075201Z",
            "2026-11-22T07:52:01Z",
            "Sun, 22 Nov 2026 07:52:01 GMT",
        ] {
            assert_eq!(instant(text), Some(1_795_333_921), "{text}");
        }
        for text in ["", "12", "soon", "20261399T999999Z"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn expiry_of_tokens_and_addresses() {
        let expired =
            &exchanges("POST /x?expires={time -60}\nAuthorization: Bearer {jwt sub=a exp=-3600}\n--- 403\n")
                [0];
        let request = expired.request.as_ref().unwrap();
        let now = request.started.seconds();
        assert_eq!(expired_for(&features::tokens(request), now), Some(3600));
        assert_eq!(address_expired_for(now, features::Target::of(&request.head).query()), Some(60));
        let fresh =
            &exchanges("POST /x?expires={time +60}\nAuthorization: Bearer {jwt sub=a exp=+3600}\n--- 403\n")
                [0];
        assert_eq!(expired_for(&features::tokens(fresh.request.as_ref().unwrap()), now), None);
        assert_eq!(
            address_expired_for(now, features::Target::of(&fresh.request.as_ref().unwrap().head).query()),
            None
        );
    }

    #[test]
    fn a_signed_address_may_begin_later() {
        let early = |query: &str| address_early_for(1_795_333_921, query.as_bytes());
        assert_eq!(early("sv=2020-08-04&st=2026-11-22T08:02:01Z&sp=a&sig=x"), Some(600));
        assert_eq!(early("X-Amz-Date=20261122T080201Z&X-Amz-Signature=x"), Some(600));
        for query in ["st=2026-11-22T07:50:00Z&sig=x", "st=2026-11-22T08:02:01Z", "st=soon&sig=x", ""] {
            assert_eq!(early(query), None, "{query}");
        }
    }

    #[test]
    fn forms_of_credentials() {
        for (value, wrong) in [
            ("Bearer abc", false),
            ("Bearer Bearer abc", true),
            ("Bearer undefined", true),
            ("Basic !!!", true),
            ("Basic YWRhOmFwdw==", false),
            ("Bearer \"abc\"", true),
            ("Bearer", true),
            ("Bearer eyJhbGciOi", true),
        ] {
            let exchange = &exchanges(&format!("POST /x\nAuthorization: {value}\n--- 403\n"))[0];
            assert_eq!(
                malformed(&ParsedRequest::of(exchange.request.as_ref().unwrap())).is_some(),
                wrong,
                "{value}"
            );
        }
    }
}
