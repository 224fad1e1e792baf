//! What is taken apart once and looked at by several: fields, tokens and the body.

use std::rc::Rc;

use crate::explain::request::names::{Kind, Name, Which, name};
use crate::features;
use crate::features::jwt::Token;
use crate::features::{Json, MediaType, Sniffed, Target};
use crate::model::Request;

/// A request's fields and tokens and what its body is.
#[derive(Debug)]
pub struct ParsedRequest<'a, 'b> {
    /// Its target.
    pub target: Target<'a>,
    /// Its fields, in the order of the wire.
    pub fields: Vec<(Rc<Name>, &'a [u8])>,
    /// What its Content-Type says.
    pub media: Option<MediaType<'a>>,
    /// Its tokens, Authorization first.
    pub tokens: Vec<Token<'a>>,
    /// The content, codings undone as far as they are known.
    pub content: &'b [u8],
    /// Whether `content` is still coded.
    pub opaque: bool,
    /// What the content looks like.
    pub sniffed: Sniffed,
    /// Its leaves, when it looks like JSON.
    pub json: Option<Json<'b>>,
}

impl<'a, 'b> ParsedRequest<'a, 'b> {
    /// Takes `request` apart, whose content is `content`.
    pub fn of(request: &'a Request, content: &'b [u8], opaque: bool) -> Self {
        let (sniffed, json) = features::sniff::with_json(content);
        let fields = request.head.fields().iter();
        let mut seen = Self {
            target: Target::of(&request.head),
            fields: fields.map(|field| (name(Kind::Field, field.name), field.value)).collect(),
            media: None,
            tokens: features::tokens(request),
            content,
            opaque,
            sniffed,
            json,
        };
        seen.media = seen.field(Which::ContentType).and_then(MediaType::parse);
        seen
    }
    /// The value of the first such field.
    pub fn field(&self, which: Which) -> Option<&'a [u8]> {
        self.fields.iter().find(|(name, _)| name.which == which).map(|(_, value)| *value)
    }
    /// The same as text, if it is UTF-8.
    pub fn text(&self, which: Which) -> Option<&'a str> {
        self.field(which).and_then(|value| std::str::from_utf8(value).ok())
    }
}
