//! A search over the heads and bodies of what the stream lists.

use crate::filter::Needle;

/// A search over the stream.
#[derive(Clone, Debug)]
pub struct Find {
    /// What is searched for.
    pub query: String,
    /// The same, ready to be searched for.
    pub(in crate::tui) needle: Needle,
    /// The row to look at next; none while nobody waits for a hit.
    pub(in crate::tui) next: Option<usize>,
    /// Rows that are still to be looked at.
    pub(in crate::tui) left: usize,
    /// Towards newer exchanges.
    pub(in crate::tui) forward: bool,
}
