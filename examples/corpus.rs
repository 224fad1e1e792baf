//! Compares what the pipeline finds in a directory of captures with the counts of its `index.tsv`.
//!
//! `cargo run --example corpus -- DIR [part of a path]` prints one line for each file that differs: ours, then theirs.

#![allow(clippy::print_stdout, reason = "a report")]

use std::path::Path;

use anyhow::{Context, Result};
use why403::model::Anomaly;

#[path = "shared/collect.rs"]
mod collect;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().context("usage: corpus DIR [part of a path]")?;
    let only = args.next().unwrap_or_default();
    let index = std::fs::read_to_string(Path::new(&dir).join("index.tsv")).context("reading index.tsv")?;
    let mut files = 0;
    let mut differ = 0;
    for row in index.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let number = |at: usize| columns.get(at).and_then(|text| text.parse().ok()).unwrap_or(0u64);
        let Some(path) = columns.get(1).filter(|path| path.contains(&only)) else { continue };
        files += 1;
        let theirs = (number(5).max(number(10)), number(6).max(number(11)), number(8));
        let (ours, detail) = match read(&Path::new(&dir).join(path), !only.is_empty()) {
            Ok(found) => found,
            Err(error) => {
                println!("{path}\tunreadable: {error:#}");
                continue;
            }
        };
        if ours != theirs || !only.is_empty() || std::env::var_os("ALL").is_some() {
            differ += 1;
            let notes = columns.last().unwrap_or(&"");
            println!("{path}\t{ours:?}\t{theirs:?}\t{notes}\t{detail}");
        }
    }
    println!("{differ} of {files} differ");
    Ok(())
}

fn read(path: &Path, verbose: bool) -> Result<((u64, u64, u64), String)> {
    let (out, counters) = collect::collect(path)?;
    if verbose {
        for exchange in &out {
            println!(
                "  {} {}->{} #{} {} {} {:?} {} {:?}",
                exchange.started(),
                exchange.client,
                exchange.server,
                exchange.connection.index,
                exchange.method(),
                String::from_utf8_lossy(exchange.target()).chars().take(60).collect::<String>(),
                exchange.status(),
                exchange.outcome.as_str(),
                exchange.anomalies.iter().map(Anomaly::name).collect::<Vec<_>>(),
            );
        }
        println!("  {counters:?}");
    }
    let refused = out.iter().filter(|exchange| exchange.status() == Some(403)).count() as u64;
    let detail = format!(
        "orphans {} interim {} gaps {} ({} B) unparsed {:?} skipped {:?}",
        counters.orphan_responses,
        counters.interim_responses,
        counters.gaps,
        counters.gap_bytes,
        counters.flows_unparsed,
        counters.frames_skipped
    );
    // Both kinds of responses, as in the index.
    Ok(((counters.requests, counters.responses + counters.interim_responses, refused), detail))
}
