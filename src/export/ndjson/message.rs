//! Requests and responses in a line.

use std::borrow::Cow;

use super::{Kind, Line};
use crate::edge::redact::Redactor;
use crate::export::content::{Shown, content};
use crate::export::json;
use crate::model::{Body, Fields, Request, Response};

impl Line<'_> {
    pub(super) fn request(&mut self, request: &Request) {
        let head = &request.head;
        self.raw("{\"method\":");
        json::string(self.out, head.method().as_bytes());
        self.raw(",\"target\":");
        let target = head.target();
        self.remembered(Kind::Target, b"", target, |out, redactor| {
            json::string(out, &redactor.target(target));
        });
        self.raw(",\"version\":");
        self.plain(head.version().as_str());
        self.message(head.fields(), &request.body);
    }

    pub(super) fn response(&mut self, response: &Response) {
        let head = &response.head;
        self.raw("{\"status\":");
        self.number(head.status());
        self.raw(",\"reason\":");
        json::string(self.out, &self.redactor.text(head.reason()));
        self.raw(",\"version\":");
        self.plain(head.version().as_str());
        self.message(head.fields(), &response.body);
    }

    /// Fields and body, and the end of the message.
    fn message(&mut self, fields: &Fields, body: &Body) {
        self.raw(",\"headers\":");
        self.headers(fields);
        self.raw(",\"body\":{\"bytes\":");
        self.number(body.len);
        self.raw(",\"captured\":");
        self.number(body.kept.len());
        self.raw(",\"truncated\":");
        self.bool(body.is_truncated() || !body.end.is_whole());
        if !body.kept.is_empty() {
            self.content(fields, body);
        }
        if body.missing() > 0 {
            self.raw(",\"missing\":");
            self.number(body.missing());
        }
        if let Some(trailers) = body.trailers().filter(|trailers| !trailers.is_empty()) {
            self.raw(",\"trailers\":");
            self.headers(trailers);
        }
        self.raw("}}");
    }

    fn headers(&mut self, fields: &Fields) {
        self.list(fields.iter(), |line, field| {
            line.remembered(Kind::Field, field.name, field.value, |out, redactor| {
                out.push(b'[');
                json::string(out, field.name);
                out.push(b',');
                json::string(out, &redactor.field(field.name, field.value));
                out.push(b']');
            });
        });
    }

    /// `text` or `base64`, or why neither, and the content coding that was undone.
    fn content(&mut self, fields: &Fields, body: &Body) {
        let (kind, name) = read_as(fields);
        self.remembered(kind, &name, &body.kept, |out, redactor| append_content(out, fields, body, redactor));
    }
}

/// Everything in a head that decides how its body is read, as one key.
fn read_as(fields: &Fields) -> (Kind, Cow<'_, [u8]>) {
    let media = fields.value("content-type").unwrap_or_default();
    if !fields.has("content-encoding") {
        return (Kind::Body, Cow::Borrowed(media));
    }
    let mut key = Vec::new();
    for value in std::iter::once(media).chain(fields.values("content-encoding")) {
        key.extend_from_slice(&value.len().to_le_bytes());
        key.extend_from_slice(value);
    }
    (Kind::CodedBody, Cow::Owned(key))
}

fn append_content(out: &mut Vec<u8>, fields: &Fields, body: &Body, redactor: &Redactor) {
    let content = content(fields, body, redactor);
    let (name, text) = match &content.shown {
        Shown::Text(text) => ("text", &**text),
        Shown::Base64(text) => ("base64", &**text),
        Shown::Withheld(why) => ("withheld", *why),
    };
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    json::text(out, text);
    if let Some(decoded) = &content.decoded {
        out.extend_from_slice(b",\"decoded\":");
        json::string(out, decoded.as_bytes());
    }
}
