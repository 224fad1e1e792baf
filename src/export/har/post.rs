//! The content of a request: `postData`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::export::content::{Shown, content};
use crate::features::{MediaType, multipart, parameters};
use crate::model::{Body, Fields};

/// What HAR has no field for.
const BYTES: &str = "not text: each character stands for one byte (ISO 8859-1)";

/// The content as text, and its parameters when it is a form. Readers take either: HAR 1.2 asks for one of the two,
/// the exports of browsers have both.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostData<'a> {
    mime_type: Cow<'a, str>,
    text: Cow<'a, str>,
    params: Vec<Param>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// A parameter of a form.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Param {
    name: String,
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

impl<'a> PostData<'a> {
    /// Of a request with `fields` and `body`; `None` without content.
    pub(super) fn new(fields: &'a Fields, body: &'a Body, redactor: &Redactor) -> Option<Self> {
        if body.kept.is_empty() {
            return None;
        }
        let media = fields.value("content-type").unwrap_or_default();
        let mut comments = Vec::new();
        let (text, params) = match content(fields, body, redactor).shown {
            Shown::Text(text) => {
                let params = params(media, text.as_bytes());
                (text, params)
            }
            Shown::Base64(coded) => {
                let bytes = STANDARD.decode(coded).unwrap_or_default();
                comments.push(BYTES.to_owned());
                let params = params(media, &bytes);
                (Cow::Owned(bytes.iter().copied().map(char::from).collect()), params)
            }
            Shown::Withheld(why) => {
                comments.push(why.to_owned());
                (Cow::Borrowed(""), Vec::new())
            }
        };
        if body.is_truncated() {
            comments.push(format!("the first {} of {} bytes", body.kept.len(), body.len));
        }
        let comment = (!comments.is_empty()).then(|| comments.join("; "));
        Some(Self { mime_type: sanitize::utf8(media), text, params, comment })
    }
}

/// The parameters of a form or multipart body from which secrets were taken.
fn params(media: &[u8], bytes: &[u8]) -> Vec<Param> {
    let plain = |bytes: &[u8]| sanitize::utf8(bytes).into_owned();
    match MediaType::parse(media) {
        Some(media) if media.is_form() => parameters(bytes)
            .map(|parameter| Param {
                name: parameter.name().into_owned(),
                value: plain(&parameter.value()),
                file_name: None,
                content_type: None,
            })
            .collect(),
        Some(media) if media.is_multipart() => multipart::fields(bytes, media.boundary().unwrap_or_default())
            .into_iter()
            .map(|part| Param {
                name: plain(part.name),
                value: plain(part.value),
                file_name: part.filename.map(plain),
                content_type: part.media_type.map(plain),
            })
            .collect(),
        _ => Vec::new(),
    }
}
