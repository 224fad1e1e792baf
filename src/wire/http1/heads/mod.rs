//! Message heads: where they end, how they are read, and what their fields say about framing.

pub(in crate::wire::http1) mod cache;
pub(in crate::wire::http1) mod facts;
pub(in crate::wire::http1) mod lenient;
pub(in crate::wire::http1) mod parse;
pub(super) mod preface;
pub(in crate::wire::http1) mod scan;
pub(in crate::wire::http1) mod sniff;
