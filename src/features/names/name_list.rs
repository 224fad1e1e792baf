//! Short lists of names that every field of a message is held against.

/// Names in lower case. A name whose length or first letter none of them has is compared with none.
#[derive(Debug)]
pub struct Listed<const N: usize> {
    names: [&'static str; N],
    /// Their lengths, as a set of bits.
    lengths: u64,
    /// Their first bytes, as a set of bits by the lower six of each.
    begins: u64,
}

impl<const N: usize> Listed<N> {
    /// These names, in this order.
    ///
    /// # Panics
    /// While it compiles, for a name of 64 letters or more.
    pub const fn new(names: [&'static str; N]) -> Self {
        let (mut lengths, mut begins) = (0, 0);
        let mut rest: &[&str] = &names;
        while let [name, others @ ..] = rest {
            assert!(name.len() < u64::BITS as usize, "longer names want a wider set");
            lengths |= 1 << name.len();
            if let [first, ..] = name.as_bytes() {
                begins |= 1 << (*first & 63);
            }
            rest = others;
        }
        Self { names, lengths, begins }
    }
    /// Whether a name of this length may be listed.
    pub fn has_length(&self, length: usize) -> bool {
        length < u64::BITS as usize && self.lengths >> length & 1 != 0
    }
    /// Where `name`, in any case, stands in the list.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        let first = name.first()?.to_ascii_lowercase();
        if !self.has_length(name.len()) || self.begins >> (first & 63) & 1 == 0 {
            return None;
        }
        // Comparing is a call, which most names need not cost.
        let may_be = |listed: &str| listed.len() == name.len() && listed.bytes().next() == Some(first);
        let is = |listed: &&str| may_be(listed) && name.eq_ignore_ascii_case(listed.as_bytes());
        self.names.iter().position(is)
    }
    /// The name at a position.
    pub fn get(&self, at: usize) -> Option<&'static str> {
        self.names.get(at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::Listed;

    #[test]
    fn a_name_is_found_in_any_case_and_no_other_is() {
        static NAMES: Listed<3> = Listed::new(["host", "if", "x-api-key"]);
        for (name, at) in [
            ("host", Some(0)),
            ("IF", Some(1)),
            ("X-Api-Key", Some(2)),
            ("hosts", None),
            ("hose", None),
            ("", None),
        ] {
            assert_eq!(NAMES.position(name.as_bytes()), at, "{name}");
        }
        assert_eq!(NAMES.position(&[b'a'; 64]), None);
        assert_eq!(NAMES.position(&[b'a'; 66]), None);
        assert_eq!((NAMES.get(2), NAMES.get(3)), (Some("x-api-key"), None));
    }
}
