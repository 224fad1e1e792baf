//! What an IP packet carries: extension headers, tunnels, and at last TCP.

use etherparse::{EtherType, IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, ip_number};

use crate::wire::decode::layer::{Fragment, Layer, Step, Upper, Walk};
use crate::wire::decode::link::{BRIDGED, MPLS};
use crate::wire::decode::{Skip, datagram, rare};

const GRE_PPP: EtherType = EtherType(0x880b);
const ERSPAN: EtherType = EtherType(0x88be);
const ERSPAN_3: EtherType = EtherType(0x22eb);
const WCCP: EtherType = EtherType(0x883e);
const FRAME_RELAY: EtherType = EtherType(0x6559);
/// An Ethernet frame after two bytes (RFC 3378).
const ETHERNET_IN_IP: IpNumber = IpNumber(97);
/// RFC 4023.
const MPLS_IN_IP: IpNumber = IpNumber(137);

/// The next step by protocol number. Extension headers count in IPv4 as well: nobody else uses their numbers.
pub(super) fn upper<'a>(upper: Upper<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let layer = upper.layer;
    match upper.protocol {
        ip_number::TCP => Ok(Step::Tcp(upper)),
        ip_number::UDP => datagram::udp(layer, walk),
        ip_number::IPV4 | ip_number::IPV6 => Ok(Step::Ip(layer)),
        ip_number::GRE => gre(layer, walk),
        ETHERNET_IN_IP => Ok(Step::Ethernet(layer.after(2)?)),
        MPLS_IN_IP => Ok(Step::EtherType(MPLS, layer)),
        ip_number::IPV6_FRAGMENTATION_HEADER => fragment(upper),
        ip_number::AUTHENTICATION_HEADER => {
            let header = IpAuthHeaderSlice::from_slice(layer.bytes).map_err(|_| layer.too_short(12))?;
            next(upper, header.next_header(), header.slice().len())
        }
        ip_number::IPV6_HEADER_HOP_BY_HOP
        | ip_number::IPV6_ROUTE_HEADER
        | ip_number::IPV6_DESTINATION_OPTIONS
        | ip_number::MOBILITY_HEADER
        | ip_number::HIP
        | ip_number::SHIM6 => {
            let &[protocol, length] = layer.head()?;
            next(upper, IpNumber(protocol), (usize::from(length) + 1) * 8)
        }
        ip_number::ENCAPSULATING_SECURITY_PAYLOAD => Err(Skip::Encrypted),
        ip_number::ICMP | ip_number::IPV6_ICMP => Err(Skip::Icmp),
        _ => Err(Skip::OtherProtocol),
    }
}

fn next(upper: Upper<'_>, protocol: IpNumber, header: usize) -> Result<Step<'_>, Skip> {
    Ok(Step::Upper(Upper { protocol, layer: upper.layer.after(header)?, ..upper }))
}

/// RFC 8200 §4.5. An "atomic" fragment (offset 0, no more) is a whole datagram.
fn fragment(upper: Upper<'_>) -> Result<Step<'_>, Skip> {
    let header =
        Ipv6FragmentHeaderSlice::from_slice(upper.layer.bytes).map_err(|_| upper.layer.too_short(8))?;
    let inner = Upper { protocol: header.next_header(), layer: upper.layer.after(8)?, ..upper };
    if !header.is_fragmenting_payload() {
        return Ok(Step::Upper(inner));
    }
    Ok(Step::Fragment(Fragment {
        upper: inner,
        id: header.identification(),
        offset: u32::from(header.fragment_offset().value()) * 8,
        more: header.more_fragments(),
    }))
}

/// GRE (RFC 2784, RFC 2890; with RFC 1701's routing), PPTP's variant of it (RFC 2637 §4.1), WCCP and ERSPAN mirrors.
pub(super) fn gre<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[flags, version, high, low] = layer.head()?;
    let kind = EtherType(u16::from_be_bytes([high, low]));
    let has = |bit: u8| usize::from(flags & bit != 0);
    let (routing, key, sequence) = (has(0x40), has(0x20), has(0x10));
    let checksum = has(0x80) | routing;
    if key == 1 && version.trailing_zeros() >= 3 {
        let word: &[u8; 4] = layer.after(4 + checksum * 4)?.head()?;
        walk.enter(u32::from_be_bytes(*word));
    }
    let acknowledgment = usize::from(version & 0x80 != 0 && version & 0x07 == 1);
    let mut inner = layer.after(4 + 4 * (checksum + key + sequence + acknowledgment))?;
    if routing == 1 {
        inner = after_routes(inner)?;
    }
    match kind {
        GRE_PPP => Ok(Step::Ppp(inner)),
        // Without a sequence number it is the first version, which has no header.
        ERSPAN if sequence == 0 => Ok(Step::Ethernet(inner)),
        ERSPAN | ERSPAN_3 => erspan(inner),
        BRIDGED => Ok(Step::Ethernet(inner)),
        FRAME_RELAY => rare::frame_relay(inner),
        // The second version has a header of four bytes before IP.
        WCCP if matches!(inner.head::<1>()?[0] >> 4, 4 | 6) => Ok(Step::Ip(inner)),
        WCCP => Ok(Step::Ip(inner.after(4)?)),
        other => Ok(Step::EtherType(other, inner)),
    }
}

/// The source routes of RFC 1701: records with a length, until one of family and length 0.
fn after_routes(mut layer: Layer<'_>) -> Result<Layer<'_>, Skip> {
    const MOST_ROUTES: usize = 16;
    for _ in 0..MOST_ROUTES {
        let &[family_high, family_low, _, length] = layer.head()?;
        layer = layer.after(4 + usize::from(length))?;
        if [family_high, family_low, length] == [0, 0, 0] {
            return Ok(layer);
        }
    }
    Err(Skip::TooDeep)
}

/// draft-foschiano-erspan §4: the header says its version, the third also what it carries and whether more follows.
fn erspan(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const SECOND: u8 = 1;
    const THIRD: u8 = 2;
    const CARRIES_IP: u8 = 2;
    match layer.head::<1>()?[0] >> 4 {
        SECOND => Ok(Step::Ethernet(layer.after(8)?)),
        THIRD => {
            let &[.., kind, last] = layer.head::<12>()?;
            let inner = layer.after(12 + 8 * usize::from(last & 1))?;
            Ok(if kind >> 2 & 0x1f == CARRIES_IP { Step::Ip(inner) } else { Step::Ethernet(inner) })
        }
        _ => Err(Skip::OtherProtocol),
    }
}
