//! Which connection a segment belongs to, and in which direction it travels.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::{Index, IndexMut};

use crate::model::Segment;

/// A direction of a connection, named by the sender's place in the canonical key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dir {
    /// Sent by the lower address.
    Low,
    /// Sent by the higher address.
    High,
}

impl Dir {
    /// The other direction.
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// One value for each direction.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pair<T> {
    low: T,
    high: T,
}

impl<T> Index<Dir> for Pair<T> {
    type Output = T;
    fn index(&self, dir: Dir) -> &T {
        match dir {
            Dir::Low => &self.low,
            Dir::High => &self.high,
        }
    }
}

impl<T> IndexMut<Dir> for Pair<T> {
    fn index_mut(&mut self, dir: Dir) -> &mut T {
        match dir {
            Dir::Low => &mut self.low,
            Dir::High => &mut self.high,
        }
    }
}

/// Both addresses and ports in canonical order, and the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FlowKey {
    low: u128,
    high: u128,
    /// Ports: the lower address's in the high half.
    ports: u32,
    tag: u32,
    v6: bool,
}

impl Hash for FlowKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64((u64::from(self.ports) << 32) | u64::from(self.tag));
        if self.v6 {
            state.write_u128(self.low);
            state.write_u128(self.high);
        } else {
            state.write_u64(((self.low as u64) << 32) | self.high as u64);
        }
    }
}

impl FlowKey {
    /// The connection of `segment` and the direction it travels in.
    pub(crate) fn of(segment: &Segment<'_>) -> (Self, Dir) {
        let (src, dst, tag) = (segment.src, segment.dst, segment.tag);
        let v6 = src.is_ipv6();
        let (from, to) = (u32::from(src.port()), u32::from(dst.port()));
        let (src, dst) = (bits(src.ip()), bits(dst.ip()));
        if (src, from) <= (dst, to) {
            (Self { low: src, high: dst, ports: (from << 16) | to, tag, v6 }, Dir::Low)
        } else {
            (Self { low: dst, high: src, ports: (to << 16) | from, tag, v6 }, Dir::High)
        }
    }

    /// The address of whoever sends in direction `dir`.
    pub(crate) fn sender(&self, dir: Dir) -> SocketAddr {
        let (address, port) = match dir {
            Dir::Low => (self.low, self.ports >> 16),
            Dir::High => (self.high, self.ports & 0xFFFF),
        };
        let ip = if self.v6 {
            IpAddr::V6(Ipv6Addr::from_bits(address))
        } else {
            IpAddr::V4(Ipv4Addr::from_bits(address as u32))
        };
        SocketAddr::new(ip, port as u16)
    }
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}
