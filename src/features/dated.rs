//! Dates that stand inside values: `0x54…,24 Nov 2026 08:02:08 -0000`, `1795333921`, `2026-11-24T08:02:08Z`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Bytes of a value that are looked at.
const LIMIT: usize = 256;
/// Seconds since the epoch that are taken for a date: from 2015 to 2050.
const PLAUSIBLE: std::ops::Range<i64> = 1_420_000_000..2_524_000_000;

/// The first date in `value`, in seconds since the epoch.
pub fn date_within(value: &[u8]) -> Option<i64> {
    let value = value.get(..LIMIT.min(value.len()))?;
    let text = std::str::from_utf8(value).ok()?;
    epoch(text).or_else(|| iso(text)).or_else(|| words(text))
}

/// Ten or thirteen digits on their own.
fn epoch(text: &str) -> Option<i64> {
    let runs = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let numbers =
        runs.filter(|run| matches!(run.len(), 10 | 13) && run.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = |run: &str| run.get(..10)?.parse::<i64>().ok();
    numbers.filter_map(seconds).find(|seconds| PLAUSIBLE.contains(seconds))
}

fn iso(text: &str) -> Option<i64> {
    let at = text.find("20").filter(|at| text.as_bytes().get(at + 10) == Some(&b'T'))?;
    let time = DateTime::strptime("%Y-%m-%dT%H:%M:%S", text.get(at..at + 19)?).ok()?;
    seconds(time)
}

/// `24 Nov 2026 08:02:08`, in UTC.
fn words(text: &str) -> Option<i64> {
    let colon = text.find(':')?;
    let start = colon.checked_sub(14)?;
    let time =
        DateTime::strptime("%d %b %Y %H:%M:%S", text.get(start..colon + 6)?.trim_start_matches([',', ' ']))
            .ok()?;
    seconds(time)
}

fn seconds(time: DateTime) -> Option<i64> {
    let seconds = time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    PLAUSIBLE.contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::date_within;

    #[test]
    fn dates_are_found_inside_values() {
        for text in [
            "0x545C237C3D1C,24 Nov 2026 08:02:08 -0000",
            "v1.1795507328.abcdef",
            "1795507328000",
            "s=2026-11-24T08:02:08Z;x",
        ] {
            assert_eq!(date_within(text.as_bytes()), Some(1_795_507_328), "{text}");
        }
        for text in ["", "12:30", "0123456789", "abc1795507328", "99 Foo 2026 08:02:08", "\u{e9}:00:00"] {
            assert_eq!(date_within(text.as_bytes()), None, "{text}");
        }
    }
}
