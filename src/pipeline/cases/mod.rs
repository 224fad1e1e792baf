//! What must come out of a wire: the named cases, each with its exact exchanges, outcomes and anomalies.

mod basic;
mod harness;
