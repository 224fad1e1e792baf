//! Numbers with a check digit: payment cards (Luhn) and bank accounts (IBAN, ISO 13616).

use std::ops::Range;

use crate::edge::redact::{Secret, push};
use crate::step_counter;

/// Digits of a card's number.
const CARD: Range<usize> = 13..20;
/// Letters and digits of an IBAN.
const IBAN: Range<usize> = 15..35;

/// Adds the numbers of cards and accounts in `text`.
pub(super) fn find(text: &[u8], out: &mut Vec<Secret>) {
    let mut at = 0;
    // Both have four digits or more in a row somewhere, so that every fourth byte is looked at.
    while let Some(byte) = text.get(at + 3) {
        if !byte.is_ascii_digit() {
            at += 4;
            continue;
        }
        let mut start = at + 3;
        while start > at && text.get(start - 1).is_some_and(u8::is_ascii_digit) {
            start -= 1;
        }
        at = number(text, start, out).max(at + 4);
    }
}

/// Looks at the number that begins at `start` with its groups; returns where to go on.
fn number(text: &[u8], start: usize, out: &mut Vec<Secret>) -> usize {
    if let Some(range) = iban(text, start) {
        let end = range.end;
        push(out, range, &[b"iban"]);
        return end;
    }
    let begins = start.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|byte| !joins(*byte));
    let mut digits = 0;
    let mut sum = [0; 2];
    let mut at = start;
    let mut end = start;
    while digits < CARD.end {
        match text.get(at) {
            Some(byte) if byte.is_ascii_digit() => {
                let digit = u32::from(byte - b'0');
                let doubled = if digit > 4 { digit * 2 - 9 } else { digit * 2 };
                // Which digits count double depends on how many there are: both sums are kept.
                let [even, odd] = &mut sum;
                if digits % 2 == 0 {
                    *even += doubled;
                    *odd += digit;
                } else {
                    *even += digit;
                    *odd += doubled;
                }
                digits += 1;
                at += 1;
                end = at;
            }
            Some(b' ' | b'-')
                if at == end && text.get(at + 1).is_some_and(u8::is_ascii_digit) && digits % 2 == 0 =>
            {
                at += 1;
            }
            _ => break,
        }
    }
    step_counter::steps(end - start);
    let whole = text.get(end).is_none_or(|byte| !joins(*byte));
    let [even, odd] = sum;
    let valid = if digits % 2 == 0 { even } else { odd } % 10 == 0;
    if begins
        && whole
        && valid
        && CARD.contains(&digits)
        && is_issued(text.get(start..end).unwrap_or_default())
    {
        push(out, start..end, &[b"card_number"]);
    }
    end.max(start + 1)
}

/// What makes a number part of something longer.
fn joins(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

/// Whether a card of this kind exists: the first digits and the length of the large networks.
fn is_issued(number: &[u8]) -> bool {
    let digits: Vec<u8> = number.iter().copied().filter(u8::is_ascii_digit).take(CARD.end).collect();
    let first = digits.iter().take(4).fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    #[expect(clippy::match_like_matches_macro, reason = "a table, one issuer a line")]
    match (first, digits.len()) {
        (4000..=4999, 13 | 16 | 19) | (5100..=5599 | 2221..=2720, 16) | (3400..=3499 | 3700..=3799, 15) => {
            true
        }
        (6011 | 6221..=6229 | 6440..=6599 | 3528..=3589, 16..=19) => true,
        (3000..=3059 | 3600..=3699 | 3800..=3999, 14..=19) => true,
        (5000..=5099 | 5600..=5899 | 6304 | 6759..=6763, 13..=19) => true,
        _ => false,
    }
}

/// The IBAN whose check digits, or first group after them, begin at `digits`.
fn iban(text: &[u8], digits: usize) -> Option<Range<usize>> {
    let country = |at: usize| {
        let begin = text.get(at..at + 4)?;
        let [a, b, c, d] = begin else { return None };
        let named =
            a.is_ascii_uppercase() && b.is_ascii_uppercase() && c.is_ascii_digit() && d.is_ascii_digit();
        let alone =
            at.checked_sub(1).and_then(|at| text.get(at)).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        (named && alone).then_some(at)
    };
    let start =
        digits.checked_sub(2).and_then(country).or_else(|| digits.checked_sub(5).and_then(country))?;
    let mut symbols = Vec::with_capacity(IBAN.end);
    let mut ends = Vec::with_capacity(IBAN.end);
    let mut at = start;
    while symbols.len() < IBAN.end {
        match text.get(at) {
            Some(byte) if byte.is_ascii_uppercase() || byte.is_ascii_digit() => {
                symbols.push(*byte);
                ends.push(at + 1);
            }
            Some(b' ') if symbols.len() % 4 == 0 => {}
            _ => break,
        }
        at += 1;
    }
    step_counter::steps(symbols.len());
    let last = *ends.last()?;
    let whole = text.get(last).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    (whole && IBAN.contains(&symbols.len()) && remainder(&symbols) == 1).then_some(start..last)
}

/// The first four symbols moved to the end, letters as numbers from ten on, modulo 97.
fn remainder(symbols: &[u8]) -> u32 {
    let (head, rest) = symbols.split_at_checked(4).unwrap_or((&[], symbols));
    rest.iter().chain(head).fold(0, |value, symbol| match symbol {
        b'0'..=b'9' => (value * 10 + u32::from(symbol - b'0')) % 97,
        letter => (value * 100 + u32::from(letter - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    fn found(text: &str) -> Vec<&str> {
        let mut out = Vec::new();
        find(text.as_bytes(), &mut out);
        out.into_iter().map(|secret| &text[secret.range]).collect()
    }

    #[test]
    fn cards_and_accounts_are_found() {
        assert_eq!(found("pay with 4111111111111111 now"), ["4111111111111111"]);
        assert_eq!(found("4111 1111 1111 1111"), ["4111 1111 1111 1111"]);
        assert_eq!(found("x=3782-822463-10005,"), ["3782-822463-10005"]);
        assert_eq!(found("to DE89370400440532013000."), ["DE89370400440532013000"]);
        assert_eq!(found("GB29 NWBK 6016 1331 9268 19"), ["GB29 NWBK 6016 1331 9268 19"]);
    }

    #[test]
    fn other_numbers_are_not() {
        for text in [
            "4111111111111112",
            "1763798400123456",
            "a4111111111111111",
            "550e8400-e29b-41d4-a716-446655440000",
            "DE89370400440532013001",
            "17.4111111111111111",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
