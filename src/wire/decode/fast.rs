//! The path that nearly every frame takes. `None` means "not for me", never "not TCP".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::model::{Frame, LinkType, Segment};

use crate::wire::decode::layer::Layer;
use crate::wire::decode::tcp;
use crate::wire::decode::tcp::Ends;

const TCP: u8 = 6;

/// The segment of an untagged, unfragmented frame without IP options or extension headers.
#[inline]
pub(super) fn segment<'a>(frame: &Frame<'a>) -> Option<Segment<'a>> {
    let data = frame.data;
    let (kind, header) = match frame.link {
        LinkType::ETHERNET => ([*data.get(12)?, *data.get(13)?], 14),
        LinkType::LINUX_SLL => ([*data.get(14)?, *data.get(15)?], 16),
        LinkType::LINUX_SLL2 => ([*data.first()?, *data.get(1)?], 20),
        LinkType::RAW | LinkType::IPV4 if data.first()? >> 4 == 4 => ([8, 0], 0),
        _ => return None,
    };
    let wire = (frame.wire_len as usize).max(data.len()).checked_sub(header)?;
    let ip = Layer { bytes: data.get(header..)?, wire };
    match kind {
        [0x08, 0x00] => v4(frame, ip),
        [0x86, 0xdd] => v6(frame, ip),
        _ => None,
    }
}

#[inline]
fn v4<'a>(frame: &Frame<'a>, ip: Layer<'a>) -> Option<Segment<'a>> {
    let (head, _) = ip.bytes.split_first_chunk::<20>()?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let fragment = u16::from_be_bytes([head[6], head[7]]) & 0x3fff;
    if head[0] != 0x45 || head[9] != TCP || fragment != 0 || length < 40 {
        return None;
    }
    let src = IpAddr::V4(Ipv4Addr::new(head[12], head[13], head[14], head[15]));
    let dst = IpAddr::V4(Ipv4Addr::new(head[16], head[17], head[18], head[19]));
    let ends = Ends { src, dst, time: frame.time, interface: frame.interface, tag: 0 };
    tcp::read(&ip.ends_at(length).after(20).ok()?, &ends).ok()
}

#[inline]
fn v6<'a>(frame: &Frame<'a>, ip: Layer<'a>) -> Option<Segment<'a>> {
    let (head, _) = ip.bytes.split_first_chunk::<40>()?;
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    if head[0] >> 4 != 6 || head[6] != TCP || length < 20 {
        return None;
    }
    let src: [u8; 16] = *head.get(8..)?.first_chunk()?;
    let dst: [u8; 16] = *head.get(24..)?.first_chunk()?;
    let ends = Ends {
        src: IpAddr::V6(Ipv6Addr::from(src)),
        dst: IpAddr::V6(Ipv6Addr::from(dst)),
        time: frame.time,
        interface: frame.interface,
        tag: 0,
    };
    tcp::read(&ip.ends_at(40 + length).after(40).ok()?, &ends).ok()
}
