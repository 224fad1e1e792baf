//! A body in the making: what is kept, what is counted, what is missing.

use crate::model::{Body, BodyEnd, BodyRare, Fields, Gap};

/// Gaps noted one by one; further ones are merged into the last.
const GAPS: usize = 16;

/// Collects one body. Bound: the body limit for what is kept.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    kept: Vec<u8>,
    len: u64,
    rare: Option<Box<BodyRare>>,
    /// Whether `kept` is one piece of the stream, and where it begins there.
    from: Option<u64>,
}

impl Builder {
    /// Takes the next bytes of content, which came from stream offset `offset`.
    pub(crate) fn push(&mut self, data: &[u8], offset: u64, limit: u32) {
        let room = (limit as usize).saturating_sub(self.kept.len());
        let keep = data.get(..room.min(data.len())).unwrap_or_default();
        if self.len == 0 {
            self.from = Some(offset);
        } else if self.from.is_some_and(|from| from + self.len != offset) {
            self.from = None;
        }
        self.kept.extend_from_slice(keep);
        self.len = self.len.saturating_add(data.len() as u64);
    }

    /// Makes room for a body of `len` bytes, as far as it will be kept.
    pub(crate) fn expect(&mut self, len: u64, limit: u32) {
        self.kept.reserve_exact(len.min(u64::from(limit)) as usize);
    }

    /// Counts `len` bytes of content that the capture lost.
    pub(crate) fn gap(&mut self, len: u64) {
        let gaps = &mut self.rare.get_or_insert_default().gaps;
        let full = gaps.len() >= GAPS;
        match gaps.last_mut() {
            Some(last) if full || last.offset + last.len == self.len => {
                last.len = last.len.saturating_add(len);
            }
            _ => gaps.push(Gap { offset: self.len, len }),
        }
        self.from = None;
        self.len = self.len.saturating_add(len);
    }

    /// Adds the trailer section.
    pub(crate) fn trailers(&mut self, fields: Fields) {
        self.rare.get_or_insert_default().trailers = fields;
    }

    /// Bytes of memory in use.
    pub(crate) fn cost(&self) -> usize {
        self.kept.capacity()
    }

    /// Whether `data`, from stream offset `offset`, is known to differ from what was kept.
    pub(crate) fn differs(&self, data: &[u8], offset: u64) -> bool {
        self.from.is_some_and(|from| differs(&self.kept, from, data, offset))
    }

    /// The finished body; the builder is empty again.
    pub(crate) fn finish(&mut self, end: BodyEnd) -> Body {
        self.from = None;
        Body {
            kept: std::mem::take(&mut self.kept).into_boxed_slice(),
            len: std::mem::take(&mut self.len),
            end,
            rare: self.rare.take(),
        }
    }
}

/// Whether `data` at `offset` differs from `known` at `from` where both are known.
pub(crate) fn differs(known: &[u8], from: u64, data: &[u8], offset: u64) -> bool {
    let start = from.max(offset);
    let end = (from + known.len() as u64).min(offset + data.len() as u64);
    if start >= end {
        return false;
    }
    known.get((start - from) as usize..(end - from) as usize)
        != data.get((start - offset) as usize..(end - offset) as usize)
}

#[cfg(test)]
mod tests {
    use super::{Builder, GAPS, differs};
    use crate::model::BodyEnd;

    #[test]
    fn keeps_up_to_the_limit_and_counts_beyond() {
        let mut builder = Builder::default();
        builder.push(b"abcdef", 0, 4);
        builder.gap(3);
        builder.push(b"gh", 9, 4);
        let body = builder.finish(BodyEnd::Complete);
        assert_eq!((&body.kept[..], body.len, body.missing()), (&b"abcd"[..], 11, 3));
        assert!(body.is_truncated());
        assert_eq!(builder.finish(BodyEnd::None).len, 0);
    }

    #[test]
    fn many_gaps_are_merged() {
        let mut builder = Builder::default();
        for n in 0..100 {
            builder.gap(1);
            builder.push(b"x", n, 10);
        }
        let body = builder.finish(BodyEnd::Complete);
        assert_eq!((body.gaps().len(), body.missing()), (GAPS, 100));
    }

    #[test]
    fn differences_are_seen_where_both_are_known() {
        assert!(!differs(b"abc", 10, b"bcd", 11));
        assert!(differs(b"abc", 10, b"bX", 11));
        assert!(!differs(b"abc", 10, b"zz", 20));
    }
}
