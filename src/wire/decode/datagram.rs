//! Tunnels in UDP, known by their ports and by what they begin with.

use etherparse::EtherType;

use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Layer, Step, Walk};
use crate::wire::decode::tunnel;

const VXLAN_PORTS: [u16; 2] = [4789, 8472];
const GENEVE_PORT: u16 = 6081;
const GRE_PORT: u16 = 4754;
const GTP_PORT: u16 = 2152;
const L2TP_PORT: u16 = 1701;

/// What a datagram carries: VXLAN (RFC 7348 §5), Geneve (RFC 8926 §3.4), GRE (RFC 8086), GTP-U or L2TP.
pub(super) fn udp<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[_, _, high, low, ..] = layer.head::<8>()?;
    let port = u16::from_be_bytes([high, low]);
    let payload = layer.after(8)?;
    if VXLAN_PORTS.contains(&port)
        && let Ok(&[flags, _, _, _, a, b, c, 0]) = payload.head::<8>()
        && flags & 0x08 != 0
    {
        walk.enter(u32::from_be_bytes([0, a, b, c]));
        return Ok(Step::Ethernet(payload.after(8)?));
    }
    if port == GENEVE_PORT
        && let Ok(&[options, _, high, low, a, b, c, _]) = payload.head::<8>()
        && options >> 6 == 0
    {
        walk.enter(u32::from_be_bytes([0, a, b, c]));
        let inner = payload.after(8 + usize::from(options & 0x3f) * 4)?;
        return Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), inner));
    }
    match port {
        GRE_PORT => tunnel::gre(payload, walk),
        GTP_PORT => gtp(payload, walk),
        L2TP_PORT => l2tp(payload, walk),
        _ => Err(Skip::Udp),
    }
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
