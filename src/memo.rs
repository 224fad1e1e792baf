//! What was found out once and is asked for again, within a bound.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use ahash::RandomState;

/// At most `MOST` answers by what was asked. Beyond it the memory starts afresh, which costs finding them again: what comes
/// again and again is soon known once more, and no order needs to be kept.
#[derive(Debug)]
pub(crate) struct Memo<K, V, const MOST: usize>(HashMap<K, V, RandomState>);

impl<K: Eq + Hash, V, const MOST: usize> Memo<K, V, MOST> {
    /// The answer, if it is known.
    pub(crate) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// Remembers an answer.
    pub(crate) fn put(&mut self, key: K, value: V) {
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        self.0.insert(key, value);
    }
}

impl<K, V, const MOST: usize> Default for Memo<K, V, MOST> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;

    #[test]
    fn starts_afresh_at_its_bound() {
        let mut memo: Memo<Box<str>, u8, 2> = Memo::default();
        memo.put("a".into(), 1);
        memo.put("b".into(), 2);
        memo.put("b".into(), 3);
        assert_eq!((memo.get("a"), memo.get("b")), (Some(&1), Some(&3)));
        memo.put("c".into(), 4);
        assert_eq!((memo.get("a"), memo.get("b"), memo.get("c")), (None, None, Some(&4)));
    }
}
