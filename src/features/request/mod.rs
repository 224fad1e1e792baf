//! A request taken apart: what its parts are, and the same as a flat list of attributes that can be counted and compared.

pub mod agent;
pub mod attribute;
pub mod attribute_hash;
pub mod attributes;
pub mod items;
pub mod parsed_request;
pub mod shape;
