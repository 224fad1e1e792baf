//! One TCP packet, wrapped in everything that the decoder knows; and what must not come out as a segment.

mod fragments;
mod wrappings;

use std::net::SocketAddr;

use crate::model::{InterfaceId, Timestamp};
use crate::synth::{Conversation, Side};
use crate::wire::decode::*;
use wrappings::wrapped;

const PAYLOAD: &[u8] =
    b"POST /v1/users/7/profile HTTP/1.1\r\nHost: api.example.com\r\nContent-Length: 0\r\n\r\n";

fn addresses(six: bool) -> (SocketAddr, SocketAddr) {
    let text =
        if six { ("[2001:db8::1]:49152", "[2001:db8::2]:80") } else { ("10.1.0.1:49152", "10.1.0.2:80") };
    (text.0.parse().unwrap(), text.1.parse().unwrap())
}

/// An IP packet that carries the payload.
fn ip(six: bool) -> Vec<u8> {
    let (client, server) = addresses(six);
    let made = Conversation::new(client, server).raw_ip().client(PAYLOAD, Timestamp(1)).into_frames();
    made[0].data.clone()
}

fn frame(link: LinkType, data: &[u8]) -> Frame<'_> {
    Frame { time: Timestamp(5), link, interface: InterfaceId(3), data, wire_len: data.len() as u32 }
}

fn cat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

fn ether(kind: u16, inner: &[u8]) -> Vec<u8> {
    cat(&[&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &kind.to_be_bytes(), inner])
}

fn vlan(id: u16, kind: u16, inner: &[u8]) -> Vec<u8> {
    cat(&[&id.to_be_bytes(), &kind.to_be_bytes(), inner])
}

/// An outer IPv4 packet with any protocol in it.
fn v4(protocol: u8, inner: &[u8]) -> Vec<u8> {
    let length = (20 + inner.len()) as u16;
    cat(&[
        &[0x45, 0],
        &length.to_be_bytes(),
        &[0, 9, 0x40, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2],
        inner,
    ])
}

fn v6(next: u8, inner: &[u8]) -> Vec<u8> {
    let (length, src, dst) = (inner.len() as u16, [1_u8; 16], [2_u8; 16]);
    cat(&[&[0x60, 0, 0, 0], &length.to_be_bytes(), &[next, 64], &src, &dst, inner])
}

fn udp(port: u16, inner: &[u8]) -> Vec<u8> {
    let length = (8 + inner.len()) as u16;
    cat(&[&[0xc0, 0], &port.to_be_bytes(), &length.to_be_bytes(), &[0, 0], inner])
}

/// The IPv6 packet with extension headers between its header and TCP.
fn with_extensions() -> Vec<u8> {
    let packet = ip(true);
    let extensions: &[u8] = &[
        43, 0, 1, 4, 0, 0, 0, 0, // hop-by-hop, then routing
        60, 0, 0, 0, 0, 0, 0, 0, // routing, then destination options
        44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, // destination options, then an atomic fragment
        51, 0, 0, 0, 0, 0, 0, 7, // fragment, then AH
        6, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, // AH, then TCP
    ];
    let length = (packet.len() - 40 + extensions.len()) as u16;
    cat(&[&packet[..4], &length.to_be_bytes(), &[0], &packet[7..40], extensions, &packet[40..]])
}

#[track_caller]
fn assert_found(name: &str, decoded: Decoded<'_>, six: bool) {
    let Decoded::Segment(segment) = decoded else { panic!("{name}: {decoded:?}") };
    let (client, server) = addresses(six);
    assert_eq!((segment.src, segment.dst), (client, server), "{name}");
    assert_eq!((segment.seq, segment.ack, segment.tag), (1_000, 500_000, 0), "{name}");
    assert_eq!(segment.payload, PAYLOAD, "{name}");
    assert_eq!(segment.payload_len as usize, PAYLOAD.len(), "{name}");
    assert_eq!((segment.time, segment.interface), (Timestamp(5), InterfaceId(3)), "{name}");
}

#[test]
fn every_wrapping_gives_the_same_segment() {
    let mut decoder = Decoder::default();
    for (name, link, data, six) in wrapped() {
        assert!(Decoder::supports(link), "{name}");
        assert_found(name, decoder.decode(&frame(link, &data)), six);
    }
    assert_eq!(decoder.skipped().total(), 0);
}

#[test]
fn both_paths_agree() {
    for (name, link, data, six) in wrapped() {
        let mut decoder = Decoder::default();
        assert_found(name, decoder.decode_slowly(&frame(link, &data)), six);
    }
}

#[test]
fn networks_are_told_apart_when_asked() {
    let limits = DecodeLimits { separate_networks: true, ..DecodeLimits::default() };
    let mut decoder = Decoder::new(limits);
    let mut tags = Vec::new();
    for (_, link, data, _) in wrapped() {
        let Decoded::Segment(segment) = decoder.decode(&frame(link, &data)) else { panic!() };
        tags.push(segment.tag);
    }
    assert_eq!(tags[0], 0);
    assert_ne!(tags[2], 0);
    assert_ne!(tags[2], tags[3]);
}

#[test]
fn a_cut_frame_tells_how_much_is_missing() {
    for (name, link, data, _) in wrapped() {
        let mut decoder = Decoder::default();
        let trailing = usize::from(name.starts_with("padding")) * 9;
        for kept in 0..data.len() - trailing {
            let cut = Frame { data: &data[..kept], ..frame(link, &data) };
            match decoder.decode(&cut) {
                Decoded::Segment(segment) => {
                    assert_eq!(segment.payload_len as usize, PAYLOAD.len(), "{name} at {kept}");
                    assert_eq!(segment.payload, &PAYLOAD[..segment.payload.len()], "{name} at {kept}");
                    assert!(segment.payload.len() < PAYLOAD.len(), "{name} at {kept}");
                }
                Decoded::Skip(reason) => {
                    assert!(
                        matches!(reason, Skip::Cut | Skip::NotIp | Skip::Udp),
                        "{name} at {kept}: {reason:?}"
                    );
                    assert!(kept < data.len() - trailing - PAYLOAD.len(), "{name} at {kept}");
                }
            }
        }
    }
}

#[test]
fn a_frame_that_really_ends_early_never_panics() {
    for (_, link, data, _) in wrapped() {
        let mut decoder = Decoder::default();
        for kept in 0..data.len() {
            decoder.decode(&frame(link, &data[..kept]));
        }
    }
}

#[test]
fn an_offloaded_super_frame_has_no_length() {
    let mut packet = ip(false);
    packet[2..4].fill(0);
    assert_found(
        "TSO",
        Decoder::default().decode(&frame(LinkType::ETHERNET, &ether(0x0800, &packet))),
        false,
    );
    let mut packet = ip(true);
    packet[4..6].fill(0);
    assert_found("BIG TCP", Decoder::default().decode(&frame(LinkType::RAW, &packet)), true);
}

#[test]
fn bad_checksums_are_no_reason() {
    let mut packet = ip(false);
    packet[10..12].fill(0xee);
    packet[36..38].fill(0xee);
    assert_found("bad checksums", Decoder::default().decode(&frame(LinkType::RAW, &packet)), false);
}

#[test]
fn everything_else_has_its_reason() {
    let eth = LinkType::ETHERNET;
    let short = v4(6, &[0; 19]);
    let mut small_offset = ip(false);
    small_offset[32] = 0x40;
    let nested = (0..40).fold(ip(false), |inner, _| v4(4, &inner));
    let cases: Vec<(Skip, LinkType, Vec<u8>)> = vec![
        (Skip::NotIp, eth, ether(0x0806, &[0; 28])),
        (Skip::NotIp, eth, ether(60, &[0x42, 0x42, 3, 0, 0, 0, 0, 0])),
        (Skip::NotIp, LinkType::NULL, vec![7, 0, 0, 0, 1]),
        (Skip::Udp, eth, ether(0x0800, &v4(17, &udp(53, b"abc")))),
        (Skip::Udp, eth, ether(0x0800, &v4(17, &udp(4789, b"not VXLAN")))),
        (Skip::Icmp, eth, ether(0x0800, &v4(1, &[8, 0, 0, 0]))),
        (Skip::OtherProtocol, eth, ether(0x0800, &v4(132, &[0; 12]))),
        (Skip::TooDeep, eth, ether(0x0800, &v4(47, &cat(&[&[0x40, 0, 8, 0], &[1; 200]])))),
        (Skip::OtherProtocol, eth, ether(0x0800, &v4(47, &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x50]))),
        (Skip::OtherProtocol, eth, ether(0x0800, &v4(17, &udp(4790, &[0x0c, 0, 0, 9, 0, 0, 7, 0])))),
        (Skip::Udp, eth, ether(0x0800, &v4(17, &udp(4789, &[0xf7; 60])))),
        (Skip::Udp, eth, ether(0x0800, &v4(17, &udp(5072, &[0x41, 0x52, 0, 41, 0, 0, 0, 0])))),
        (Skip::Udp, eth, ether(0x0800, &v4(17, &udp(37008, &[1, 4, 0, 1, 1])))),
        (Skip::FragmentRefused, LinkType(9), vec![0xff, 3, 0, 0x3d, 0x80, 0, 0, 1, 0, 0x21]),
        (Skip::FragmentRefused, eth, ether(0x4305, &[0x41, 15, 50, 0])),
        (Skip::Encrypted, eth, ether(0x0800, &v4(50, &[0; 12]))),
        (Skip::Encrypted, eth, ether(0x88e5, &[0x0c; 40])),
        (Skip::Malformed, eth, ether(0x0800, &[0x51; 40])),
        (Skip::Malformed, eth, vec![1; 13]),
        (Skip::Malformed, eth, ether(0x0800, &short)),
        (Skip::Malformed, LinkType::RAW, small_offset),
        (Skip::TooDeep, LinkType::RAW, nested),
        (Skip::UnknownLinkType, LinkType(147), ip(false)),
    ];
    let mut decoder = Decoder::default();
    for (index, (wanted, link, data)) in cases.iter().enumerate() {
        match decoder.decode(&frame(*link, data)) {
            Decoded::Skip(reason) => assert_eq!(reason, *wanted, "case {index}"),
            Decoded::Segment(segment) => panic!("case {index}: {segment:?}"),
        }
    }
    assert_eq!(decoder.skipped().total(), cases.len() as u64);
    assert_eq!(decoder.skipped().count(Skip::NotIp), 3);
    assert_eq!(decoder.skipped().named()[0], ("not-ip", 3));
}

#[test]
fn flags_come_through() {
    let (client, server) = addresses(false);
    let made = Conversation::new(client, server)
        .handshake(Timestamp(0))
        .fin(Timestamp(1))
        .reset(Side::Client, Timestamp(2))
        .into_frames();
    let mut decoder = Decoder::default();
    let flags: Vec<u8> = made
        .iter()
        .map(|made| match decoder.decode(&made.frame()) {
            Decoded::Segment(segment) => segment.flags.0,
            Decoded::Skip(reason) => panic!("{reason:?}"),
        })
        .collect();
    assert_eq!(flags, [0x02, 0x12, 0x10, 0x11, 0x11, 0x10, 0x14]);
}
