//! Cookies with their attributes.

use std::borrow::Cow;

use serde::Serialize;

use super::text;
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::features::{SetCookie, cookies, set_cookies};
use crate::model::{Fields, Part, Timestamp};

/// A cookie, sent or set.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cookie<'a> {
    name: Cow<'a, str>,
    value: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_only: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secure: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_site: Option<Cow<'a, str>>,
}

/// The cookies of a request.
pub(super) fn sent<'a>(fields: &'a Fields, redactor: &Redactor) -> Vec<Cookie<'a>> {
    cookies(fields).map(|cookie| named(cookie.name, cookie.value, redactor)).collect()
}

/// The cookies that a response received `at` sets.
pub(super) fn set<'a>(fields: &'a Fields, at: Timestamp, redactor: &Redactor) -> Vec<Cookie<'a>> {
    set_cookies(fields)
        .map(|set| Cookie {
            path: set.attribute("path").map(sanitize::utf8),
            domain: set.attribute("domain").map(sanitize::utf8),
            expires: expires(&set, at),
            http_only: Some(set.attribute("httponly").is_some()),
            secure: Some(set.attribute("secure").is_some()),
            same_site: set.attribute("samesite").map(sanitize::utf8),
            ..named(set.cookie.name, set.cookie.value, redactor)
        })
        .collect()
}

fn named<'a>(name: &'a [u8], value: &'a [u8], redactor: &Redactor) -> Cookie<'a> {
    let name = sanitize::utf8(name);
    let value = text(redactor.value(Part::Cookie, &name, value));
    Cookie { name, value, ..Cookie::default() }
}

/// When the cookie ends, in ISO 8601: Max-Age goes before Expires (RFC 6265 §5.3).
fn expires(set: &SetCookie<'_>, at: Timestamp) -> Option<String> {
    let seconds = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
    if let Some(age) = set.attribute("max-age").and_then(seconds) {
        let end = at.plus(age.max(0).saturating_mul(1_000_000_000)).to_string();
        return Some(format!("{}Z", end.get(..23)?));
    }
    date(std::str::from_utf8(set.attribute("expires")?).ok()?)
}

/// A date as cookies have it, in whatever order (RFC 6265 §5.1.1).
fn date(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == ':')).filter(|token| !token.is_empty())
    {
        let number = token.parse::<i16>().ok();
        let name = token.get(..3).map(str::to_ascii_lowercase);
        let named = MONTHS.iter().position(|known| name.as_deref() == Some(known));
        if time.is_none() && token.contains(':') {
            let mut parts = token.splitn(3, ':').map(|part| part.parse::<i8>().ok());
            time = Some((parts.next()??, parts.next()??, parts.next()??));
        } else if month.is_none() && named.is_some() {
            month = named;
        } else if let Some(number) = number {
            match token.len() {
                1 | 2 if day.is_none() => day = Some(number),
                2 if year.is_none() => year = Some(number + if number < 70 { 2000 } else { 1900 }),
                4 if year.is_none() => year = Some(number),
                _ => {}
            }
        }
    }
    let (hour, minute, second) = time?;
    let (day, month) = (i8::try_from(day?).ok()?, i8::try_from(month? + 1).ok()?);
    let date = jiff::civil::DateTime::new(year?, month, day, hour, minute, second, 0).ok()?;
    Some(date.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string())
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_of_cookies() {
        let then = Some("2027-06-09T10:18:14.000Z");
        for text in [
            "Wed, 09 Jun 2027 10:18:14 GMT",
            "Wed, 09-Jun-2027 10:18:14 GMT",
            "Wednesday, 09-Jun-27 10:18:14 GMT",
            "Wed Jun  9 10:18:14 2027",
            "9 June 2027 10:18:14",
        ] {
            assert_eq!(date(text).as_deref(), then, "{text}");
        }
        for text in
            ["", "0", "never", "Wed, 31 Feb 2027 10:18:14 GMT", "Wed, 09 Jun 2027 25:00:00 GMT", "1:2"]
        {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
