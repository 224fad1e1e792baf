//! What a name says about how much a difference in it matters.

pub use crate::knowledge::names::Class;

use crate::knowledge::names::{At, catalogue};
use crate::model::Part;

/// How `name` of `part` is weighed.
pub fn class(part: Part, name: &str) -> Class {
    let at = match part {
        Part::RequestHeader => At::Field,
        Part::ResponseHeader => At::Response,
        Part::Cookie => At::Cookie,
        Part::Query => At::Parameter,
        Part::RequestBody => At::Member,
        Part::Claim => At::Claim,
        _ => return Class::Plain,
    };
    catalogue().facts(at, name).class.unwrap_or(Class::Plain)
}
