//! Sizes in bytes: `256MiB`, `64k`, `1000`. Units are powers of 1024.

const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

/// Reads a size.
pub fn parse(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err(format!("unknown unit '{}'; write a size such as 64KiB or 256MiB", unit.trim())),
    };
    let number: u64 = digits.parse().map_err(|_| "write a size such as 64KiB or 256MiB".to_owned())?;
    number.checked_mul(1 << shift).ok_or_else(|| "that is more than any machine has".to_owned())
}

/// Reads a size as tcpdump's `-C` has it: a number without a unit counts millions of bytes.
pub fn parse_millions(text: &str) -> Result<u64, String> {
    let bytes = match text.trim().parse::<u64>() {
        Ok(millions) => {
            millions.checked_mul(1_000_000).ok_or_else(|| "that is more than any disk has".to_owned())?
        }
        Err(_) => parse(text)?,
    };
    if bytes == 0 {
        Err("a file of no bytes holds nothing; write a size such as 100 or 64MiB".to_owned())
    } else {
        Ok(bytes)
    }
}

/// A size as [`parse`] reads it, exact.
pub fn show(bytes: u64) -> String {
    UNITS
        .iter()
        .find(|(_, shift)| bytes > 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(|| bytes.to_string(), |(unit, shift)| format!("{}{unit}", bytes >> shift))
}

#[cfg(test)]
mod tests {
    use super::{parse, parse_millions, show};

    #[test]
    fn millions_as_tcpdump_counts_them() {
        assert_eq!(parse_millions("100"), Ok(100_000_000));
        assert_eq!(parse_millions("64MiB"), Ok(64 << 20));
        for wrong in ["0", "0k", "x", "99999999999999999"] {
            assert!(parse_millions(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reads_and_shows() {
        for (text, bytes, shown) in [
            ("256MiB", 256 << 20, "256MiB"),
            ("64k", 64 << 10, "64KiB"),
            (" 1000 ", 1000, "1000"),
            ("2 gb", 2 << 30, "2GiB"),
            ("0", 0, "0"),
        ] {
            assert_eq!(parse(text), Ok(bytes));
            assert_eq!(show(bytes), shown);
        }
        for wrong in ["", "k", "16 apples", "-1", "99999999999g"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
