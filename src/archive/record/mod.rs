//! The versioned record of an exchange: one JSON object that holds everything the history learns from.
//!
//! Baselines, noise, statistics and diagnosis are all derived from exchanges in the order in which they were taken in. So a
//! record keeps the exchange as the pipeline made it (heads verbatim with the places of their fields, contents as far as
//! they were kept, times, outcome, anomalies, the connection), and a reader rebuilds everything else by observing the
//! records again in order. Nothing that depends on a process is in it: hashes of a run are computed again.
//!
//! Bytes are JSON strings where they are UTF-8, and `{"base64":"…"}` elsewhere, so that any tool can query the records.
//! The version grows when a reader of the former version would misunderstand a record; a reader refuses what is newer.

mod bytes;
mod message;
mod names;
#[cfg(test)]
pub(crate) mod tests;

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::model::{
    AnomalySet, Connection, Exchange, ExchangeId, FlowId, Imported, InterfaceId, Preface, StreamId,
};
use bytes::Bytes;
use message::{StoredRequest, StoredResponse, StoredResponseHead};
use names::{anomaly, outcome, preface_kind};

/// The version that this program writes; it reads this one and those before it.
pub const VERSION: u32 = 1;
/// Longest record that is read, in bytes.
pub const MAX_RECORD: usize = 64 << 20;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RecordError {
    /// A later version of the program wrote it.
    #[error("the record has version {0}, this program reads up to {VERSION}: use a newer why403")]
    Newer(u32),
    /// It is damaged.
    #[error("the record is damaged: {0}")]
    Damaged(String),
    /// It is longer than [`MAX_RECORD`].
    #[error("the record has {0} bytes, more than the {MAX_RECORD} that are read")]
    TooLong(usize),
}

/// An exchange with the run that captured it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Which run of the program captured it; ids of connections are unique within a run.
    pub run: u64,
    /// The exchange, with the id that it had.
    pub exchange: Exchange,
}

/// Writes `exchange` as one line of JSON without a line break.
pub fn write(run: u64, exchange: &Exchange) -> String {
    // Strings, numbers and lists only: this cannot fail.
    serde_json::to_string(&Stored::of(run, exchange)).unwrap_or_default()
}

/// Reads what [`write()`] wrote.
pub fn read(text: &str) -> Result<Recorded, RecordError> {
    if text.len() > MAX_RECORD {
        return Err(RecordError::TooLong(text.len()));
    }
    let stored: Result<Stored, _> = serde_json::from_str(text);
    match stored {
        Ok(stored) if stored.v == VERSION => stored.into_exchange(),
        Ok(stored) if stored.v > VERSION => Err(RecordError::Newer(stored.v)),
        Ok(stored) => Err(RecordError::Damaged(format!("there is no version {}", stored.v))),
        Err(error) => match serde_json::from_str::<OnlyVersion>(text) {
            Ok(OnlyVersion { v }) if v > VERSION => Err(RecordError::Newer(v)),
            _ => Err(RecordError::Damaged(error.to_string())),
        },
    }
}

/// The one member that every version has.
#[derive(Deserialize)]
struct OnlyVersion {
    v: u32,
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    v: u32,
    run: u64,
    id: u64,
    client: SocketAddr,
    server: SocketAddr,
    #[serde(flatten)]
    connection: StoredConnection,
    #[serde(skip_serializing_if = "Option::is_none")]
    preface: Option<StoredPreface>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    request: Option<StoredRequest<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty", default, borrow)]
    interim: Vec<StoredResponseHead<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    response: Option<StoredResponse<'a>>,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none", borrow)]
    not_http: Option<Bytes<'a>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    imported: Option<StoredImported>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    anomalies: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredConnection {
    flow: u64,
    interface: u32,
    stream: u32,
    index: u32,
    handshake: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredPreface {
    kind: String,
    peer: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authority: Option<String>,
}

impl<'a> Stored<'a> {
    fn of(run: u64, exchange: &'a Exchange) -> Self {
        let connection = &exchange.connection;
        Self {
            v: VERSION,
            run,
            id: exchange.id.0,
            client: exchange.client,
            server: exchange.server,
            connection: StoredConnection {
                flow: connection.flow.0,
                interface: connection.interface.0,
                stream: connection.stream.0,
                index: connection.index,
                handshake: connection.handshake,
            },
            preface: exchange.preface.as_deref().map(StoredPreface::of),
            request: exchange.request.as_ref().map(StoredRequest::of),
            interim: exchange.interim.iter().map(StoredResponseHead::of).collect(),
            response: exchange.response.as_ref().map(StoredResponse::of),
            outcome: exchange.outcome.as_str().to_owned(),
            not_http: exchange.not_http.as_deref().map(Bytes::of),
            imported: exchange.imported.as_deref().map(StoredImported::of),
            anomalies: exchange.anomalies.iter().map(|one| one.name().to_owned()).collect(),
        }
    }

    fn into_exchange(self) -> Result<Recorded, RecordError> {
        let mut anomalies = AnomalySet::default();
        for name in &self.anomalies {
            anomalies.insert(known("anomaly", name, anomaly(name))?);
        }
        let interim: Result<Box<[_]>, _> =
            self.interim.into_iter().map(StoredResponseHead::into_head).collect();
        let exchange = Exchange {
            id: ExchangeId(self.id),
            client: self.client,
            server: self.server,
            connection: Connection {
                flow: FlowId(self.connection.flow),
                interface: InterfaceId(self.connection.interface),
                stream: StreamId(self.connection.stream),
                index: self.connection.index,
                handshake: self.connection.handshake,
            },
            preface: self.preface.map(StoredPreface::into_preface).transpose()?,
            request: self.request.map(StoredRequest::into_request).transpose()?,
            interim: interim?,
            response: self.response.map(StoredResponse::into_response).transpose()?,
            outcome: known("outcome", &self.outcome, outcome(&self.outcome))?,
            not_http: self.not_http.map(Bytes::into_box),
            imported: self.imported.map(StoredImported::into_imported).transpose()?,
            anomalies,
        };
        Ok(Recorded { run: self.run, exchange })
    }
}

/// Where an exchange was read that was not captured.
#[derive(Serialize, Deserialize)]
struct StoredImported {
    format: String,
    #[serde(skip_serializing_if = "String::is_empty", default)]
    recorder: String,
    entry: u64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    absent: Vec<(String, String)>,
}

impl StoredImported {
    fn of(imported: &Imported) -> Self {
        Self {
            format: imported.format.to_owned(),
            recorder: imported.recorder.to_string(),
            entry: imported.entry,
            reason: imported.reason.as_deref().map(str::to_owned),
            absent: imported.absent.iter().map(|(name, why)| ((*name).to_owned(), why.to_string())).collect(),
        }
    }
    fn into_imported(self) -> Result<Box<Imported>, RecordError> {
        let one_of = |all: &[&'static str], name: &str| all.iter().copied().find(|known| *known == name);
        let absent: Result<Vec<_>, _> = self
            .absent
            .into_iter()
            .map(|(name, why)| {
                Ok((known("absent part", &name, one_of(&Imported::ABSENT, &name))?, why.into_boxed_str()))
            })
            .collect();
        Ok(Box::new(Imported {
            format: known("format", &self.format, one_of(&Imported::FORMATS, &self.format))?,
            recorder: self.recorder.into_boxed_str(),
            entry: self.entry,
            reason: self.reason.map(String::into_boxed_str),
            absent: absent?,
        }))
    }
}

impl StoredPreface {
    fn of(preface: &Preface) -> Self {
        Self {
            kind: preface.kind.as_str().to_owned(),
            peer: preface.peer,
            client: preface.client,
            destination: preface.destination.as_deref().map(str::to_owned),
            authority: preface.authority.as_deref().map(str::to_owned),
        }
    }
    fn into_preface(self) -> Result<Box<Preface>, RecordError> {
        Ok(Box::new(Preface {
            kind: known("preface", &self.kind, preface_kind(&self.kind))?,
            peer: self.peer,
            client: self.client,
            destination: self.destination.map(String::into_boxed_str),
            authority: self.authority.map(String::into_boxed_str),
        }))
    }
}

/// A name that is read, or an error that says which one is not known.
fn known<T>(what: &str, name: &str, value: Option<T>) -> Result<T, RecordError> {
    value.ok_or_else(|| RecordError::Damaged(format!("'{}' is no {what}", name.escape_default())))
}
