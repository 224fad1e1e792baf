//! What must come out of a wire: the named cases, each with its exact exchanges, outcomes and anomalies.

mod basic;
mod framing;
mod gateways;
mod growth;
mod harness;
mod heads;
mod losses;
mod networks;
mod oddities;
mod pairs;
mod properties;
mod protocols;
mod recall;
mod segments;
