//! Why an exchange was refused: what differs from successes, what the response and the request say, and what it adds up to.
//!
//! [`Inspector`] ties the history to both: [`difference`] sets a refusal beside its baseline, [`diagnoser`] asks every rule in
//! [`rules`] for evidence and lets [`combine`] turn it into probabilities. Knowledge about systems and words is data in `assets/`.

#![allow(clippy::similar_names, reason = "a case and its cause are both named after what they are")]

pub mod case;
pub mod combine;
pub mod contrast;
pub mod diagnoser;
pub mod difference;
#[cfg(test)]
pub(crate) mod fixture;
pub mod incident_id;
pub mod inspector;
pub mod knowledge;
pub mod legs;
pub mod next;
pub mod refuser;
pub mod request;
pub mod response_fingerprint;
pub mod rules;
pub mod servers;
pub mod top_cause;
pub mod wording;

#[cfg(test)]
mod scenario_tests;
#[cfg(test)]
mod tests;

pub use diagnoser::Diagnoser;
pub use inspector::Inspector;
