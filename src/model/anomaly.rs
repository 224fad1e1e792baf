//! Oddities on the wire, as names that the output uses.

macro_rules! anomalies {
    ($($variant:ident = $id:literal, $doc:literal;)*) => {
        /// An oddity of one exchange.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Anomaly { $(#[doc = $doc] $variant,)* }

        impl Anomaly {
            /// Every anomaly.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];
            /// The name that output and filters use.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $id,)* } }
            /// One line for people.
            pub const fn describe(self) -> &'static str { match self { $(Self::$variant => $doc,)* } }
        }
    };
}

anomalies! {
    TransferEncodingWithContentLength = "transfer-encoding-with-content-length", "Both Transfer-Encoding and Content-Length are present (RFC 9112 §6.3)";
    DuplicateContentLength = "duplicate-content-length", "Content-Length is repeated with the same value";
    ConflictingContentLength = "conflicting-content-length", "Content-Length is repeated with different values";
    InvalidContentLength = "invalid-content-length", "Content-Length is not a plain decimal number below 2^63";
    UnknownTransferCoding = "unknown-transfer-coding", "Transfer-Encoding names a coding other than chunked";
    ChunkedNotFinal = "chunked-not-final", "chunked is not the last transfer coding, or is repeated";
    ObsFold = "obs-fold", "A field value is folded over several lines";
    BareLf = "bare-lf", "A line ends with LF alone";
    BareCr = "bare-cr", "A CR stands alone in the head";
    SpaceBeforeColon = "space-before-colon", "White space stands between a field name and its colon";
    EmptyFieldName = "empty-field-name", "A field line has no name";
    InvalidFieldName = "invalid-field-name", "A field name holds characters that are not allowed";
    InvalidFieldValue = "invalid-field-value", "A field value holds NUL or other control characters";
    NonAsciiValue = "non-ascii-value", "A field value holds bytes above 0x7F";
    ChunkExtension = "chunk-extension", "A chunk carries an extension";
    InvalidChunk = "invalid-chunk", "A chunk size or delimiter is malformed";
    Trailers = "trailers", "The message has a trailer section";
    MissingHost = "missing-host", "An HTTP/1.1 request has no Host";
    DuplicateHost = "duplicate-host", "Host is repeated";
    MultipleInterim = "multiple-interim-responses", "More than one interim response came before the final one";
    ContinueRefused = "continue-refused", "100-continue was expected, the final response came and the body was not sent";
    EarlyResponse = "early-response", "The final response began before the request's body had ended";
    LengthWithoutBody = "length-without-body", "A response that has no content (HEAD, 204, 304) announces a length";
    CruftBetweenMessages = "cruft-between-messages", "Junk between two messages";
    UnexpectedResponse = "unexpected-response", "The server sent more responses than there were requests";
    CloseDelimited = "close-delimited", "The response's body ends with the connection";
    GapInRequestHead = "gap-in-request-head", "The capture lost bytes of the request head";
    GapInRequestBody = "gap-in-request-body", "The capture lost bytes of the request body";
    GapInResponseHead = "gap-in-response-head", "The capture lost bytes of the response head";
    GapInResponseBody = "gap-in-response-body", "The capture lost bytes of the response body";
    GapBetweenMessages = "gap-between-messages", "The capture lost bytes between messages";
    SnaplenCut = "snaplen-cut", "The capture's snapshot length cut frames of this exchange";
    ConflictingRetransmission = "conflicting-retransmission", "A retransmission carried other bytes; the first version is kept";
    UrgentData = "urgent-data", "A segment carried urgent data";
    MidStream = "mid-stream", "The capture began after the connection did";
    SynReplayed = "syn-replayed", "A second SYN with another sequence number was seen";
    HeadTooLarge = "head-too-large", "The head exceeds the limit and was cut";
    MalformedHead = "malformed-head", "The head is not HTTP/1.1, read as far as it goes";
    AmbiguousFraming = "ambiguous-framing", "Receivers may disagree about where this message ends (request smuggling)";
    ClockWentBack = "clock-went-back", "The capture's clock went backwards";
    UpgradeRequested = "upgrade-requested", "The request asked to switch protocols";
    BodyLongerThanLength = "body-longer-than-content-length", "The client sent more content than the request's Content-Length announced";
    WhiteSpaceBeforeStartLine = "white-space-before-start-line", "White space or several empty lines stand before the start line";
    ContentCodingDamaged = "content-coding-damaged", "The content is cut or corrupt: its content coding cannot be undone to the end";
    MultipartUnclosed = "multipart-unclosed", "A multipart body ends without its closing boundary";
    GatewayProtocol = "gateway-protocol", "The request came by FastCGI, uwsgi, SCGI or AJP: its head is written here from its variables";
    PairedByOrder = "paired-by-order", "After a loss, or in mid-stream, a client that pipelines: request and response were paired by acknowledgements, which is likely and not certain";
    BodyAfterNoBody = "body-where-none-allowed", "Content was sent where none is allowed";
}

/// A set of anomalies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct AnomalySet(u64);

const _: () = assert!(Anomaly::ALL.len() <= 64, "AnomalySet holds 64");

impl AnomalySet {
    /// Adds one.
    pub fn insert(&mut self, anomaly: Anomaly) {
        self.0 |= 1 << anomaly as u8;
    }
    /// Whether `anomaly` is in it.
    pub const fn contains(self, anomaly: Anomaly) -> bool {
        self.0 & (1 << anomaly as u8) != 0
    }
    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }
    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// In the documented order.
    pub fn iter(self) -> impl Iterator<Item = Anomaly> {
        Anomaly::ALL.iter().copied().filter(move |anomaly| self.contains(*anomaly))
    }
}

#[cfg(test)]
mod tests {
    use super::Anomaly;

    #[test]
    fn the_documentation_lists_every_anomaly_with_its_words_and_no_other() {
        let listed: Vec<&str> =
            include_str!("../../docs/output.md").lines().filter(|line| line.starts_with("| `")).collect();
        let all: Vec<String> =
            Anomaly::ALL.iter().map(|one| format!("| `{}` | {} |", one.name(), one.describe())).collect();
        assert_eq!(listed, all);
    }
}
