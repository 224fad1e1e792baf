//! Choices out of bytes, and random bytes for the tests.

/// Reads choices from bytes; zeros when there are no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a> {
    data: &'a [u8],
}

impl<'a> Input<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data }
    }
    pub(super) const fn is_empty(&self) -> bool {
        self.data.is_empty()
    }
    pub(super) fn u8(&mut self) -> u8 {
        self.bytes(1).first().copied().unwrap_or(0)
    }
    pub(super) fn u16(&mut self) -> u16 {
        u16::from(self.u8()) | (u16::from(self.u8()) << 8)
    }
    /// Up to `len` bytes.
    pub(super) fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.data.split_at(len.min(self.data.len()));
        self.data = rest;
        taken
    }
    pub(super) const fn rest(self) -> &'a [u8] {
        self.data
    }
    /// One of `choices`, of which there must be some.
    pub(super) fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        let index = usize::from(self.u8()) % choices.len();
        &choices[index]
    }
}

/// Numbers that look random and are the same every time (xorshift).
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) struct Random(u64);

#[cfg(test)]
impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
    /// Changes `data` in one place; `others` are pieces to put in.
    pub(super) fn change(&mut self, data: &mut Vec<u8>, others: &[&[u8]]) {
        const WORDS: [&[u8]; 14] = [
            b"\r\n",
            b"\n",
            b":",
            b" ",
            b"\r",
            b"\0",
            b"\xff",
            b"0",
            b"HTTP/1.1",
            b"Content-Length: 9999999\r\n",
            b"GET ",
            b"Expect: 100-continue\r\n",
            b"\r\n\r\n",
            b"chunked",
        ];
        let at = self.below(data.len() as u64 + 1) as usize;
        match self.below(6) {
            0 if at < data.len() => data[at] ^= 1 << self.below(8),
            1 if at < data.len() => data[at] = self.below(256) as u8,
            2 => drop(data.drain(at..(at + self.below(8) as usize).min(data.len()))),
            3 => {
                let other = others[self.below(others.len() as u64) as usize];
                let from = self.below(other.len() as u64 + 1) as usize;
                data.splice(at..at, other[from..].iter().copied());
            }
            4 => data.truncate(at),
            _ => drop(data.splice(at..at, WORDS[self.below(WORDS.len() as u64) as usize].iter().copied())),
        }
    }
}
