//! Every dialect, every transport, every kind of damage.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::model::{Frame, InterfaceId, LinkType, Timestamp};
use crate::synth::pcap::Precision;
use crate::synth::{Conversation, MadeFrame, pcap as made_pcap};

type Seen = Vec<(i64, u16, u32, Vec<u8>, u32)>;

/// Notes everything it is told.
#[derive(Default)]
struct Notes {
    seen: Seen,
    warnings: Vec<String>,
    counters: SourceCounters,
    break_after: Option<usize>,
}

impl Sink for Notes {
    fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
        let Frame { time, link, interface, data, wire_len } = *frame;
        self.seen.push((time.0, link.0, interface.0, data.to_vec(), wire_len));
        if self.break_after == Some(self.seen.len()) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
    fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn counters(&mut self, counters: SourceCounters) {
        self.counters = counters;
    }
    fn warning(&mut self, text: String) {
        self.warnings.push(text);
    }
}

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

fn read(bytes: &[u8]) -> Result<Notes, String> {
    let stop = Stop::new().unwrap();
    let savefile =
        Savefile::after(Vec::new(), file_of(bytes), false, &stop).map_err(|fault| fault.to_string())?;
    let mut notes = Notes::default();
    let _ = savefile.run("it", None, &mut notes);
    Ok(notes)
}

fn frames(count: usize) -> Vec<MadeFrame> {
    let mut talk = Conversation::new("10.0.0.1:5".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
    for index in 0..count {
        talk = talk.client(
            &vec![b'a'; index % 1400 + 1],
            Timestamp(1_795_333_921_000_000_000 + index as i64 * 1_000),
        );
    }
    talk.into_frames()
}

fn seen_of(frames: &[MadeFrame]) -> Seen {
    frames.iter().map(|f| (f.time.0, f.link.0, 0, f.data.clone(), f.wire_len)).collect()
}

/// The little-endian words of a pcap file turned around.
fn swapped(file: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let turn = |out: &mut Vec<u8>, word: &[u8]| out.extend(word.iter().rev());
    turn(&mut out, &file[..4]);
    turn(&mut out, &file[4..6]);
    turn(&mut out, &file[6..8]);
    file[8..24].chunks(4).for_each(|word| turn(&mut out, word));
    let mut rest = &file[24..];
    while let Some((head, body)) = rest.split_first_chunk::<16>() {
        head.chunks(4).for_each(|word| turn(&mut out, word));
        let captured = u32::from_le_bytes(head[8..12].try_into().unwrap()) as usize;
        out.extend_from_slice(&body[..captured]);
        rest = &body[captured..];
    }
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn pcap_in_both_byte_orders_and_precisions() {
    let frames = frames(50);
    let nanos = made_pcap::to_bytes(&frames);
    let mut micros = made_pcap::Writer::new(Vec::new(), Precision::Micros, LinkType::ETHERNET).unwrap();
    micros.write_all(&frames).unwrap();
    let micros = micros.into_inner();
    for file in [&nanos, &micros, &swapped(&nanos), &swapped(&micros)] {
        let notes = read(file).unwrap();
        assert!(notes.seen == seen_of(&frames));
        assert_eq!((notes.counters.received, notes.warnings.len()), (50, 0));
    }
}

#[test]
fn the_modified_and_the_ancient_variant() {
    let frame = &frames(1)[0];
    let length = (frame.data.len() as u32).to_le_bytes();
    let header = |magic: u32, minor: u16| {
        let mut header = made_pcap::file_header(Precision::Micros, LinkType::ETHERNET);
        header[..4].copy_from_slice(&magic.to_le_bytes());
        header[6..8].copy_from_slice(&minor.to_le_bytes());
        header.to_vec()
    };
    let modified =
        [&header(0xa1b2_cd34, 4)[..], &[7, 0, 0, 0, 9, 0, 0, 0], &length, &length, &[0; 8], &frame.data]
            .concat();
    let ancient = [
        &header(0xa1b2_c3d4, 2)[..],
        &[7, 0, 0, 0, 9, 0, 0, 0],
        &2000_u32.to_le_bytes(),
        &length,
        &frame.data,
    ]
    .concat();
    for (file, wire) in [(modified, frame.wire_len), (ancient, 2000)] {
        assert!(read(&file).unwrap().seen == [(7_000_009_000, 1, 0, frame.data.clone(), wire)]);
    }
}

#[test]
fn records_that_cross_blocks_and_large_ones() {
    let mut many = frames(4000);
    many[77].data.resize(3 << 20, 7);
    many[77].wire_len = 3 << 20;
    let notes = read(&made_pcap::to_bytes(&many)).unwrap();
    assert!(notes.seen == seen_of(&many));
}

#[test]
fn gzip_and_zstd_with_several_members() {
    let frames = frames(3000);
    let file = made_pcap::to_bytes(&frames);
    let (a, b) = file.split_at(file.len() / 2 + 3);
    for compressed in [gzip(&file), [gzip(a), gzip(b)].concat(), zstd(&file), [zstd(a), zstd(b)].concat()] {
        assert!(read(&compressed).unwrap().seen == seen_of(&frames));
    }
    let broken = gzip(&file);
    let notes = read(&broken[..broken.len() / 2]).unwrap();
    assert!(notes.seen.len() > 100 && seen_of(&frames).starts_with(&notes.seen));
    assert_eq!(notes.warnings.len(), 1);
}

#[test]
fn xz_and_bzip2_are_read_by_their_content() {
    use std::io::Write as _;
    let frames = frames(3000);
    let file = made_pcap::to_bytes(&frames);
    let bzip2 = |bytes: &[u8]| {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let (a, b) = file.split_at(file.len() / 2 + 3);
    for compressed in [bzip2(&file), [bzip2(a), bzip2(b)].concat()] {
        assert!(read(&compressed).unwrap().seen == seen_of(&frames));
    }
    let broken = bzip2(&file);
    let notes = read(&broken[..broken.len() - 20]).unwrap();
    assert!(seen_of(&frames).starts_with(&notes.seen) && notes.warnings.len() == 1, "{:?}", notes.warnings);
    let notes = read(XZ).unwrap();
    assert_eq!((notes.seen.len(), notes.warnings.len()), (1, 0));
    // A dictionary of 4 GiB is refused before it is allocated.
    let mut huge = XZ.to_vec();
    assert_eq!(huge[12 + 2..12 + 4], [0x21, 1]);
    huge[12 + 4] = 40;
    let mut check = flate2::Crc::new();
    check.update(&huge[12..20]);
    huge[20..24].copy_from_slice(&check.sum().to_le_bytes());
    let text = read(&huge).err().unwrap();
    assert!(text.contains("memory"), "{text}");
}

#[test]
fn a_truncated_file_keeps_what_was_before() {
    let frames = frames(20);
    let file = made_pcap::to_bytes(&frames);
    for cut in 24..file.len() {
        let notes = read(&file[..cut]).unwrap();
        assert!(seen_of(&frames).starts_with(&notes.seen));
        let is_between =
            file.len() - cut == frames[notes.seen.len()..].iter().map(|f| f.data.len() + 16).sum::<usize>();
        assert_eq!(notes.warnings.len(), usize::from(!is_between), "{cut}: {:?}", notes.warnings);
    }
    let notes = read(&file[..file.len() - 1]).unwrap();
    assert_eq!(
        notes.warnings,
        ["it: it is cut short in the middle of a record; the 19 frames before that are used"]
    );
    assert_eq!(read(&file[..23]).err().unwrap(), Fault::ShortHeader.to_string());
}

#[test]
fn a_record_of_impossible_length_is_damage() {
    let frames = frames(3);
    let mut file = made_pcap::to_bytes(&frames);
    let at = file.len() - frames[2].data.len() - 8;
    file[at..at + 4].copy_from_slice(&0xffff_fff0_u32.to_le_bytes());
    let notes = read(&file).unwrap();
    assert_eq!(notes.seen.len(), 2);
    assert_eq!(
        notes.warnings,
        ["it: it is damaged: a record claims 4294967280 bytes; the 2 frames before that are used"]
    );
}

#[test]
fn what_is_no_capture_is_told_by_its_looks() {
    for (bytes, wanted) in [
        (&b""[..], "empty"),
        (b"08:00:01.123 IP 10.0.0.1.5 > 10.0.0.2.80: Flags [S]\n", "looks like text"),
        (b"x", "looks like text"),
        (b"BZh91AY&SY", "EOF"),
        (b"\xfd7zXZ\0\0\0", "whole buffer"),
        (b"PK\x03\x04\0\0", "zip"),
        (b"snoop\0\0\0\0\0\0\x02", "editcap"),
        (&[0; 100], "unknown"),
        (&gzip(b"hello"), "looks like text"),
        (&[0x1f, 0x8b, 8, 0, 0], "unexpected end"),
    ] {
        let text = read(bytes).err().unwrap();
        assert!(text.contains(wanted), "{text}");
    }
    let unknown = made_pcap::file_header(Precision::Nanos, LinkType(147));
    assert!(read(&unknown).err().unwrap().contains("link type 147 is not supported"));
    assert!(read(&made_pcap::file_header(Precision::Nanos, LinkType::RAW)).unwrap().seen.is_empty());
}

#[test]
fn a_stream_is_shown_as_it_comes_and_the_switch_ends_it() {
    struct Until<'a>(Notes, usize, &'a Stop);
    impl Sink for Until<'_> {
        fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
            let _ = self.0.frame(frame);
            if self.0.seen.len() == self.1 {
                self.2.stop();
            }
            ControlFlow::Continue(())
        }
        fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
        fn counters(&mut self, _counters: SourceCounters) {}
        fn warning(&mut self, text: String) {
            self.0.warning(text);
        }
    }
    let frames = frames(5);
    let file = made_pcap::to_bytes(&frames);
    let (mut writer, reader) = UnixStream::pair().unwrap();
    // All but the end of the last frame, and the stream stays open.
    writer.write_all(&file[..file.len() - 1]).unwrap();
    let stop = Stop::new().unwrap();
    let reader = File::from(std::os::fd::OwnedFd::from(reader));
    let savefile = Savefile::after(Vec::new(), reader, false, &stop).ok().unwrap();
    let mut until = Until(Notes::default(), 4, &stop);
    assert!(savefile.run("it", None, &mut until).is_continue());
    assert!(until.0.seen == seen_of(&frames)[..4]);
    assert_eq!(until.0.warnings, [""; 0]);
}

#[test]
fn time_is_told_by_frames_only() {
    /// Sends the capture's frames once the source has paused, ends once it was told the time.
    struct Late<'a>(UnixStream, Vec<u8>, Vec<i64>, &'a Stop);
    impl Sink for Late<'_> {
        fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
            assert_eq!(self.2, [0; 0], "the time before the first frame");
            self.2.push(frame.time.0);
            ControlFlow::Continue(())
        }
        fn tick(&mut self, now: Timestamp) -> ControlFlow<()> {
            self.2.push(now.0);
            self.3.stop();
            ControlFlow::Continue(())
        }
        fn pause(&mut self) {
            self.0.write_all(&std::mem::take(&mut self.1)).unwrap();
        }
        fn counters(&mut self, _counters: SourceCounters) {}
        fn warning(&mut self, text: String) {
            panic!("{text}");
        }
    }
    let file = made_pcap::to_bytes(&frames(1));
    let (mut writer, reader) = UnixStream::pair().unwrap();
    writer.write_all(&file[..24]).unwrap();
    let stop = Stop::new().unwrap();
    let savefile = Savefile::after(Vec::new(), File::from(std::os::fd::OwnedFd::from(reader)), false, &stop)
        .ok()
        .unwrap();
    let mut late = Late(writer, file[24..].to_vec(), Vec::new(), &stop);
    assert!(savefile.run("it", None, &mut late).is_continue());
    assert!(late.2.len() >= 2 && late.2.is_sorted());
}

#[test]
fn a_sink_that_has_enough_ends_it() {
    let (mut writer, reader) = UnixStream::pair().unwrap();
    writer.write_all(&made_pcap::to_bytes(&frames(9))).unwrap();
    let stop = Stop::new().unwrap();
    let reader = File::from(std::os::fd::OwnedFd::from(reader));
    let savefile = Savefile::after(Vec::new(), reader, false, &stop).ok().unwrap();
    let mut notes = Notes { break_after: Some(3), ..Notes::default() };
    assert!(savefile.run("it", None, &mut notes).is_break());
    assert_eq!(notes.seen.len(), 3);
}

#[test]
fn a_growing_file_is_followed_until_it_shrinks() {
    struct Grow<'a>(Notes, File, Vec<&'a [u8]>);
    impl Sink for Grow<'_> {
        fn frame(&mut self, frame: &Frame<'_>) -> ControlFlow<()> {
            self.0.frame(frame)
        }
        fn tick(&mut self, _now: Timestamp) -> ControlFlow<()> {
            match self.2.pop() {
                Some(more) => self.1.write_all(more).unwrap(),
                None => self.1.set_len(1).unwrap(),
            }
            ControlFlow::Continue(())
        }
        fn counters(&mut self, _counters: SourceCounters) {}
        fn warning(&mut self, text: String) {
            self.0.warning(text);
        }
    }
    let frames = frames(7);
    let file = made_pcap::to_bytes(&frames);
    let named = tempfile::NamedTempFile::new().unwrap();
    let mut writer = named.reopen().unwrap();
    writer.write_all(&file[..100]).unwrap();
    let stop = Stop::new().unwrap();
    let savefile = Savefile::after(Vec::new(), named.reopen().unwrap(), true, &stop).ok().unwrap();
    let mut grow = Grow(Notes::default(), writer, vec![&file[300..], &file[100..300]]);
    assert!(savefile.run("it", None, &mut grow).is_continue());
    assert!(grow.0.seen == seen_of(&frames));
    assert_eq!(
        grow.0.warnings,
        ["it: the file became shorter while it was followed; the 7 frames before that are used"]
    );
}

#[test]
fn interrupted_and_dribbling_reads_change_nothing() {
    struct Dribble<R>(R, usize);
    impl<R: Read> Read for Dribble<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1.is_multiple_of(3) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let most = (self.1 % 7 + 1).min(buffer.len());
            self.0.read(&mut buffer[..most])
        }
    }
    let frames = frames(30);
    let file = io::Cursor::new(made_pcap::to_bytes(&frames));
    let mut blocks = BlockReader::new(Box::new(Dribble(file, 0)), true).unwrap();
    let mut seen = Seen::new();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.next(buffer).unwrap() {
        let _: ControlFlow<()> = block.try_for_each(|f| {
            seen.push((f.time.0, f.link.0, f.interface.0, f.data.to_vec(), f.wire_len));
            ControlFlow::Continue(())
        });
        buffer = block.into_buffer();
    }
    assert!(seen == seen_of(&frames));
    assert_eq!(blocks.frames(), 30);
    assert_eq!(InterfaceId(0), InterfaceId::default());
}

/// A classic capture of one frame, as `xz -0` compresses it.
const XZ: &[u8] = &[
    0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01, 0x0c,
    0x00, 0x00, 0x00, 0x8f, 0x98, 0x41, 0x9c, 0xe0, 0x00, 0x2b, 0x00, 0x1e, 0x5d, 0x00, 0x6a, 0x30, 0xd1,
    0xc8, 0x7d, 0x8b, 0xf8, 0x09, 0x9b, 0xad, 0x94, 0x14, 0xbe, 0xca, 0x6d, 0x32, 0x27, 0xd1, 0xd9, 0x35,
    0xad, 0xcd, 0xd7, 0xb4, 0x0a, 0xe7, 0xe6, 0x9c, 0x55, 0x00, 0x00, 0x00, 0x00, 0xbf, 0xca, 0xe8, 0x2b,
    0x9e, 0x7e, 0x33, 0xe5, 0x00, 0x01, 0x3a, 0x2c, 0xb1, 0x07, 0xf7, 0x37, 0x1f, 0xb6, 0xf3, 0x7d, 0x01,
    0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
];
