//! `why403 doctor`: what is missing to capture here, with the command that fixes it.

mod capture;
mod terminal;
mod trial;

use std::io::{self, Write};
use std::path::Path;

use crate::edge::sanitize;
use crate::sandbox::{self, State};

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    name: &'static str,
    mark: Mark,
    text: String,
    /// What to do about it.
    fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Good,
    Limited,
    Bad,
    Fact,
}

impl Mark {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Limited => "part",
            Self::Bad => "NO",
            Self::Fact => "",
        }
    }
}

/// Prints the table and says whether a live capture is possible. `binary` is the path of this program, for the commands
/// that it prints. The last part enters the sandbox for good, so call this last.
pub fn run(out: &mut dyn Write, binary: &Path) -> io::Result<bool> {
    writeln!(out, "why403 {} doctor", env!("CARGO_PKG_VERSION"))?;
    let capture = capture::rows(binary);
    let can_capture = capture.iter().all(|row| row.mark != Mark::Bad);
    section(out, "capture", &capture)?;
    section(out, "terminal", &terminal::rows(&|name| std::env::var(name).ok()))?;
    section(out, "sandbox (what this kernel has)", &mechanisms(&sandbox::probe()))?;
    section(out, "sandbox (entered just now, and tried from inside)", &trial::rows())?;
    Ok(can_capture)
}

fn section(out: &mut dyn Write, title: &str, rows: &[Row]) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    for row in rows {
        let text = sanitize::line(row.text.as_bytes());
        writeln!(out, "  {:<5}{:<16}{text}", row.mark.word(), row.name)?;
        if let Some(fix) = &row.fix {
            writeln!(out, "  {:<21}-> {}", "", sanitize::line(fix.as_bytes()))?;
        }
    }
    Ok(())
}

fn mechanisms(report: &sandbox::Report) -> Vec<Row> {
    let row = |(mechanism, state): (sandbox::Mechanism, &State)| {
        let (mark, text) = match state {
            State::On(text) => (Mark::Good, text.as_str()),
            State::Partly(text) => (Mark::Limited, text.as_str()),
            State::Missing(text) => (Mark::Bad, text.as_str()),
            State::Off => (Mark::Limited, "off"),
        };
        Row { name: mechanism.name(), mark, text: text.to_owned(), fix: None }
    };
    report.states().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_shows_its_mark_its_text_and_what_to_do() {
        let rows = [Row {
            name: "permission",
            mark: Mark::Bad,
            text: "none".into(),
            fix: Some("sudo setcap".into()),
        }];
        let mut out = Vec::new();
        section(&mut out, "capture", &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\ncapture\n  NO   permission      none\n                       -> sudo setcap\n");
    }
}
