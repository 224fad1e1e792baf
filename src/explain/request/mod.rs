//! A request as the rules see it: its attributes, the facts that it shows by itself, and who asked.

pub mod features;
pub mod parsed_exchange;
pub mod principal;
pub mod shown;

pub use crate::features::names;
pub use crate::features::names::family;
pub use crate::features::request::{agent, attribute, attribute_hash, parsed_request, shape};
