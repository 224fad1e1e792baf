//! One thing that differs between a refusal and its baseline.

/// A part of an exchange that a difference or a piece of evidence points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Address of the client.
    Client,
    /// Address of the server.
    Server,
    /// Method or version.
    RequestLine,
    /// Path of the target.
    Path,
    /// One query parameter.
    Query,
    /// One request field.
    RequestHeader,
    /// One cookie.
    Cookie,
    /// One claim of a token in the request.
    Claim,
    /// The request's content, or a JSON path or form field in it.
    RequestBody,
    /// Status or reason phrase.
    StatusLine,
    /// One response field.
    ResponseHeader,
    /// The response's content.
    ResponseBody,
    /// When things happened.
    Timing,
    /// The connection.
    Connection,
}

impl Part {
    /// As in the NDJSON contract (`differences[].where`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::RequestLine => "request.line",
            Self::Path => "request.path",
            Self::Query => "request.query",
            Self::RequestHeader => "request.header",
            Self::Cookie => "request.cookie",
            Self::Claim => "request.claim",
            Self::RequestBody => "request.body",
            Self::StatusLine => "response.line",
            Self::ResponseHeader => "response.header",
            Self::ResponseBody => "response.body",
            Self::Timing => "timing",
            Self::Connection => "connection",
        }
    }
}

/// How it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// The refusal has it, the baseline does not.
    Added,
    /// The baseline has it, the refusal does not.
    Removed,
    /// Both have it with different values.
    Changed,
    /// Same name and value, other spelling or order.
    Reordered,
}

impl DifferenceKind {
    /// As in the NDJSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
        }
    }
}

/// How much a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Significance {
    /// Also varies between successes.
    Noise,
    /// Worth knowing.
    Context,
    /// A refusal could rest on it.
    Suspect,
}

impl Significance {
    /// As in the NDJSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Noise => "noise",
            Self::Context => "context",
            Self::Suspect => "suspect",
        }
    }
}

/// One difference. Values are raw wire bytes: they must pass `edge` before anybody sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part.
    pub part: Part,
    /// Name in lower case: field, parameter, cookie, claim or JSON path; empty where the part has only one.
    pub name: String,
    /// How it differs.
    pub kind: DifferenceKind,
    /// How much it says.
    pub significance: Significance,
    /// The baseline's value; `None` when absent there.
    pub baseline: Option<Vec<u8>>,
    /// The refusal's value; `None` when absent there.
    pub this: Option<Vec<u8>>,
    /// One more thing to know, such as "expired 3 h before"; never holds a secret.
    pub note: Option<String>,
}
