//! A single UDP datagram as a raw IP packet.

use std::net::{IpAddr, SocketAddr};

use etherparse::PacketBuilder;

/// `payload` as a UDP datagram in a raw IP packet (no link header); cut to what fits into one. Addresses of different
/// families are written as IPv6.
pub fn datagram(src: SocketAddr, dst: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..MAX_PAYLOAD).unwrap_or(payload);
    let mut packet = Vec::with_capacity(48 + payload.len());
    // Writing into a vector cannot fail, and the length was cut above.
    let _ = match (src.ip(), dst.ip()) {
        (IpAddr::V4(a), IpAddr::V4(b)) => PacketBuilder::ipv4(a.octets(), b.octets(), 64)
            .udp(src.port(), dst.port())
            .write(&mut packet, payload),
        (a, b) => {
            let v6 = |ip: IpAddr| match ip {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
                IpAddr::V6(v6) => v6.octets(),
            };
            PacketBuilder::ipv6(v6(a), v6(b), 64).udp(src.port(), dst.port()).write(&mut packet, payload)
        }
    };
    packet
}

const MAX_PAYLOAD: usize = 65_535 - 20 - 8;

#[cfg(test)]
mod tests {
    use etherparse::{SlicedPacket, TransportSlice};

    use super::*;

    #[test]
    fn parses_again() {
        for (src, dst) in [("10.0.0.1:5", "10.0.0.2:514"), ("10.0.0.1:5", "[::2]:514")] {
            let packet = datagram(src.parse().unwrap(), dst.parse().unwrap(), b"hello");
            let sliced = SlicedPacket::from_ip(&packet).unwrap();
            let Some(TransportSlice::Udp(udp)) = sliced.transport else { panic!("no UDP") };
            assert_eq!((udp.source_port(), udp.destination_port(), udp.payload()), (5, 514, &b"hello"[..]));
        }
    }

    #[test]
    fn long_payloads_are_cut() {
        let packet =
            datagram("1.1.1.1:1".parse().unwrap(), "1.1.1.2:1".parse().unwrap(), &vec![b'x'; 70_000]);
        assert_eq!(packet.len(), 65_535);
    }
}
