//! The lines as they are written: structures of their own, so that the model can change and the contract stays.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

/// One exchange.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub(crate) v: u8,
    pub(crate) id: u64,
    pub(crate) started: String,
    pub(crate) client: String,
    pub(crate) server: String,
    pub(crate) endpoint: String,
    pub(crate) request: Option<Request<'a>>,
    pub(crate) response: Option<Response<'a>>,
    pub(crate) outcome: &'static str,
    /// The first bytes of what the server sent in place of a response, escaped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_http: Option<String>,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) baseline: Option<Baseline<'a>>,
    pub(crate) differences: Vec<Difference<'a>>,
    pub(crate) diagnosis: Vec<Finding<'a>>,
    pub(crate) anomalies: Vec<&'static str>,
    /// Which layer refused; absent when nothing was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refuser: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) ruled_out: Vec<RuledOut<'a>>,
    /// What the server's log says, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) log: Vec<LogLine<'a>>,
    /// Status codes of interim responses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) interim: Vec<u16>,
    /// Who the request claims to be, as a keyed hash: equal within a run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    pub(crate) connection: Connection,
}

#[derive(Debug, Serialize)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) index: u32,
    pub(crate) handshake: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) method: Cow<'a, str>,
    pub(crate) target: Cow<'a, str>,
    pub(crate) version: &'static str,
    pub(crate) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) body: Body<'a>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Response<'a> {
    pub(crate) status: u16,
    pub(crate) reason: Cow<'a, str>,
    pub(crate) version: &'static str,
    pub(crate) headers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    pub(crate) body: Body<'a>,
}

/// `text` or `base64`; neither when there is no content, or when it is withheld.
#[derive(Debug, Serialize)]
pub(crate) struct Body<'a> {
    pub(crate) bytes: u64,
    pub(crate) captured: u64,
    pub(crate) truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base64: Option<String>,
    /// Why the content is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) withheld: Option<&'static str>,
    /// The content coding that was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) decoded: Option<String>,
    /// Bytes that the capture lost.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) missing: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) trailers: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Baseline<'a> {
    pub(crate) id: u64,
    pub(crate) why: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Difference<'a> {
    #[serde(rename = "where")]
    pub(crate) part: &'static str,
    pub(crate) name: Cow<'a, str>,
    pub(crate) kind: &'static str,
    pub(crate) significance: &'static str,
    pub(crate) baseline: Option<String>,
    pub(crate) this: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Finding<'a> {
    pub(crate) cause: &'static str,
    pub(crate) confidence: f64,
    pub(crate) evidence: Vec<Cow<'a, str>>,
    /// Where each piece of evidence can be seen, in the same order.
    pub(crate) at: Vec<Option<Spot<'a>>>,
    pub(crate) next: Vec<Cow<'a, str>>,
}

/// A record of the server's log.
#[derive(Debug, Serialize)]
pub(crate) struct LogLine<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    pub(crate) text: Cow<'a, str>,
    #[serde(rename = "match")]
    pub(crate) kind: &'static str,
    pub(crate) confidence: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) says: Option<BTreeMap<&'a str, Cow<'a, str>>>,
}

/// Where a piece of evidence can be seen, see [`crate::model::Pointer`].
#[derive(Debug, Serialize)]
pub(crate) struct Spot<'a> {
    #[serde(rename = "where")]
    pub(crate) part: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) range: Option<(u32, u32)>,
}

#[derive(Debug, Serialize)]
pub(crate) struct RuledOut<'a> {
    pub(crate) cause: &'static str,
    pub(crate) why: Cow<'a, str>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
