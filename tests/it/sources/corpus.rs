//! Every capture of the shared corpus reads to its end or says once why not, and counts as many frames as tshark did.

use std::fs;
use std::path::{Path, PathBuf};

use why403::source::Origin;

use super::read;

/// The corpus lies beside the checkout, or beside its parent.
fn corpus() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    ["../shared/corpus", "../../shared/corpus"]
        .iter()
        .map(|path| home.join(path))
        .find(|path| path.join("index.tsv").is_file())
}

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn counts_as_many_frames_as_tshark() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED counts_as_many_frames_as_tshark: there is no ../shared/corpus");
        return;
    };
    let index = fs::read_to_string(corpus.join("index.tsv")).unwrap();
    let mut wrong = Vec::new();
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (path, packets): (_, u64) = (columns[1], columns[3].parse().unwrap());
        match read(&Origin::File(corpus.join(path)), None, true) {
            Ok(notes) if notes.count == packets => {}
            Ok(notes) => {
                wrong.push(format!("{path}: {} frames, not {packets}; {:?}", notes.count, notes.warnings));
            }
            Err(error) => wrong.push(format!("{path}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_odd_file_reads_or_says_once_why_not() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED every_odd_file_reads_or_says_once_why_not: there is no ../shared/corpus");
        return;
    };
    let mut all = Vec::new();
    files(&corpus.join("_robustness"), &mut all);
    let mut report = Vec::new();
    for path in &all {
        match read(&Origin::File(path.clone()), None, true) {
            Ok(notes) if notes.warnings.is_empty() => {}
            Ok(notes) => {
                report.push(format!("{}: {} frames; {:?}", path.display(), notes.count, notes.warnings));
                let links = notes.warnings.iter().filter(|text| text.contains("link type")).count();
                assert!(notes.warnings.len() - links <= 1, "{:?}", notes.warnings);
            }
            Err(error) => {
                let text = error.to_string();
                assert!(!text.contains('\n'), "{text}");
                report.push(text);
            }
        }
    }
    println!("{}", report.join("\n"));
    assert!(all.len() > 800);
}
