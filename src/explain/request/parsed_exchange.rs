//! An exchange whose request was taken apart, once for everything that explains it.

use crate::explain::request::features::Features;
use crate::features::request::parsed_request::ParsedRequest;
use crate::history::Record;

/// A record and its request taken apart.
#[derive(Debug)]
pub struct ParsedExchange<'a> {
    /// The record.
    pub record: &'a Record,
    /// Its request; `None` where there is none.
    pub request: Option<ParsedRequest<'a>>,
}

impl<'a> ParsedExchange<'a> {
    /// Takes the request of `record` apart.
    pub fn of(record: &'a Record) -> Self {
        Self { record, request: record.exchange.request.as_ref().map(ParsedRequest::of) }
    }
    /// Its attributes and facts.
    pub fn features(&self) -> Features<'a> {
        let given = |parsed| Features::given(&self.record.exchange, parsed);
        self.request.as_ref().map(given).unwrap_or_default()
    }
}
