//! One exchange as a list of hashes, to be set against others.

use std::sync::Arc;

use super::family::Family;
use super::mark::{Mark, hash};
use super::names::{Kind, name};
use super::sheet::Sheet;
use super::voice;
use crate::history::Record;
use crate::model::{ExchangeId, Fields};

/// One exchange as a list of hashes.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Which exchange.
    pub id: ExchangeId,
    /// Attributes, sorted by key.
    pub marks: Arc<[Mark]>,
    /// Who asked, as far as the request says; see [`Sheet::caller`].
    pub caller: u64,
    /// Whether anything in the request says who asks.
    pub named: bool,
    /// Whether it carried a token that could be decoded.
    pub has_token: bool,
    /// Whether its body could be taken apart.
    pub has_members: bool,
    /// Bytes of its body.
    pub body_len: u64,
    /// What the response sounds like, see [`voice`].
    pub voice: u64,
    /// Hash of the response's `Server` field; 0 without one.
    pub server: u64,
    /// Hashes of the response's field names.
    pub fields: Box<[u64]>,
    /// Nanoseconds to the first byte of the response.
    pub latency: i64,
    /// Who asked.
    pub client: u64,
    /// With what credential; 0 without one.
    pub credential: u64,
    /// When, in nanoseconds.
    pub at: i64,
}

impl Sample {
    /// Bytes in use, those of its place in [`super::columns::Columns`] included.
    pub fn memory(&self) -> u64 {
        (size_of::<Self>() + size_of_val(&*self.marks) * 2 + size_of_val(&*self.fields)) as u64
    }
}

/// `record` as a sample.
pub fn sample(record: &Record, sheet: &Sheet<'_>, client: u64, credential: u64) -> Sample {
    let exchange = &record.exchange;
    let fields = exchange.response.as_ref().map(|response| response.head.fields());
    let names = fields.into_iter().flat_map(Fields::iter);
    let names: Vec<u64> = names.map(|field| name(Kind::Field, field.name).key).collect();
    Sample {
        id: exchange.id,
        marks: sheet.marks(),
        caller: sheet.caller(credential),
        named: sheet.attributes.iter().any(|one| identifies(one.family)),
        has_token: sheet.has_token,
        has_members: sheet.has_members,
        body_len: sheet.body_len,
        voice: exchange.response.as_ref().map_or(0, voice::of),
        server: fields.and_then(|fields| fields.value("server")).map_or(0, hash),
        fields: names.into(),
        latency: exchange.latency().unwrap_or(0),
        client,
        credential,
        at: exchange.started().0,
    }
}

/// Whether an attribute of this family may say who asks.
pub const fn identifies(family: Family) -> bool {
    matches!(
        family,
        Family::Credential
            | Family::ApiKey
            | Family::Session
            | Family::Consumer
            | Family::Certificate
            | Family::Signature
            | Family::Cookie
            | Family::Tenant
            | Family::Other
            | Family::Expiry
    )
}
