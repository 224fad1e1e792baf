//! One TCP packet in every link layer, tag and tunnel that the decoder knows.

use super::{cat, ether, ip, udp, v4, v6, vlan, with_extensions};
use crate::model::LinkType;

/// A name, the link type, the frame, and whether its innermost packet is IPv6.
pub(super) type Wrapped = (&'static str, LinkType, Vec<u8>, bool);

pub(super) fn wrapped() -> Vec<Wrapped> {
    [
        links(),
        rare_links(),
        router_links(),
        tags(),
        tunnels(),
        reserved_bits(),
        udp_tunnels(),
        mirrors(),
        old_gre(),
    ]
    .concat()
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
        &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
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

/// What routers, firewalls and access points write.
fn router_links() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let e4 = ether(0x0800, &four);
    let snap = cat(&[&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &four]);
    let wifi = cat(&[&[8], &[0; 23], &snap]);
    let relay = |inner: &[u8]| cat(&[&[0x18, 0x41], inner]);
    let bridged: &[u8] = &[3, 0, 0x80, 0, 0x80, 0xc2, 0, 7];
    let juniper = |flags: u8, header: &[u8], inner: &[u8]| cat(&[b"MGC", &[flags], header, inner]);
    let extension: &[u8] = &[0, 6, 1, 1, 0x86, 2, 1, 4];
    vec![
        ("Frame Relay", LinkType(107), relay(&cat(&[&[3, 0xcc], &four])), false),
        ("Frame Relay, IPv6", LinkType(107), relay(&cat(&[&[3, 0x8e], &six])), true),
        ("Frame Relay, SNAP", LinkType(107), relay(&cat(&[&[3, 0, 0x80, 0, 0, 0, 8, 0], &four])), false),
        ("Frame Relay, bridged", LinkType(107), relay(&cat(&[bridged, &e4])), false),
        ("Frame Relay, Cisco", LinkType(107), relay(&cat(&[&[8, 0], &four])), false),
        (
            "Frame Relay, long address",
            LinkType(107),
            cat(&[&[0x18, 0x40, 0x02, 0x01, 3, 0xcc], &four]),
            false,
        ),
        (
            "Frame Relay with direction",
            LinkType(206),
            cat(&[&[1], &relay(&cat(&[&[3, 0xcc], &four]))]),
            false,
        ),
        ("Juniper Ethernet", LinkType(178), juniper(1, &[], &e4), false),
        ("Juniper Ethernet, extended", LinkType(178), juniper(0x80, extension, &e4), false),
        (
            "Juniper, no link layer",
            LinkType(178),
            juniper(0x82, &cat(&[extension, &[2, 0, 0, 0]]), &four),
            false,
        ),
        ("Juniper PPP", LinkType(179), juniper(0, &[], &cat(&[&[0, 0x57], &six])), true),
        ("Juniper Frame Relay", LinkType(180), juniper(0, &[], &relay(&cat(&[&[3, 0xcc], &four]))), false),
        ("Juniper HDLC", LinkType(181), juniper(0, &[], &cat(&[&[0x0f, 0, 8, 0], &four])), false),
        ("IPNET", LinkType(226), cat(&[&[1, 2], &[0; 22], &four]), false),
        ("IPNET, IPv6", LinkType(226), cat(&[&[1, 26], &[0; 22], &six]), true),
        ("PFLOG", LinkType(117), cat(&[&[61, 2], &[0; 62], &four]), false),
        ("ENC", LinkType(109), cat(&[&[2, 0, 0, 0], &[0; 8], &four]), false),
        ("Prism", LinkType(119), cat(&[&[0x44, 0, 0, 0, 144, 0, 0, 0], &[0; 136], &wifi]), false),
        ("AVS", LinkType(163), cat(&[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 64], &[0; 56], &wifi]), false),
        ("PPP of pppd", LinkType(166), cat(&[&[1, 3, 0, 0x21], &four]), false),
        ("PPP with direction", LinkType(204), cat(&[&[1, 0xff, 3, 0, 0x21], &four]), false),
        ("HDLC with direction", LinkType(205), cat(&[&[0, 0x0f, 0, 8, 0], &four]), false),
        ("PPP with MPLS", LinkType(9), cat(&[&[0xff, 3, 2, 0x81, 0, 0, 0x11, 64], &four]), false),
        ("PPP, bridged", LinkType(9), cat(&[&[0xff, 3, 0, 0x31, 0, 1], &e4]), false),
        ("PPP multilink", LinkType(9), cat(&[&[0xff, 3, 0, 0x3d, 0xc0, 0, 0, 1, 0, 0x21], &four]), false),
        ("LLC with IP", LinkType::ETHERNET, ether(90, &cat(&[&[6, 6, 3], &four])), false),
    ]
}

/// Headers between Ethernet and IP, with their reserved bits set.
fn tags() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let on = |kind: u16, header: &[u8], inner: &[u8]| ether(kind, &cat(&[header, inner]));
    let batman4: &[u8] = &[0x42, 15, 50, 1, 2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 1, 0];
    let nsh: &[u8] = &[0x3f, 0xc6, 0xf1, 3, 0, 0, 1, 255, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4];
    vec![
        ("Cisco metadata", eth, on(0x8909, &[1, 1, 0, 1, 0, 7, 8, 0], &four), false),
        (
            "Cisco metadata, two options",
            eth,
            on(0x8909, &[1, 2, 0, 1, 0, 7, 0, 2, 0, 9, 0x86, 0xdd], &six),
            true,
        ),
        ("HSR", eth, on(0x892f, &[0x10, 90, 0, 7, 8, 0], &four), false),
        (
            "HSR after a VLAN tag",
            eth,
            ether(0x8100, &vlan(7, 0x892f, &cat(&[&[0xf0, 90, 0, 7, 8, 0], &four]))),
            false,
        ),
        ("padding, PRP trailer", eth, cat(&[&e4, &[0, 7, 0xa0, 90, 0x88, 0xfb, 0, 0, 0]]), false),
        ("B.A.T.M.A.N.", eth, on(0x4305, &[0x40, 15, 50, 1, 2, 0, 0, 0, 0, 9], &e4), false),
        ("B.A.T.M.A.N., four addresses", eth, on(0x4305, batman4, &e4), false),
        (
            "B.A.T.M.A.N., broadcast",
            eth,
            on(0x4305, &[1, 15, 50, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9], &e4),
            false,
        ),
        ("MACsec, integrity alone", eth, on(0x88e5, &[0x03, 0, 0, 0, 0, 1, 8, 0], &four), false),
        (
            "MACsec, channel",
            eth,
            on(0x88e5, &[0x23, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0, 1, 8, 0], &four),
            false,
        ),
        ("802.1ah", eth, on(0x88e7, &[0x17, 0, 0, 7], &e4), false),
        ("E-TAG", eth, on(0x893f, &[0xe0, 0, 0xc0, 1, 0, 0, 8, 0], &four), false),
        ("VN-Tag", eth, on(0x8926, &[0xc0, 1, 0x40, 2, 8, 0], &four), false),
        ("TRILL", eth, on(0x22f3, &[0x30, 0x3f, 0, 1, 0, 2], &e4), false),
        ("TRILL with options", eth, on(0x22f3, &[0, 0x7f, 0, 1, 0, 2, 9, 9, 9, 9], &e4), false),
        ("NSH", eth, on(0x894f, nsh, &e4), false),
        ("802.1H", eth, ether(90, &cat(&[&[0xaa, 0xaa, 3, 0, 0, 0xf8, 8, 0], &four])), false),
        ("old Q-in-Q", eth, ether(0x9200, &vlan(5, 0x0800, &four)), false),
        (
            "MPLS pseudowire, no control word",
            eth,
            on(0x8847, &[0, 0, 0x11, 64], &cat(&[&[0], &e4[1..]])),
            false,
        ),
        ("MPLS pseudowire, local address", eth, on(0x8847, &[0, 0, 0x11, 64], &e4_of(0x22, &four)), false),
    ]
}

/// An Ethernet frame whose first address begins with `first`.
fn e4_of(first: u8, four: &[u8]) -> Vec<u8> {
    let mut frame = ether(0x0800, four);
    frame[0] = first;
    frame
}

/// Tunnels with every bit set that a receiver has to ignore.
fn reserved_bits() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let on =
        |port: u16, header: &[u8], inner: &[u8]| ether(0x0800, &v4(17, &udp(port, &cat(&[header, inner]))));
    let gre = |header: &[u8], inner: &[u8]| ether(0x0800, &v4(47, &cat(&[header, inner])));
    vec![
        ("VXLAN, reserved bits", eth, on(4789, &[0xff, 1, 0xd1, 0xf2, 0, 0, 11, 0xff], &e4), false),
        ("VXLAN, group policy", eth, on(8472, &[0x88, 0x48, 0, 7, 0, 0, 11, 1], &e4), false),
        ("VXLAN-GPE on VXLAN's port", eth, on(4789, &[0x0c, 0, 0, 2, 0, 0, 11, 0], &six), true),
        ("VXLAN-GPE", eth, on(4790, &[0x0c, 0xff, 0xff, 3, 0, 0, 11, 0xff], &e4), false),
        ("VXLAN-GPE, IPv4", eth, on(4790, &[0xcd, 0, 0, 1, 0, 0, 11, 0], &four), false),
        ("VXLAN-GPE, IPv6", eth, on(4790, &[0x0c, 0, 0, 2, 0, 0, 11, 0], &six), true),
        ("VXLAN-GPE, MPLS", eth, on(4790, &[0x0c, 0, 0, 5, 0, 0, 11, 0, 0, 0, 0x11, 64], &four), false),
        ("VXLAN-GPE, NSH", eth, on(4790, &[0x0c, 0, 0, 4, 0, 0, 11, 0, 0, 2, 2, 3, 0, 0, 0, 0], &e4), false),
        ("VXLAN-GPE, Ethernet unnamed", eth, on(4790, &[0x08, 0, 0, 0, 0, 0, 11, 0], &e4), false),
        ("Geneve, reserved bits", eth, on(6081, &[0, 0xff, 0x65, 0x58, 0, 0, 9, 0xff], &e4), false),
        ("Geneve, MPLS", eth, on(6081, &[0, 0, 0x88, 0x47, 0, 0, 9, 0, 0, 0, 0x11, 64], &four), false),
        ("GRE, reserved bits", eth, gre(&[0x07, 0xf8, 8, 0], &four), false),
        ("GTP-U, reserved bit", eth, on(2152, &[0x38, 255, 0, 0, 0, 0, 0, 9], &four), false),
        ("GTP-U, sequence number", eth, on(2152, &[0x3a, 255, 0, 0, 0, 0, 0, 9, 0, 1, 0, 0], &four), false),
        ("L2TP, reserved bits", eth, on(1701, &[0x35, 0x02, 0, 1, 0, 2, 0, 0x21], &four), false),
    ]
}

fn udp_tunnels() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let on =
        |port: u16, header: &[u8], inner: &[u8]| ether(0x0800, &v4(17, &udp(port, &cat(&[header, inner]))));
    let from = |port: u16, header: &[u8], inner: &[u8]| {
        let mut datagram = udp(50_000, &cat(&[header, inner]));
        datagram[..2].copy_from_slice(&port.to_be_bytes());
        ether(0x0800, &v4(17, &datagram))
    };
    let ayiya = cat(&[&[0x41, 0x52, 0x11, 41, 0, 0, 0, 1], &[7; 16], &[9; 20]]);
    let teredo = cat(&[&[0, 1, 2, 3], &[7; 5], &[9; 9], &[0, 0, 1, 2, 3, 4, 5, 6]]);
    let tzsp: &[u8] = &[1, 0, 0, 1, 10, 1, 0xbf, 0, 18, 1, 6, 1];
    let wifi = cat(&[&[1, 0, 0, 18, 1], &[8], &[0; 23], &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0]]);
    vec![
        ("AYIYA", eth, on(5072, &ayiya, &six), true),
        ("AYIYA, the other way", eth, from(5072, &ayiya, &six), true),
        ("Teredo", eth, on(3544, &[], &six), true),
        ("Teredo with authentication and origin", eth, from(3544, &teredo, &six), true),
        ("TZSP", eth, on(37008, tzsp, &e4), false),
        ("TZSP, 802.11", eth, on(37008, &wifi, &four), false),
        ("MPLS in UDP", eth, on(6635, &[0, 0, 0x10, 64, 0, 0, 0x21, 64], &four), false),
        ("LISP", eth, on(4341, &[0xc0, 1, 2, 3, 0, 0, 0, 1], &four), false),
        ("LISP, instance and map version", eth, on(4341, &[0x1b, 1, 2, 3, 0, 0, 7, 0], &six), true),
        ("LISP-GPE", eth, on(4341, &[0x0c, 0, 0, 3, 0, 0, 7, 0], &e4), false),
        ("GTP-U, the other way", eth, from(2152, &[0x30, 255, 0, 0, 0, 0, 0, 9], &four), false),
        ("L2TP, the other way", eth, from(1701, &[0, 2, 0, 1, 0, 2, 0, 0x21], &four), false),
    ]
}

/// GRE's older and stranger forms, and what is carried by IP without GRE.
fn old_gre() -> Vec<Wrapped> {
    let (four, six) = (ip(false), ip(true));
    let (eth, e4) = (LinkType::ETHERNET, ether(0x0800, &four));
    let gre = |header: &[u8], inner: &[u8]| ether(0x0800, &v4(47, &cat(&[header, inner])));
    let on4 =
        |protocol: u8, header: &[u8], inner: &[u8]| ether(0x0800, &v4(protocol, &cat(&[header, inner])));
    let routed: &[u8] = &[0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 1, 2, 3, 4, 0, 0, 0, 0];
    let erspan2_key: &[u8] =
        &[0x30, 0, 0x88, 0xbe, 0, 0, 0, 7, 0, 0, 0, 1, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let erspan3_ip: &[u8] = &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0];
    let erspan3_short: &[u8] =
        &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x2f, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0x83, 0xfe];
    vec![
        ("GRE with source routes", eth, gre(routed, &four), false),
        ("GRE with MPLS", eth, gre(&[0, 0, 0x88, 0x47, 0, 0, 0x11, 64], &six), true),
        ("GRE with Frame Relay", eth, gre(&[0, 0, 0x65, 0x59, 0x18, 0x41, 3, 0xcc], &four), false),
        ("WCCP", eth, gre(&[0, 0, 0x88, 0x3e], &four), false),
        ("WCCP 2", eth, gre(&[0, 0, 0x88, 0x3e, 0, 51, 1, 2], &four), false),
        ("ERSPAN II, reserved bits, key", eth, gre(erspan2_key, &e4), false),
        ("ERSPAN III with IP", eth, gre(erspan3_ip, &four), false),
        ("ERSPAN III, short", eth, gre(erspan3_short, &e4), false),
        ("ERSPAN II in IPv6", eth, ether(0x86dd, &v6(47, &cat(&[&erspan2_key[..20], &e4]))), false),
        ("Ethernet in IP", eth, on4(97, &[0x30, 0], &e4), false),
        ("MPLS in IP", eth, on4(137, &[0, 0, 0x11, 64], &six), true),
    ]
}
