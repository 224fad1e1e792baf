//! One TCP packet, wrapped in everything that the decoder knows; and what must not come out as a segment.

use std::net::SocketAddr;

use crate::model::{InterfaceId, Timestamp};
use crate::synth::{Conversation, Side};
use crate::wire::decode::*;

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

type Wrapped = (&'static str, LinkType, Vec<u8>, bool);

fn wrapped() -> Vec<Wrapped> {
    [links(), rare_links(), tunnels(), mirrors()].concat()
}

fn links() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (e4, e6) = (ether(0x0800, &four), ether(0x86dd, &six));
    let eth = LinkType::ETHERNET;
    let sll = |kind: u16, inner: &[u8]| {
        cat(&[&[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0], &kind.to_be_bytes(), inner])
    };
    let sll2 = |kind: u16, inner: &[u8]| {
        cat(&[&kind.to_be_bytes(), &[0, 0, 0, 0, 0, 2, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0], inner])
    };
    vec![
        ("ethernet", eth, e4.clone(), false),
        ("ethernet, IPv6", eth, e6.clone(), true),
        ("VLAN", eth, ether(0x8100, &vlan(100, 0x0800, &four)), false),
        ("QinQ", eth, ether(0x88a8, &vlan(5, 0x8100, &vlan(100, 0x86dd, &six))), true),
        (
            "three tags",
            eth,
            ether(0x9100, &vlan(5, 0x8100, &vlan(1, 0x8100, &vlan(2, 0x0800, &four)))),
            false,
        ),
        ("padding", eth, cat(&[&e4, &[0xff; 9]]), false),
        ("padding, IPv6", eth, cat(&[&e6, &[0xff; 9]]), true),
        ("cooked", LinkType::LINUX_SLL, sll(0x0800, &four), false),
        ("cooked, IPv6", LinkType::LINUX_SLL, sll(0x86dd, &six), true),
        ("cooked, VLAN", LinkType::LINUX_SLL, sll(0x8100, &vlan(3, 0x0800, &four)), false),
        ("cooked 2", LinkType::LINUX_SLL2, sll2(0x0800, &four), false),
        ("cooked 2, IPv6", LinkType::LINUX_SLL2, sll2(0x86dd, &six), true),
        ("raw", LinkType::RAW, four.clone(), false),
        ("raw, IPv6", LinkType::RAW, six.clone(), true),
        ("raw, BSD", LinkType(12), four.clone(), false),
        ("IPV4", LinkType::IPV4, four.clone(), false),
        ("IPV6", LinkType::IPV6, six.clone(), true),
        ("null, little-endian", LinkType::NULL, cat(&[&[2, 0, 0, 0], &four]), false),
        ("null, big-endian", LinkType::NULL, cat(&[&[0, 0, 0, 2], &four]), false),
        ("null, FreeBSD IPv6", LinkType::NULL, cat(&[&[28, 0, 0, 0], &six]), true),
        ("loop, Darwin IPv6", LinkType::LOOP, cat(&[&[0, 0, 0, 30], &six]), true),
        ("IPv6 extension headers", eth, ether(0x86dd, &with_extensions()), true),
    ]
}

fn rare_links() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let snap = cat(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &four]);
    let wifi = |kind: u8, inner: &[u8]| cat(&[&[kind], &[0; 23], inner]);
    let qos = cat(&[&[0, 0, 9, 0, 0, 0, 0, 0, 7], &wifi(0x88, &cat(&[&[0, 0], &snap]))]);
    let nflog_length = ((four.len() + 4) as u16).to_le_bytes();
    let nflog = cat(&[&[2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0], &nflog_length, &[9, 0], &four]);
    vec![
        ("802.3 with SNAP", eth, ether(90, &snap), false),
        ("PPP", LinkType(9), cat(&[&[0xff, 3, 0, 0x21], &four]), false),
        ("PPP, short protocol", LinkType(9), cat(&[&[0x57], &six]), true),
        ("PPPoE", eth, ether(0x8864, &cat(&[&[0x11, 0, 0, 1, 0, 99, 0, 0x21], &four])), false),
        ("Cisco HDLC", LinkType(104), cat(&[&[0x0f, 0, 8, 0], &four]), false),
        ("802.11", LinkType(105), wifi(8, &snap), false),
        ("802.11 QoS, radiotap", LinkType(127), qos, false),
        ("NFLOG", LinkType(239), nflog, false),
        ("PPI", LinkType(192), cat(&[&[0, 0, 8, 0, 105, 0, 0, 0], &wifi(8, &snap)]), false),
        ("PKTAP", LinkType(258), cat(&[&[14, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 9], &e4]), false),
        ("MPLS", eth, ether(0x8847, &cat(&[&[0, 0, 0x10, 64, 0, 0, 0x21, 64], &four])), false),
        ("MPLS pseudowire", eth, ether(0x8847, &cat(&[&[0, 0, 0x11, 64, 0, 0, 0, 0], &e4])), false),
    ]
}

fn tunnels() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (e4, e6) = (ether(0x0800, &four), ether(0x86dd, &six));
    let eth = LinkType::ETHERNET;
    let on4 = |protocol: u8, inner: &[u8]| ether(0x0800, &v4(protocol, inner));
    let vxlan = |inner: &[u8]| udp(4789, &cat(&[&[8, 0, 0, 0, 0, 0, 42, 0], inner]));
    let geneve = |header: &[u8], inner: &[u8]| on4(17, &udp(6081, &cat(&[header, inner])));
    let gtp: &[u8] = &[0x34, 255, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0x85, 1, 0, 0, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0];
    let l2tp: &[u8] = &[0x4a, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0, 0, 2, 7, 7, 0, 0x57];
    let ah: &[u8] = &[4, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1];
    vec![
        ("IP in IP", eth, on4(4, &four), false),
        ("6in4", eth, on4(41, &six), true),
        ("4in6", eth, ether(0x86dd, &v6(4, &four)), false),
        ("AH", eth, on4(51, &cat(&[ah, &four])), false),
        ("VXLAN", eth, on4(17, &vxlan(&e4)), false),
        ("VXLAN, VLAN inside", eth, on4(17, &vxlan(&ether(0x8100, &vlan(7, 0x86dd, &six)))), true),
        ("VXLAN in IPv6", eth, ether(0x86dd, &v6(17, &vxlan(&e6))), true),
        ("Geneve with options", eth, geneve(&[1, 0, 0x65, 0x58, 0, 0, 9, 0, 1, 2, 3, 4], &e4), false),
        ("Geneve with IP", eth, geneve(&[0, 0, 0x86, 0xdd, 0, 0, 9, 0], &six), true),
        ("GRE in UDP", eth, on4(17, &udp(4754, &cat(&[&[0, 0, 8, 0], &four]))), false),
        ("GTP-U", eth, on4(17, &udp(2152, &cat(&[&[0x30, 255, 0, 0, 0, 0, 0, 9], &four]))), false),
        ("GTP-U with extensions", eth, on4(17, &udp(2152, &cat(&[gtp, &six]))), true),
        ("L2TP", eth, on4(17, &udp(1701, &cat(&[&[0, 2, 0, 1, 0, 2, 0xff, 3, 0, 0x21], &four]))), false),
        ("L2TP with everything", eth, on4(17, &udp(1701, &cat(&[l2tp, &six]))), true),
    ]
}

fn mirrors() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let gre = |header: &[u8], inner: &[u8]| ether(0x0800, &v4(47, &cat(&[header, inner])));
    let all_options: &[u8] = &[0xb0, 0, 0x86, 0xdd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let pptp: &[u8] = &[0x30, 0x81, 0x88, 0x0b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21];
    let erspan2: &[u8] = &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 0, 0, 0, 0, 0];
    let erspan3: &[u8] =
        &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    vec![
        ("GRE", eth, gre(&[0, 0, 8, 0], &four), false),
        ("GRE with checksum, key, sequence", eth, gre(all_options, &six), true),
        ("GRE with Ethernet", eth, gre(&[0x30, 0, 0x65, 0x58, 0, 0, 0, 9, 0, 0, 0, 1], &e4), false),
        ("PPTP", eth, gre(pptp, &four), false),
        ("ERSPAN I", eth, gre(&[0, 0, 0x88, 0xbe], &e4), false),
        ("ERSPAN II", eth, gre(erspan2, &e4), false),
        ("ERSPAN III", eth, gre(erspan3, &e4), false),
    ]
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
        (Skip::OtherProtocol, eth, ether(0x0800, &v4(47, &[0x40, 0, 8, 0]))),
        (Skip::Encrypted, eth, ether(0x0800, &v4(50, &[0; 12]))),
        (Skip::Encrypted, eth, ether(0x88e5, &[0; 40])),
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
