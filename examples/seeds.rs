//! Makes seeds for the fuzz targets out of a directory of captures.
//!
//! `cargo run --example seeds -- DIR [OUT]` writes them to `fuzz/corpus/TARGET/`: small captures as they are, their frames,
//! the heads of their messages, and their exchanges as conversations. Files over 64 KiB and what is in no capture are left out.

#![allow(clippy::print_stdout, reason = "a report")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use links::LINKS;
use why403::model;
use why403::model::{Exchange, Frame};
use why403::source::savefile::BlockReader;
use why403::wire::pipeline::{Limits, Pipeline};

#[path = "../src/fuzzing/links.rs"]
mod links;

const LARGEST_FILE: u64 = 64 << 10;
const LARGEST_SEED: usize = 8 << 10;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().context("usage: seeds DIR [OUT]")?;
    let out = PathBuf::from(args.next().unwrap_or_else(|| "fuzz/corpus".to_owned()));
    let mut seeds = 0;
    walk(Path::new(&dir), &out, &mut seeds)?;
    println!("{seeds} seeds in {}", out.display());
    Ok(())
}

fn walk(dir: &Path, out: &Path, seeds: &mut u64) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.path().is_dir() {
            walk(&entry.path(), out, seeds)?;
        } else if entry.metadata()?.len() <= LARGEST_FILE {
            capture(std::fs::read(entry.path())?, out, seeds)?;
        }
    }
    Ok(())
}

/// The seeds of one capture.
fn capture(bytes: Vec<u8>, out: &Path, seeds: &mut u64) -> Result<()> {
    let mut save = |target: &str, bytes: &[u8]| -> Result<()> {
        if bytes.is_empty() || bytes.len() > LARGEST_SEED {
            return Ok(());
        }
        let mut hash = DefaultHasher::new();
        bytes.hash(&mut hash);
        let dir = out.join(target);
        std::fs::create_dir_all(&dir)?;
        std::fs::write(dir.join(format!("{:016x}", hash.finish())), bytes)?;
        *seeds += 1;
        Ok(())
    };
    save("savefile", &bytes)?;
    let Ok(mut blocks) = BlockReader::of(Cursor::new(bytes)) else { return Ok(()) };
    let mut pipeline = Pipeline::new(Limits::default());
    let (mut frames, mut exchanges) = (Vec::new(), Vec::new());
    while let Ok(Some(block)) = blocks.next(Vec::new()) {
        let _ = block.try_for_each(|frame| -> ControlFlow<()> {
            pipeline.ingest(frame, &mut exchanges);
            put(frame, &mut frames);
            ControlFlow::Continue(())
        });
    }
    pipeline.finish(&mut exchanges);
    save("frames", &frames)?;
    for exchange in &exchanges {
        let (request, response) = said(exchange);
        save("request_head", &request)?;
        save("sniff", &request)?;
        save("response_head", &response)?;
        let split = (request.len() as u16).to_le_bytes();
        save("conversation", &[&[200], &split[..], &request, &response].concat())?;
    }
    Ok(())
}

/// A frame as the `frames` target reads it, while there is room.
fn put(frame: &Frame<'_>, frames: &mut Vec<u8>) {
    let link = LINKS.iter().position(|link| *link == frame.link);
    if let Some(link) =
        link.filter(|_| frame.data.len() < 2048 && frames.len() + frame.data.len() < LARGEST_SEED - 6)
    {
        frames.extend_from_slice(&[link as u8, 1, 0, 0]);
        frames.extend_from_slice(&(frame.data.len() as u16).to_le_bytes());
        frames.extend_from_slice(frame.data);
    }
}

/// What each side said, as far as it was kept.
fn said(exchange: &Exchange) -> (Vec<u8>, Vec<u8>) {
    let request =
        exchange.request.as_ref().map(|request| [request.head.fields().raw(), &request.body.kept].concat());
    let response = exchange
        .response
        .as_ref()
        .map(|response| [response.head.fields().raw(), &response.body.kept].concat());
    (request.unwrap_or_default(), response.unwrap_or_default())
}
