//! `--since` and `--until`.

use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Nanoseconds since the epoch of `text`: RFC 3339, a date with or without a time in this machine's zone, a time of today
/// (of yesterday if that is to come), or so long ago (`2h`, `30m`).
pub(in crate::app) fn instant(text: &str, now: Timestamp) -> Result<i64, String> {
    let text = text.trim();
    let zone = TimeZone::try_system().unwrap_or(TimeZone::UTC);
    let nanos = |time: Timestamp| i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX);
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(nanos(time));
    }
    let local = |time: DateTime| zone.to_zoned(time).map(|time| time.timestamp());
    if let Ok(time) = text.parse::<DateTime>() {
        return local(time).map(nanos).map_err(|error| error.to_string());
    }
    if let Ok(time) = text.parse::<Time>() {
        let today = now.to_zoned(zone.clone()).date();
        let at = |date: jiff::civil::Date| local(date.to_datetime(time)).map_err(|error| error.to_string());
        let found = at(today)?;
        let found = if found > now { at(today.yesterday().unwrap_or(today))? } else { found };
        return Ok(nanos(found));
    }
    if let Some(ago) = ago(text).and_then(|span| now.checked_sub(span).ok()) {
        return Ok(nanos(ago));
    }
    Err(format!("'{text}' is no time; write 02:00, 2026-11-29, 2026-11-29T02:00:00Z or 2h (ago)"))
}

fn ago(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok()?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return None,
    };
    Span::new().try_seconds(number.checked_mul(seconds)?).ok()
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn times_in_every_form() {
        let now = "2026-11-29T10:00:00Z".parse().unwrap();
        let at = |text: &str| instant(text, now).unwrap() / 1_000_000_000;
        assert_eq!(at("2026-11-29T02:00:00Z"), 1_795_917_600);
        assert_eq!(at("2026-11-29T02:00:00+01:00"), 1_795_914_000);
        assert_eq!(at("2h"), 1_795_946_400 - 7200);
        assert_eq!(at("30m"), 1_795_946_400 - 1800);
        assert_eq!(at("2026-11-29") - at("2026-11-28"), 86400);
        assert!(at("02:00") <= 1_795_946_400 && at("02:00") > 1_795_946_400 - 86400);
        for text in ["", "soon", "25:00", "h", "2x", "\u{e9}"] {
            assert!(instant(text, now).is_err(), "{text}");
        }
    }
}
