//! Message heads, verbatim: one buffer and the ranges of what is in it, because order, case and repetition are evidence.

use std::borrow::Cow;

/// A range of a head's buffer, in bytes from its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

impl Span {
    /// The bytes of `buf` this span covers; empty when it is out of range.
    pub fn of(self, buf: &[u8]) -> &[u8] {
        let start = self.start as usize;
        buf.get(start..start.saturating_add(self.len as usize)).unwrap_or_default()
    }
    /// Where `part`, a slice of `whole`, stands in it; `None` for an empty one, and for one that is no slice of it.
    pub fn within(whole: &[u8], part: &[u8]) -> Option<Self> {
        let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
        let inside = !part.is_empty() && start <= whole.len() && part.len() <= whole.len() - start;
        inside.then_some(Self { start: start as u32, len: part.len() as u32 })
    }
}

/// Where a field line's name and value are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSpan {
    /// The field's name, as spelled on the wire.
    pub name: Span,
    /// The value without the optional white space around it; may contain line breaks when obs-fold was used.
    pub value: Span,
}

/// One field line (RFC 9110 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Name as spelled on the wire.
    pub name: &'a [u8],
    /// Value without surrounding optional white space.
    pub value: &'a [u8],
}

impl<'a> Field<'a> {
    /// The name for people: invalid UTF-8 replaced, nothing escaped.
    pub fn name_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.name)
    }
    /// The value for people: invalid UTF-8 replaced, nothing escaped.
    pub fn value_text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.value)
    }
}

/// A head's verbatim bytes and the field lines in them. Bound: the pipeline's head limit (see `http`).
///
/// One allocation: the spans, sixteen bytes each, then the wire bytes. There are hundreds of thousands of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    packed: Box<[u8]>,
    count: u32,
}

/// Bytes of a packed [`FieldSpan`].
const SPAN: usize = 16;

impl Fields {
    /// `raw` from the first byte of the start line (or of a trailer section) to the end of the head.
    pub fn new(
        raw: impl AsRef<[u8]>,
        spans: impl IntoIterator<Item = FieldSpan, IntoIter: ExactSizeIterator>,
    ) -> Self {
        let (raw, spans) = (raw.as_ref(), spans.into_iter());
        let count = spans.len();
        let mut packed = Vec::with_capacity(count * SPAN + raw.len());
        for span in spans {
            let numbers = [span.name.start, span.name.len, span.value.start, span.value.len];
            packed.extend_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
        }
        packed.extend_from_slice(raw);
        Self { packed: packed.into_boxed_slice(), count: count as u32 }
    }
    /// The bytes as they were on the wire, start line and final empty line included.
    pub fn raw(&self) -> &[u8] {
        self.packed.get(self.count as usize * SPAN..).unwrap_or_default()
    }
    /// Number of field lines.
    pub fn len(&self) -> usize {
        self.count as usize
    }
    /// Whether there are no field lines.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// Bytes of memory in use besides the value itself.
    pub fn heap_bytes(&self) -> usize {
        self.packed.len()
    }
    /// Field lines in wire order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> + Clone + '_ {
        let raw = self.raw();
        self.spans().map(move |span| Field { name: span.name.of(raw), value: span.value.of(raw) })
    }
    /// Where the field lines are, in wire order.
    pub fn spans(&self) -> impl ExactSizeIterator<Item = FieldSpan> + Clone + '_ {
        let (packed, _) = self.packed.as_chunks::<4>();
        let (spans, _) = packed.get(..self.count as usize * 4).unwrap_or_default().as_chunks::<4>();
        spans.iter().map(|numbers| {
            let [name, name_len, value, value_len] = *numbers;
            let span = |start, len| Span { start: u32::from_le_bytes(start), len: u32::from_le_bytes(len) };
            FieldSpan { name: span(name, name_len), value: span(value, value_len) }
        })
    }
    /// The first value of the field called `name`, ignoring case.
    pub fn value<'a>(&'a self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes())).map(|field| field.value)
    }
    /// The first value of `name` as text, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name).and_then(|value| std::str::from_utf8(value).ok())
    }
    /// All values of the field called `name`, ignoring case, in wire order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> + 'a {
        self.iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value)
    }
    /// Whether a field called `name` is present, ignoring case.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }
}

/// The version in a start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    /// As in the start line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// A request head (RFC 9112 §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    fields: Fields,
    method: Span,
    target: Span,
    version: Version,
}

impl RequestHead {
    /// From a head's bytes and where its parts are.
    pub fn new(fields: Fields, method: Span, target: Span, version: Version) -> Self {
        Self { fields, method, target, version }
    }
    /// The method, case kept.
    pub fn method(&self) -> &str {
        match self.method.of(self.fields.raw()) {
            // Asked for several times an exchange.
            b"POST" => "POST",
            b"GET" => "GET",
            other => std::str::from_utf8(other).unwrap_or_default(),
        }
    }
    /// The request target as on the wire (any form of RFC 9112 §3.2).
    pub fn target(&self) -> &[u8] {
        self.target.of(self.fields.raw())
    }
    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }
    /// The field lines.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

/// A response head (RFC 9112 §4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    fields: Fields,
    status: u16,
    reason: Span,
    version: Version,
}

impl ResponseHead {
    /// From a head's bytes and where its parts are.
    pub fn new(fields: Fields, status: u16, reason: Span, version: Version) -> Self {
        Self { fields, status, reason, version }
    }
    /// The status code, 100–999; 0 when it cannot be read.
    pub fn status(&self) -> u16 {
        self.status
    }
    /// The reason phrase as on the wire; may be empty.
    pub fn reason(&self) -> &[u8] {
        self.reason.of(self.fields.raw())
    }
    /// The version.
    pub fn version(&self) -> Version {
        self.version
    }
    /// The field lines.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_slice_is_found_in_its_whole() {
        let whole = b"abcdef";
        assert_eq!(Span::within(whole, &whole[2..5]), Some(Span { start: 2, len: 3 }));
        assert_eq!(Span::within(whole, whole), Some(Span { start: 0, len: 6 }));
        assert_eq!(Span::within(whole, &whole[2..2]), None);
        assert_eq!(Span::within(&whole[..3], &whole[2..5]), None);
        assert_eq!(Span::within(&whole[3..], &whole[2..5]), None);
        assert_eq!(Span::within(whole, b"bcd".to_vec().as_slice()), None);
    }
}
