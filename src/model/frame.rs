//! A captured link-layer frame, borrowed from whoever read it.

use super::Timestamp;

/// The link type of a capture interface, a LINKTYPE_ number of the tcpdump registry (not a host's DLT_ value).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a four-byte address family in the byte order of the capturing host.
    pub const NULL: Self = Self(0);
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// Raw IP, version in the first nibble.
    pub const RAW: Self = Self(101);
    /// OpenBSD loopback: a four-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// Raw IPv4.
    pub const IPV4: Self = Self(228);
    /// Raw IPv6.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);
}

/// An interface of the source, numbered from 0 in the order it was announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InterfaceId(pub u32);

/// One captured frame.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When it was captured.
    pub time: Timestamp,
    /// How to read `data`.
    pub link: LinkType,
    /// Where it was captured.
    pub interface: InterfaceId,
    /// The captured bytes; may be fewer than were on the wire.
    pub data: &'a [u8],
    /// Length on the wire in bytes; larger than `data.len()` when cut by snaplen.
    pub wire_len: u32,
}
