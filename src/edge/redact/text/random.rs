//! Whether a value looks as if a machine had drawn it: the mark of keys and tokens that no name announces.

/// Longest value that is judged; its beginning speaks for the rest.
const JUDGED: usize = 128;

/// Whether `value` looks like a key or a token: one word of letters and digits that change often.
pub(in crate::edge::redact) fn looks_random(value: &[u8]) -> bool {
    if value.len() < 12 {
        return false;
    }
    let judged = value.get(..JUDGED).unwrap_or(value);
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_+/=.~".contains(byte);
    if !judged.iter().all(fits) || judged.first() == Some(&b'/') {
        return false;
    }
    let (mut changes, mut upper, mut lower) = (0, false, false);
    for pair in judged.windows(2) {
        let [a, b] = pair else { continue };
        changes += usize::from(
            a.is_ascii_alphabetic() && b.is_ascii_digit() || a.is_ascii_digit() && b.is_ascii_alphabetic(),
        );
        upper |= a.is_ascii_uppercase();
        lower |= a.is_ascii_lowercase();
    }
    changes >= 3 || changes >= 2 && upper && lower
}

/// Whether `value` looks random and is neither a UUID nor a hash or number in hexadecimal: those identify things.
pub(in crate::edge::redact) fn looks_like_key(value: &[u8]) -> bool {
    looks_random(value) && !value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::{looks_like_key, looks_random};

    #[test]
    fn keys_and_words_are_told_apart() {
        for key in ["zQ7Kp225AXw9TmR4vB2qL", "c2ltcGxlIHRlc3Q9", "5f4dcc3b5aa765d61d8327deb882cf99"] {
            assert!(looks_random(key.as_bytes()), "{key}");
        }
        for word in [
            "administrator",
            "orders-2024-report",
            "application/json",
            "/a1/b2/c3/d4",
            "2026-11-29T07",
            "short1",
        ] {
            assert!(!looks_random(word.as_bytes()), "{word}");
        }
        assert!(!looks_like_key(b"550e8400-e29b-41d4-a716-446655440000"));
    }
}
