//! Written, read back, rotated, refused.

use std::fs;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::model::{Frame, InterfaceId, LinkType, SourceCounters, Timestamp};
use crate::source::{Origin, Sink, Source, SourceOptions, Stop};
use crate::synth::{Conversation, MadeFrame, Side, merge};

#[derive(Default)]
struct Seen(Vec<(i64, u16, Vec<u8>, u32)>, Vec<String>);

impl Sink for Seen {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.0.push((frame.time.0, frame.link.0, frame.data.to_vec(), frame.wire_len));
        ControlFlow::Continue(())
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, _counters: SourceCounters) {}
    fn warning(&mut self, text: String) {
        self.1.push(text);
    }
}

fn read(path: &Path) -> Vec<(i64, u16, Vec<u8>, u32)> {
    let stop = Stop::new().unwrap();
    let mut seen = Seen::default();
    let origin = Origin::File(path.to_owned());
    Source::open(&origin, &SourceOptions::default(), &stop).unwrap().run(&mut seen, &stop).unwrap();
    assert_eq!(seen.1, [""; 0]);
    seen.0
}

fn of(frames: &[MadeFrame]) -> Vec<(i64, u16, Vec<u8>, u32)> {
    frames.iter().map(|made| (made.time.0, made.link.0, made.data.clone(), made.wire_len)).collect()
}

fn client(port: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], port))
}

fn server() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], 80))
}

fn talk(port: u16, start: i64) -> Conversation {
    let at = |offset| Timestamp(start + offset);
    Conversation::new(client(port), server())
        .handshake(at(0))
        .client(b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", at(1))
        .server(b"HTTP/1.1 403 Forbidden\r\n\r\n", at(2))
        .fin(at(3))
}

#[test]
fn what_is_written_is_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.pcapng");
    let mut frames = talk(5, 1_795_333_921_123_456_789).into_frames();
    frames[3] = frames[3].clone().cut(61);
    let raw = Conversation::new(client(6), server()).raw_ip().ack(Side::Client, Timestamp(2)).into_frames();
    let mut file = CaptureFile::create(&path, Rotation::default()).unwrap();
    for made in frames.iter().chain(&raw) {
        file.write(&Frame { interface: InterfaceId(u32::from(made.link.0)), ..made.frame() }).unwrap();
    }
    assert!(!path.exists());
    file.finish().unwrap();
    assert!(read(&path) == [of(&frames), of(&raw)].concat());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_link_is_replaced_and_dropping_completes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.pcapng");
    symlink(dir.path().join("elsewhere"), &path).unwrap();
    let mut file = CaptureFile::create(&path, Rotation::default()).unwrap();
    file.write(&talk(5, 0).frames()[0].frame()).unwrap();
    drop(file);
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert!(!dir.path().join("elsewhere").exists());
    assert_eq!(read(&path).len(), 1);
    drop(CaptureFile::create(&path, Rotation::default()).unwrap());
    assert_eq!(read(&path).len(), 1, "a capture that never began replaces nothing");
    CaptureFile::create(&path, Rotation::default()).unwrap().finish().unwrap();
    assert_eq!(read(&path).len(), 0);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn rotates_by_size_and_by_time() {
    let frames = merge((0..6).map(|index| talk(5 + index, i64::from(index) * 10_000_000_000)));
    for rotation in [
        Rotation { bytes: Some(600), ..Rotation::default() },
        Rotation { seconds: Some(20), ..Rotation::default() },
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut file = CaptureFile::create(&dir.path().join("out.pcapng"), rotation).unwrap();
        for made in &frames {
            file.write(&made.frame()).unwrap();
        }
        file.finish().unwrap();
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert!(names.len() >= 3);
        assert!(names[1].ends_with("out-00002.pcapng"));
        let all: Vec<_> = names.iter().flat_map(|name| read(name)).collect();
        assert!(all == of(&frames));
    }
}

#[test]
fn only_the_newest_pieces_of_this_run_stay_when_asked() {
    let frames = merge((0..6).map(|index| talk(5 + index, i64::from(index) * 10_000_000_000)));
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("out-00001.pcapng"), "earlier").unwrap();
    let rotation = Rotation { seconds: Some(10), keep: Some(2), ..Rotation::default() };
    let mut file = CaptureFile::create(&dir.path().join("out.pcapng"), rotation).unwrap();
    for made in &frames {
        file.write(&made.frame()).unwrap();
        assert!(fs::read_dir(dir.path()).unwrap().count() <= 3, "the earlier one and two of ours");
    }
    file.finish().unwrap();
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["out-00001.pcapng", "out-00006.pcapng", "out-00007.pcapng"]);
    assert_eq!(fs::read(dir.path().join("out-00001.pcapng")).unwrap(), b"earlier");
    let kept: Vec<_> = names[1..].iter().flat_map(|name| read(&dir.path().join(name))).collect();
    let all = of(&frames);
    assert!(kept[..] == all[all.len() - kept.len()..] && !kept.is_empty());
}

#[test]
fn the_pieces_of_an_earlier_run_stay() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("out-00001.pcapng"), "earlier").unwrap();
    symlink("/nonexistent", dir.path().join("out-00002.pcapng")).unwrap();
    let rotation = Rotation { bytes: Some(1 << 20), ..Rotation::default() };
    let mut file = CaptureFile::create(&dir.path().join("out.pcapng"), rotation).unwrap();
    file.write(&talk(5, 0).frames()[0].frame()).unwrap();
    file.finish().unwrap();
    assert_eq!(fs::read(dir.path().join("out-00001.pcapng")).unwrap(), b"earlier");
    assert_eq!(read(&dir.path().join("out-00003.pcapng")).len(), 1);
}

#[test]
fn the_disk_is_never_filled() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.pcapng");
    let mut file = CaptureFile::create(&path, Rotation::default()).unwrap().with_reserve(u64::MAX);
    file.write(&talk(5, 0).frames()[0].frame()).unwrap();
    let error = file.flush().unwrap_err();
    assert!(matches!(error, CaptureError::NoRoom { .. }), "{error}");
    file.write(&talk(5, 0).frames()[1].frame()).unwrap();
    file.finish().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "an empty file tells nobody anything");

    let mut file = CaptureFile::create(&path, Rotation::default()).unwrap();
    file.write(&talk(5, 0).frames()[0].frame()).unwrap();
    file.flush().unwrap();
    let mut file = file.with_reserve(u64::MAX);
    file.write(&talk(5, 0).frames()[1].frame()).unwrap();
    let error = file.flush().unwrap_err();
    assert!(matches!(error, CaptureError::DiskFull { .. }), "{error}");
    assert_eq!(read(&path).len(), 1);
    let missing = CaptureFile::create(Path::new("/nonexistent/out.pcapng"), Rotation::default());
    assert!(missing.unwrap_err().to_string().starts_with("cannot create /nonexistent/out.pcapng"));
    assert!(CaptureFile::create(dir.path(), Rotation::default()).is_err());
}

#[test]
fn only_matching_connections_are_written_from_their_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out.pcapng");
    let file = CaptureFile::create(&path, Rotation::default()).unwrap();
    let mut recorder = Recorder::new(file, RecorderLimits::default());
    let (wanted, other, again) = (talk(5, 0), talk(6, 0), talk(5, 1_000));
    for made in merge([wanted.clone(), other]) {
        recorder.frame(&made.frame()).unwrap();
        if made.time == Timestamp(2) {
            recorder.matched(client(5), server()).unwrap();
        }
    }
    // The same ports, another connection that nobody asked for.
    for made in again.frames() {
        recorder.frame(&made.frame()).unwrap();
    }
    let arp = MadeFrame {
        time: Timestamp(9),
        link: LinkType::ETHERNET,
        data: [&[0; 12][..], &[8, 6], &[0; 28]].concat(),
        wire_len: 42,
    };
    recorder.frame(&arp.frame()).unwrap();
    assert_eq!(recorder.counters(), RecorderCounters { written: 8, dropped: 0 });
    recorder.finish().unwrap();
    assert!(read(&path) == of(wanted.frames()));
}

#[test]
fn what_is_kept_is_bounded_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let file = CaptureFile::create(&dir.path().join("out.pcapng"), Rotation::default()).unwrap();
    let limits = RecorderLimits { flow_bytes: 5_000, bytes: 20_000, matched: 2 };
    let mut recorder = Recorder::new(file, limits);
    let mut long = Conversation::new(client(1), server());
    for index in 0..100 {
        long = long.client(&[b'x'; 900], Timestamp(index));
    }
    for made in long.frames() {
        recorder.frame(&made.frame()).unwrap();
        assert!(recorder.memory() <= 5_000);
    }
    assert_eq!(recorder.counters().dropped, 96);
    for port in 2..1_000 {
        for made in talk(port, 0).frames() {
            recorder.frame(&made.frame()).unwrap();
            assert!(recorder.memory() <= 20_000);
        }
    }
    for port in 1..1_000 {
        recorder.matched(client(port), server()).unwrap();
    }
    let RecorderCounters { written, dropped } = recorder.counters();
    assert_eq!(written + dropped, 100 + 998 * 8);
    assert!(written > 80);
}

/// A big-endian pcapng block.
fn big_endian_block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u32 + 12).to_be_bytes();
    [&kind.to_be_bytes()[..], &length, body, &length].concat()
}

fn big_endian_option(code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().wrapping_neg() % 4];
    [&code.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value, &padding].concat()
}

/// Hands what it reads to a recorder.
struct Record(Recorder);

impl Sink for Record {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        self.0.frame(frame).unwrap();
        ControlFlow::Continue(())
    }
    fn wants_annotations(&self) -> bool {
        true
    }
    fn annotation(&mut self, annotation: crate::model::Annotation<'_>) {
        self.0.annotation(&annotation);
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, _counters: SourceCounters) {}
    fn warning(&mut self, text: String) {
        panic!("{text}");
    }
}

#[test]
fn names_comments_and_resolution_of_the_source_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (source, target) = (dir.path().join("in.pcapng"), dir.path().join("out.pcapng"));
    let option = big_endian_option;
    let section = [
        0x1a2b_3c4d_u32.to_be_bytes().to_vec(),
        vec![0, 1, 0, 0],
        vec![0xff; 8],
        option(1, b"the section"),
        option(4, b"dumpcap"),
    ];
    let interface = |name: &str| {
        [vec![0, 1, 0, 0, 0, 4, 0, 0], option(2, name.as_bytes()), option(3, b"uplink"), option(9, &[6])]
            .concat()
    };
    let names = [option(1, b"\x0a\x00\x00\x02api.test\0"), vec![0; 4]].concat();
    let mut file = big_endian_block(0x0a0d_0d0a, &section.concat());
    file.extend([interface("eth7"), interface("eth8")].iter().flat_map(|body| big_endian_block(1, body)));
    file.extend(big_endian_block(4, &names));
    let mut frames = talk(5, 1_795_333_921_123_456_000).into_frames();
    for made in &mut frames {
        made.time = Timestamp(made.time.0 / 1000 * 1000);
    }
    for (number, made) in frames.iter().enumerate() {
        let micros = made.time.0 as u64 / 1000;
        let words = [1, (micros >> 32) as u32, micros as u32, made.data.len() as u32, made.wire_len];
        let mut body: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        body.extend(&made.data);
        body.extend(vec![0; made.data.len().wrapping_neg() % 4]);
        if number == 3 {
            body.extend([option(1, b"this one"), option(2, &[0, 0, 0, 1]), vec![0; 4]].concat());
        }
        file.extend(big_endian_block(6, &body));
    }
    fs::write(&source, file).unwrap();
    let mut sink = Record(Recorder::new(
        CaptureFile::create(&target, Rotation::default()).unwrap(),
        RecorderLimits::default(),
    ));
    let stop = Stop::new().unwrap();
    Source::open(&Origin::File(source), &SourceOptions::default(), &stop)
        .unwrap()
        .run(&mut sink, &stop)
        .unwrap();
    sink.0.matched(client(5), server()).unwrap();
    sink.0.finish().unwrap();
    assert!(read(&target) == of(&frames));
    let out = fs::read(&target).unwrap();
    let has = |bytes: &[u8]| memchr::memmem::find(&out, bytes).is_some();
    for text in ["the section", "eth8", "uplink", "this one", "api.test"] {
        assert!(has(text.as_bytes()), "{text}");
    }
    // The interface without a frame is left out; flags and resolution are as they were.
    assert!(!has(b"eth7") && has(&[2, 0, 4, 0, 1, 0, 0, 0]) && has(&[9, 0, 1, 0, 6, 0, 0, 0]));
}
