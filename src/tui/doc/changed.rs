//! Which parts of two values differ, word by word, so that a long value shows its one changed word.

use std::ops::Range;

/// Words compared with each other at most; longer values fall back to their common start and end.
const MAX_WORDS: usize = 200;

/// Byte ranges of `before` and of `after` that the other does not have, in order.
pub(super) fn parts(before: &str, after: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let (old, new) = (words(before), words(after));
    if old.len() > MAX_WORDS || new.len() > MAX_WORDS {
        return middle(before, after);
    }
    let lengths = common(before, after, &old, &new);
    let (mut i, mut j) = (0, 0);
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    while i < old.len() || j < new.len() {
        let (left, right) = (old.get(i), new.get(j));
        match (left, right) {
            (Some(left), Some(right)) if before.get(left.clone()) == after.get(right.clone()) => {
                (i, j) = (i + 1, j + 1);
            }
            (Some(left), right) if right.is_none() || at(&lengths, i + 1, j) >= at(&lengths, i, j + 1) => {
                extend(&mut gone, left);
                i += 1;
            }
            (_, Some(right)) => {
                extend(&mut come, right);
                j += 1;
            }
            (Some(_) | None, None) => break,
        }
    }
    (gone, come)
}

fn at(lengths: &[Vec<u16>], i: usize, j: usize) -> u16 {
    lengths.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default()
}

/// Lengths of the longest common sequences of the words from each position on.
fn common(before: &str, after: &str, old: &[Range<usize>], new: &[Range<usize>]) -> Vec<Vec<u16>> {
    let mut rows = vec![vec![0; new.len() + 1]];
    for left in old.iter().rev() {
        let below = rows.last().cloned().unwrap_or_default();
        let mut row = vec![0; new.len() + 1];
        let mut right_of = 0;
        for (j, right) in new.iter().enumerate().rev() {
            let same = before.get(left.clone()) == after.get(right.clone());
            let value = if same {
                below.get(j + 1).map_or(1, |length: &u16| length + 1)
            } else {
                below.get(j).copied().unwrap_or_default().max(right_of)
            };
            if let Some(slot) = row.get_mut(j) {
                *slot = value;
            }
            right_of = value;
        }
        rows.push(row);
    }
    rows.reverse();
    rows
}

fn extend(ranges: &mut Vec<Range<usize>>, next: &Range<usize>) {
    match ranges.last_mut() {
        Some(last) if last.end == next.start => last.end = next.end,
        _ => ranges.push(next.clone()),
    }
}

/// Runs of letters and digits, and every other character by itself.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut in_word = false;
    for (at, letter) in text.char_indices() {
        let of_word = letter.is_alphanumeric() || letter == '_';
        let end = at + letter.len_utf8();
        match ranges.last_mut() {
            Some(last) if of_word && in_word => last.end = end,
            _ => ranges.push(at..end),
        }
        in_word = of_word;
    }
    ranges
}

/// What lies between the common start and the common end.
fn middle(before: &str, after: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let same = |(a, b): &(char, char)| a == b;
    let start: usize =
        before.chars().zip(after.chars()).take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
    let (old, new) = (before.get(start..).unwrap_or_default(), after.get(start..).unwrap_or_default());
    let end: usize =
        old.chars().rev().zip(new.chars().rev()).take_while(same).map(|(letter, _)| letter.len_utf8()).sum();
    let one = |len: usize| (len > end).then(|| start..start + len - end).into_iter().collect();
    (one(old.len()), one(new.len()))
}

#[cfg(test)]
mod tests {
    use super::parts;

    fn shown(before: &str, after: &str) -> (Vec<String>, Vec<String>) {
        let (gone, come) = parts(before, after);
        let pick = |text: &str, ranges: Vec<std::ops::Range<usize>>| {
            ranges.into_iter().map(|range| text[range].to_owned()).collect()
        };
        (pick(before, gone), pick(after, come))
    }

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn marks_the_changed_word_only() {
        assert_eq!(
            shown("profile:read profile:write", "profile:read"),
            (owned(&[" profile:write"]), owned(&[]))
        );
        assert_eq!(shown("application/json", "text/json"), (owned(&["application"]), owned(&["text"])));
        assert_eq!(shown("a b c", "a x c"), (owned(&["b"]), owned(&["x"])));
        assert_eq!(shown("same", "same"), (owned(&[]), owned(&[])));
        assert_eq!(shown("", "new"), (owned(&[]), owned(&["new"])));
    }

    #[test]
    fn long_values_mark_their_middle() {
        let long = |middle: &str| format!("{}{middle}{}", "a,".repeat(300), ",b".repeat(300));
        assert_eq!(shown(&long("éx"), &long("éyz")), (owned(&["x"]), owned(&["yz"])));
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_marked_is_common(before in "[a-c ,é]{0,30}", after in "[a-c ,é]{0,30}") {
            let (gone, come) = parts(&before, &after);
            let rest = |text: &str, ranges: &[std::ops::Range<usize>]| {
                let mut text = text.to_owned();
                for range in ranges.iter().rev() {
                    text.replace_range(range.clone(), "");
                }
                text
            };
            proptest::prop_assert_eq!(rest(&before, &gone), rest(&after, &come));
        }
    }
}
