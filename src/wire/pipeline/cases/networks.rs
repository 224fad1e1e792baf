//! One connection seen from odd places: twice, on several interfaces, through tags and mirrors, in super-frames.

use crate::model::{Frame, InterfaceId, LinkType, Timestamp};
use crate::synth::{Conversation, MadeFrame};
use crate::wire::pipeline::cases::harness::{Seen, get, post, reply};
use crate::wire::pipeline::{Limits, Pipeline};

/// One POST that is refused, and the GET after it.
fn talk(raw: bool) -> Vec<MadeFrame> {
    let at = |ms: i64| Timestamp(1_000_000_000 + ms * 1_000_000);
    let talk = Conversation::new(([10, 0, 0, 1], 40_000).into(), ([10, 0, 0, 2], 80).into());
    let talk = if raw { talk.raw_ip() } else { talk };
    talk.handshake(at(0))
        .client(post("/a", "hello").as_bytes(), at(1))
        .server(reply(403, "no").as_bytes(), at(2))
        .client(get("/b").as_bytes(), at(3))
        .server(reply(200, "").as_bytes(), at(4))
        .fin(at(5))
        .into_frames()
}

/// What comes of frames on their interfaces.
fn seen(frames: &[(u32, MadeFrame)]) -> Seen {
    let mut pipeline = Pipeline::new(Limits::default());
    let mut exchanges = Vec::new();
    for (interface, made) in frames {
        let frame = Frame { interface: InterfaceId(*interface), ..made.frame() };
        pipeline.ingest(&frame, &mut exchanges);
    }
    pipeline.finish(&mut exchanges);
    Seen { exchanges, counters: pipeline.counters() }
}

/// Both exchanges, once each, and every byte of the second copies counted as seen before.
#[track_caller]
fn once(frames: &[(u32, MadeFrame)], copies: u64) {
    let seen = seen(frames);
    seen.expect(&["POST /a 403 ok 5/2", "GET /b 200 ok ./0"]);
    let counters = &seen.counters;
    assert_eq!((counters.flows, counters.gaps), (1, 0));
    assert_eq!(counters.duplicate_bytes * (copies + 1), counters.payload_bytes * copies, "{counters:?}");
}

/// A frame with VLAN tags after its addresses.
fn tagged(made: &MadeFrame, tags: &[[u8; 4]]) -> MadeFrame {
    let (addresses, rest) = made.data.split_at(12);
    let data = [addresses, &tags.concat(), rest].concat();
    MadeFrame { wire_len: data.len() as u32, data, ..made.clone() }
}

/// A raw IP packet as `-i any` shows it (Linux cooked, version 2).
fn cooked(made: &MadeFrame, interface: u8) -> MadeFrame {
    let header = [8, 0, 0, 0, 0, 0, 0, interface, 0, 1, 0, 6, 2, 0, 0, 0, 0, interface, 0, 0];
    let data = [&header[..], &made.data].concat();
    MadeFrame { link: LinkType::LINUX_SLL2, wire_len: data.len() as u32, data, ..made.clone() }
}

const VLAN_7: [u8; 4] = [0x81, 0, 0, 7];
const QINQ_9: [u8; 4] = [0x88, 0xa8, 0, 9];

#[test]
fn the_same_frame_seen_twice_on_lo() {
    let frames: Vec<_> = talk(false).into_iter().flat_map(|made| [(0, made.clone()), (0, made)]).collect();
    once(&frames, 1);
}

#[test]
fn the_same_frame_seen_on_any_at_a_veth_a_bridge_and_its_other_veth() {
    let copies =
        |made: &MadeFrame| [2, 5, 3].map(|interface| (u32::from(interface), cooked(made, interface)));
    let frames: Vec<_> = talk(true).iter().flat_map(copies).collect();
    once(&frames, 2);
}

#[test]
fn the_same_frame_seen_through_a_mirror_port() {
    // The mirror adds a tag of its own, and its copies come late and all at once.
    let plain = talk(false);
    let late = plain.iter().map(|made| (1, tagged(made, &[QINQ_9, VLAN_7])));
    let frames: Vec<_> = plain.iter().map(|made| (0, made.clone())).chain(late).collect();
    once(&frames, 1);
}

#[test]
fn a_tag_in_one_direction_only() {
    let tag = |made: MadeFrame| {
        let from_client = made.data.get(26..30) == Some(&[10, 0, 0, 1]);
        (0, if from_client { tagged(&made, &[VLAN_7]) } else { made })
    };
    once(&talk(false).into_iter().map(tag).collect::<Vec<_>>(), 0);
}

#[test]
fn bad_checksums_and_super_frames_of_offloading() {
    // A TCP checksum that was left to the card, and a segment of 60,000 bytes that nobody has cut yet.
    let body = "x".repeat(60_000);
    let at = Timestamp(1_000_000_000);
    let talk = Conversation::new(([10, 0, 0, 1], 40_000).into(), ([10, 0, 0, 2], 80).into()).mss(65_000);
    let talk = talk.handshake(at).client(post("/a", &body).as_bytes(), at);
    let mut frames = talk.server(reply(403, &body).as_bytes(), at).fin(at).into_frames();
    for made in &mut frames {
        made.data[50..52].copy_from_slice(&[0xde, 0xad]);
    }
    let frames: Vec<_> = frames.into_iter().map(|made| (0, made)).collect();
    seen(&frames).expect(&["POST /a 403 ok 60000/60000"]);
}
