//! The sums add up: every TCP payload byte is parsed, skipped by rule, seen before, of no HTTP, or given up; none is unaccounted for.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use why403::model::Counters;
use why403::source::savefile::BlockReader;
use why403::synth::{Conversation, Side, merge, pcap};
use why403::wire::decode::{Decoded, Decoder};
use why403::wire::pipeline::{Limits, Pipeline};

use crate::captures;
use crate::support::{lines, run};
use crate::tui::Terminal;

/// A capture through the pipeline, and the payload that its decoder alone finds.
fn read(path: &Path) -> Option<(Counters, u64)> {
    let mut blocks = BlockReader::of(File::open(path).unwrap()).ok()?;
    let (mut pipeline, mut decoder) = (Pipeline::new(Limits::default()), Decoder::default());
    let (mut out, mut payload) = (Vec::new(), 0);
    while let Ok(Some(block)) = blocks.next(Vec::new()) {
        let _ = block.try_for_each(|frame| -> ControlFlow<()> {
            if let Decoded::Segment(segment) = decoder.decode(frame) {
                payload += segment.payload.len() as u64;
            }
            pipeline.ingest(frame, &mut out);
            ControlFlow::Continue(())
        });
        assert_eq!(pipeline.counters().accounted_bytes(), payload, "{}", path.display());
    }
    pipeline.finish(&mut out);
    Some((pipeline.counters(), payload))
}

#[track_caller]
fn adds_up(path: &Path) -> Counters {
    let Some((counters, payload)) = read(path) else { return Counters::default() };
    let name = path.display();
    assert_eq!(
        (counters.accounted_bytes(), counters.payload_bytes),
        (payload, payload),
        "{name}: {counters:?}"
    );
    assert_eq!(counters.pending_bytes, 0, "{name}: nothing waits after the end");
    assert_eq!(counters.exchanges, counters.requests, "{name}: every request leaves once");
    assert!(counters.orphan_responses <= counters.responses, "{name}");
    counters
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn the_sums_add_up_in_captures_of_our_own() {
    let dir = tempfile::tempdir().unwrap();
    let story = adds_up(&captures::story(dir.path()));
    assert_eq!((story.requests, story.orphan_responses), (5, 1));
    assert_eq!((story.parsed_bytes, story.gap_bytes), (story.payload_bytes, 0));
    let many = adds_up(&captures::many(dir.path(), 50));
    assert_eq!((many.requests, many.parsed_bytes), (50, many.payload_bytes));
}

#[test]
fn the_sums_add_up_in_every_file_of_the_corpus() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = ["../shared/corpus", "../../shared/corpus"].map(|path| home.join(path));
    let Some(corpus) = corpus.iter().find(|path| path.join("index.tsv").is_file()) else {
        // Written past the test harness, which hides what passing tests print.
        let _ = writeln!(
            std::io::stderr().lock(),
            "SKIPPED the_sums_add_up_in_every_file_of_the_corpus: there is no ../shared/corpus"
        );
        return;
    };
    let mut all = Vec::new();
    files(corpus, &mut all);
    let payload: u64 = all.iter().map(|path| adds_up(path).payload_bytes).sum();
    assert!(all.len() > 1000 && payload > 1 << 20, "{} files with {payload} bytes", all.len());
}

/// Everything that has an account: parsed, skipped by rule, retransmitted, not HTTP, and missing.
fn mixture(dir: &Path) -> PathBuf {
    let client = |port: u16| SocketAddr::from(([192, 0, 2, 1], port));
    let server: SocketAddr = captures::SERVER.parse().unwrap();
    let at = |ms: i64| captures::START.plus(ms * 1_000_000);
    let refused = captures::answer("403 Forbidden", "{}");
    let tunnel = Conversation::new(client(1), server)
        .handshake(at(0))
        .client(b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n", at(1))
        .server(b"HTTP/1.1 200 OK\r\n\r\n", at(2))
        .client(&[7; 3_000], at(3));
    let tls = Conversation::new(client(2), server)
        .handshake(at(4))
        .client(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on", at(5));
    let torn = Conversation::new(client(3), server)
        .handshake(at(6))
        .client(b"POST /torn HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n12345", at(7))
        .lost(Side::Client, 4_000)
        .client(&[b'x'; 995], at(8))
        .server(refused.as_bytes(), at(9));
    let mut frames =
        merge([tunnel, tls, torn, captures::talk(5, 20, &[(captures::post("T", "{}"), refused)])]);
    // One segment is sent again.
    let again = frames[frames.len() - 5].clone();
    frames.insert(frames.len() - 4, again);
    captures::write(dir, "mixture.pcap", &pcap::to_bytes(&frames))
}

/// The accounts by the name that people read, from `--json --stats`.
fn told_to_programs(file: &Path) -> Vec<(String, u64)> {
    let output = run([
        "-r".as_ref(),
        file.as_os_str(),
        "--json".as_ref(),
        "--stats".as_ref(),
        "-Y".as_ref(),
        "".as_ref(),
    ]);
    let stats = lines(&output.stdout).pop().unwrap();
    let named = [
        ("captured", "payload_bytes"),
        ("parsed", "parsed_bytes"),
        ("skipped", "skipped_bytes"),
        ("retransmitted", "duplicate_bytes"),
        ("not http", "unparsed_bytes"),
        ("given up", "dropped_bytes"),
        ("missing", "gap_bytes"),
    ];
    named.map(|(name, field)| (name.to_owned(), stats[field].as_u64().unwrap())).into()
}

fn number(text: &str) -> u64 {
    text.replace([',', '\u{202f}'], "").parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

/// The same from `--summary`.
fn told_to_people(file: &Path) -> Vec<(String, u64)> {
    let output = run(["-r".as_ref(), file.as_os_str(), "--summary".as_ref()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.contains(" bytes of payload: ")).unwrap();
    let (all, parts) = line.split_once(" bytes of payload: ").unwrap();
    let mut told = vec![("captured".to_owned(), number(all))];
    told.extend(parts.split(", ").map(|part| {
        let (count, name) = part.split_once(' ').unwrap();
        (name.to_owned(), number(count))
    }));
    told.retain(|(name, _)| name != "waiting");
    told
}

/// The same from the Health page of the screen.
fn told_on_the_screen(file: &Path) -> Vec<(String, u64)> {
    let program = crate::support::why403().to_str().unwrap();
    let mut terminal = Terminal::open(program, &["-r", file.to_str().unwrap()], (120, 60));
    terminal.until_shown("match");
    terminal.press("H");
    terminal.until_shown("read to its end");
    terminal.until_shown("known to be missing");
    let shown = terminal.shows();
    terminal.press("qq");
    assert_eq!(terminal.end(), 0);
    let after = shown.lines().skip_while(|line| !line.contains("Bytes of payload")).skip(1).take(8);
    let mut told: Vec<_> = after
        .map(|line| {
            let (name, rest) = line.trim().split_at(16);
            (name.trim().to_owned(), number(rest.split("  ").next().unwrap().trim()))
        })
        .collect();
    told.retain(|(name, _)| name != "waiting");
    told
}

#[test]
fn the_three_who_tell_the_accounts_say_the_same_and_it_adds_up() {
    let dir = tempfile::tempdir().unwrap();
    let whole = mixture(dir.path());
    let mut torn = std::fs::read(&whole).unwrap();
    torn.truncate(torn.len() - 300);
    // A record that claims more than there is, in the middle.
    let (damaged, cut) = (
        captures::write(dir.path(), "damaged.pcap", &torn),
        captures::write(dir.path(), "cut.pcap", &torn[..3000]),
    );
    for file in [whole.clone(), damaged, cut] {
        let told = told_to_programs(&file);
        assert_eq!(told_to_people(&file), told, "{}", file.display());
        assert_eq!(told_on_the_screen(&file), told, "{}", file.display());
        let sum: u64 = told[1..6].iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(told[0].1, sum, "{told:?}");
    }
    let told = told_to_programs(&whole);
    for (name, bytes) in &told {
        assert!(*bytes > 0 || name == "given up", "{name} is tried: {told:?}");
    }
}
