//! The TCP header (RFC 9293 §3.1): the last layer.

use std::net::{IpAddr, SocketAddr};

use crate::model::{InterfaceId, Segment, TcpFlags, Timestamp};

use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Layer, Upper, Walk};

/// Whose segment it is, and when and where it was seen.
pub(super) struct Ends {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) time: Timestamp,
    pub(super) interface: InterfaceId,
    pub(super) tag: u32,
}

/// The general path's last step.
pub(super) fn segment<'a>(upper: &Upper<'a>, walk: &Walk) -> Result<Segment<'a>, Skip> {
    let ends =
        Ends { src: upper.src, dst: upper.dst, time: walk.time, interface: walk.interface, tag: walk.tag };
    read(&upper.layer, &ends)
}

/// Reads the fixed header and steps over the options, which may be cut: the payload's length is known without them.
#[inline]
pub(super) fn read<'a>(layer: &Layer<'a>, ends: &Ends) -> Result<Segment<'a>, Skip> {
    let head: &[u8; 20] = layer.head()?;
    let header = usize::from(head[12] >> 4) * 4;
    if header < 20 || header > layer.wire {
        return Err(Skip::Malformed);
    }
    Ok(Segment {
        time: ends.time,
        interface: ends.interface,
        src: SocketAddr::new(ends.src, u16::from_be_bytes([head[0], head[1]])),
        dst: SocketAddr::new(ends.dst, u16::from_be_bytes([head[2], head[3]])),
        tag: ends.tag,
        seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ack: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        flags: TcpFlags(head[13]),
        urgent: u16::from_be_bytes([head[18], head[19]]),
        payload: layer.bytes.get(header..).unwrap_or_default(),
        payload_len: (layer.wire - header) as u32,
    })
}
