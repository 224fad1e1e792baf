//! The reader and the decoder on bytes that somebody has tampered with: no panic, bounded work, at most one complaint.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;

use proptest::prelude::*;
use why403::export::pcapng::{CaptureFile, Rotation};
use why403::model::{Frame, InterfaceId, LinkType, Timestamp};
use why403::source::Origin;
use why403::synth::{Conversation, MadeFrame, pcap};
use why403::wire::decode::{Decoded, Decoder};

use super::{Notes, read};

fn frames() -> Vec<MadeFrame> {
    let talk = |client: &str, server: &str| {
        Conversation::new(client.parse().unwrap(), server.parse().unwrap())
            .handshake(Timestamp(1))
            .client(&[b'x'; 2000], Timestamp(2))
            .fin(Timestamp(3))
            .into_frames()
    };
    [talk("10.0.0.1:5", "10.0.0.2:80"), talk("[::1]:5", "[::2]:80")].concat()
}

/// The same frames in both formats.
fn files() -> Vec<Vec<u8>> {
    let frames = frames();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.pcapng");
    let mut ng = CaptureFile::create(&path, Rotation::default()).unwrap();
    for (index, made) in frames.iter().enumerate() {
        ng.write(&Frame { interface: InterfaceId(index as u32 % 3), ..made.frame() }).unwrap();
    }
    ng.finish().unwrap();
    vec![pcap::to_bytes(&frames), std::fs::read(path).unwrap()]
}

fn read_bytes(bytes: &[u8]) -> Result<Notes, String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read(&Origin::File(file.path().to_owned()), None, false).map_err(|error| error.to_string())
}

/// Replaces, removes or inserts bytes at places given as fractions of the length.
fn tampered(mut bytes: Vec<u8>, edits: &[(u8, u16, Vec<u8>)]) -> Vec<u8> {
    for (kind, place, new) in edits {
        let at = usize::from(*place) * bytes.len() / 65_536;
        let end = (at + new.len()).min(bytes.len());
        match kind % 3 {
            0 => bytes[at..end].copy_from_slice(&new[..end - at]),
            1 => drop(bytes.drain(at..end)),
            _ => drop(bytes.splice(at..at, new.iter().copied())),
        }
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(u8, u16, Vec<u8>)>> {
    let extreme = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x80), Just(1)];
    prop::collection::vec((any::<u8>(), any::<u16>(), prop::collection::vec(extreme, 1..9)), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_tampered_capture_reads_or_says_once_why_not(which in 0..2_usize, edits in edits()) {
        let bytes = tampered(files()[which].clone(), &edits);
        if let Ok(notes) = read_bytes(&bytes) {
            let about_links = notes.warnings.iter().filter(|text| text.contains("link type")).count();
            prop_assert!(notes.warnings.len() - about_links <= 1, "{:?}", notes.warnings);
            let mut decoder = Decoder::default();
            for (time, link, interface, data, wire_len) in &notes.frames {
                decoder.decode(&Frame {
                    time: Timestamp(*time),
                    link: LinkType(*link),
                    interface: InterfaceId(*interface),
                    data,
                    wire_len: *wire_len,
                });
            }
        }
    }

    #[test]
    fn any_frame_of_any_link_type_decodes_or_is_skipped(
        link in prop::sample::select(vec![0_u16, 1, 9, 12, 50, 51, 101, 104, 105, 108, 113, 127, 228, 229, 239, 276]),
        seed in 0..12_usize,
        edits in edits(),
        extra in 0..100_u32,
    ) {
        let frames = frames();
        let data = tampered(frames[seed % frames.len()].data.clone(), &edits);
        let wire_len = data.len() as u32 + extra;
        let mut decoder = Decoder::default();
        let frame = Frame { time: Timestamp(1), link: LinkType(link), interface: InterfaceId(0), data: &data, wire_len };
        for _ in 0..3 {
            if let Decoded::Segment(segment) = decoder.decode(&frame) {
                prop_assert!(segment.payload.len() <= segment.payload_len as usize);
            }
        }
    }
}

#[test]
fn truncation_anywhere_keeps_a_prefix() {
    for file in files() {
        let whole = read_bytes(&file).unwrap().frames;
        assert_eq!(whole.len(), frames().len());
        for cut in (0..file.len()).step_by(7) {
            if let Ok(notes) = read_bytes(&file[..cut]) {
                assert!(whole.starts_with(&notes.frames), "{cut}");
                assert!(notes.warnings.len() <= 1);
            }
        }
    }
}

#[test]
fn a_stream_cut_into_single_bytes_is_the_same_stream() {
    for file in files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("socket");
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let bytes = file.clone();
        let writer = thread::spawn(move || {
            let (mut peer, _): (UnixStream, _) = listener.accept().unwrap();
            bytes.chunks(1).for_each(|byte| peer.write_all(byte).unwrap());
        });
        let notes = read(&Origin::Unix(path), None, false).unwrap();
        writer.join().unwrap();
        assert!(notes.frames == read_bytes(&file).unwrap().frames);
    }
}
