//! What stands between Ethernet and what it carries besides VLAN tags: backbone, redundancy, security-group, mesh and
//! service headers. Reserved bits are ignored, as their specifications ask of receivers.

use etherparse::EtherType;

use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Layer, Step, Walk};
use crate::wire::decode::link::{MPLS, PROVIDER_BACKBONE};

pub(super) const CISCO_METADATA: EtherType = EtherType(0x8909);
pub(super) const HSR: EtherType = EtherType(0x892f);
pub(super) const BATMAN: EtherType = EtherType(0x4305);
pub(super) const MACSEC: EtherType = EtherType(0x88e5);
pub(super) const NSH: EtherType = EtherType(0x894f);
pub(super) const TRILL: EtherType = EtherType(0x22f3);
pub(super) const E_TAG: EtherType = EtherType(0x893f);
pub(super) const VN_TAG: EtherType = EtherType(0x8926);

/// The step after one of the headers above; `None` for every other EtherType.
pub(super) fn tag<'a>(kind: EtherType, layer: Layer<'a>, walk: &mut Walk) -> Option<Result<Step<'a>, Skip>> {
    Some(match kind {
        // A count of options of four bytes each, then the options.
        CISCO_METADATA => {
            layer.head::<2>().and_then(|&[_, options]| typed(layer, 2 + usize::from(options) * 4))
        }
        // Path and size, sequence number (IEC 62439-3). PRP's trailer is padding to IP.
        HSR | VN_TAG => typed(layer, 4),
        E_TAG => typed(layer, 6),
        PROVIDER_BACKBONE => backbone(layer, walk),
        TRILL => trill(layer),
        MACSEC => macsec(layer),
        NSH => nsh(layer),
        BATMAN => batman(layer),
        _ => return None,
    })
}

/// An EtherType after `header` bytes.
fn typed(layer: Layer<'_>, header: usize) -> Result<Step<'_>, Skip> {
    let rest = layer.after(header)?;
    let &[high, low] = rest.head()?;
    Ok(Step::EtherType(EtherType(u16::from_be_bytes([high, low])), rest.after(2)?))
}

/// IEEE 802.1ah: flags and the service's number, then the customer's Ethernet frame.
fn backbone<'a>(layer: Layer<'a>, walk: &mut Walk) -> Result<Step<'a>, Skip> {
    let &[_, a, b, c] = layer.head()?;
    walk.enter(u32::from_be_bytes([0, a, b, c]));
    Ok(Step::Ethernet(layer.after(4)?))
}

/// RFC 6325 §3: version, flags, the length of the options in words, two nicknames.
fn trill(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let flags = u16::from_be_bytes(*layer.head()?);
    let options = usize::from(flags >> 6 & 0x1f) * 4;
    Ok(Step::Ethernet(layer.after(6 + options)?))
}

/// IEEE 802.1AE: with integrity alone, what follows can be read; its check value is padding to IP.
fn macsec(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    const ENCRYPTED: u8 = 0x08;
    const CHANGED: u8 = 0x04;
    const CHANNEL_ID: u8 = 0x20;
    let &[control] = layer.head()?;
    if control & (ENCRYPTED | CHANGED) != 0 {
        return Err(Skip::Encrypted);
    }
    typed(layer, if control & CHANNEL_ID == 0 { 6 } else { 14 })
}

/// RFC 8300 §2.2: the header's length in words and what follows it.
fn nsh(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let &[_, length, _, next] = layer.head()?;
    next_protocol(next, layer.after(usize::from(length & 0x3f).max(2) * 4)?)
}

/// The numbers that NSH, VXLAN-GPE (draft-ietf-nvo3-vxlan-gpe §3.2) and LISP-GPE (RFC 9305 §3) share.
pub(super) fn next_protocol(kind: u8, layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    match kind {
        1 | 2 => Ok(Step::Ip(layer)),
        3 => Ok(Step::Ethernet(layer)),
        4 => Ok(Step::EtherType(NSH, layer)),
        5 => Ok(Step::EtherType(MPLS, layer)),
        _ => Err(Skip::OtherProtocol),
    }
}

/// B.A.T.M.A.N. advanced: unicast and broadcast frames of versions 14 and 15 carry Ethernet.
fn batman(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let header = match *layer.head::<2>()? {
        [0x40, 15] | [0x03, 14] => 10,
        [0x42, 15] => 18,
        [0x01, 15] | [0x04, 14] => 14,
        [0x41, 15] => return Err(Skip::FragmentRefused),
        _ => return Err(Skip::NotIp),
    };
    Ok(Step::Ethernet(layer.after(header)?))
}
