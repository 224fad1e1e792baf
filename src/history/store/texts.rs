//! What is searched for most often in the text of a chunk's exchanges, side by side in memory: the targets of its requests,
//! and the shapes of its heads.

use crate::history::store::columns::CHUNK;
use crate::history::store::shapes::ShapeId;
use crate::model::Exchange;

/// Longest target that is copied.
const MAX_TARGET: usize = 512;
/// Bit of an end that says: not copied.
const LEFT_OUT: u32 = 1 << 31;

/// The texts of a chunk, by row.
#[derive(Debug, Default)]
pub struct Texts {
    /// Targets, one after the other. Bound: [`CHUNK`] times [`MAX_TARGET`].
    targets: Vec<u8>,
    /// Where each target ends, and whether it was left out.
    ends: Vec<u32>,
    /// Shapes of the request's head and of the response's.
    shapes: Vec<[ShapeId; 2]>,
}

/// The texts of one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// The request's target; `None` when it has to be looked up: a long one, or that of a CONNECT, which is no path.
    pub(crate) target: Option<&'a [u8]>,
    /// Shapes of the request's head and of the response's.
    pub(crate) shapes: [ShapeId; 2],
}

impl<'a> Text<'a> {
    /// Of `exchange`, whose heads have these shapes.
    pub(crate) fn of(exchange: &'a Exchange, shapes: [ShapeId; 2]) -> Self {
        let target = Some(exchange.target()).filter(|target| target.len() <= MAX_TARGET);
        Self { target: target.filter(|_| exchange.method() != "CONNECT"), shapes }
    }
}

impl Texts {
    /// Bytes of a row besides its target.
    pub(crate) const ROW: usize = size_of::<u32>() + size_of::<[ShapeId; 2]>();

    pub(crate) fn new() -> Self {
        Self { targets: Vec::new(), ends: Vec::with_capacity(CHUNK), shapes: Vec::with_capacity(CHUNK) }
    }
    /// Bytes of the targets, used or not.
    pub(crate) fn memory(&self) -> u64 {
        self.targets.capacity() as u64
    }
    pub(crate) fn push(&mut self, text: Text<'_>) {
        self.targets.extend_from_slice(text.target.unwrap_or_default());
        let left_out = if text.target.is_none() { LEFT_OUT } else { 0 };
        self.ends.push(self.targets.len() as u32 | left_out);
        self.shapes.push(text.shapes);
        if self.ends.len() == CHUNK {
            self.targets.shrink_to_fit();
        }
    }
    pub(crate) fn row(&self, at: usize) -> Option<Text<'_>> {
        Some(Text { target: self.target(at), shapes: *self.shapes.get(at)? })
    }
    /// The target of row `at`; `None` when it has to be looked up in the exchange. Never that of a CONNECT.
    pub fn target(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        if end & LEFT_OUT != 0 {
            return None;
        }
        let start = at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.targets.get((start & !LEFT_OUT) as usize..end as usize)
    }
    /// Shapes of the request's head and of the response's, by row.
    pub fn shapes(&self) -> &[[ShapeId; 2]] {
        &self.shapes
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_TARGET, ShapeId, Text, Texts};
    use crate::features::tests::{exchange, request, response};

    #[test]
    fn short_targets_are_copied() {
        let mut texts = Texts::new();
        let long = format!("/{}", "x".repeat(MAX_TARGET));
        let shapes = [ShapeId::UNKNOWN, ShapeId::ABSENT];
        for (method, target, expected) in [
            ("POST", "/a", Some("/a")),
            ("CONNECT", "h:443", None),
            ("POST", "", Some("")),
            ("POST", &long, None),
            ("POST", &long[1..], Some(&long[1..])),
            ("GET", "/b", Some("/b")),
        ] {
            let sent = exchange("10.0.0.1", 0, request(method, target, &[], b""), response(200, &[], b""));
            texts.push(Text::of(&sent, shapes));
            let at = texts.shapes().len() - 1;
            assert_eq!(texts.target(at), expected.map(str::as_bytes), "{method} {target}");
        }
        assert_eq!(texts.target(0), Some(b"/a".as_slice()));
        assert_eq!(texts.target(6), None);
    }
}
