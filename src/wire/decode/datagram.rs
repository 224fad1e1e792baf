//! Tunnels in UDP, known by their ports and by what they begin with. Reserved bits and fields are ignored, as receivers must.

use etherparse::EtherType;

use crate::model::LinkType;
use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Layer, Step, Walk};
use crate::wire::decode::link::MPLS;
use crate::wire::decode::{link, tags, tunnel};

const VXLAN_PORT: u16 = 4789;
/// Linux' own number from before the one above was given out; OTV and layer-2 LISP use the same header.
const VXLAN_OLD_PORT: u16 = 8472;
const VXLAN_GPE_PORT: u16 = 4790;
const GENEVE_PORT: u16 = 6081;
const GRE_PORT: u16 = 4754;
const GTP_PORT: u16 = 2152;
const L2TP_PORT: u16 = 1701;
const MPLS_PORT: u16 = 6635;
const LISP_PORT: u16 = 4341;
const TEREDO_PORT: u16 = 3544;
const AYIYA_PORT: u16 = 5072;
const TZSP_PORT: u16 = 37008;

/// What a datagram carries. The tunnels whose clients have ports of their own are known by either end's port.
pub(super) fn udp<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[a, b, c, d, ..] = layer.head::<8>()?;
    let (source, destination) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    let payload = layer.after(8)?;
    match destination {
        VXLAN_PORT | VXLAN_OLD_PORT => vxlan(payload, walk),
        VXLAN_GPE_PORT => vxlan_gpe(payload, walk),
        GENEVE_PORT => geneve(payload, walk),
        GRE_PORT => tunnel::gre(payload, walk),
        MPLS_PORT => Ok(Step::EtherType(MPLS, payload)),
        LISP_PORT => lisp(payload, walk),
        TZSP_PORT => tzsp(payload),
        _ => match [destination, source].into_iter().find(|port| is_of_either_end(*port)) {
            Some(GTP_PORT) => gtp(payload, walk),
            Some(L2TP_PORT) => l2tp(payload, walk),
            Some(TEREDO_PORT) => teredo(payload),
            Some(AYIYA_PORT) => ayiya(payload),
            _ => Err(Skip::Udp),
        },
    }
}

const fn is_of_either_end(port: u16) -> bool {
    matches!(port, GTP_PORT | L2TP_PORT | TEREDO_PORT | AYIYA_PORT)
}

/// The flag that says that a VXLAN header has a network's number.
const VALID_NETWORK: u8 = 0x08;
/// The flag that says that a VXLAN-GPE or LISP-GPE header names what follows it.
const NAMES_NEXT: u8 = 0x04;
/// The least that a tunnel of Ethernet frames carries.
const ETHERNET_HEADER: usize = 14;

/// RFC 7348 §5: one flag counts, every other bit is reserved.
fn vxlan<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[flags, _, _, next, a, b, c, _] = layer.head::<8>().map_err(|_| Skip::Udp)?;
    if flags & VALID_NETWORK == 0 || layer.wire < 8 + ETHERNET_HEADER {
        return Err(Skip::Udp);
    }
    walk.enter(u32::from_be_bytes([0, a, b, c]));
    let inner = layer.after(8)?;
    // Some send VXLAN-GPE to this port: the two differ in bits that are reserved here, so the packet has to agree.
    match (flags & NAMES_NEXT != 0, next, inner.bytes.first().map_or(0, |first| first >> 4)) {
        (true, 1, 4) | (true, 2, 6) => Ok(Step::Ip(inner)),
        _ => Ok(Step::Ethernet(inner)),
    }
}

/// draft-ietf-nvo3-vxlan-gpe §3.1: Ethernet, or what the header names.
fn vxlan_gpe<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[flags, _, _, next, a, b, c, _] = layer.head::<8>().map_err(|_| Skip::Udp)?;
    if flags & VALID_NETWORK == 0 {
        return Err(Skip::Udp);
    }
    walk.enter(u32::from_be_bytes([0, a, b, c]));
    let inner = layer.after(8)?;
    if flags & NAMES_NEXT == 0 { Ok(Step::Ethernet(inner)) } else { tags::next_protocol(next, inner) }
}

/// RFC 8926 §3.4: version 0, options of a length that the header gives, an EtherType.
fn geneve<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[options, _, high, low, a, b, c, _] = layer.head::<8>().map_err(|_| Skip::Udp)?;
    if options >> 6 != 0 {
        return Err(Skip::Udp);
    }
    walk.enter(u32::from_be_bytes([0, a, b, c]));
    let inner = layer.after(8 + usize::from(options & 0x3f) * 4)?;
    Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), inner))
}

/// RFC 9300 §5.1: eight bytes whose flags change their meaning and not their length; RFC 9305 for what follows.
fn lisp<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    const HAS_INSTANCE: u8 = 0x08;
    let &[flags, _, _, next, a, b, c, _] = layer.head::<8>().map_err(|_| Skip::Udp)?;
    if flags & HAS_INSTANCE != 0 {
        walk.enter(u32::from_be_bytes([0, a, b, c]));
    }
    let inner = layer.after(8)?;
    if flags & NAMES_NEXT == 0 { Ok(Step::Ip(inner)) } else { tags::next_protocol(next, inner) }
}

/// RFC 4380 §5.1.1: an authentication and an origin may stand before the IPv6 packet.
fn teredo(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const NONCE_AND_CONFIRMATION: usize = 9;
    let mut rest = layer;
    for _ in 0..3 {
        let before = match *rest.head::<4>()? {
            [0, 1, id, value] => 4 + usize::from(id) + usize::from(value) + NONCE_AND_CONFIRMATION,
            [0, 0, ..] => 8,
            [first, ..] if first >> 4 == 6 => return Ok(Step::Ip(rest)),
            _ => break,
        };
        rest = rest.after(before)?;
    }
    Err(Skip::Udp)
}

/// draft-massar-v6ops-ayiya §4: lengths of identity and signature, an operation, the protocol that follows.
fn ayiya(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const FORWARD: u8 = 1;
    const IPV6: u8 = 41;
    const IPV4: u8 = 4;
    let &[identity, signature, operation, next] = layer.head()?;
    if operation & 0x0f != FORWARD || !matches!(next, IPV6 | IPV4) {
        return Err(Skip::Udp);
    }
    let (identity, signature) = (1_usize << (identity >> 4), usize::from(signature >> 4) * 4);
    Ok(Step::Ip(layer.after(8 + identity + signature)?))
}

/// TaZmen Sniffer Protocol, version 1: a received or sent frame of some link type, after fields with a length each.
fn tzsp(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const FIELDS: usize = 64;
    let Ok(&[1, 0 | 1, high, low]) = layer.head::<4>() else { return Err(Skip::Udp) };
    let link = match u16::from_be_bytes([high, low]) {
        0x01 => LinkType::ETHERNET,
        0x12 => link::IEEE802_11,
        0x77 => link::PRISM,
        0x7f => link::IEEE802_11_AVS,
        _ => return Err(Skip::Udp),
    };
    let mut rest = layer.after(4)?;
    for _ in 0..FIELDS {
        let length = match *rest.head::<1>()? {
            [0] => 1,
            [1] => return link::of_type(link, rest.after(1)?),
            _ => 2 + usize::from(rest.head::<2>()?[1]),
        };
        rest = rest.after(length)?;
    }
    Err(Skip::TooDeep)
}

/// GTP-U, version 1, a packet of a user (3GPP TS 29.281 §5).
fn gtp<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    const USER_PACKET: u8 = 255;
    const EXTENSIONS: usize = 8;
    let Ok(&[flags, USER_PACKET, _, _, a, b, c, d]) = layer.head::<8>() else { return Err(Skip::Udp) };
    if flags >> 4 != 3 {
        return Err(Skip::Udp);
    }
    walk.enter(u32::from_be_bytes([a, b, c, d]));
    let has = |bit: u8| flags & bit != 0;
    if !(has(4) || has(2) || has(1)) {
        return Ok(Step::Ip(layer.after(8)?));
    }
    let mut next = layer.head::<12>()?[11];
    let mut rest = layer.after(12)?;
    if !has(4) {
        return Ok(Step::Ip(rest));
    }
    for _ in 0..EXTENSIONS {
        if next == 0 {
            return Ok(Step::Ip(rest));
        }
        let length = usize::from(rest.head::<1>()?[0]) * 4;
        if length == 0 {
            return Err(Skip::Malformed);
        }
        let after = rest.after(length)?;
        next = rest.bytes.get(length - 1).copied().unwrap_or(0);
        rest = after;
    }
    Err(Skip::TooDeep)
}

/// L2TP, version 2, a data message (RFC 2661 §3.1).
fn l2tp<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    const CONTROL: u8 = 0x80;
    let &[flags, version] = layer.head::<2>()?;
    if flags & CONTROL != 0 || version & 0x0f != 2 {
        return Err(Skip::Udp);
    }
    let optional = |bit: u8, length: usize| if flags & bit == 0 { 0 } else { length };
    let ids = layer.after(2 + optional(0x40, 2))?;
    walk.enter(u32::from_be_bytes(*ids.head::<4>()?));
    let mut rest = ids.after(4 + optional(0x08, 4))?;
    if flags & 0x02 != 0 {
        let padding = usize::from(u16::from_be_bytes(*rest.head::<2>()?));
        rest = rest.after(2 + padding)?;
    }
    Ok(Step::Ppp(rest))
}
