//! Makes the pictures of the README from the real program: it runs in a pseudo-terminal, and what its screen shows is
//! written as SVG. `scripts/screenshots` builds the program and calls this.
//!
//! `cargo run --example screenshots [DIRECTORY [NAME…]]`

#![expect(clippy::print_stdout, reason = "a tool for the command line")]

mod svg;
mod terminal;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use svg::Frame;
use terminal::Terminal;

/// One thing to do in the program.
enum Step {
    /// Wait until this is on the screen.
    Until(&'static str),
    /// Press these keys.
    Press(&'static str),
    /// Let time pass.
    Rest(u64),
    /// Keep the screen as a frame that stands this many milliseconds.
    Take(u64),
}

/// A picture; several frames make it move.
struct Shot {
    name: &'static str,
    size: (u16, u16),
    arguments: &'static [&'static str],
    steps: &'static [Step],
}

use Step::{Press, Rest, Take, Until};

const SHOTS: &[Shot] = &[
    Shot {
        name: "stream",
        size: (132, 32),
        arguments: &["demo"],
        steps: &[Until("insufficient-role"), Rest(5000), Take(0)],
    },
    Shot {
        name: "screenshot",
        size: (132, 32),
        arguments: &["demo"],
        steps: &[
            Until("insufficient-role"),
            Rest(4000),
            Press("/"),
            Press("cause:insufficient-scope\r"),
            Until("insufficient-scope"),
            Press("k\r"),
            Until("The token lacks a scope"),
            Rest(300),
            Take(0),
        ],
    },
    Shot {
        name: "diff",
        size: (132, 32),
        arguments: &["demo"],
        steps: &[
            Until("insufficient-role"),
            Rest(4000),
            Press("/"),
            Press("cause:insufficient-scope\r"),
            Until("insufficient-scope"),
            Press("kdz"),
            Until("Suspects"),
            Rest(300),
            Take(0),
        ],
    },
    Shot {
        name: "endpoints",
        size: (132, 32),
        arguments: &["demo"],
        steps: &[
            Until("insufficient-role"),
            Rest(12_000),
            Press("E"),
            Until("SUCCEEDED"),
            Rest(300),
            Take(0),
        ],
    },
    Shot {
        name: "small",
        size: (80, 24),
        arguments: &["demo"],
        steps: &[Until("insufficient-role"), Rest(5000), Take(0)],
    },
    Shot {
        name: "demo",
        size: (100, 28),
        arguments: &["demo"],
        steps: &[
            Until("403"),
            Take(900),
            Rest(2000),
            Take(900),
            Until("insufficient-role"),
            Rest(4000),
            Take(2500),
            Press("/"),
            Rest(200),
            Take(700),
            Press("cause:insuff"),
            Rest(300),
            Take(900),
            Press("\t"),
            Rest(300),
            Take(1500),
            Press("\r"),
            Rest(600),
            Take(1500),
            Press("k\r"),
            Until("The token lacks a scope"),
            Rest(300),
            Take(4500),
            Press("\t"),
            Until("Suspects"),
            Rest(300),
            Take(4500),
            Press("\t"),
            Rest(300),
            Take(2500),
            Press("y"),
            Rest(300),
            Take(2000),
            Press("c"),
            Rest(300),
            Take(3500),
        ],
    },
];

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().unwrap_or_else(|| "assets".to_owned()));
    let wanted: Vec<String> = arguments.collect();
    let program = program()?;
    std::fs::create_dir_all(&directory)?;
    for shot in SHOTS.iter().filter(|shot| wanted.is_empty() || wanted.iter().any(|name| name == shot.name)) {
        let frames = play(&program, shot)?;
        let path = directory.join(format!("{}.svg", shot.name));
        std::fs::write(&path, svg::document(&frames, shot.size))?;
        println!("{} ({} frames)", path.display(), frames.len());
    }
    Ok(())
}

/// The program that was built beside this one.
fn program() -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(2).unwrap_or(Path::new("."));
    Ok(target.join("why403"))
}

fn play(program: &Path, shot: &Shot) -> io::Result<Vec<Frame>> {
    let mut terminal = Terminal::open(program, shot.arguments, shot.size)?;
    let mut frames = Vec::new();
    for step in shot.steps {
        match step {
            Until(text) => terminal.until(text)?,
            Press(keys) => terminal.press(keys)?,
            Rest(millis) => terminal.rest(Duration::from_millis(*millis))?,
            Take(millis) => frames.push(Frame::of(terminal.screen(), *millis)),
        }
    }
    terminal.press("Q")?;
    Ok(frames)
}
