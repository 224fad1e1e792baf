//! Frames of our own making: TCP connections written as Ethernet/IP/TCP, and the pcap stream that carries them.
//!
//! The TLS tap mirrors plaintext this way, the demo feeds the pipeline with it, and tests build their captures with it.
//! [`FlowWriter`] is the part without memory of what it wrote; [`Conversation`] keeps frames in a list; [`pcap`] writes
//! them down.

mod conversation;
mod datagram;
mod flow;
pub mod pcap;

pub use conversation::{Conversation, MadeFrame, merge};
pub use datagram::datagram;
pub use flow::{FlowWriter, Side};
