//! Fragments of datagrams whose bytes are known: what is put together holds them and no others.

use super::input::Input;
use crate::model::{Frame, InterfaceId, LinkType, Timestamp};
use crate::wire::decode::{DecodeLimits, Decoded, Decoder};

/// Bytes of the datagrams' payload.
const LEN: usize = 4096;
/// Bytes of the TCP header that the payload begins with.
const TCP: usize = 20;
/// Room for the fragments of two datagrams.
const LIMITS: DecodeLimits = DecodeLimits {
    fragment_bytes: 12 << 10,
    fragment_datagrams: 6,
    fragment_timeout: 2_000_000_000,
    separate_networks: false,
};

/// A TCP segment whose bytes tell where they stand.
fn payload() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..LEN).map(|at| (at % 251) as u8).collect();
    let header = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0];
    bytes.iter_mut().zip(header).for_each(|(place, byte)| *place = byte);
    bytes
}

/// Six bytes a fragment: how, when, which datagram, from where, how much.
pub fn fragments(data: &[u8]) {
    let mut input = Input::new(data);
    let mut decoder = Decoder::new(LIMITS);
    let payload = payload();
    let mut time = 0;
    while !input.is_empty() {
        let how = input.u8();
        time += i64::from(input.u8()) * 10_000_000;
        let id = input.u8() % 8;
        let from = usize::from(input.u8()) * 8 % LEN;
        let len = usize::from(input.u16()) % 1500;
        let to = if how & 2 == 0 { from + len / 8 * 8 } else { from + len }.min(LEN);
        let Some(piece) = payload.get(from..to) else { continue };
        let mut packet = if how & 1 == 0 { v4(id, from, how, piece) } else { v6(id, from, how, piece) };
        let cut = if how & 0xF0 == 0xF0 { usize::from(input.u8()) } else { 0 };
        let wire_len = packet.len() as u32;
        packet.truncate(packet.len().saturating_sub(cut));
        let (link, interface) = (LinkType::RAW, InterfaceId(0));
        let frame = Frame { time: Timestamp(time), link, interface, data: &packet, wire_len };
        if let Decoded::Segment(segment) = decoder.decode(&frame) {
            let known = payload.get(TCP..TCP + segment.payload.len());
            assert_eq!(Some(segment.payload), known, "the bytes that were sent, in their places");
            assert!(segment.payload.len() <= segment.payload_len as usize);
        }
        assert!(decoder.memory() <= LIMITS.fragment_bytes, "memory {}", decoder.memory());
    }
}

/// An IPv4 packet with one fragment.
fn v4(id: u8, from: usize, how: u8, piece: &[u8]) -> Vec<u8> {
    let more = u8::from(how & 4 != 0) << 5;
    let [high, low] = ((20 + piece.len()) as u16).to_be_bytes();
    let [place, rest] = ((from / 8) as u16).to_be_bytes();
    let mut packet =
        vec![0x45, 0, high, low, 0, id, more | place, rest, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    packet.extend_from_slice(piece);
    packet
}

/// An IPv6 packet with one fragment.
fn v6(id: u8, from: usize, how: u8, piece: &[u8]) -> Vec<u8> {
    let [high, low] = ((8 + piece.len()) as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, high, low, 44, 64];
    packet.extend_from_slice(&[1; 16]);
    packet.extend_from_slice(&[2; 16]);
    let [place, rest] = (from as u16 | u16::from(how & 4 != 0)).to_be_bytes();
    packet.extend_from_slice(&[6, 0, place, rest, 0, 0, 0, id]);
    packet.extend_from_slice(piece);
    packet
}
