//! Link layers and what stands between them and IP: VLAN tags, LLC/SNAP, MPLS, PPP.

use etherparse::{EtherType, SingleVlanHeaderSlice, ether_type};

use crate::model::{Frame, LinkType};

use crate::wire::decode::layer::{Layer, Step, Walk};
use crate::wire::decode::{Skip, rare, tags};

const PPP: LinkType = LinkType(9);
const PPP_HDLC: LinkType = LinkType(50);
const PPP_ETHER: LinkType = LinkType(51);
const CISCO_HDLC: LinkType = LinkType(104);
pub(super) const IEEE802_11: LinkType = LinkType(105);
const FRAME_RELAY: LinkType = LinkType(107);
const ENC: LinkType = LinkType(109);
const PFLOG: LinkType = LinkType(117);
pub(super) const PRISM: LinkType = LinkType(119);
const IEEE802_11_RADIOTAP: LinkType = LinkType(127);
pub(super) const IEEE802_11_AVS: LinkType = LinkType(163);
const PPP_PPPD: LinkType = LinkType(166);
const JUNIPER_ETHERNET: LinkType = LinkType(178);
const JUNIPER_PPP: LinkType = LinkType(179);
const JUNIPER_FRAME_RELAY: LinkType = LinkType(180);
const JUNIPER_HDLC: LinkType = LinkType(181);
pub(super) const PPI: LinkType = LinkType(192);
const PPP_WITH_DIRECTION: LinkType = LinkType(204);
const HDLC_WITH_DIRECTION: LinkType = LinkType(205);
const FRAME_RELAY_WITH_DIRECTION: LinkType = LinkType(206);
const IPNET: LinkType = LinkType(226);
const NFLOG: LinkType = LinkType(239);
pub(super) const PKTAP: LinkType = LinkType(258);
/// What BSDs wrote for raw IP before the number 101 was given out.
const BSD_RAW: [LinkType; 2] = [LinkType(12), LinkType(14)];

pub(super) const MPLS: EtherType = EtherType(0x8847);
const MPLS_MULTICAST: EtherType = EtherType(0x8848);
const PPPOE_SESSION: EtherType = EtherType(0x8864);
/// Q-in-Q from before 0x88a8 was given out.
const VLAN_OLD: EtherType = EtherType(0x9200);
/// The service tag of IEEE 802.1ah.
pub(super) const PROVIDER_BACKBONE: EtherType = EtherType(0x88e7);
/// Ethernet inside GRE, Geneve and the like ("transparent Ethernet bridging").
pub(super) const BRIDGED: EtherType = EtherType(0x6558);
/// Values up to here are lengths (IEEE 802.3 §3.2.6), or, in a cooked header, Linux' own 4 for a frame that begins with LLC.
const MAX_LENGTH: u16 = 1500;

/// Whether [`first_step`] knows this link type.
pub(super) const fn is_known(link: LinkType) -> bool {
    matches!(
        link.0,
        0 | 1
            | 9
            | 12
            | 14
            | 50
            | 51
            | 101
            | 104..=105
            | 107..=109
            | 113
            | 117
            | 119
            | 127
            | 163
            | 166
            | 178..=181
            | 192
            | 204..=206
            | 226
            | 228..=229
            | 239
            | 258
            | 276
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
        PPP_PPPD => Step::Ppp(layer.after(2)?),
        PPP_WITH_DIRECTION => Step::Ppp(layer.after(1)?),
        CISCO_HDLC => cisco_hdlc(layer)?,
        HDLC_WITH_DIRECTION => cisco_hdlc(layer.after(1)?)?,
        FRAME_RELAY => rare::frame_relay(layer)?,
        FRAME_RELAY_WITH_DIRECTION => rare::frame_relay(layer.after(1)?)?,
        JUNIPER_ETHERNET => rare::juniper(LinkType::ETHERNET, layer)?,
        JUNIPER_PPP => rare::juniper(PPP, layer)?,
        JUNIPER_FRAME_RELAY => rare::juniper(FRAME_RELAY, layer)?,
        JUNIPER_HDLC => rare::juniper(CISCO_HDLC, layer)?,
        IPNET => Step::Ip(layer.after(24)?),
        ENC => Step::Ip(layer.after(12)?),
        PFLOG => rare::pflog(layer)?,
        PRISM => rare::prism(layer)?,
        IEEE802_11_AVS => rare::avs(layer)?,
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

/// Address, control and an EtherType.
fn cisco_hdlc(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let head: &[u8; 4] = layer.head()?;
    Ok(Step::EtherType(EtherType(u16::from_be_bytes([head[2], head[3]])), layer.after(4)?))
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
        | ether_type::VLAN_DOUBLE_TAGGED_FRAME
        | VLAN_OLD => {
            let tag = SingleVlanHeaderSlice::from_slice(layer.bytes).map_err(|_| layer.too_short(4))?;
            walk.enter(u32::from(tag.vlan_identifier().value()));
            Ok(Step::EtherType(tag.ether_type(), layer.after(4)?))
        }
        MPLS | MPLS_MULTICAST => mpls(layer),
        PPPOE_SESSION => Ok(Step::Ppp(layer.after(6)?)),
        BRIDGED => Ok(Step::Ethernet(layer)),
        EtherType(..=MAX_LENGTH) => llc(layer),
        other => tags::tag(other, layer, walk).unwrap_or(Err(Skip::NotIp)),
    }
}

/// LLC with SNAP: `aa aa 03`, an organisation of zeros (RFC 1042) or 802.1H's, and an EtherType; or IP's own address of LLC.
pub(super) fn llc(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    if layer.head::<3>()? == &[6, 6, 3] {
        return Ok(Step::Ip(layer.after(3)?));
    }
    match *layer.head::<8>()? {
        [0xaa, 0xaa, 3, 0, 0, 0 | 0xf8, high, low] => {
            Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), layer.after(8)?))
        }
        _ => Err(Skip::NotIp),
    }
}

/// PPP with or without its HDLC address, the protocol in one byte or two (RFC 1661 §2, RFC 1662 §3.1): IP, MPLS, a bridged
/// frame (RFC 3518 §4.2), or a multilink packet that is not in pieces (RFC 1990 §3).
pub(super) fn ppp(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const BRIDGED_ETHERNET: u8 = 1;
    const BEGINS_AND_ENDS: u8 = 0xc0;
    let layer = if layer.bytes.starts_with(&[0xff, 0x03]) { layer.after(2)? } else { layer };
    match *layer.head::<2>()? {
        [0x21 | 0x57, _] => Ok(Step::Ip(layer.after(1)?)),
        [0, 0x21 | 0x57] => Ok(Step::Ip(layer.after(2)?)),
        [0x02, 0x81] => Ok(Step::EtherType(MPLS, layer.after(2)?)),
        [0, 0x31] if layer.head::<4>()?[3] == BRIDGED_ETHERNET => Ok(Step::Ethernet(layer.after(4)?)),
        [0, 0x3d] if layer.head::<3>()?[2] & BEGINS_AND_ENDS == BEGINS_AND_ENDS => {
            Ok(Step::Ppp(layer.after(6)?))
        }
        [0, 0x3d] => Err(Skip::FragmentRefused),
        _ => Err(Skip::NotIp),
    }
}

/// A stack of MPLS labels (RFC 3032). What follows does not say what it is: IP by its first nibble, else a pseudowire.
fn mpls(mut layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    for _ in 0..16 {
        let bottom = layer.head::<4>()?[2] & 1 == 1;
        layer = layer.after(4)?;
        if bottom {
            return match layer.head::<1>()?[0] >> 4 {
                4 | 6 => Ok(Step::Ip(layer)),
                1 => Err(Skip::NotIp),
                _ => Ok(Step::Ethernet(layer.after(control_word(&layer))?)),
            };
        }
    }
    Err(Skip::TooDeep)
}

/// The length of the control word before a pseudowire's Ethernet frame (RFC 4448 §4.6): it may be absent, and then the first
/// bytes are those of an address. The frame's own type tells.
fn control_word(layer: &Layer<'_>) -> usize {
    const WORD: usize = 4;
    let type_at = |at: usize| layer.bytes.get(at..).and_then(<[u8]>::first_chunk::<2>);
    let is_known = |at| {
        type_at(at).is_some_and(|kind| {
            matches!(u16::from_be_bytes(*kind), 0x0800 | 0x86dd | 0x8100 | 0x88a8 | 0x8847 | 0x8864)
        })
    };
    let begins_with_zero = layer.bytes.first().is_some_and(|first| first >> 4 == 0);
    if begins_with_zero && (!is_known(12) || is_known(WORD + 12)) { WORD } else { 0 }
}
