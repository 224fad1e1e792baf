//! Link types that are rare: 802.11 from a laptop in monitor mode, NFLOG and PFLOG from a firewall, PKTAP from a Mac, Frame
//! Relay and Juniper's headers from a router.

use etherparse::EtherType;

use crate::model::LinkType;

use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Layer, Step};
use crate::wire::decode::link;

/// Radiotap: a little-endian length, then 802.11.
pub(super) fn radiotap(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let head: &[u8; 4] = layer.head()?;
    let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
    wireless(layer.after(length.max(8))?)
}

/// An 802.11 data frame (IEEE 802.11 §9.3.2) with LLC/SNAP in it.
pub(super) fn wireless(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let head: &[u8; 24] = layer.head()?;
    let (kind, flags) = (head[0], head[1]);
    let (is_data, has_no_body, is_qos) = (kind & 0x0c == 0x08, kind & 0x40 != 0, kind & 0x80 != 0);
    if !is_data || has_no_body {
        return Err(Skip::NotIp);
    }
    if flags & 0x40 != 0 {
        return Err(Skip::Encrypted);
    }
    let four_addresses = flags & 0x03 == 0x03;
    let high_throughput = is_qos && flags & 0x80 != 0;
    let length =
        24 + 6 * usize::from(four_addresses) + 2 * usize::from(is_qos) + 4 * usize::from(high_throughput);
    link::llc(layer.after(length)?)
}

const NFLOG_PAYLOAD: u16 = 9;

/// Netfilter's log: four bytes, then attributes in the capturing host's byte order, one of which is the packet.
pub(super) fn nflog(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let mut rest = layer.after(4)?;
    while let Ok(&[a, b, c, d]) = rest.head::<4>() {
        // A host of the other byte order is told by lengths and types that make no sense in ours.
        let little = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        let (length, kind) = if little.1 & 0x7fff <= 0xff {
            little
        } else {
            (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
        };
        let length = usize::from(length);
        if length < 4 {
            return Err(Skip::Malformed);
        }
        if kind & 0x7fff == NFLOG_PAYLOAD {
            return Ok(Step::Ip(rest.after(4)?));
        }
        rest = rest.after(length.next_multiple_of(4))?;
    }
    Err(Skip::NotIp)
}

/// RFC 2427: an address of two to four bytes, `03` and a protocol (NLPID); or, as Cisco does it, an EtherType.
pub(super) fn frame_relay(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const LONGEST_ADDRESS: usize = 4;
    const LAST: u8 = 0x01;
    let address = layer.bytes.iter().take(LONGEST_ADDRESS).position(|byte| byte & LAST != 0);
    let length = match address {
        Some(last @ 1..) => last + 1,
        Some(_) => return Err(Skip::Malformed),
        None if layer.bytes.len() < LONGEST_ADDRESS => return Err(layer.too_short(LONGEST_ADDRESS)),
        None => return Err(Skip::NotIp),
    };
    let rest = layer.after(length)?;
    match *rest.head::<2>()? {
        // A zero pads what follows to an even place.
        [3, 0] => network_protocol(rest.after(2)?),
        [3, _] => network_protocol(rest.after(1)?),
        [high, low] => Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), rest.after(2)?)),
    }
}

/// What an NLPID announces (RFC 2427 §4): IP, PPP, or SNAP with an EtherType or a bridged frame.
fn network_protocol(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    match layer.head::<1>()? {
        [0xcc | 0x8e] => Ok(Step::Ip(layer.after(1)?)),
        [0xcf] => Ok(Step::Ppp(layer.after(1)?)),
        [0x80] => match *layer.head::<6>()? {
            [_, 0, 0, 0, high, low] => {
                Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), layer.after(6)?))
            }
            [_, 0, 0x80, 0xc2, 0, 1 | 7] => Ok(Step::Ethernet(layer.after(6)?)),
            _ => Err(Skip::NotIp),
        },
        _ => Err(Skip::NotIp),
    }
}

/// Juniper's header before a frame of type `link`: `MGC`, flags, extensions with a length. Without the link layer, four bytes
/// stand in its place.
pub(super) fn juniper(link: LinkType, layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const EXTENDED: u8 = 0x80;
    const WITHOUT_LINK_LAYER: u8 = 0x02;
    let &[b'M', b'G', b'C', flags] = layer.head()? else { return Err(Skip::Malformed) };
    let header = if flags & EXTENDED == 0 {
        4
    } else {
        let &[.., high, low] = layer.head::<6>()?;
        6 + usize::from(u16::from_be_bytes([high, low]))
    };
    let inner = layer.after(header)?;
    if flags & WITHOUT_LINK_LAYER == 0 { link::of_type(link, inner) } else { Ok(Step::Ip(inner.after(4)?)) }
}

/// OpenBSD's packet filter log: the header's length without its padding comes first.
pub(super) fn pflog(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let &[length] = layer.head()?;
    Ok(Step::Ip(layer.after(usize::from(length).next_multiple_of(4))?))
}

/// A Prism header, of 144 bytes; some drivers write AVS under the same number.
pub(super) fn prism(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const AVS: [u8; 3] = [0x80, 0x21, 0x10];
    const PRISM: usize = 144;
    if layer.head::<3>()? == &AVS { avs(layer) } else { wireless(layer.after(PRISM)?) }
}

/// An AVS header, whose length is its second word.
pub(super) fn avs(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let &[_, _, _, _, a, b, c, d] = layer.head()?;
    wireless(layer.after((u32::from_be_bytes([a, b, c, d]) as usize).max(8))?)
}

/// PPI: a length and, further on, the link type of what follows.
pub(super) fn ppi(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let &[_, _, l0, l1, t0, t1, t2, t3] = layer.head()?;
    let length = usize::from(u16::from_le_bytes([l0, l1]));
    wrapped(u32::from_le_bytes([t0, t1, t2, t3]), layer.after(length.max(8))?)
}

/// What `tcpdump -i any` writes on a Mac: a length, a type, and the link type of what follows.
pub(super) fn pktap(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let &[l0, l1, l2, l3, _, _, _, _, t0, t1, t2, t3] = layer.head()?;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    wrapped(u32::from_le_bytes([t0, t1, t2, t3]), layer.after(length.max(12))?)
}

/// A link type inside another one, but not that one again.
fn wrapped(link: u32, layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    match u16::try_from(link).map(LinkType) {
        Ok(link::PPI | link::PKTAP) | Err(_) => Err(Skip::UnknownLinkType),
        Ok(link) => link::of_type(link, layer),
    }
}
