//! At which bytes of a request the text stands that firewalls look for. Found again when somebody is to read it, since it is
//! looked for in every request and shown in few.

use std::borrow::Cow;
use std::ops::Range;

use crate::explain::rules::request_facts::payload;
use crate::features;
use crate::features::coding::MAX_DECODED;
use crate::features::content;
use crate::features::{JsonKind, MediaType, Sniffed, Target, parameters};
use crate::model::{Part, Request, Span};

/// How a text is written in the bytes of its part.
#[derive(Clone, Copy)]
enum Coding {
    Plain,
    Percent,
    Json,
}

/// The bytes of the suspicious text at `name` of `part`, as [`crate::model::Pointer::range`] counts them.
pub fn payload(request: &Request, part: Part, name: &str) -> Option<(u32, u32)> {
    let range = match part {
        Part::RequestHeader => inside(request.head.fields().value(name)?, Coding::Plain, 0),
        Part::Path => {
            let path = Target::of(&request.head).path;
            inside_part(request.head.target(), path, Coding::Percent)
        }
        Part::Query => {
            let target = request.head.target();
            pairs(target, Target::of(&request.head).query(), name)
        }
        Part::RequestBody => body(request, name),
        _ => None,
    }?;
    Some((u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?))
}

fn body(request: &Request, name: &str) -> Option<Range<usize>> {
    let content = content::read(request.head.fields(), &request.body.kept, MAX_DECODED);
    let kept: &[u8] = &content.bytes;
    let (sniffed, json) = features::sniff::with_json(kept);
    match sniffed {
        Sniffed::Form => pairs(kept, kept, name),
        Sniffed::Json if !name.is_empty() => {
            let json = json?;
            let leaf = json.leaves.iter().find(|leaf| leaf.kind == JsonKind::String && leaf.path == name)?;
            inside_of(leaf.raw, leaf.text().as_bytes(), Coding::Json, leaf.at)
        }
        Sniffed::Multipart => {
            let media = request.head.fields().value("content-type").and_then(MediaType::parse)?;
            let fields = features::multipart_fields(kept, media.boundary()?);
            let own = fields.iter().filter(|field| String::from_utf8_lossy(field.name) == name);
            let mut texts = own.flat_map(|field| [Some(field.value), field.filename]).flatten();
            texts.find_map(|text| inside_part(kept, text, Coding::Plain))
        }
        _ => inside(kept, Coding::Plain, 0),
    }
}

/// In the value of the parameter `name` of `text`, which stands in `whole`.
fn pairs(whole: &[u8], text: &[u8], name: &str) -> Option<Range<usize>> {
    let mut own = parameters(text).filter(|one| one.name() == name).filter_map(|one| one.raw_value);
    own.find_map(|value| inside_part(whole, value, Coding::Percent))
}

/// In `part`, a slice of `whole`, as `whole` counts.
fn inside_part(whole: &[u8], part: &[u8], coding: Coding) -> Option<Range<usize>> {
    inside(part, coding, Span::within(whole, part)?.start as usize)
}

/// In `raw`, which begins at `base`: the suspicious text.
fn inside(raw: &[u8], coding: Coding, base: usize) -> Option<Range<usize>> {
    let text =
        if matches!(coding, Coding::Percent) { features::form::decode(raw) } else { Cow::Borrowed(raw) };
    inside_of(raw, &text, coding, base)
}

/// The same where `raw` reads `text`.
fn inside_of(raw: &[u8], text: &[u8], coding: Coding, base: usize) -> Option<Range<usize>> {
    let found = payload::span(text)?;
    let mut span: Option<Range<usize>> = None;
    let (mut at, mut decoded) = (usize::from(matches!(coding, Coding::Json)), 0);
    while at < raw.len() && decoded < found.end {
        let (length, letters) = unit(raw.get(at..)?, coding);
        if decoded + letters > found.start {
            let start = span.map_or(at, |span| span.start);
            span = Some(start..(at + length).min(raw.len()));
        }
        (at, decoded) = (at + length, decoded + letters);
    }
    span.map(|span| span.start + base..span.end + base)
}

/// Bytes of the next letter as written, and bytes that it decodes to.
fn unit(rest: &[u8], coding: Coding) -> (usize, usize) {
    let hex = |range: Range<usize>| {
        let digits = rest.get(range).and_then(|digits| std::str::from_utf8(digits).ok())?;
        u32::from_str_radix(digits, 16).ok()
    };
    match (coding, rest) {
        (Coding::Percent, [b'%', ..]) if hex(1..3).is_some() => (3, 1),
        (Coding::Json, [b'\\', b'u', ..]) => match hex(2..6) {
            Some(0xD800..=0xDBFF) if rest.get(6..8) == Some(b"\\u") => (12, 4),
            Some(0..=0x7F) => (6, 1),
            Some(0x80..=0x7FF) => (6, 2),
            _ => (6, 3),
        },
        (Coding::Json, [b'\\', ..]) => (2, 1),
        _ => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::fixture::exchanges;

    /// The bytes that `payload` points at.
    fn at(text: &str, part: Part, name: &str) -> Option<String> {
        let exchange = &exchanges(text)[0];
        let request = exchange.request.as_ref().unwrap();
        let (start, end) = payload(request, part, name)?;
        let whole: &[u8] = match part {
            Part::RequestHeader => request.head.fields().value(name).unwrap(),
            Part::RequestBody => &request.body.kept,
            _ => request.head.target(),
        };
        Some(String::from_utf8_lossy(whole.get(start as usize..end as usize)?).into_owned())
    }

    #[test]
    fn the_very_bytes_in_every_part() {
        let cases = [
            ("POST /a/..%2f..%2fetc/passwd?x=1\n--- 403\n", Part::Path, "", "..%2f..%2f"),
            ("POST /a?n=1&q=x%3Cscript%3Ealert\n--- 403\n", Part::Query, "q", "%3Cscript"),
            ("POST /a\nX-Note: hey () { :;}; echo\n--- 403\n", Part::RequestHeader, "x-note", "; echo"),
            (
                "POST /a\nContent-Type: application/json\n\n{\"a\":\"fine\",\"b\":\"caf\\u00e9 \\u003cscript>\"}\n--- 403\n",
                Part::RequestBody,
                "$.b",
                "\\u003cscript",
            ),
            (
                "POST /a\nContent-Type: application/x-www-form-urlencoded\n\na=1&b=%27+or+1%3D1\n--- 403\n",
                Part::RequestBody,
                "b",
                "%27+or+1%3D",
            ),
        ];
        for (text, part, name, expected) in cases {
            assert_eq!(at(text, part, name).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(at("POST /a\nX-Note: nothing here\n--- 403\n", Part::RequestHeader, "x-note"), None);
    }
}
