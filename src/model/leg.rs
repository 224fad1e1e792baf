//! The legs of one request through proxies.

use std::net::SocketAddr;

use super::{Difference, ExchangeId};

/// What a leg is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LegRole {
    /// The request of the client.
    Client,
    /// The request, passed on.
    Forwarded,
    /// A sub-request that asks whether the request may pass (auth_request, ext_authz, forwardAuth).
    Check,
}

impl LegRole {
    /// As in NDJSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Forwarded => "forwarded",
            Self::Check => "authorization check",
        }
    }
}

/// One leg of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Leg {
    /// The exchange of this leg.
    pub id: ExchangeId,
    /// What it is for.
    pub role: LegRole,
    /// Who asked.
    pub client: SocketAddr,
    /// Who answered.
    pub server: SocketAddr,
    /// The status of its response.
    pub status: Option<u16>,
    /// Nanoseconds to the first byte of its response.
    pub latency: Option<i64>,
    /// What the server of the leg before changed; of a difference `baseline` is what came to it and `this` what left it.
    pub changed: Vec<Difference>,
}

/// Which hop refused.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedAt {
    /// The server.
    pub server: SocketAddr,
    /// In words.
    pub text: String,
}
