//! Short lists of names that every field of a message is compared with.

/// Names in lower case. A name whose length or first letter none of them has is compared with none.
#[derive(Debug, Default)]
pub struct NameList {
    names: Box<[Box<str>]>,
    /// Their lengths, as a set of bits; longer ones share the last.
    lengths: u64,
    /// Their first bytes, as a set of bits by the lower six of each.
    begins: u64,
}

impl NameList {
    /// These names, in this order.
    pub fn new(names: Vec<Box<str>>) -> Self {
        let (mut lengths, mut begins) = (0, 0);
        for name in &names {
            lengths |= length_bit(name.len());
            begins |= name.bytes().next().map_or(0, |first| 1 << (first & 63));
        }
        Self { names: names.into(), lengths, begins }
    }
    /// Whether a name of this length may be listed.
    pub fn has_length(&self, length: usize) -> bool {
        self.lengths & length_bit(length) != 0
    }
    /// Where `name`, in any case, stands in the list.
    pub fn position(&self, name: &[u8]) -> Option<usize> {
        let first = name.first()?.to_ascii_lowercase();
        if !self.has_length(name.len()) || self.begins >> (first & 63) & 1 == 0 {
            return None;
        }
        // Comparing is a call, which most names need not cost.
        let may_be = |listed: &str| listed.len() == name.len() && listed.bytes().next() == Some(first);
        let is = |listed: &str| may_be(listed) && name.eq_ignore_ascii_case(listed.as_bytes());
        self.names.iter().position(|listed| is(listed))
    }
    /// How many there are.
    pub const fn len(&self) -> usize {
        self.names.len()
    }
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
    /// The name at a position.
    pub fn get(&self, at: usize) -> Option<&str> {
        self.names.get(at).map(|name| &**name)
    }
    /// All names.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

#[cfg(test)]
mod tests {
    use super::NameList;

    #[test]
    fn a_name_is_found_in_any_case_and_no_other_is() {
        let long = "x".repeat(70);
        let names = NameList::new(["host", "if", "x-api-key", &long].map(Into::into).to_vec());
        for (name, at) in [
            ("host", Some(0)),
            ("IF", Some(1)),
            ("X-Api-Key", Some(2)),
            (&long.to_uppercase(), Some(3)),
            ("hosts", None),
            ("hose", None),
            ("", None),
        ] {
            assert_eq!(names.position(name.as_bytes()), at, "{name}");
        }
        assert_eq!(names.position(&[b'x'; 64]), None);
        assert_eq!((names.get(2), names.get(4)), (Some("x-api-key"), None));
    }
}
