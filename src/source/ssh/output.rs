//! What the ssh process writes before the capture begins: both of its outputs are read at the same time, so that neither fills
//! up while we wait for the other.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{ChildStderr, ChildStdin};

use crate::edge::sanitize;
use crate::source::savefile;
use crate::source::stop::{Both, Stop, wait_for_both};

use super::lines::Lines;
use super::password;

/// Bytes before the capture that are skipped: banners, and what a shell's start-up files print.
const MAX_SKIPPED: usize = 256 << 10;
/// Characters of what was skipped that a message quotes.
const QUOTED: usize = 200;

/// The beginning of the capture, and what came before it.
#[derive(Debug)]
pub(super) struct Beginning {
    /// The capture's first bytes, enough to recognise it.
    pub(super) capture: Vec<u8>,
    /// What came before, for people; none where nothing did.
    pub(super) skipped: Option<String>,
}

/// Why no capture began.
#[derive(Debug)]
pub(super) enum NoCapture {
    /// The output ended; this is what it was.
    Ended(Option<String>),
    /// This came instead, and more of it.
    SomethingElse(String),
    Stopped,
    Failed(io::Error),
}

/// Reads standard output up to the capture's first bytes, and standard error meanwhile. When the other side asks for a password,
/// so does this program, and the answer goes to `stdin`.
pub(super) fn beginning(
    host: &str,
    stdout: &mut File,
    stderr: &mut ChildStderr,
    stdin: &mut ChildStdin,
    lines: &mut Lines,
    stop: &Stop,
) -> Result<Beginning, NoCapture> {
    let mut output = Vec::new();
    let mut errors_open = true;
    loop {
        let errors = errors_open.then(|| stderr.as_fd());
        match wait_for_both(stdout.as_fd(), errors, stop) {
            Both::Stopped => return Err(NoCapture::Stopped),
            Both::Second => {
                errors_open = read_errors(stderr, lines).map_err(NoCapture::Failed)?;
                if lines.take_question() {
                    password::ask(host, stdin, stop).map_err(NoCapture::Failed)?;
                }
            }
            Both::First => {
                let old = output.len();
                if read_some(stdout, &mut output).map_err(NoCapture::Failed)? == 0 {
                    return Err(NoCapture::Ended(quoted(&output)));
                }
                if let Some(at) = savefile::find_capture(&output, old) {
                    let capture = output.split_off(at);
                    return Ok(Beginning { capture, skipped: quoted(&output) });
                }
                if output.len() > MAX_SKIPPED {
                    return Err(NoCapture::SomethingElse(quoted(&output).unwrap_or_default()));
                }
            }
        }
    }
}

fn read_errors(stderr: &mut ChildStderr, lines: &mut Lines) -> io::Result<bool> {
    let mut bytes = Vec::new();
    let count = read_some(stderr, &mut bytes)?;
    lines.push(&bytes);
    Ok(count > 0)
}

/// Appends what is there; 0 at the end.
fn read_some(from: &mut impl Read, to: &mut Vec<u8>) -> io::Result<usize> {
    let mut chunk = [0; 4096];
    loop {
        match from.read(&mut chunk) {
            Ok(count) => {
                to.extend_from_slice(chunk.get(..count).unwrap_or_default());
                return Ok(count);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The text on one line, escaped and cut; none where there is only white space.
fn quoted(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.trim_ascii();
    (!bytes.is_empty()).then(|| sanitize::short(bytes, QUOTED).into_owned())
}

/// Writes a line to the other side.
pub(super) fn answer(stdin: &mut ChildStdin, line: &[u8]) -> io::Result<()> {
    stdin.write_all(line)?;
    stdin.write_all(b"\n")?;
    stdin.flush()
}
