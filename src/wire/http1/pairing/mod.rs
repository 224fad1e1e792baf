//! Requests with their responses: exchanges in the making, and how they leave.

pub(in crate::wire::http1) mod entry;
mod finish;
mod request;
mod response;
