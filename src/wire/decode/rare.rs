//! Link types that turn up now and then: 802.11 from a laptop in monitor mode, NFLOG from a firewall rule, PKTAP from a Mac.

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
