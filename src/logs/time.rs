//! Times as logs write them.

use std::sync::LazyLock;

use jiff::civil;
use jiff::tz::Offset;
use regex::{Captures, Regex};

const SECOND: i64 = 1_000_000_000;
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Bytes at the start of a record in which its time is looked for.
const HEAD: usize = 512;

/// An instant in a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LogTime {
    /// Nanoseconds since the Unix epoch; read as UTC where the log names no zone.
    pub(super) nanos: i64,
    /// The smallest step that the log's clock shows, in nanoseconds.
    pub(super) step: i64,
}

static ISO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?P<y>\d{4})[-/](?P<mo>\d\d)[-/](?P<d>\d\d)[T ](?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?(?: ?(?P<z>Z|[+-]\d\d:?\d\d))?").ok()
});
static CLF: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?P<d>\d{1,2})[/ -](?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[/ -](?P<y>\d{4})[: ](?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?(?: (?P<z>Z|[+-]\d\d:?\d\d))?").ok()
});
static CTIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?P<mon>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec) +(?P<d>\d{1,2}) (?P<h>\d\d):(?P<mi>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))?(?: (?P<y>\d{4}))?").ok()
});

/// The first time in `text`; `year` stands in where the log writes none (RFC 3164).
pub(super) fn find(text: &str, year: i16) -> Option<LogTime> {
    let mut end = HEAD.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text.get(..end)?;
    if !head.bytes().any(|byte| byte == b':') {
        return None;
    }
    [&*ISO, &*CLF, &*CTIME]
        .into_iter()
        .flatten()
        .filter_map(|regex| regex.captures(head))
        .min_by_key(|captures| captures.get(0).map_or(usize::MAX, |whole| whole.start()))
        .and_then(|captures| read(&captures, year))
}

/// A number of seconds, milliseconds, microseconds or nanoseconds since the epoch, told apart by their size.
pub(super) fn epoch(number: f64) -> Option<LogTime> {
    let (scale, step) = match number {
        n if !(1e9..1e20).contains(&n) => return None,
        n if n < 1e11 => (1e9, if number.fract() == 0.0 { SECOND } else { 1_000_000 }),
        n if n < 1e14 => (1e6, 1_000_000),
        n if n < 1e17 => (1e3, 1_000),
        _ => (1.0, 1),
    };
    Some(LogTime { nanos: (number * scale) as i64, step })
}

fn read(captures: &Captures<'_>, year: i16) -> Option<LogTime> {
    let number = |name: &str| captures.name(name).and_then(|text| text.as_str().parse::<i8>().ok());
    let month = match captures.name("mon") {
        Some(name) => {
            let name = name.as_str().to_ascii_lowercase();
            i8::try_from(MONTHS.iter().position(|month| *month == name)? + 1).ok()?
        }
        None => number("mo")?,
    };
    let year = captures.name("y").map_or(Some(year), |text| text.as_str().parse().ok())?;
    let fraction = captures.name("f").map_or("", |text| text.as_str());
    let nanos: i32 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    let local = civil::Date::new(year, month, number("d")?)
        .ok()?
        .to_datetime(civil::Time::new(number("h")?, number("mi")?, number("s")?.min(59), nanos).ok()?);
    let instant = Offset::UTC.to_timestamp(local).ok()?;
    let nanos = i64::try_from(instant.as_nanosecond()).ok()?;
    let zone = captures.name("z").map_or(0, |zone| offset(zone.as_str()));
    let step = 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?.min(9));
    Some(LogTime { nanos: nanos - zone * SECOND, step })
}

/// Seconds east of UTC: `Z`, `+0200`, `-05:30`.
fn offset(zone: &str) -> i64 {
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    let number =
        |from: usize| digits.get(from..from + 2).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    let seconds = number(0) * 3600 + number(2) * 60;
    if zone.starts_with('-') { -seconds } else { seconds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_of_many_servers_give_one_instant() {
        let base = 1_795_336_157 * SECOND;
        for (text, nanos, step) in [
            ("[22/Nov/2026:08:29:17 +0000] \"POST", 0, SECOND),
            ("[22/Nov/2026:10:29:17 +0200] \"POST", 0, SECOND),
            ("web [22/Nov/2026:08:29:17.333] web", 333_000_000, 1_000_000),
            ("[Sun Nov 22 08:29:17.315321 2026] [core:error]", 315_321_000, 1_000),
            ("2026/11/22 08:29:17 [error] 451#451", 0, SECOND),
            ("2026-11-22T08:29:17.5Z denied", 500_000_000, 100_000_000),
            ("2026-11-22 03:29:17,042-05:00 WARN", 42_000_000, 1_000_000),
            ("Nov 22 08:29:17 box app[1]: denied", 0, SECOND),
            ("<13>Nov 22 08:29:17 box app", 0, SECOND),
            ("[22/Nov/2026 08:29:17] \"POST", 0, SECOND),
        ] {
            assert_eq!(find(text, 2026), Some(LogTime { nanos: base + nanos, step }), "{text}");
        }
    }

    #[test]
    fn text_without_a_time_gives_none() {
        for text in
            ["Forbidden: /api/notes/", "", "ForbiddenError: invalid csrf token", "99/Nov/2026:99:99:99"]
        {
            assert_eq!(find(text, 2026), None, "{text}");
        }
    }

    #[test]
    fn numbers_since_the_epoch_are_told_apart_by_size() {
        for number in [1_795_336_157.5, 1_795_336_157_500.0, 1_795_336_157_500_000.0] {
            assert_eq!(epoch(number).map(|time| time.nanos), Some(1_795_336_157_500_000_000), "{number}");
        }
        assert_eq!(epoch(403.0), None);
    }
}
