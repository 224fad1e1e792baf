//! What differs between a refusal and its baseline, and how much that says.

use crate::history::{History, Record};
use crate::model::Difference;

/// Differences of `this` against `baseline`, suspects first, then context, then noise.
pub fn compare(_history: &History, _this: &Record, _baseline: &Record) -> Vec<Difference> {
    Vec::new()
}
