//! A request taken apart once: everything that compares, counts or explains requests reads this value.

use std::borrow::Cow;
use std::rc::Rc;

use crate::features::coding::MAX_DECODED;
use crate::features::cookie::{Cookie, cookies};
use crate::features::json::{self, JsonEnd, JsonKind};
use crate::features::jwt::{Token, tokens};
use crate::features::multipart::MultipartField;
use crate::features::names::{Kind, Name, Which, name};
use crate::features::request::attribute::Value;
use crate::features::{MediaType, Parameter, Sniffed, Target, content, multipart, parameters, sniff};
use crate::model::Request;

/// A request's target, fields, cookies, parameters and tokens, and its content without its codings.
#[derive(Debug)]
pub struct ParsedRequest<'a> {
    /// The request.
    pub request: &'a Request,
    /// Its target.
    pub target: Target<'a>,
    /// Its fields, in the order of the wire.
    pub fields: Vec<(Rc<Name>, &'a [u8])>,
    /// Its cookies, in the order of the wire.
    pub cookies: Vec<Cookie<'a>>,
    /// The parameters of its query. Bound: the head limit.
    pub query: Vec<Parameter<'a>>,
    /// What its Content-Type says.
    pub media: Option<MediaType<'a>>,
    /// Its tokens, Authorization first.
    pub tokens: Vec<Token<'a>>,
    /// The content, codings undone as far as they are known. Bound: [`MAX_DECODED`] where something was undone.
    pub content: Value<'a>,
    /// Whether `content` is still coded.
    pub opaque: bool,
    /// Whether nothing of a coding could be undone.
    pub undecoded: bool,
    /// Why `content` is less than everything, when it is.
    pub cut: bool,
    /// What the content looks like.
    pub sniffed: Sniffed,
    /// Its leaves, when it looks like JSON.
    pub json: Option<ParsedJson<'a>>,
}

/// The leaves of a JSON document.
#[derive(Debug)]
pub struct ParsedJson<'a> {
    /// In wire order. Bound: [`json::MAX_LEAVES`].
    pub leaves: Vec<Leaf<'a>>,
    /// How far the document could be read.
    pub end: JsonEnd,
}

/// A JSON value that holds no others.
#[derive(Clone, Debug)]
pub struct Leaf<'a> {
    /// Where in the document, see [`json::JsonLeaf::path`].
    pub path: String,
    /// What it is.
    pub kind: JsonKind,
    /// As on the wire; a string keeps its quotes.
    pub raw: Value<'a>,
}

impl Leaf<'_> {
    /// A string without its quotes and escapes, anything else as on the wire; invalid UTF-8 replaced.
    pub fn text(&self) -> Cow<'_, str> {
        json::text(self.kind, &self.raw)
    }
}

impl<'a> ParsedRequest<'a> {
    /// Takes `request` apart.
    pub fn of(request: &'a Request) -> Self {
        let read = content::read(request.head.fields(), &request.body.kept, MAX_DECODED);
        let (opaque, cut) = (read.is_opaque(), read.problem.is_some());
        let undecoded = cut && read.undone.is_empty();
        let content = Value::from(read.bytes);
        let (sniffed, json) = sniff::with_json(&content);
        let json = json.map(|json| ParsedJson {
            end: json.end,
            leaves: json
                .leaves
                .into_iter()
                .map(|leaf| {
                    let raw = content.part(leaf.at, leaf.raw.len());
                    Leaf { path: leaf.path, kind: leaf.kind, raw }
                })
                .collect(),
        });
        let target = Target::of(&request.head);
        let fields = request.head.fields();
        let mut parsed = Self {
            request,
            target,
            fields: fields.iter().map(|field| (name(Kind::Field, field.name), field.value)).collect(),
            cookies: cookies(fields).collect(),
            query: parameters(target.query()).collect(),
            media: None,
            tokens: tokens(request),
            content,
            opaque,
            undecoded,
            cut,
            sniffed,
            json,
        };
        parsed.media = parsed.field(Which::ContentType).and_then(MediaType::parse);
        parsed
    }
    /// The value of the first such field.
    pub fn field(&self, which: Which) -> Option<&'a [u8]> {
        self.fields.iter().find(|(name, _)| name.which == which).map(|(_, value)| *value)
    }
    /// The same as text, if it is UTF-8.
    pub fn text(&self, which: Which) -> Option<&'a str> {
        self.field(which).and_then(|value| std::str::from_utf8(value).ok())
    }
    /// The parts of content that its media type calls multipart.
    pub fn parts(&self) -> Vec<MultipartField<'_>> {
        let boundary = self.media.filter(MediaType::is_multipart).and_then(|media| media.boundary());
        boundary.map(|boundary| multipart::fields(&self.content, boundary)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::ParsedRequest;
    use crate::features::tests::request;

    #[test]
    fn leaves_of_coded_content_are_kept_with_it() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"{\"a\":{\"b\":\"x\\ny\"},\"n\":7}").unwrap();
        let coded = gzip.finish().unwrap();
        let lines = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
        for (request, undone) in [
            (request("POST", "/x?q=1", &lines, &coded), true),
            (request("POST", "/x?q=1", &lines[..1], b"{\"a\":{\"b\":\"x\\ny\"},\"n\":7}"), false),
        ] {
            let parsed = ParsedRequest::of(&request);
            let leaves: Vec<_> = parsed.json.iter().flat_map(|json| &json.leaves).collect();
            let shown: Vec<_> = leaves.iter().map(|leaf| (&*leaf.path, leaf.text().into_owned())).collect();
            assert_eq!(shown, [("$.a.b", "x\ny".to_owned()), ("$.n", "7".to_owned())], "{undone}");
            assert_eq!((parsed.query.len(), parsed.opaque, parsed.cut), (1, false, false));
        }
    }
}
