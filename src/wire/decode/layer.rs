//! The pieces that the general path hands from layer to layer.

use std::net::IpAddr;

use etherparse::{EtherType, IpNumber};

use crate::model::{Frame, InterfaceId, Timestamp};

use crate::wire::decode::Skip;

/// One layer: the bytes of it that were captured, and its length on the wire, which may be more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) wire: usize,
}

impl<'a> Layer<'a> {
    /// A layer that was captured whole.
    pub(super) const fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, wire: bytes.len() }
    }
    /// What of `frame` there is; a wire length below the captured one is a liar's.
    pub(super) fn of(frame: &Frame<'a>) -> Self {
        Self { bytes: frame.data, wire: (frame.wire_len as usize).max(frame.data.len()) }
    }
    /// Its first `N` bytes.
    pub(super) fn head<const N: usize>(&self) -> Result<&'a [u8; N], Skip> {
        self.bytes.first_chunk().ok_or_else(|| self.too_short(N))
    }
    /// What follows its first `count` bytes.
    pub(super) fn after(&self, count: usize) -> Result<Self, Skip> {
        let bytes = self.bytes.get(count..).ok_or_else(|| self.too_short(count))?;
        Ok(Self { bytes, wire: self.wire - count })
    }
    /// Ends it where its header says that it ends: padding is trimmed, a cut tail stays known.
    pub(super) fn ends_at(&self, length: usize) -> Self {
        Self { bytes: self.bytes.get(..length).unwrap_or(self.bytes), wire: length }
    }
    /// Whether all of it was captured.
    pub(super) const fn is_whole(&self) -> bool {
        self.bytes.len() >= self.wire
    }
    /// Why `wanted` bytes are not there.
    pub(super) const fn too_short(&self, wanted: usize) -> Skip {
        if wanted <= self.wire { Skip::Cut } else { Skip::Malformed }
    }
}

/// What comes next, and what it is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    Ethernet(Layer<'a>),
    EtherType(EtherType, Layer<'a>),
    Ppp(Layer<'a>),
    /// IP of either version, told by its first nibble.
    Ip(Layer<'a>),
    Upper(Upper<'a>),
    Fragment(Fragment<'a>),
    Tcp(Upper<'a>),
}

/// What an IP packet carries: an extension header, a tunnel or a transport.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upper<'a> {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) protocol: IpNumber,
    pub(super) layer: Layer<'a>,
}

impl Upper<'_> {
    /// The same addresses over nothing yet, free of the frame's lifetime.
    pub(super) const fn addresses<'b>(&self) -> Upper<'b> {
        Upper { src: self.src, dst: self.dst, protocol: self.protocol, layer: Layer::whole(&[]) }
    }
}

/// A piece of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// Its addresses, protocol (of the first fragment) and bytes.
    pub(super) upper: Upper<'a>,
    pub(super) id: u32,
    pub(super) offset: u32,
    pub(super) more: bool,
}

/// What is known along the way.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) time: Timestamp,
    pub(super) interface: InterfaceId,
    pub(super) tag: u32,
    separate: bool,
    layers_left: u8,
}

/// Layers of one frame, extension headers included. Four nested tunnels with VLANs need half of it.
const MAX_LAYERS: u8 = 32;

impl Walk {
    pub(super) const fn new(frame: &Frame<'_>, separate: bool) -> Self {
        Self { time: frame.time, interface: frame.interface, tag: 0, separate, layers_left: MAX_LAYERS }
    }
    /// One layer more.
    pub(super) fn deeper(&mut self) -> Result<(), Skip> {
        self.layers_left = self.layers_left.checked_sub(1).ok_or(Skip::TooDeep)?;
        Ok(())
    }
    /// Notes a VLAN or tunnel id, if networks are to be told apart.
    pub(super) const fn enter(&mut self, network: u32) {
        if self.separate {
            self.tag = self.tag.rotate_left(12) ^ network.wrapping_add(1);
        }
    }
}
