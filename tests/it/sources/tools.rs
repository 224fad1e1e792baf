//! Files that tcpdump, editcap, mergecap, gzip and zstd made.

use std::path::Path;

use why403::model::Timestamp;
use why403::source::Origin;
use why403::synth::{Conversation, pcap};

use super::{Notes, read};
use crate::support::{can_run, must};

fn original(path: &Path) {
    let talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap())
        .handshake(Timestamp(1_795_333_921_000_001_000))
        .client(&[b'x'; 5000], Timestamp(1_795_333_922_000_002_000))
        .fin(Timestamp(1_795_333_923_000_003_000));
    std::fs::write(path, pcap::to_bytes(&talk.into_frames())).unwrap();
}

fn seen(path: &Path) -> Notes {
    let notes = read(&Origin::File(path.to_owned()), None, false).unwrap();
    assert_eq!(notes.warnings, [""; 0]);
    notes
}

#[test]
fn what_other_tools_make_of_a_capture_reads_the_same() {
    if !can_run(
        "what_other_tools_make_of_a_capture_reads_the_same",
        false,
        &["tcpdump", "editcap", "zstd", "gzip"],
    ) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    original(at("o.pcap").as_ref());
    let wanted = seen(at("o.pcap").as_ref()).frames;
    assert_eq!(wanted.len(), 10);
    must("tcpdump", ["-r", &at("o.pcap"), "-w", &at("tcpdump.pcap")]);
    for kind in ["pcap", "nsecpcap", "pcapng", "modpcap"] {
        must("editcap", ["-F", kind, &at("o.pcap"), &at(kind)]);
    }
    must("gzip", ["-k", &at("pcapng")]);
    must("zstd", ["-q", &at("pcapng")]);
    must("zstd", ["-q", "-19", "--long=27", &at("pcap")]);
    for name in
        ["tcpdump.pcap", "pcap", "nsecpcap", "pcapng", "modpcap", "pcapng.gz", "pcapng.zst", "pcap.zst"]
    {
        let frames = seen(at(name).as_ref()).frames;
        assert!(frames == wanted, "{name}");
    }
}

#[test]
fn several_interfaces_with_different_link_types() {
    if !can_run("several_interfaces_with_different_link_types", false, &["editcap", "mergecap"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    original(at("o.pcap").as_ref());
    must("editcap", ["-T", "rawip", "-C", "14", &at("o.pcap"), &at("raw.pcapng")]);
    must("mergecap", ["-a", "-w", &at("both.pcapng"), &at("o.pcap"), &at("raw.pcapng")]);
    must("mergecap", ["-a", "-w", &at("cut.pcapng"), "-s", "60", &at("both.pcapng")]);
    let both = seen(at("both.pcapng").as_ref());
    let links: Vec<(u16, u32)> = both.frames.iter().map(|frame| (frame.1, frame.2)).collect();
    assert_eq!(links, [[(1, 0)].repeat(10), [(101, 1)].repeat(10)].concat());
    assert!(both.frames[3].3[14..] == both.frames[13].3);
    let only = read(&Origin::File(at("both.pcapng").into()), Some("greater 1000"), true).unwrap();
    assert_eq!(only.count, 6);
    let cut = seen(at("cut.pcapng").as_ref());
    assert!(cut.frames.iter().all(|frame| frame.3.len() <= 60));
    assert!(cut.frames.iter().map(|frame| frame.4).eq(both.frames.iter().map(|frame| frame.4)));
    // Two sections in one file: interfaces count on.
    let twice =
        [std::fs::read(at("both.pcapng")).unwrap(), std::fs::read(at("both.pcapng")).unwrap()].concat();
    std::fs::write(at("twice.pcapng"), twice).unwrap();
    let twice = seen(at("twice.pcapng").as_ref());
    assert_eq!((twice.frames.len(), twice.frames[30].1, twice.frames[30].2), (40, 101, 3));
}
