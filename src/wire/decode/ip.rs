//! IP headers. Lengths come from the header when it has one; 0 means that segmentation was offloaded and the frame is whole.

use std::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

use crate::wire::decode::Skip;
use crate::wire::decode::layer::{Fragment, Layer, Step, Upper};

/// Reads the header of either version.
pub(super) fn header(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    match layer.head::<1>()?[0] >> 4 {
        4 => v4(layer),
        6 => v6(layer),
        _ => Err(Skip::Malformed),
    }
}

fn v4(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let header_len = usize::from(layer.head::<1>()?[0] & 0x0f) * 4;
    let header = Ipv4HeaderSlice::from_slice(layer.bytes).map_err(|_| layer.too_short(header_len.max(20)))?;
    let packet = match usize::from(header.total_len()) {
        0 => layer,
        length if length < header_len => return Err(Skip::Malformed),
        length => layer.ends_at(length),
    };
    let upper = Upper {
        src: IpAddr::V4(header.source_addr()),
        dst: IpAddr::V4(header.destination_addr()),
        protocol: header.protocol(),
        layer: packet.after(header_len)?,
    };
    if !header.is_fragmenting_payload() {
        return Ok(Step::Upper(upper));
    }
    Ok(Step::Fragment(Fragment {
        upper,
        id: u32::from(header.identification()),
        offset: u32::from(header.fragments_offset().value()) * 8,
        more: header.more_fragments(),
    }))
}

fn v6(layer: Layer<'_>) -> Result<Step<'_>, Skip> {
    let header = Ipv6HeaderSlice::from_slice(layer.bytes).map_err(|_| layer.too_short(40))?;
    let packet = match usize::from(header.payload_length()) {
        0 => layer,
        length => layer.ends_at(40 + length),
    };
    Ok(Step::Upper(Upper {
        src: IpAddr::V6(header.source_addr()),
        dst: IpAddr::V6(header.destination_addr()),
        protocol: header.next_header(),
        layer: packet.after(40)?,
    }))
}
