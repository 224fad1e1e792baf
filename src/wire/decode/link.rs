//! Link layers and what stands between them and IP: VLAN tags, LLC/SNAP, MPLS, PPP.

use etherparse::{EtherType, SingleVlanHeaderSlice, ether_type};

use crate::model::{Frame, LinkType};

use crate::wire::decode::layer::{Layer, Step, Walk};
use crate::wire::decode::{Skip, rare};

const PPP: LinkType = LinkType(9);
const PPP_HDLC: LinkType = LinkType(50);
const PPP_ETHER: LinkType = LinkType(51);
const CISCO_HDLC: LinkType = LinkType(104);
const IEEE802_11: LinkType = LinkType(105);
const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
pub(super) const PPI: LinkType = LinkType(192);
const NFLOG: LinkType = LinkType(239);
pub(super) const PKTAP: LinkType = LinkType(258);
/// What BSDs wrote for raw IP before the number 101 was given out.
const BSD_RAW: [LinkType; 2] = [LinkType(12), LinkType(14)];

const MPLS: EtherType = EtherType(0x8847);
const MPLS_MULTICAST: EtherType = EtherType(0x8848);
const PPPOE_SESSION: EtherType = EtherType(0x8864);
const MACSEC: EtherType = EtherType(0x88e5);
/// Ethernet inside GRE, Geneve and the like ("transparent Ethernet bridging").
pub(super) const BRIDGED: EtherType = EtherType(0x6558);
/// Values up to here are lengths (IEEE 802.3 §3.2.6), or, in a cooked header, Linux' own 4 for a frame that begins with LLC.
const MAX_LENGTH: u16 = 1500;

/// Whether [`first_step`] knows this link type.
pub(super) const fn is_known(link: LinkType) -> bool {
    matches!(
        link.0,
        0 | 1 | 9 | 12 | 14 | 50 | 51 | 101 | 104 | 105 | 108 | 113 | 127 | 192 | 228 | 229 | 239 | 258 | 276
    )
}

/// Strips what the link type alone explains.
pub(super) fn first_step<'a>(frame: &Frame<'a>) -> Result<Step<'a>, Skip> {
    of_type(frame.link, Layer::of(frame))
}

/// What a link type makes of a layer.
pub(super) fn of_type(link: LinkType, layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let step = match link {
        LinkType::ETHERNET => Step::Ethernet(layer),
        LinkType::RAW | LinkType::IPV4 | LinkType::IPV6 => Step::Ip(layer),
        LinkType::NULL | LinkType::LOOP => loopback(layer)?,
        LinkType::LINUX_SLL => {
            let head: &[u8; 16] = layer.head()?;
            Step::EtherType(EtherType(u16::from_be_bytes([head[14], head[15]])), layer.after(16)?)
        }
        LinkType::LINUX_SLL2 => {
            let head: &[u8; 20] = layer.head()?;
            Step::EtherType(EtherType(u16::from_be_bytes([head[0], head[1]])), layer.after(20)?)
        }
        PPP | PPP_HDLC => Step::Ppp(layer),
        PPP_ETHER => Step::EtherType(PPPOE_SESSION, layer),
        CISCO_HDLC => {
            let head: &[u8; 4] = layer.head()?;
            Step::EtherType(EtherType(u16::from_be_bytes([head[2], head[3]])), layer.after(4)?)
        }
        IEEE802_11 => rare::wireless(layer)?,
        IEEE802_11_RADIOTAP => rare::radiotap(layer)?,
        NFLOG => rare::nflog(layer)?,
        PPI => rare::ppi(layer)?,
        PKTAP => rare::pktap(layer)?,
        link if BSD_RAW.contains(&link) => Step::Ip(layer),
        _ => return Err(Skip::UnknownLinkType),
    };
    Ok(step)
}

/// BSD loopback: an address family of the capturing host in either byte order (2 IPv4; 10, 24, 28 or 30 IPv6).
fn loopback(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let family = u32::from_be_bytes(*layer.head()?);
    match family.min(family.swap_bytes()) {
        2 | 10 | 24 | 28 | 30 => Ok(Step::Ip(layer.after(4)?)),
        _ => Err(Skip::NotIp),
    }
}

/// Two addresses and a type.
pub(super) fn ethernet(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let head: &[u8; 14] = layer.head()?;
    Ok(Step::EtherType(EtherType(u16::from_be_bytes([head[12], head[13]])), layer.after(14)?))
}

/// What an EtherType announces.
pub(super) fn ether_type<'a>(kind: EtherType, layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    match kind {
        ether_type::IPV4 | ether_type::IPV6 => Ok(Step::Ip(layer)),
        ether_type::VLAN_TAGGED_FRAME
        | ether_type::PROVIDER_BRIDGING
        | ether_type::VLAN_DOUBLE_TAGGED_FRAME => {
            let tag = SingleVlanHeaderSlice::from_slice(layer.bytes).map_err(|_| layer.too_short(4))?;
            walk.enter(u32::from(tag.vlan_identifier().value()));
            Ok(Step::EtherType(tag.ether_type(), layer.after(4)?))
        }
        MPLS | MPLS_MULTICAST => mpls(layer),
        PPPOE_SESSION => Ok(Step::Ppp(layer.after(6)?)),
        BRIDGED => Ok(Step::Ethernet(layer)),
        MACSEC => Err(Skip::Encrypted),
        EtherType(..=MAX_LENGTH) => llc(layer),
        _ => Err(Skip::NotIp),
    }
}

/// LLC with SNAP: `aa aa 03`, an organisation of zeros and an EtherType (RFC 1042).
pub(super) fn llc(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    match *layer.head::<8>()? {
        [0xaa, 0xaa, 3, 0, 0, 0, high, low] => {
            Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), layer.after(8)?))
        }
        _ => Err(Skip::NotIp),
    }
}

/// PPP with or without its HDLC address, the protocol in one byte or two (RFC 1661 §2, RFC 1662 §3.1).
pub(super) fn ppp(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let layer = if layer.bytes.starts_with(&[0xff, 0x03]) { layer.after(2)? } else { layer };
    match *layer.head::<2>()? {
        [0x21 | 0x57, _] => Ok(Step::Ip(layer.after(1)?)),
        [0, 0x21 | 0x57] => Ok(Step::Ip(layer.after(2)?)),
        _ => Err(Skip::NotIp),
    }
}

/// A stack of MPLS labels (RFC 3032). What follows does not say what it is: IP by its first nibble, or, after a control
/// word of zeros, Ethernet (RFC 4448).
fn mpls(mut layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    for _ in 0..16 {
        let bottom = layer.head::<4>()?[2] & 1 == 1;
        layer = layer.after(4)?;
        if bottom {
            return match layer.head::<1>()?[0] >> 4 {
                4 | 6 => Ok(Step::Ip(layer)),
                0 => Ok(Step::Ethernet(layer.after(4)?)),
                _ => Err(Skip::NotIp),
            };
        }
    }
    Err(Skip::TooDeep)
}
