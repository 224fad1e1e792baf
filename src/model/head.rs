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
/// One allocation: the spans, four numbers of two bytes each (of four where the head is too long for that), then the wire
/// bytes. There are hundreds of thousands of these.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    packed: Box<[u8]>,
    count: u32,
    /// Whether a number has four bytes.
    wide: bool,
}

/// Bytes of a packed [`FieldSpan`].
const NARROW: usize = 8;
/// The same in a long head.
const WIDE: usize = 16;

impl Fields {
    /// `raw` from the first byte of the start line (or of a trailer section) to the end of the head. What a span says beyond
    /// `raw` is nothing.
    pub fn new(
        raw: impl AsRef<[u8]>,
        spans: impl IntoIterator<Item = FieldSpan, IntoIter: ExactSizeIterator>,
    ) -> Self {
        let (raw, spans) = (raw.as_ref(), spans.into_iter());
        let count = spans.len();
        let wide = raw.len() >= usize::from(u16::MAX);
        let mut packed = Vec::with_capacity(count * if wide { WIDE } else { NARROW } + raw.len());
        for span in spans {
            let numbers = [span.name.start, span.name.len, span.value.start, span.value.len];
            if wide {
                packed.extend_from_slice(numbers.map(u32::to_le_bytes).as_flattened());
            } else {
                let narrow = |number: u32| u64::from(number.min(u16::MAX.into()));
                let [a, b, c, d] = numbers.map(narrow);
                packed.extend_from_slice(&(a | b << 16 | c << 32 | d << 48).to_le_bytes());
            }
        }
        packed.extend_from_slice(raw);
        Self { packed: packed.into_boxed_slice(), count: count as u32, wide }
    }
    /// The bytes as they were on the wire, start line and final empty line included.
    pub fn raw(&self) -> &[u8] {
        self.packed.get(self.count as usize * self.width()..).unwrap_or_default()
    }
    const fn width(&self) -> usize {
        if self.wide { WIDE } else { NARROW }
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
        let width = self.width();
        let packed = self.packed.get(..self.count as usize * width).unwrap_or_default();
        packed.chunks_exact(width).map(unpack)
    }
    /// Field line number `line`, from 0.
    pub fn at(&self, line: usize) -> Option<Field<'_>> {
        let width = self.width();
        let span = unpack(self.packed.get(line * width..(line + 1) * width).filter(|_| line < self.len())?);
        let raw = self.raw();
        Some(Field { name: span.name.of(raw), value: span.value.of(raw) })
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

/// Reads [`NARROW`] or [`WIDE`] bytes.
fn unpack(packed: &[u8]) -> FieldSpan {
    let span = |[name, name_len, value, value_len]: [u32; 4]| FieldSpan {
        name: Span { start: name, len: name_len },
        value: Span { start: value, len: value_len },
    };
    // Asked for dozens of times an exchange.
    if let Ok(narrow) = <[u8; NARROW]>::try_from(packed) {
        let all = u64::from_le_bytes(narrow);
        return span([0, 16, 32, 48].map(|shift| u32::from((all >> shift) as u16)));
    }
    match packed.as_chunks::<4>() {
        ([a, b, c, d], _) => span([a, b, c, d].map(|number| u32::from_le_bytes(*number))),
        _ => FieldSpan::default(),
    }
}

/// The version in a start line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
    /// HTTP/2, of a recorder that shows it as messages.
    Http2,
    /// HTTP/3, likewise.
    Http3,
}

impl Version {
    /// As in the start line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
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
            other => std::str::from_utf8(other).unwrap_or_else(|_| {
                // A method that is not UTF-8: its longest piece that is.
                other
                    .utf8_chunks()
                    .map(|chunk| chunk.valid())
                    .max_by_key(|text| text.len())
                    .unwrap_or_default()
            }),
        }
    }
    /// Where the method stands in [`Fields::raw`].
    pub const fn method_span(&self) -> Span {
        self.method
    }
    /// Where the request target stands in [`Fields::raw`].
    pub const fn target_span(&self) -> Span {
        self.target
    }
    /// The request target as on the wire (any form of RFC 9112 §3.2).
    pub fn target(&self) -> &[u8] {
        self.target.of(self.fields.raw())
    }
    /// The same head of a message in another version: HTTP/2 and HTTP/3 have no text form of their own.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
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
    /// The status code as sent, up to 999; 0 when it cannot be read.
    pub fn status(&self) -> u16 {
        self.status
    }
    /// Where the reason phrase stands in [`Fields::raw`].
    pub const fn reason_span(&self) -> Span {
        self.reason
    }
    /// The reason phrase as on the wire; may be empty.
    pub fn reason(&self) -> &[u8] {
        self.reason.of(self.fields.raw())
    }
    /// The same head of a message in another version: HTTP/2 and HTTP/3 have no text form of their own.
    #[must_use]
    pub fn with_version(self, version: Version) -> Self {
        Self { version, ..self }
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
    use super::{FieldSpan, Fields, Span};

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

    #[test]
    fn short_and_long_heads_give_back_what_was_put_in() {
        for len in [100, 65_534, 65_535, 65_536, 100_000] {
            let raw = vec![b'x'; len];
            let end = len as u32 - 10;
            let spans: Vec<FieldSpan> = [(0, 3), (7, 50), (end - 9, 9)]
                .map(|(start, len)| FieldSpan {
                    name: Span { start, len },
                    value: Span { start: start + len, len: 10 },
                })
                .into();
            let fields = Fields::new(&raw, spans.clone());
            assert_eq!(fields.raw(), raw);
            assert!(fields.spans().eq(spans.iter().copied()), "{len}");
            assert!((0..4).map(|line| fields.at(line)).eq(fields.iter().map(Some).chain([None])), "{len}");
        }
    }

    #[test]
    fn a_span_beyond_the_end_is_empty() {
        let beyond =
            FieldSpan { name: Span { start: 1 << 20, len: 4 }, value: Span { start: 0, len: u32::MAX } };
        let fields = Fields::new(vec![b'x'; 65_534], [beyond]);
        assert!(fields.iter().all(|field| field.name.is_empty() && field.value.is_empty()));
    }
}
