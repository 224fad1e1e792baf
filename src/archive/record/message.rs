//! Requests and responses in a record: heads verbatim with the places of their parts, contents as far as they were kept.

use serde::{Deserialize, Serialize};

use super::bytes::Bytes;
use super::names::{body_end, body_end_name, version};
use super::{RecordError, known};
use crate::model::{
    Body, BodyRare, FieldSpan, Fields, Gap, Request, RequestHead, Response, ResponseHead, Span, Timestamp,
};

/// Start and length.
type Place = (u32, u32);

/// The verbatim bytes of a head or a trailer section.
#[derive(Serialize, Deserialize, Default)]
pub(super) struct StoredFields<'a> {
    #[serde(borrow)]
    raw: Bytes<'a>,
    /// Start and length of the name, then of the value, of each field line.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    lines: Vec<(u32, u32, u32, u32)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredRequest<'a> {
    #[serde(flatten, borrow)]
    head: StoredFields<'a>,
    method: Place,
    target: Place,
    version: String,
    started: i64,
    ended: i64,
    #[serde(borrow)]
    body: StoredBody<'a>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredResponseHead<'a> {
    #[serde(flatten, borrow)]
    head: StoredFields<'a>,
    status: u16,
    reason: Place,
    version: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredResponse<'a> {
    #[serde(flatten, borrow)]
    head: StoredResponseHead<'a>,
    started: i64,
    ended: i64,
    #[serde(borrow)]
    body: StoredBody<'a>,
}

#[derive(Serialize, Deserialize)]
struct StoredBody<'a> {
    #[serde(skip_serializing_if = "Bytes::is_empty", default, borrow)]
    kept: Bytes<'a>,
    len: u64,
    end: String,
    /// Offset and length of each loss.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    gaps: Vec<(u64, u64)>,
    #[serde(skip_serializing_if = "Option::is_none", default, borrow)]
    trailers: Option<StoredFields<'a>>,
}

impl<'a> StoredFields<'a> {
    fn of(fields: &'a Fields) -> Self {
        let lines = fields
            .spans()
            .map(|span| (span.name.start, span.name.len, span.value.start, span.value.len))
            .collect();
        Self { raw: Bytes::of(fields.raw()), lines }
    }
    fn into_fields(self) -> Fields {
        let spans = self.lines.into_iter().map(|(name, name_len, value, value_len)| FieldSpan {
            name: Span { start: name, len: name_len },
            value: Span { start: value, len: value_len },
        });
        Fields::new(self.raw.as_slice(), spans)
    }
}

impl<'a> StoredRequest<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        let head = &request.head;
        Self {
            head: StoredFields::of(head.fields()),
            method: place(head.method_span()),
            target: place(head.target_span()),
            version: head.version().as_str().to_owned(),
            started: request.started.0,
            ended: request.ended.0,
            body: StoredBody::of(&request.body),
        }
    }
    pub(super) fn into_request(self) -> Result<Request, RecordError> {
        let version = known("version", &self.version, version(&self.version))?;
        let fields = self.head.into_fields();
        Ok(Request {
            head: RequestHead::new(fields, span(self.method), span(self.target), version),
            body: self.body.into_body()?,
            started: Timestamp(self.started),
            ended: Timestamp(self.ended),
        })
    }
}

impl<'a> StoredResponseHead<'a> {
    pub(super) fn of(head: &'a ResponseHead) -> Self {
        Self {
            head: StoredFields::of(head.fields()),
            status: head.status(),
            reason: place(head.reason_span()),
            version: head.version().as_str().to_owned(),
        }
    }
    pub(super) fn into_head(self) -> Result<ResponseHead, RecordError> {
        let version = known("version", &self.version, version(&self.version))?;
        Ok(ResponseHead::new(self.head.into_fields(), self.status, span(self.reason), version))
    }
}

impl<'a> StoredResponse<'a> {
    pub(super) fn of(response: &'a Response) -> Self {
        Self {
            head: StoredResponseHead::of(&response.head),
            started: response.started.0,
            ended: response.ended.0,
            body: StoredBody::of(&response.body),
        }
    }
    pub(super) fn into_response(self) -> Result<Response, RecordError> {
        Ok(Response {
            head: self.head.into_head()?,
            body: self.body.into_body()?,
            started: Timestamp(self.started),
            ended: Timestamp(self.ended),
        })
    }
}

impl<'a> StoredBody<'a> {
    fn of(body: &'a Body) -> Self {
        let rare = body.rare.as_deref();
        Self {
            kept: Bytes::of(&body.kept),
            len: body.len,
            end: body_end_name(body.end).to_owned(),
            gaps: body.gaps().iter().map(|gap| (gap.offset, gap.len)).collect(),
            trailers: rare.map(|rare| StoredFields::of(&rare.trailers)),
        }
    }
    fn into_body(self) -> Result<Body, RecordError> {
        let gaps = self.gaps.into_iter().map(|(offset, len)| Gap { offset, len });
        let rare = self
            .trailers
            .map(|trailers| Box::new(BodyRare { gaps: gaps.collect(), trailers: trailers.into_fields() }));
        Ok(Body {
            kept: self.kept.into_box(),
            len: self.len,
            end: known("end of a body", &self.end, body_end(&self.end))?,
            rare,
        })
    }
}

const fn place(span: Span) -> Place {
    (span.start, span.len)
}

const fn span((start, len): Place) -> Span {
    Span { start, len }
}
