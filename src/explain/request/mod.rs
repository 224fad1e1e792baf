//! A request as a list of attributes, so that refusals and successes can be counted against each other.

pub mod agent;
pub mod attribute;
pub mod attribute_hash;
pub mod family;
pub mod features;
pub mod name_list;
pub mod names;
pub mod parsed_request;
pub mod principal;
pub mod shape;
