//! Instants as people type them: `5m` ago, `07:52` today, `2026-11-22T07:52:01Z`. All in UTC, relative to capture time.

use crate::filter::values::number::span;
use crate::model::Timestamp;

const DAY: i64 = 86_400_000_000_000;

/// An instant, resolved when the filter runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// Nanoseconds before now.
    Ago(i64),
    /// Nanoseconds since midnight, UTC; yesterday's when that is still to come.
    Clock(i64),
    /// Exactly then.
    At(i64),
}

impl When {
    /// Reads an instant.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(nanos) = span(text) {
            return Some(Self::Ago(nanos));
        }
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return i64::try_from(instant.as_nanosecond()).ok().map(Self::At);
        }
        if let Ok(civil) = text.parse::<jiff::civil::DateTime>() {
            let zoned = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            return i64::try_from(zoned.timestamp().as_nanosecond()).ok().map(Self::At);
        }
        let mut parts = text.split(':');
        let (hour, minute) = (parts.next()?.parse::<i64>().ok()?, parts.next()?.parse::<i64>().ok()?);
        let second = parts.next().map_or(Some(0), |second| second.parse().ok())?;
        let fits = hour < 24 && minute < 60 && second < 60 && hour >= 0 && minute >= 0 && second >= 0;
        (fits && parts.next().is_none())
            .then_some(Self::Clock(((hour * 60 + minute) * 60 + second) * 1_000_000_000))
    }
    /// The instant, given that it is `now`.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(nanos) => now.plus(nanos.saturating_neg()),
            Self::At(nanos) => Timestamp(nanos),
            Self::Clock(nanos) => {
                let today = now.0.div_euclid(DAY).saturating_mul(DAY).saturating_add(nanos);
                Timestamp(if today > now.0 { today.saturating_sub(DAY) } else { today })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::When;
    use crate::model::Timestamp;

    #[test]
    fn resolves_instants() {
        let now = Timestamp::from_parts(1_795_333_921, 0);
        for (text, expected) in [
            ("5m", "2026-11-22T07:47:01.000000Z"),
            ("1.5h", "2026-11-22T06:22:01.000000Z"),
            ("07:30", "2026-11-22T07:30:00.000000Z"),
            ("07:30:10", "2026-11-22T07:30:10.000000Z"),
            ("23:00", "2026-11-21T23:00:00.000000Z"),
            ("2026-11-22T07:00:00Z", "2026-11-22T07:00:00.000000Z"),
            ("2026-11-22T07:00", "2026-11-22T07:00:00.000000Z"),
            ("2026-11-21", "2026-11-21T00:00:00.000000Z"),
        ] {
            assert_eq!(When::parse(text).unwrap().resolve(now).to_string(), expected, "{text}");
        }
        for bad in ["", "5", "5x", "25:00", "1:2:3:4", "-1:00", "yesterday"] {
            assert_eq!(When::parse(bad), None, "{bad}");
        }
    }
}
