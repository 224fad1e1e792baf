//! A body as lines: JSON pretty-printed, forms as tables, multipart by part, text in its charset, anything else as hex.

mod form;
mod hex;
mod json;

use std::borrow::Cow;

use super::{Doc, Line};
use crate::edge::redact::Redactor;
use crate::edge::sanitize;
use crate::features::coding::MAX_DECODED;
use crate::features::content::{self, Content};
use crate::features::{MediaType, MultipartField};
use crate::model::{Body, BodyEnd, Fields, Part};
use crate::tui::text;
use crate::tui::theme::Role;

/// Appends `body` to `doc`. `fields` are those of its message; `part` says whose body it is.
pub(super) fn show(doc: &mut Doc, body: &Body, fields: &Fields, part: Part, redactor: &Redactor) {
    doc.gap();
    if body.len == 0 && body.kept.is_empty() {
        doc.push(Line::of(Role::Dim, nothing(body.end)).anchor(part, ""));
        return;
    }
    let decoded = content::read(fields, &body.kept, MAX_DECODED);
    let media = fields.value("content-type").unwrap_or_default();
    let shown = redactor.body(media, &decoded.bytes);
    let kind = kind(media, &shown);
    doc.push(summary(body, media, &decoded, kind).anchor(part, ""));
    for lost in body.gaps() {
        let text =
            format!("{} lost by the capture at byte {}", text::bytes(lost.len), text::count(lost.offset));
        doc.push(Line::of(Role::Warn, &text));
    }
    lines(doc, &shown, if decoded.charset.is_some() { b"" } else { media }, kind, part);
    if body.is_truncated() {
        let rest = body.len.saturating_sub(body.kept.len() as u64).saturating_sub(body.missing());
        let text = format!("{} more were seen and not kept (--body-limit)", text::bytes(rest));
        doc.push(Line::of(Role::Warn, &text));
    }
}

fn lines(doc: &mut Doc, bytes: &[u8], media: &[u8], kind: Kind, part: Part) {
    match kind {
        Kind::Json => json::show(doc, bytes, part),
        Kind::Form => form::urlencoded(doc, bytes, part),
        Kind::Multipart => form::multipart(doc, bytes, media, part),
        Kind::Text => plain(doc, bytes, media, part),
        Kind::Binary => hex::show(doc, bytes, part),
    }
}

/// One part of a multipart body, by its own kind. A part is never taken apart again.
fn part_of_multipart(doc: &mut Doc, field: &MultipartField<'_>, part: Part) {
    let name = sanitize::line(field.name);
    let mut line = Line::of(Role::Accent, "part ").value(Role::Name, &name);
    if let Some(file) = field.filename {
        line = line.add(Role::Dim, "  file ").add(Role::Text, &sanitize::line(file));
    }
    let media = field.media_type.unwrap_or_default();
    if !media.is_empty() {
        line = line.add(Role::Dim, &format!("  {}", sanitize::line(media)));
    }
    let size = text::bytes(field.value.len() as u64);
    doc.push(line.add(Role::Dim, &format!("  {size}")).anchor(part, &name));
    match kind(media, field.value) {
        Kind::Multipart => plain(doc, field.value, media, part),
        kind => lines(doc, field.value, media, kind, part),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Multipart,
    Text,
    Binary,
}

fn nothing(end: BodyEnd) -> &'static str {
    match end {
        BodyEnd::NotSent => "No body: the client waited for 100 Continue and never sent it",
        BodyEnd::Abandoned | BodyEnd::Unfinished => "No body was seen before the exchange ended",
        BodyEnd::ClosedEarly | BodyEnd::Reset => "No body: the connection ended first",
        BodyEnd::Lost => "The body was lost by the capture",
        BodyEnd::None | BodyEnd::Complete | BodyEnd::Close => "No body",
    }
}

fn kind(media: &[u8], bytes: &[u8]) -> Kind {
    let media = MediaType::parse(media);
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let jsonish = matches!(first, Some(b'{' | b'['));
    match media {
        Some(media) if media.is_form() && !jsonish => Kind::Form,
        Some(media) if media.is_multipart() => Kind::Multipart,
        Some(media) if media.is_json() || jsonish => Kind::Json,
        None if jsonish => Kind::Json,
        _ if is_text(bytes) => Kind::Text,
        Some(media) if media.charset().is_some() || media.kind() == "text" => Kind::Text,
        _ => Kind::Binary,
    }
}

/// Whether the first bytes look like text: valid UTF-8 (a cut letter at the end is fine) without control characters.
fn is_text(bytes: &[u8]) -> bool {
    let sample = bytes.get(..4096).unwrap_or(bytes);
    let valid = match std::str::from_utf8(sample) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let odd = sample.iter().filter(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()).count();
    valid && odd * 100 <= sample.len()
}

fn summary(body: &Body, media: &[u8], decoded: &Content<'_>, kind: Kind) -> Line {
    let mut line = Line::of(Role::Title, "Body").add(Role::Dim, &format!("  {}", text::bytes(body.len)));
    if media.is_empty() {
        line = line.add(Role::Warn, "  no Content-Type");
    } else {
        line = line.add(Role::Dim, &format!("  {}", sanitize::line(media)));
    }
    if !decoded.undone.is_empty() {
        let undone = decoded.undone.join(", ");
        line =
            line.add(Role::Dim, &format!("  {undone} undone: {}", text::bytes(decoded.bytes.len() as u64)));
    }
    if let Some(problem) = &decoded.problem {
        line = line.add(Role::Warn, &format!("  {}", sanitize::text(&problem.to_string())));
    }
    if kind == Kind::Binary {
        line = line.add(Role::Dim, "  hex");
    }
    match body.end {
        BodyEnd::None | BodyEnd::Complete | BodyEnd::Close => line,
        BodyEnd::ClosedEarly => line.add(Role::Warn, "  the connection was closed before its end"),
        BodyEnd::Reset => line.add(Role::Warn, "  the connection was reset before its end"),
        BodyEnd::NotSent => line.add(Role::Warn, "  not sent: no 100 Continue came"),
        BodyEnd::Abandoned => line.add(Role::Warn, "  the sender gave up after the response"),
        BodyEnd::Unfinished => line.add(Role::Warn, "  the capture ended before it did"),
        BodyEnd::Lost => line.add(Role::Warn, "  the rest was lost by the capture"),
    }
}

/// Text line by line, in its charset.
fn plain(doc: &mut Doc, bytes: &[u8], media: &[u8], part: Part) {
    for line in charset(bytes, media).lines() {
        doc.push(Line::of(Role::Text, &sanitize::line(line.as_bytes())).anchor(part, ""));
    }
}

/// `bytes` as UTF-8, from the charset that `media` names, or UTF-8.
fn charset<'a>(bytes: &'a [u8], media: &'a [u8]) -> Cow<'a, str> {
    let media = MediaType::parse(media);
    let label = media.as_ref().and_then(MediaType::charset);
    let encoding = label.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    encoding.unwrap_or(encoding_rs::UTF_8).decode(bytes).0
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, show};
    use crate::edge::redact::Redactor;
    use crate::model::{Body, BodyEnd, FieldSpan, Fields, Part, Span};
    use crate::tui::doc::Doc;

    fn fields(media: &str) -> Fields {
        let raw = format!("content-type{media}");
        let value = Span { start: 12, len: media.len() as u32 };
        Fields::new(raw.into_bytes(), [FieldSpan { name: Span { start: 0, len: 12 }, value }])
    }

    pub(super) fn shown(media: &str, bytes: &[u8]) -> Vec<String> {
        let body = Body { kept: bytes.into(), len: bytes.len() as u64, end: BodyEnd::Complete, rare: None };
        let mut doc = Doc::default();
        show(&mut doc, &body, &fields(media), Part::RequestBody, &Redactor::new(true));
        doc.lines().iter().skip(1).map(|line| line.text().to_owned()).collect()
    }

    #[test]
    fn the_body_decides_where_the_media_type_is_wrong() {
        assert_eq!(kind(b"application/json", b"{}"), Kind::Json);
        assert_eq!(kind(b"application/x-www-form-urlencoded", b"{\"a\":1}"), Kind::Json);
        assert_eq!(kind(b"text/plain", b" [1]"), Kind::Json);
        assert_eq!(kind(b"application/octet-stream", b"plain words"), Kind::Text);
        assert_eq!(kind(b"application/octet-stream", b"\x00\x01\xff"), Kind::Binary);
        assert_eq!(kind(b"", b"\x89PNG\r\n"), Kind::Binary);
    }

    #[test]
    fn text_is_read_in_its_charset_and_escaped() {
        assert_eq!(shown("text/plain; charset=iso-8859-1", b"caf\xe9\nzwei"), ["café", "zwei"]);
    }

    #[test]
    fn what_was_not_kept_is_said() {
        let body = Body { kept: b"abc".as_slice().into(), len: 5000, end: BodyEnd::Complete, rare: None };
        let mut doc = Doc::default();
        show(&mut doc, &body, &fields("text/plain"), Part::ResponseBody, &Redactor::new(true));
        assert!(doc.lines().last().unwrap().text().contains("4.9 KiB more were seen and not kept"));
    }
}
