//! Numbers with ranges, comparisons, classes and units.

/// Inclusive ranges, any of which may hold a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) Vec<(i64, i64)>);

impl Numbers {
    /// Whether `number` is in any of the ranges.
    pub(crate) fn contains(&self, number: i64) -> bool {
        self.0.iter().any(|(low, high)| (*low..=*high).contains(&number))
    }
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Plain numbers, the least of which is given.
    Plain(i64),
    /// Three-digit status codes with classes (`4xx`).
    Status,
    /// Bytes: `8k`, `1MiB`.
    Bytes,
    /// Nanoseconds: `500ms`, `2s`; milliseconds without a unit.
    Time,
}

/// The range that a sign before a number means, given the least number there is.
type Compare = fn(i64, i64) -> (i64, i64);

/// `403`, `4xx`, `400-499`, `400..499`, `>=400`, `<500ms`. `None` when it is none of these.
pub(crate) fn range(text: &str, unit: Unit) -> Option<(i64, i64)> {
    let least = match unit {
        Unit::Plain(least) => least,
        Unit::Status => 100,
        Unit::Bytes => 0,
        Unit::Time => i64::MIN + 1,
    };
    let comparisons: [(&str, Compare); 5] = [
        (">=", |number, _| (number, i64::MAX)),
        ("<=", |number, least| (least, number)),
        (">", |number, _| (number.saturating_add(1), i64::MAX)),
        ("<", |number, least| (least, number.saturating_sub(1))),
        ("=", |number, _| (number, number)),
    ];
    for (sign, range) in comparisons {
        if let Some(rest) = text.strip_prefix(sign) {
            return Some(range(number(rest, unit)?, least));
        }
    }
    if unit == Unit::Status && text == "none" {
        return Some((0, 0));
    }
    if let Some(class) =
        text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")).filter(|_| unit == Unit::Status)
    {
        let class: i64 = class.parse().ok().filter(|class| (1..=9).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    if let Some((low, high)) = text.split_once("..").or_else(|| text.split_once('-')) {
        let low = if low.is_empty() { least } else { number(low, unit)? };
        let high = if high.is_empty() { i64::MAX } else { number(high, unit)? };
        return (low <= high && text.len() > 2).then_some((low, high));
    }
    let number = number(text, unit)?;
    Some((number, number))
}

fn number(text: &str, unit: Unit) -> Option<i64> {
    let text = text.trim();
    match unit {
        Unit::Plain(_) => text.parse().ok(),
        Unit::Status => text.parse().ok().filter(|code| (0..=999).contains(code)),
        Unit::Bytes => scaled(
            text,
            &[
                ("", 1),
                ("b", 1),
                ("k", 1 << 10),
                ("kb", 1 << 10),
                ("kib", 1 << 10),
                ("m", 1 << 20),
                ("mb", 1 << 20),
                ("mib", 1 << 20),
                ("g", 1 << 30),
                ("gb", 1 << 30),
                ("gib", 1 << 30),
            ],
        ),
        Unit::Time => scaled(text, &[("", 1_000_000)]).or_else(|| span(text)),
    }
}

/// `90s`, `5m`, `1.5h`, `2d`, `500ms`, `10us` in nanoseconds.
pub(crate) fn span(text: &str) -> Option<i64> {
    scaled(
        text,
        &[
            ("ns", 1),
            ("us", 1_000),
            ("µs", 1_000),
            ("ms", 1_000_000),
            ("s", 1_000_000_000),
            ("m", 60_000_000_000),
            ("min", 60_000_000_000),
            ("h", 3_600_000_000_000),
            ("d", 86_400_000_000_000),
        ],
    )
}

fn scaled(text: &str, units: &[(&str, i64)]) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = unit.to_lowercase();
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(factor);
    }
    let number: f64 = number.parse().ok()?;
    Some((number * factor as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::{Unit, range};

    #[test]
    fn reads_ranges() {
        for (text, unit, expected) in [
            ("403", Unit::Status, Some((403, 403))),
            ("4xx", Unit::Status, Some((400, 499))),
            ("400-499", Unit::Status, Some((400, 499))),
            ("400..404", Unit::Status, Some((400, 404))),
            (">=400", Unit::Status, Some((400, i64::MAX))),
            ("<400", Unit::Status, Some((100, 399))),
            ("none", Unit::Status, Some((0, 0))),
            ("0xx", Unit::Status, None),
            ("4x", Unit::Status, None),
            ("abc", Unit::Status, None),
            ("1000", Unit::Status, None),
            ("9-1", Unit::Status, None),
            ("", Unit::Status, None),
            ("-", Unit::Status, None),
            (">8k", Unit::Bytes, Some((8193, i64::MAX))),
            ("1.5MiB", Unit::Bytes, Some((1_572_864, 1_572_864))),
            (">500ms", Unit::Time, Some((500_000_001, i64::MAX))),
            ("1s-2s", Unit::Time, Some((1_000_000_000, 2_000_000_000))),
            ("250", Unit::Time, Some((250_000_000, 250_000_000))),
            ("10..", Unit::Plain(0), Some((10, i64::MAX))),
            ("99999999999999999999", Unit::Plain(0), None),
        ] {
            assert_eq!(range(text, unit), expected, "{text}");
        }
    }
}
