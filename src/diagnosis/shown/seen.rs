//! What is taken apart once and looked at by several: tokens and the body.

use crate::model::Request;
use crate::parts::{self, Json, Sniffed, jwt::Token};

/// A request's tokens and what its body is.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Its tokens, Authorization first.
    pub tokens: Vec<Token<'a>>,
    /// What the body looks like.
    pub sniffed: Sniffed,
    /// The body's leaves, when it looks like JSON.
    pub json: Option<Json<'a>>,
}

impl<'a> Seen<'a> {
    /// Takes `request` apart.
    pub fn of(request: &'a Request) -> Self {
        let sniffed = parts::sniff(&request.body.kept);
        let json = (sniffed == Sniffed::Json).then(|| parts::json::flatten(&request.body.kept));
        Self { tokens: parts::tokens(request), sniffed, json }
    }
}
