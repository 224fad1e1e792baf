//! What differs from successes, and what does not although it could.

pub mod aged;
pub mod exempt;
pub mod object;
pub mod owner;
pub mod place;
pub mod rules;
pub mod stale;
pub mod unchanged;
