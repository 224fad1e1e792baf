//! Text for a screen: widths, cutting with a sign, numbers for people.

use unicode_width::UnicodeWidthChar;

/// Columns that `text` takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(|letter| letter.width().unwrap_or(0)).sum() }
}

/// The longest start of `text` that takes at most `columns`.
pub fn head(text: &str, columns: usize) -> &str {
    if text.is_ascii() {
        return text.get(..columns).unwrap_or(text);
    }
    let mut used = 0;
    for (at, letter) in text.char_indices() {
        used += letter.width().unwrap_or(0);
        if used > columns {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

/// The longest end of `text` that takes at most `columns`.
pub fn tail(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, letter) in text.char_indices().rev() {
        used += letter.width().unwrap_or(0);
        if used > columns {
            return text.get(at + letter.len_utf8()..).unwrap_or(text);
        }
    }
    text
}

/// As many of the parts of `text`, which commas separate, as fit into `columns`; one at least.
pub fn fit_parts(text: &str, columns: usize) -> &str {
    let mut fitting = text;
    while width(fitting) > columns
        && let Some((fewer, _)) = fitting.rsplit_once(", ")
    {
        fitting = fewer;
    }
    fitting
}

/// The end of a host's name that fits into `columns`, from one of its dots on; empty when no label fits.
pub fn labels(host: &str, columns: usize) -> &str {
    let tail = tail(host, columns);
    if tail.len() == host.len() {
        host
    } else {
        tail.find('.').and_then(|at| tail.get(at..)).unwrap_or_default()
    }
}

/// `text` within `columns`, its end replaced by `sign` when it is cut.
pub fn fit(text: &str, columns: usize, sign: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(sign));
    format!("{}{}", head(text, room), head(sign, columns))
}

/// `text` within `columns`, its middle replaced by `sign` when it is cut, because a path's end says the most.
pub fn fit_middle(text: &str, columns: usize, sign: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(sign));
    let back = room * 3 / 5;
    format!("{}{}{}", head(text, room - back), head(sign, columns), tail(text, back))
}

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `512 B`, `34 KiB`, `1.2 GiB`.
pub fn bytes(number: u64) -> String {
    scaled(number as f64, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
}

/// `850`, `12k`, `1.2M`: at most four columns or so.
pub fn short(number: u64) -> String {
    scaled(number as f64, 1000.0, &["", "k", "M", "G", "T"]).replace(' ', "")
}

fn scaled(number: f64, step: f64, units: &[&str]) -> String {
    let (mut value, mut unit) = (number, 0);
    while value >= step - 0.5 && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let name = units.get(unit).copied().unwrap_or_default();
    if unit > 0 && value < 9.95 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

/// `850 µs`, `1.2 ms`, `35 ms`, `2.1 s`, `4 min`, `3 h`, `2 d`, for nanoseconds.
pub fn duration(nanos: i64) -> String {
    let (sign, nanos) = if nanos < 0 { ("-", nanos.unsigned_abs()) } else { ("", nanos.unsigned_abs()) };
    let (unit, name) = match nanos {
        0..1_000_000 => (1_000.0, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        1_000_000_000..120_000_000_000 => (1e9, "s"),
        120_000_000_000..7_200_000_000_000 => (6e10, "min"),
        7_200_000_000_000..172_800_000_000_000 => (3.6e12, "h"),
        _ => (8.64e13, "d"),
    };
    let value = nanos as f64 / unit;
    let digits = usize::from(value < 9.95 && matches!(name, "ms" | "s"));
    format!("{sign}{value:.digits$} {name}")
}

/// How long ago something was, in whole units, so that it reads the same within a second: `just now`, `7 s ago`, `4 min ago`.
pub fn ago(nanos: i64) -> String {
    match nanos / 1_000_000_000 {
        ..1 => "just now".to_owned(),
        seconds @ 1..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

/// One sign a count; `peak` is full, and whatever is not zero is seen.
pub fn spark(counts: &[u32], peak: u32, levels: &[&str; 9]) -> String {
    let highest = u64::from(peak.max(1));
    let level = |count: &u32| (u64::from(*count) * 8).div_ceil(highest).min(8) as usize;
    counts.iter().map(|count| levels.get(level(count)).copied().unwrap_or(" ")).collect()
}

/// `1 match`, `2 matches`.
pub fn plural(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::{ago, bytes, count, duration, fit, fit_middle, fit_parts, labels, short, width};

    #[test]
    fn cuts_by_columns_and_says_so() {
        assert_eq!(fit("/v1/users", 9, "…"), "/v1/users");
        assert_eq!(fit("/v1/users", 8, "…"), "/v1/use…");
        assert_eq!(fit("日本語", 5, "…"), "日本…");
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit_middle("/v1/users/7/profile", 11, "…"), "/v1/…rofile");
        assert!(width(&fit_middle("日本語日本語日本語", 8, "…")) <= 8);
        assert_eq!(fit("abc", 0, "…"), "");
    }

    #[test]
    fn parts_and_labels_are_left_out_as_a_whole() {
        for (columns, expected) in [(9, "a, bb, cc"), (8, "a, bb"), (4, "a"), (0, "a")] {
            assert_eq!(fit_parts("a, bb, cc", columns), expected);
        }
        for (columns, expected) in [(9, "api.a.dev"), (8, ".a.dev"), (5, ".dev"), (3, ""), (0, "")] {
            assert_eq!(labels("api.a.dev", columns), expected);
        }
        assert_eq!(labels("localhost", 8), "");
    }

    #[test]
    fn sparklines_of_one_column_have_one_scale() {
        let levels = ["0", "1", "2", "3", "4", "5", "6", "7", "8"];
        assert_eq!(super::spark(&[0, 1, 8, 16], 16, &levels), "0148");
        assert_eq!(super::spark(&[3, 3, 3], 240, &levels), "111", "few are no solid block beside many");
        assert_eq!(super::spark(&[9], 0, &levels), "8");
    }

    #[test]
    fn numbers_read_easily() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(256 << 20), "256 MiB");
        assert_eq!(short(999), "999");
        assert_eq!(short(12_300), "12k");
        let ages = [0, 999_999_999, 1_500_000_000, 120_000_000_000, 7_200_000_000_000, 172_800_000_000_000];
        assert_eq!(ages.map(ago), ["just now", "just now", "1 s ago", "2 min ago", "2 h ago", "2 d ago"]);
        assert_eq!(duration(1_250_000), "1.2 ms");
        assert_eq!(duration(850_000), "850 µs");
        assert_eq!(duration(-3_000_000_000), "-3.0 s");
        assert_eq!(duration(7_200_000_000_000), "2 h");
    }
}
