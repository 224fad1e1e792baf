//! Many exchanges at once: what they have in common.
//!
//! [`GroupBy`] names a property of an exchange, [`Groups`] counts exchanges by it. [`Incidents`] finds what broke, since when and
//! for whom. Sans-IO and bounded: exchanges in, counts out.

mod group_by;
mod groups;
mod incident;
mod onset;
mod properties;
mod sample;
mod server_changes;
mod timeline;
mod tracker;
mod who;

pub use group_by::{GroupBy, GroupByError};
pub use groups::{Group, Groups, MAX_GROUPS};
pub use incident::{Incident, Onset, State};
pub use properties::{Trait, telling_names};
pub use server_changes::ServerChange;
pub use timeline::{BUCKETS, Scale, Timeline};
pub use tracker::{Incidents, Lead};
pub use who::{Affected, Callers, Share, Who};
