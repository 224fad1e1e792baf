//! The sums add up: every TCP payload byte is parsed, skipped by rule, seen before, of no HTTP, or given up; none is unaccounted for.

use std::fs::File;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use why403::decode::{Decoded, Decoder};
use why403::model::Counters;
use why403::pipeline::{Limits, Pipeline};
use why403::source::savefile::BlockReader;

use crate::captures;

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
