//! One exchange as a list of hashes, to be set against others.

use std::sync::Arc;

use crate::explain::request::attribute_hash::{Mark, hash};
use crate::explain::request::family::Family;
use crate::explain::request::features::Features;
use crate::explain::request::names::{Kind, name};
use crate::explain::response_fingerprint;
use crate::history::Record;
use crate::model::{ExchangeId, Fields};

/// One exchange as a list of hashes.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Which exchange.
    pub id: ExchangeId,
    /// Attributes, sorted by key.
    pub marks: Arc<[Mark]>,
    /// Who asked, as far as the request says; see `Attributes::caller`.
    pub caller: u64,
    /// Whether anything in the request says who asks.
    pub named: bool,
    /// Whether it carried a token that could be decoded.
    pub has_token: bool,
    /// Whether its body could be taken apart.
    pub has_members: bool,
    /// Bytes of its body.
    pub body_len: u64,
    /// Fingerprint of the response, ignoring ids and times, see [`crate::explain::response_fingerprint`].
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
    /// Bytes in use, those of its place in [`crate::explain::contrast::columns::Columns`] included.
    pub fn memory(&self) -> u64 {
        (size_of::<Self>() + size_of_val(&*self.marks) * 2 + size_of_val(&*self.fields)) as u64
    }
}

/// `record` as a sample.
pub fn sample(record: &Record, features: &Features<'_>, client: u64, credential: u64) -> Sample {
    let exchange = &record.exchange;
    let fields = exchange.response.as_ref().map(|response| response.head.fields());
    let names = fields.into_iter().flat_map(Fields::iter);
    let names: Vec<u64> = names.map(|field| name(Kind::Field, field.name).key).collect();
    Sample {
        id: exchange.id,
        marks: features.marks(),
        caller: features.caller(credential),
        named: features.attributes.iter().any(|one| identifies(one.family)),
        has_token: features.has_token,
        has_members: features.has_members,
        body_len: features.body_len,
        voice: exchange.response.as_ref().map_or(0, response_fingerprint::of),
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
