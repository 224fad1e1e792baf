//! An endpoint: method, authority and path template.

use std::fmt;

/// The number of an endpoint within a run, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointId(pub u32);

/// `POST api.example.com/v1/users/{id}/profile`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Request method.
    pub method: Box<str>,
    /// Host and port as the client named them, in lower case, a default port of 80 removed; the server's address when there was no Host.
    pub authority: Box<str>,
    /// Path with parameters replaced: `/v1/users/{id}/profile`.
    pub template: Box<str>,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.method, self.authority, self.template)
    }
}
