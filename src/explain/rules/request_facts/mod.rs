//! What the request shows by itself, whatever others do.

pub mod credential;
pub mod facts;
pub mod payload;
pub mod rules;
pub mod spot;
