//! What an IP packet carries: extension headers, tunnels, and at last TCP.

use etherparse::{EtherType, IpAuthHeaderSlice, IpNumber, Ipv6FragmentHeaderSlice, ip_number};

use crate::wire::decode::layer::{Fragment, Layer, Step, Upper, Walk};
use crate::wire::decode::link::BRIDGED;
use crate::wire::decode::{Skip, datagram};

const GRE_PPP: EtherType = EtherType(0x880b);
const ERSPAN: EtherType = EtherType(0x88be);
const ERSPAN_3: EtherType = EtherType(0x22eb);

/// The next step by protocol number. Extension headers count in IPv4 as well: nobody else uses their numbers.
pub(super) fn upper<'a>(upper: Upper<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let layer = upper.layer;
    match upper.protocol {
        ip_number::TCP => Ok(Step::Tcp(upper)),
        ip_number::UDP => datagram::udp(layer, walk),
        ip_number::IPV4 | ip_number::IPV6 => Ok(Step::Ip(layer)),
        ip_number::GRE => gre(layer, walk),
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

/// GRE (RFC 2784, RFC 2890), PPTP's variant of it (RFC 2637 §4.1), and ERSPAN mirrors.
pub(super) fn gre<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[flags, version, high, low] = layer.head()?;
    let kind = EtherType(u16::from_be_bytes([high, low]));
    let has = |bit: u8| usize::from(flags & bit != 0);
    let (checksum, routing, key, sequence) = (has(0x80), has(0x40), has(0x20), has(0x10));
    if routing == 1 {
        return Err(Skip::OtherProtocol);
    }
    let is_plain = matches!(version & 0x07, 0);
    if key == 1 && is_plain {
        let word: &[u8; 4] = layer.after(4 + checksum * 4)?.head()?;
        walk.enter(u32::from_be_bytes(*word));
    }
    let acknowledgment = usize::from(version & 0x80 != 0);
    let inner = layer.after(4 + 4 * (checksum + key + sequence + acknowledgment))?;
    match kind {
        GRE_PPP => Ok(Step::Ppp(inner)),
        ERSPAN => Ok(Step::Ethernet(inner.after(8 * sequence)?)),
        ERSPAN_3 => {
            let platform = usize::from(inner.head::<12>()?[11] & 1);
            Ok(Step::Ethernet(inner.after(12 + 8 * platform)?))
        }
        BRIDGED => Ok(Step::Ethernet(inner)),
        other => Ok(Step::EtherType(other, inner)),
    }
}
