//! Datagrams in pieces: in any order, twice, overlapping, incomplete, too many.

use crate::model::{InterfaceId, Timestamp};
use crate::synth::Conversation;
use crate::wire::decode::*;

const SECOND: i64 = 1_000_000_000;
const BODY: &[u8] = &[b'x'; 3000];

/// A raw IP packet with a TCP segment of 3,000 bytes.
fn packet(six: bool) -> Vec<u8> {
    let (client, server) =
        if six { ("[2001:db8::1]:5", "[2001:db8::2]:80") } else { ("10.1.0.1:5", "10.1.0.2:80") };
    let made = Conversation::new(client.parse().unwrap(), server.parse().unwrap()).raw_ip().mss(9000);
    made.client(BODY, Timestamp(0)).into_frames()[0].data.clone()
}

/// The bytes `from..to` of the packet's payload as a fragment of datagram `id`.
fn piece(packet: &[u8], id: u16, from: usize, to: usize) -> Vec<u8> {
    let six = packet[0] >> 4 == 6;
    let header = if six { 40 } else { 20 };
    let payload = &packet[header..];
    let more = to < payload.len();
    let bytes = &payload[from..to];
    let mut out = packet[..header].to_vec();
    if six {
        let length = (bytes.len() + 8) as u16;
        out[4..6].copy_from_slice(&length.to_be_bytes());
        let next = std::mem::replace(&mut out[6], 44);
        out.extend_from_slice(&[next, 0]);
        out.extend_from_slice(&(from as u16 | u16::from(more)).to_be_bytes());
        out.extend_from_slice(&u32::from(id).to_be_bytes());
    } else {
        out[2..4].copy_from_slice(&((20 + bytes.len()) as u16).to_be_bytes());
        out[4..6].copy_from_slice(&id.to_be_bytes());
        out[6..8].copy_from_slice(&((from / 8) as u16 | u16::from(more) << 13).to_be_bytes());
    }
    out.extend_from_slice(bytes);
    out
}

fn at(time: i64, data: &[u8]) -> Frame<'_> {
    Frame {
        time: Timestamp(time),
        link: LinkType::RAW,
        interface: InterfaceId(0),
        data,
        wire_len: data.len() as u32,
    }
}

#[track_caller]
fn assert_skip(decoded: Decoded<'_>, wanted: Skip) {
    match decoded {
        Decoded::Skip(reason) => assert_eq!(reason, wanted),
        Decoded::Segment(segment) => panic!("{segment:?}"),
    }
}

#[track_caller]
fn assert_whole(decoded: Decoded<'_>) {
    match decoded {
        Decoded::Segment(segment) => {
            assert!(segment.payload == BODY && segment.payload_len as usize == BODY.len());
            assert_eq!((segment.src.port(), segment.dst.port()), (5, 80));
        }
        Decoded::Skip(reason) => panic!("{reason:?}"),
    }
}

#[test]
fn three_pieces_in_every_order() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for six in [false, true] {
        let packet = packet(six);
        let pieces =
            [piece(&packet, 7, 0, 1480), piece(&packet, 7, 1480, 2960), piece(&packet, 7, 2960, 3020)];
        let mut decoder = Decoder::default();
        for (index, [a, b, c]) in orders.into_iter().enumerate() {
            let time = index as i64 * SECOND;
            assert_skip(decoder.decode(&at(time, &pieces[a])), Skip::FragmentWaiting);
            assert_skip(decoder.decode(&at(time, &pieces[b])), Skip::FragmentWaiting);
            assert_whole(decoder.decode(&at(time, &pieces[c])));
            assert_eq!(decoder.memory(), 0);
        }
        assert_eq!(decoder.fragment_counters().completed, 6);
    }
}

#[test]
fn each_frame_seen_twice_gives_one_segment() {
    let packet = packet(false);
    let (first, last) = (piece(&packet, 7, 0, 1480), piece(&packet, 7, 1480, 3020));
    let mut decoder = Decoder::default();
    assert_skip(decoder.decode(&at(1, &first)), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(2, &first)), Skip::FragmentRepeated);
    assert_whole(decoder.decode(&at(3, &last)));
    assert_skip(decoder.decode(&at(4, &last)), Skip::FragmentRepeated);
    assert_skip(decoder.decode(&at(SECOND, &first)), Skip::FragmentWaiting);
    assert_whole(decoder.decode(&at(SECOND, &last)));
    assert_eq!(decoder.fragment_counters().overlapped, 0);
}

#[test]
fn the_first_bytes_win_an_overlap() {
    let packet = packet(false);
    let mut forged = packet.clone();
    forged[20..].fill(b'!');
    let mut decoder = Decoder::default();
    assert_skip(decoder.decode(&at(1, &piece(&packet, 7, 800, 1600))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(1, &piece(&packet, 7, 0, 808))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(1, &piece(&forged, 7, 0, 1600))), Skip::FragmentRepeated);
    assert_skip(decoder.decode(&at(1, &piece(&packet, 7, 2400, 3020))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(1, &piece(&packet, 7, 1600, 1608))), Skip::FragmentWaiting);
    assert_whole(decoder.decode(&at(1, &piece(&packet, 7, 1200, 2408))));
    assert_eq!(decoder.fragment_counters().overlapped, 2);
}

#[test]
fn impossible_fragments_are_refused() {
    let packet = packet(false);
    let last = piece(&packet, 7, 1600, 3020);
    let mut decoder = Decoder::default();
    assert_skip(decoder.decode(&at(1, &last)), Skip::FragmentWaiting);
    let mut beyond = piece(&packet, 7, 0, 800);
    beyond[6..8].copy_from_slice(&(0x2000_u16 | (8000 / 8)).to_be_bytes());
    let mut too_large = piece(&packet, 7, 0, 800);
    too_large[6..8].copy_from_slice(&(0x2000_u16 | 0x1fff).to_be_bytes());
    let mut other_end = piece(&packet, 7, 0, 800);
    other_end[6..8].copy_from_slice(&100_u16.to_be_bytes());
    let ragged = piece(&packet, 7, 0, 801);
    let empty = piece(&packet, 7, 0, 0);
    for refused in [&beyond, &too_large, &other_end, &ragged, &empty] {
        assert_skip(decoder.decode(&at(1, refused)), Skip::FragmentRefused);
    }
    let cut = piece(&packet, 7, 0, 1600);
    assert_skip(decoder.decode(&Frame { data: &cut[..500], ..at(1, &cut) }), Skip::FragmentRefused);
    assert_whole(decoder.decode(&at(1, &piece(&packet, 7, 0, 1600))));
}

#[test]
fn what_stays_incomplete_expires_by_capture_time() {
    let packet = packet(true);
    let mut decoder = Decoder::default();
    assert_skip(decoder.decode(&at(0, &piece(&packet, 7, 0, 1480))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(40 * SECOND, &piece(&packet, 8, 0, 1480))), Skip::FragmentWaiting);
    assert_eq!(decoder.fragment_counters().expired, 1);
    assert_skip(decoder.decode(&at(41 * SECOND, &piece(&packet, 7, 1480, 3020))), Skip::FragmentWaiting);
    assert_whole(decoder.decode(&at(42 * SECOND, &piece(&packet, 8, 1480, 3020))));
    assert_skip(decoder.decode(&at(-5 * SECOND, &piece(&packet, 9, 0, 8))), Skip::FragmentWaiting);
}

#[test]
fn memory_and_number_are_bounded_and_the_oldest_go() {
    let limits = DecodeLimits { fragment_bytes: 8192, fragment_datagrams: 16, ..DecodeLimits::default() };
    let packet = packet(false);
    let mut decoder = Decoder::new(limits);
    for id in 0..1000 {
        decoder.decode(&at(i64::from(id), &piece(&packet, id, 0, 1480)));
        assert!(decoder.memory() <= 8192);
    }
    assert_eq!(decoder.fragment_counters().evicted, 1000 - 5);
    for id in 2000..3000 {
        decoder.decode(&at(i64::from(id), &piece(&packet, id, 0, 8)));
    }
    assert_eq!(decoder.memory(), 16 * (8 + 32));
    assert_whole(decoder.decode(&at(3000, &piece(&packet, 2999, 8, 3020))));
}

#[test]
fn a_flood_of_pieces_of_one_datagram_stops_at_the_bound() {
    let packet = packet(false);
    let mut decoder = Decoder::default();
    let refused = (0..180).filter(|index| {
        let data = piece(&packet, 7, index * 16, index * 16 + 8);
        matches!(decoder.decode(&at(1, &data)), Decoded::Skip(Skip::FragmentRefused))
    });
    assert_eq!(refused.count(), 180 - 128);
}

#[test]
fn a_tunnel_in_pieces_and_a_fragment_inside_it() {
    let inner = packet(false);
    let wrap = |inner: &[u8]| {
        let mut outer = vec![0x45, 0, 0, 0, 0, 1, 0, 0, 64, 4, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2];
        let length = (20 + inner.len()) as u16;
        outer[2..4].copy_from_slice(&length.to_be_bytes());
        outer.extend_from_slice(inner);
        outer
    };
    let (first, last) = (wrap(&piece(&inner, 3, 0, 2000)), wrap(&piece(&inner, 3, 2000, 3020)));
    let mut decoder = Decoder::default();
    assert_skip(decoder.decode(&at(1, &piece(&first, 50, 0, 1000))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(1, &piece(&first, 50, 1000, 2020))), Skip::FragmentWaiting);
    assert_skip(decoder.decode(&at(1, &piece(&last, 51, 0, 1000))), Skip::FragmentWaiting);
    assert_whole(decoder.decode(&at(1, &piece(&last, 51, 1000, 1040))));
    assert_eq!(decoder.fragment_counters().completed, 3);
}
