//! Which known word somebody meant who mistyped one.

/// The known word that `typed` is most likely to mean; `None` when none is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.into_iter().map(|word| (distance(typed, word), word));
    let (edits, word) = near.min_by_key(|(edits, _)| *edits)?;
    (edits <= typed.len().clamp(3, 9) / 3).then_some(word)
}

/// Letters of a word that count.
const LETTERS: usize = 64;

/// Edit distance of short words (Levenshtein).
pub fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().take(LETTERS).count()).collect();
    for (i, left) in a.chars().take(LETTERS).enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, right) in row.iter_mut().skip(1).zip(b.chars()) {
            let cost = (diagonal + usize::from(left != right)).min(*cell + 1).min(before + 1);
            diagonal = *cell;
            *cell = cost;
            before = cost;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["tap", "ssh", "demo", "doctor", "explain"];
        assert_eq!(nearest("explian", known), Some("explain"));
        assert_eq!(nearest("docter", known), Some("doctor"));
        assert_eq!(nearest("dmo", known), Some("demo"));
        assert_eq!(nearest("portrange", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("tap", []), None);
    }
}
