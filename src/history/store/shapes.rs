//! Which names of fields a head has, in which order: thousands of heads share one such shape, so a question about names is
//! answered once a shape and not once an exchange.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};

use ahash::RandomState;

use crate::model::Fields;

/// Most shapes of a run; heads of further ones are looked at one by one.
pub const MAX_SHAPES: usize = 4096;
/// Bytes of names of all shapes, at most.
const MAX_BYTES: usize = 1 << 20;
/// Field lines of a head that is given a shape, at most.
const MAX_LINES: usize = 128;

/// The number of a shape within a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShapeId(u16);

impl ShapeId {
    /// Not known: whoever asks has to look at the head.
    pub const UNKNOWN: Self = Self(0);
    /// There is no such message.
    pub const ABSENT: Self = Self(1);

    /// Its place in [`crate::history::History::shapes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The names of a head's fields.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    names: Box<[Box<[u8]>]>,
    coded: bool,
}

impl Shape {
    fn of(fields: &Fields) -> Self {
        let names = fields.iter().map(|field| field.name.into()).collect();
        Self { names, coded: fields.has("content-encoding") }
    }
    /// As spelled on the wire, in wire order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.names.iter().map(|name| &**name)
    }
    /// Whether a content coding is named.
    pub(crate) const fn is_coded(&self) -> bool {
        self.coded
    }
    fn bytes(&self) -> usize {
        self.names.iter().map(|name| size_of::<Box<[u8]>>() + name.len().next_multiple_of(16)).sum()
    }
}

/// All shapes of a run.
#[derive(Debug)]
pub(crate) struct Shapes {
    /// Keyed hash of the names → number.
    known: HashMap<u64, ShapeId, RandomState>,
    all: Vec<Shape>,
    bytes: usize,
    hasher: RandomState,
}

impl Default for Shapes {
    fn default() -> Self {
        // The two numbers that stand for no shape.
        let all = vec![Shape::default(), Shape::default()];
        Self { known: HashMap::default(), all, bytes: 0, hasher: RandomState::new() }
    }
}

impl Shapes {
    /// By number.
    pub(crate) fn all(&self) -> &[Shape] {
        &self.all
    }
    pub(crate) fn get(&self, id: ShapeId) -> Option<&Shape> {
        self.all.get(id.index())
    }
    /// Bytes in use, about.
    pub(crate) fn memory(&self) -> u64 {
        const EACH: usize = size_of::<Shape>() + 2 * size_of::<(u64, ShapeId)>();
        (self.bytes + self.all.len() * EACH) as u64
    }
    /// The shape of a head, which is remembered when it is new.
    pub(crate) fn of(&mut self, fields: Option<&Fields>) -> ShapeId {
        let Some(fields) = fields else { return ShapeId::ABSENT };
        let mut hasher = self.hasher.build_hasher();
        for field in fields.iter() {
            hasher.write(field.name);
            hasher.write_usize(field.name.len());
        }
        let hash = hasher.finish();
        match self.known.get(&hash) {
            Some(id) => *id,
            None => self.add(hash, fields),
        }
    }

    #[cold]
    fn add(&mut self, hash: u64, fields: &Fields) -> ShapeId {
        if self.all.len() >= MAX_SHAPES || fields.len() > MAX_LINES {
            return ShapeId::UNKNOWN;
        }
        let shape = Shape::of(fields);
        if self.bytes + shape.bytes() > MAX_BYTES {
            return ShapeId::UNKNOWN;
        }
        self.bytes += shape.bytes();
        let id = ShapeId(self.all.len() as u16);
        self.all.push(shape);
        self.known.insert(hash, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHAPES, ShapeId, Shapes};
    use crate::features::tests::request;
    use crate::model::Fields;

    fn head(lines: &[(&str, &str)]) -> Fields {
        request("POST", "/", lines, b"").head.fields().clone()
    }

    #[test]
    fn names_decide_and_values_do_not() {
        let mut shapes = Shapes::default();
        let one = shapes.of(Some(&head(&[("Host", "a"), ("X-A", "1")])));
        assert_eq!(shapes.of(Some(&head(&[("Host", "b"), ("X-A", "")]))), one);
        for other in [&[("host", "a"), ("X-A", "1")][..], &[("X-A", "1"), ("Host", "a")], &[("Host", "a")]] {
            assert_ne!(shapes.of(Some(&head(other))), one);
        }
        let names: Vec<&[u8]> = shapes.get(one).unwrap().names().collect();
        assert_eq!(names, [b"Host".as_slice(), b"X-A"]);
        assert_eq!(shapes.of(None), ShapeId::ABSENT);
    }

    #[test]
    fn shapes_are_bounded() {
        let mut shapes = Shapes::default();
        let first = shapes.of(Some(&head(&[("X-0", "")])));
        for n in 0..2 * MAX_SHAPES {
            shapes.of(Some(&head(&[(&format!("X-{n}"), "")])));
        }
        assert_eq!(shapes.all().len(), MAX_SHAPES);
        assert_eq!(shapes.of(Some(&head(&[("X-new", "")]))), ShapeId::UNKNOWN);
        assert_eq!(shapes.of(Some(&head(&[("X-0", "")]))), first);

        let mut shapes = Shapes::default();
        let long = "x".repeat(8000);
        for n in 0..500 {
            shapes.of(Some(&head(&[(&format!("{long}{n}"), "")])));
        }
        assert!(shapes.memory() < 2 << 20);
        assert_eq!(shapes.of(Some(&head(&[("a", ""); 129]))), ShapeId::UNKNOWN);
    }
}
