//! What a value looks like in a line, remembered by the value: headers, sentences and bodies of refusals come again and
//! again, and looking for secrets in them costs far more than comparing them.

use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;

/// Values remembered at most; each has one place, which it shares with others.
const SLOTS: usize = 1 << 13;
/// Longest name and value together, and longest text in a line, that is remembered.
const MAX_TEXT: usize = 4 << 10;
/// Bytes of everything remembered; beyond, the memory starts afresh.
const MAX_BYTES: usize = 4 << 20;

/// Texts of lines by what they stand for. Bound: [`SLOTS`] and [`MAX_BYTES`].
#[derive(Debug, Default)]
pub(super) struct ValueMemory {
    /// Empty until the first value.
    slots: Vec<Slot>,
    hasher: RandomState,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    /// Hash of the last value that was not the one remembered: one that comes a second time is remembered.
    seen: u64,
    hash: u64,
    kind: u8,
    name: u16,
    value: u16,
    /// Name, value and text, one after the other.
    all: Box<[u8]>,
}

impl Slot {
    /// The text of this very value.
    fn text(&self, hash: u64, kind: u8, name: &[u8], value: &[u8]) -> Option<&[u8]> {
        let same = self.hash == hash && self.kind == kind && usize::from(self.name) == name.len();
        if !same || usize::from(self.value) != value.len() {
            return None;
        }
        self.all.strip_prefix(name)?.strip_prefix(value)
    }
}

impl ValueMemory {
    /// Appends the text of `value`, which is called `name` and of a `kind` that says how the text is made. `make` makes it
    /// when it is not remembered, from these three alone.
    pub(super) fn append(
        &mut self,
        out: &mut Vec<u8>,
        (kind, name, value): (u8, &[u8], &[u8]),
        make: impl FnOnce(&mut Vec<u8>),
    ) {
        if name.len() + value.len() > MAX_TEXT {
            return make(out);
        }
        if self.slots.is_empty() {
            self.slots.resize(SLOTS, Slot::default());
        }
        let hash = self.hash(kind, name, value);
        let Some(slot) = self.slots.get_mut(hash as usize % SLOTS) else { return make(out) };
        if let Some(text) = slot.text(hash, kind, name, value) {
            out.extend_from_slice(text);
            return;
        }
        let start = out.len();
        make(out);
        if slot.seen != hash {
            slot.seen = hash;
            return;
        }
        let text = out.get(start..).unwrap_or_default();
        if text.len() > MAX_TEXT {
            return;
        }
        let all: Box<[u8]> = [name, value, text].concat().into();
        self.bytes = self.bytes + all.len() - slot.all.len();
        *slot = Slot { seen: 0, hash, kind, name: name.len() as u16, value: value.len() as u16, all };
        if self.bytes > MAX_BYTES {
            self.bytes = 0;
            self.slots.fill(Slot::default());
        }
    }

    fn hash(&self, kind: u8, name: &[u8], value: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write_u8(kind);
        hasher.write(name);
        hasher.write(value);
        // Zero stands for an empty slot.
        hasher.finish().max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, MAX_TEXT, ValueMemory};

    /// The text that `memory` gives, and whether it had to be made.
    fn ask(memory: &mut ValueMemory, kind: u8, name: &[u8], value: &[u8]) -> (Vec<u8>, bool) {
        let (mut out, mut made) = (b"before".to_vec(), false);
        memory.append(&mut out, (kind, name, value), |out| {
            made = true;
            out.extend_from_slice(&[b"<", &[b'0' + kind], name, b"=", value, b">"].concat());
        });
        (out, made)
    }

    #[test]
    fn a_value_that_comes_again_is_made_twice_and_no_more() {
        let mut memory = ValueMemory::default();
        let made: Vec<bool> = (0..4).map(|_| ask(&mut memory, 0, b"host", b"h").1).collect();
        assert_eq!(made, [true, true, false, false]);
        assert_eq!(ask(&mut memory, 0, b"host", b"h").0, b"before<0host=h>");
    }

    #[test]
    fn kind_name_and_value_are_all_told_apart() {
        let mut memory = ValueMemory::default();
        for _ in 0..3 {
            for (kind, name, value) in [(0, "ab", "c"), (0, "a", "bc"), (1, "ab", "c"), (0, "", "abc")] {
                let expected = format!("before<{kind}{name}={value}>");
                assert_eq!(ask(&mut memory, kind, name.as_bytes(), value.as_bytes()).0, expected.as_bytes());
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut memory = ValueMemory::default();
        let long = vec![b'x'; MAX_TEXT + 1];
        assert!((0..3).all(|_| ask(&mut memory, 0, b"", &long).1), "long ones are not kept");
        for number in 0..20_000_u32 {
            let value = [&number.to_le_bytes()[..], &long[..MAX_TEXT - 100]].concat();
            for _ in 0..2 {
                ask(&mut memory, 0, b"", &value);
            }
            let held: usize = memory.slots.iter().map(|slot| slot.all.len()).sum();
            assert_eq!(held, memory.bytes);
            assert!(held <= MAX_BYTES);
            if number > 2000 && number % 97 != 0 {
                break;
            }
        }
    }
}
