//! One TCP connection as a writer of frames: keeps sequence numbers, cuts at the MSS, fills in every checksum.

use std::net::{IpAddr, SocketAddr};

use etherparse::{IpNumber, Ipv4Header, Ipv6FlowLabel, Ipv6Header, TcpHeader, TcpOptionElement};

use crate::model::LinkType;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The peer that opened the connection.
    Client,
    /// The peer that listens.
    Server,
}

impl Side {
    /// The other peer.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The largest payload of one frame: what an IPv4 packet carries beside its own and TCP's longest header.
const MAX_PAYLOAD: usize = 65_535 - 20 - 60;
const ETHER_IPV4: u16 = 0x0800;
const ETHER_IPV6: u16 = 0x86dd;

/// Writes the frames of one TCP connection. Each call hands whole frames to `emit`, in order; the buffer they lie in is
/// used again for the next frame, so nothing is allocated once it has grown.
#[derive(Clone, Debug)]
pub struct FlowWriter {
    client: SocketAddr,
    server: SocketAddr,
    next: [u32; 2],
    mss: usize,
    link: LinkType,
    window: u16,
    packet_id: u16,
    frame: Vec<u8>,
}

impl FlowWriter {
    /// A connection between two addresses over Ethernet, MSS 1460, with fixed initial sequence numbers.
    /// When only one address is IPv4, it is written as an IPv4-mapped IPv6 address.
    pub fn new(client: SocketAddr, server: SocketAddr) -> Self {
        Self {
            client,
            server,
            next: [1_000, 500_000],
            mss: 1460,
            link: LinkType::ETHERNET,
            window: 64_240,
            packet_id: 0,
            frame: Vec::new(),
        }
    }
    /// The most payload bytes of one frame; kept between 1 and 65,455.
    #[must_use]
    pub fn with_mss(mut self, mss: usize) -> Self {
        self.mss = mss.clamp(1, MAX_PAYLOAD);
        self
    }
    /// The link type: Ethernet, or raw IP for everything else.
    #[must_use]
    pub const fn with_link(mut self, link: LinkType) -> Self {
        self.link = link;
        self
    }
    /// The sequence numbers of the two SYNs.
    #[must_use]
    pub const fn with_initial_sequence(mut self, client: u32, server: u32) -> Self {
        self.next = [client, server];
        self
    }
    /// The link type of the frames.
    pub const fn link(&self) -> LinkType {
        self.link
    }
    /// Moves `side` on by `bytes` without writing anything: what was sent there is missing from the capture.
    pub const fn skip(&mut self, side: Side, bytes: u32) {
        self.next[side as usize] = self.next[side as usize].wrapping_add(bytes);
    }
    /// Gives back the memory that large frames took.
    pub fn release(&mut self) {
        self.frame = Vec::new();
    }

    /// SYN, SYN-ACK, ACK.
    pub fn handshake(&mut self, mut emit: impl FnMut(&[u8])) {
        self.one(Side::Client, Flags { syn: true, ack: false, ..Flags::default() }, &[], &mut emit);
        self.one(Side::Server, Flags { syn: true, ..Flags::default() }, &[], &mut emit);
        self.one(Side::Client, Flags::default(), &[], &mut emit);
    }
    /// Sends `bytes`, cut at the MSS; PSH on the last frame. Nothing is written for no bytes.
    pub fn send(&mut self, from: Side, bytes: &[u8], mut emit: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.mss));
            rest = later;
            self.one(from, Flags { psh: rest.is_empty(), ..Flags::default() }, now, &mut emit);
        }
    }
    /// A bare acknowledgement.
    pub fn ack(&mut self, from: Side, mut emit: impl FnMut(&[u8])) {
        self.one(from, Flags::default(), &[], &mut emit);
    }
    /// `from` has no more to send.
    pub fn fin(&mut self, from: Side, mut emit: impl FnMut(&[u8])) {
        self.one(from, Flags { fin: true, ..Flags::default() }, &[], &mut emit);
    }
    /// `from` resets the connection.
    pub fn reset(&mut self, from: Side, mut emit: impl FnMut(&[u8])) {
        self.one(from, Flags { rst: true, ..Flags::default() }, &[], &mut emit);
    }

    /// Writes one frame and moves the sender's sequence number on.
    fn one(&mut self, from: Side, flags: Flags, payload: &[u8], emit: &mut impl FnMut(&[u8])) {
        let (src, dst) = match from {
            Side::Client => (self.client, self.server),
            Side::Server => (self.server, self.client),
        };
        let seq = self.next[from as usize];
        let mut tcp = TcpHeader::new(src.port(), dst.port(), seq, self.window);
        tcp.syn = flags.syn;
        tcp.fin = flags.fin;
        tcp.rst = flags.rst;
        tcp.psh = flags.psh;
        tcp.ack = flags.ack;
        tcp.acknowledgment_number = if flags.ack { self.next[from.other() as usize] } else { 0 };
        if flags.syn {
            // One option of four bytes always fits.
            let _ = tcp.set_options(&[TcpOptionElement::MaximumSegmentSize(self.mss.min(0xffff) as u16)]);
        }
        self.packet_id = self.packet_id.wrapping_add(1);
        self.frame.clear();
        match (src.ip(), dst.ip()) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                self.ether(ETHER_IPV4, from);
                self.ipv4(src.octets(), dst.octets(), &mut tcp, payload);
            }
            (src, dst) => {
                self.ether(ETHER_IPV6, from);
                self.ipv6(v6(src), v6(dst), &mut tcp, payload);
            }
        }
        self.frame.extend_from_slice(&tcp.to_bytes());
        self.frame.extend_from_slice(payload);
        let spent = payload.len() as u32 + u32::from(flags.syn) + u32::from(flags.fin);
        self.next[from as usize] = seq.wrapping_add(spent);
        emit(&self.frame);
    }

    fn ether(&mut self, ether_type: u16, from: Side) {
        if self.link == LinkType::ETHERNET {
            let (client, server) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
            let (src, dst) = if from == Side::Client { (client, server) } else { (server, client) };
            self.frame.extend_from_slice(&dst);
            self.frame.extend_from_slice(&src);
            self.frame.extend_from_slice(&ether_type.to_be_bytes());
        }
    }

    fn ipv4(&mut self, src: [u8; 4], dst: [u8; 4], tcp: &mut TcpHeader, payload: &[u8]) {
        let mut ip = Ipv4Header {
            protocol: IpNumber::TCP,
            time_to_live: 64,
            source: src,
            destination: dst,
            ..Ipv4Header::default()
        };
        ip.total_len = (ip.header_len() + tcp.header_len() + payload.len()) as u16;
        ip.identification = self.packet_id;
        ip.dont_fragment = true;
        ip.header_checksum = ip.calc_header_checksum();
        tcp.checksum = tcp.calc_checksum_ipv4(&ip, payload).unwrap_or(0);
        self.frame.extend_from_slice(&ip.to_bytes());
    }

    fn ipv6(&mut self, src: [u8; 16], dst: [u8; 16], tcp: &mut TcpHeader, payload: &[u8]) {
        let ip = Ipv6Header {
            traffic_class: 0,
            flow_label: Ipv6FlowLabel::ZERO,
            payload_length: (tcp.header_len() + payload.len()) as u16,
            next_header: IpNumber::TCP,
            hop_limit: 64,
            source: src,
            destination: dst,
        };
        tcp.checksum = tcp.calc_checksum_ipv6(&ip, payload).unwrap_or(0);
        self.frame.extend_from_slice(&ip.to_bytes());
    }
}

#[derive(Clone, Copy)]
struct Flags {
    syn: bool,
    fin: bool,
    rst: bool,
    psh: bool,
    ack: bool,
}

impl Default for Flags {
    fn default() -> Self {
        Self { syn: false, fin: false, rst: false, psh: false, ack: true }
    }
}

const fn v6(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}
