//! One TCP segment, borrowed from its frame or from the fragment store.

use std::net::SocketAddr;

use super::{InterfaceId, Timestamp};

/// The TCP flags the pipeline cares for (RFC 9293 §3.1), as in the header's thirteenth byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpFlags(pub u8);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset the connection.
    pub const RST: u8 = 0x04;
    /// The acknowledgement number is valid.
    pub const ACK: u8 = 0x10;
    /// The urgent pointer is valid.
    pub const URG: u8 = 0x20;

    /// Whether FIN is set.
    pub const fn fin(self) -> bool {
        self.0 & Self::FIN != 0
    }
    /// Whether SYN is set.
    pub const fn syn(self) -> bool {
        self.0 & Self::SYN != 0
    }
    /// Whether RST is set.
    pub const fn rst(self) -> bool {
        self.0 & Self::RST != 0
    }
    /// Whether ACK is set.
    pub const fn ack(self) -> bool {
        self.0 & Self::ACK != 0
    }
    /// Whether URG is set.
    pub const fn urg(self) -> bool {
        self.0 & Self::URG != 0
    }
}

/// One TCP segment as it was captured.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    /// Capture time of the frame that completed it.
    pub time: Timestamp,
    /// Where it was captured.
    pub interface: InterfaceId,
    /// Sender.
    pub src: SocketAddr,
    /// Receiver.
    pub dst: SocketAddr,
    /// VLAN, tunnel or other discriminator; 0 when there is none. Flows of different tags never mix.
    pub tag: u32,
    /// Sequence number of the first byte (of the SYN when it is set).
    pub seq: u32,
    /// Acknowledgement number; meaningful with ACK.
    pub ack: u32,
    /// Flags.
    pub flags: TcpFlags,
    /// Urgent pointer; meaningful with URG.
    pub urgent: u16,
    /// Payload bytes that were captured.
    pub payload: &'a [u8],
    /// Payload bytes on the wire; larger than `payload.len()` when snaplen cut the frame.
    pub payload_len: u32,
}
