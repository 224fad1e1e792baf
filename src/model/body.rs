//! Message content: what was kept of it, what was seen, and what is known to be missing.

use super::Fields;

/// Bytes known to be missing from a body (a loss in the capture, not on the wire).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Offset in the body's content where the bytes are missing.
    pub offset: u64,
    /// How many bytes are missing.
    pub len: u64,
}

/// Why a body ended where it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyEnd {
    /// The message has no content (RFC 9112 §6.3).
    #[default]
    None,
    /// All of it was seen, as framed by Content-Length or chunked coding.
    Complete,
    /// Delimited by the close of the connection, which was seen.
    Close,
    /// The connection was closed before the framing said so.
    ClosedEarly,
    /// The connection was reset before the framing said so.
    Reset,
    /// The sender waited for `100 (Continue)` and never sent it.
    NotSent,
    /// The response arrived and the sender gave up on, or the capture ended before, the rest of the body.
    Abandoned,
    /// The capture ended, or the flow was evicted or expired, before the body did.
    Unfinished,
    /// A loss made the rest unreadable.
    Lost,
}

impl BodyEnd {
    /// Whether the whole content is known to have been seen, up to counted gaps.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::None | Self::Complete | Self::Close)
    }
}

/// The content of a message after removal of the transfer coding; content codings are left as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The first bytes of the content, at most the body limit (`--body-limit`), without the bytes of `gaps`.
    pub kept: Box<[u8]>,
    /// Bytes of content seen, kept or not, gaps included.
    pub len: u64,
    /// Why it ended.
    pub end: BodyEnd,
    /// Rare parts; most bodies have none.
    pub rare: Option<Box<BodyRare>>,
}

/// What few bodies have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyRare {
    /// Losses inside the content, in order; bounded, further ones are merged into the last.
    pub gaps: Vec<Gap>,
    /// The trailer section of a chunked message.
    pub trailers: Fields,
}

impl Body {
    /// Whether fewer bytes were kept than seen.
    pub fn is_truncated(&self) -> bool {
        self.len > self.kept.len() as u64 + self.missing()
    }
    /// Bytes lost inside the content.
    pub fn missing(&self) -> u64 {
        self.gaps().iter().map(|gap| gap.len).fold(0, u64::saturating_add)
    }
    /// Losses inside the content, in order.
    pub fn gaps(&self) -> &[Gap] {
        self.rare.as_ref().map_or(&[], |rare| &rare.gaps)
    }
    /// The trailer section, if the message had one.
    pub fn trailers(&self) -> Option<&Fields> {
        self.rare.as_ref().map(|rare| &rare.trailers).filter(|fields| !fields.is_empty())
    }
    /// Whether `kept` is the whole content, so that a parser may be run over it.
    pub fn is_whole(&self) -> bool {
        self.end.is_whole() && !self.is_truncated() && self.gaps().is_empty()
    }
}
