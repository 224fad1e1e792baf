//! A piece of text that is searched for in many places, ignoring ASCII case.

use memchr::{memchr, memchr2, memmem};

/// How rare a byte is in heads and bodies, the rarest first; what is not listed is rarer still.
const COMMON: &[u8] = b"zqxjkwvybgfhmupldrcnisaoet:/,.-_=\"%&{}[] 9876543210";

/// What is searched for, made ready once.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    /// In lower case.
    text: Box<[u8]>,
    /// Where in it the byte is that occurs least; searching begins with that one.
    rare: usize,
    /// Searches without regard to case, where no letter is in it.
    exact: Option<Box<memmem::Finder<'static>>>,
}

impl Needle {
    /// For `text`, in lower case.
    pub(crate) fn new(text: Vec<u8>) -> Self {
        let rank = |byte: &u8| COMMON.iter().position(|common| common == byte).map_or(0, |at| at + 1);
        let rare = text.iter().enumerate().min_by_key(|(_, byte)| rank(byte)).map_or(0, |(at, _)| at);
        let letters = text.iter().any(u8::is_ascii_alphabetic);
        let exact = (!letters).then(|| Box::new(memmem::Finder::new(&text).into_owned()));
        Self { text: text.into(), rare, exact }
    }

    /// In lower case.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where it is in `haystack` first.
    pub(crate) fn find(&self, haystack: &[u8]) -> Option<usize> {
        if let Some(exact) = &self.exact {
            return exact.find(haystack);
        }
        let last = haystack.len().checked_sub(self.text.len())?;
        let rare = *self.text.get(self.rare)?;
        let upper = rare.to_ascii_uppercase();
        // Where its rare byte may be, given that all of it fits.
        let window = haystack.get(self.rare..=last + self.rare)?;
        let mut from = 0;
        loop {
            let rest = window.get(from..)?;
            let at = if rare == upper { memchr(rare, rest)? } else { memchr2(rare, upper, rest)? };
            let start = from + at;
            if haystack.get(start..start + self.text.len())?.eq_ignore_ascii_case(&self.text) {
                return Some(start);
            }
            from = start + 1;
        }
    }

    /// Whether it is in `haystack`.
    pub(crate) fn is_in(&self, haystack: &[u8]) -> bool {
        self.find(haystack).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Needle;

    proptest! {
        #[test]
        fn finds_what_a_plain_search_finds(haystack in "[abzAZ:/é]{0,40}", needle in "[abz:/é]{0,4}") {
            let plain = haystack.to_ascii_lowercase().find(&needle);
            prop_assert_eq!(Needle::new(needle.into_bytes()).find(haystack.as_bytes()), plain);
        }
    }

    #[test]
    fn begins_with_the_rarest_byte() {
        let needle = Needle::new(b"authorization".to_vec());
        assert_eq!(needle.text[needle.rare], b'z');
        assert!(needle.is_in(b"Content-Type: x\r\nAUTHORIZATION: y"));
        assert!(!needle.is_in(b"Authorizatio"));
    }
}
