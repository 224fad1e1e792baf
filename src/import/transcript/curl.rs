//! `curl -v`, and `curl --trace` and `--trace-ascii`, with or without `--trace-time`.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use super::Reader;
use super::assemble::{Assembler, Side};
use super::lines::trim;
use super::plain;
use crate::import::address;

/// Whether a line is one of `curl -v` that says whose head it is.
pub(super) fn is_marked(line: &[u8]) -> bool {
    match marked(line) {
        Some((Side::Client, rest)) => plain::is_request_line(rest),
        Some((Side::Server, rest)) => plain::is_status_line(rest),
        None => false,
    }
}

/// Whether a line begins a block of a trace.
pub(super) fn is_trace(line: &[u8]) -> bool {
    matches!(block(line), Some(Block::Head(_) | Block::Data(_)))
}

/// `> …` and `< …`; `--trace-time` puts the time before them.
fn marked(line: &[u8]) -> Option<(Side, &[u8])> {
    match without_time(line) {
        [b'>', b' ', rest @ ..] => Some((Side::Client, rest)),
        [b'<', b' ', rest @ ..] => Some((Side::Server, rest)),
        // White space at the end of the line was lost on the way.
        [b'>', b'\r' | b'\n', ..] => Some((Side::Client, b"\n")),
        [b'<', b'\r' | b'\n', ..] => Some((Side::Server, b"\n")),
        _ => None,
    }
}

/// A line without `HH:MM:SS.ffffff ` at its start.
fn without_time(line: &[u8]) -> &[u8] {
    let is_time = line.get(..16).is_some_and(|time| {
        time.iter().enumerate().all(|(at, byte)| match at {
            2 | 5 => *byte == b':',
            8 => *byte == b'.',
            15 => *byte == b' ',
            _ => byte.is_ascii_digit(),
        })
    });
    if is_time { line.get(16..).unwrap_or_default() } else { line }
}

/// `curl -v`.
#[derive(Debug, Default)]
pub(super) struct Verbose {
    /// Whether the head of a response was read, so that what has no mark is its content.
    in_content: bool,
    /// A line break after content, which may be the tool's own.
    line_break: Vec<u8>,
}

impl Reader for Verbose {
    fn line(&mut self, line: &[u8], to: &mut Assembler<'_>) -> ControlFlow<()> {
        if let Some((side, rest)) = marked(line) {
            let starts = plain::is_request_line(rest) || plain::is_status_line(rest);
            if to.is_in_head(side) || starts {
                let flow = to.head(side, rest);
                self.in_content = side == Side::Server && to.has_head(side);
                self.line_break.clear();
                return flow;
            }
        }
        let text = without_time(line);
        if text.starts_with(b"* ") {
            info(trim(text), to);
            return ControlFlow::Continue(());
        }
        // `} [12 bytes data]`
        let is_note = (text.starts_with(b"} [") || text.starts_with(b"{ ["))
            && (trim(text).ends_with(b" bytes data]") || trim(text).ends_with(b" data]"));
        if is_note || !self.in_content {
            return ControlFlow::Continue(());
        }
        let (content, note) = before_note(line);
        if content.iter().any(|byte| !byte.is_ascii_whitespace()) {
            to.content(Side::Server, &std::mem::take(&mut self.line_break));
            let text = trim(content);
            to.content(Side::Server, text);
            self.line_break.extend_from_slice(content.get(text.len()..).unwrap_or_default());
        } else if self.line_break.len() < 1 << 10
            && to.has_head(Side::Server)
            && !to.awaits_content(Side::Server)
        {
            self.line_break.extend_from_slice(content);
        }
        if !note.is_empty() {
            info(trim(note), to);
        }
        ControlFlow::Continue(())
    }
}

/// Content without a line break at its end has curl's next note in its line.
fn before_note(line: &[u8]) -> (&[u8], &[u8]) {
    let notes: [&[u8]; 4] =
        [b"* Connection #", b"* Closing connection", b"* Curl_http_done", b"* HTTP error before end of send"];
    let at = notes.iter().filter_map(|note| memchr::memmem::rfind(line, note)).min();
    line.split_at_checked(at.unwrap_or(line.len())).unwrap_or((line, b""))
}

/// What a note tells of the connection.
fn info(note: &[u8], to: &mut Assembler<'_>) {
    let note = String::from_utf8_lossy(note).into_owned();
    let note = note.trim_start_matches("* ").trim_start_matches("== Info: ").trim();
    if note.starts_with("SSL connection using") || note.starts_with("ALPN") {
        to.speaks_tls();
    }
    // `Connected to a.test (192.0.2.1) port 443 (#0)`, and since curl 8.16
    // `Established connection to a.test (192.0.2.1 port 443) from 10.0.0.5 port 51324`.
    let rest = note.strip_prefix("Connected to ").or_else(|| note.strip_prefix("Established connection to "));
    let Some((_, rest)) = rest.and_then(|rest| rest.split_once('(')) else { return };
    let (server, from) =
        rest.split_once(" from ").map_or((rest, None), |(server, from)| (server, Some(from)));
    if let Some(server) = endpoint(server) {
        to.connected(from.and_then(endpoint), server);
    }
}

/// `192.0.2.1) port 443 (#0)` or `192.0.2.1 port 443`.
fn endpoint(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(" port ")?;
    let digits = port.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(port.len());
    let port = port.get(..digits)?.parse().ok()?;
    Some(address::socket(ip.trim_end_matches(')'), port))
}

/// What a block of a trace has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Head(Side),
    Data(Side),
    /// Bytes of TLS itself.
    Tls,
    Info,
}

fn block(line: &[u8]) -> Option<Block> {
    let line = trim(without_time(line));
    if line.starts_with(b"== Info: ") {
        return Some(Block::Info);
    }
    let (side, rest) = match line {
        [b'=', b'>', b' ', rest @ ..] => (Side::Client, rest.strip_prefix(b"Send ")?),
        [b'<', b'=', b' ', rest @ ..] => (Side::Server, rest.strip_prefix(b"Recv ")?),
        _ => return None,
    };
    if rest.starts_with(b"header, ") {
        Some(Block::Head(side))
    } else if rest.starts_with(b"data, ") {
        Some(Block::Data(side))
    } else {
        rest.starts_with(b"SSL data, ").then_some(Block::Tls)
    }
}

/// `curl --trace` and `--trace-ascii`.
#[derive(Debug, Default)]
pub(super) struct Trace {
    block: Option<Block>,
    /// A line of a head that is not whole yet. Bound: a dump shows no more than a block of 64 KiB at once.
    line: Vec<u8>,
    /// How many bytes of the block were shown.
    shown: usize,
}

impl Reader for Trace {
    fn line(&mut self, line: &[u8], to: &mut Assembler<'_>) -> ControlFlow<()> {
        if let Some(next) = block(line) {
            self.end_of_line(to)?;
            (self.block, self.shown) = (Some(next), 0);
            if next == Block::Info {
                info(trim(without_time(line)), to);
            }
            return ControlFlow::Continue(());
        }
        let Some((offset, text)) = offset(line) else { return ControlFlow::Continue(()) };
        let Some(Block::Head(side) | Block::Data(side)) = self.block else {
            return ControlFlow::Continue(());
        };
        let is_head = matches!(self.block, Some(Block::Head(_)));
        let hex = hex(text);
        // `--trace-ascii` leaves line breaks out; the offsets tell where they were.
        let gap = if hex.is_none() { offset.saturating_sub(self.shown).min(2) } else { 0 };
        let bytes = hex.unwrap_or_else(|| text.to_vec());
        self.shown = offset + bytes.len();
        if !is_head {
            to.content(side, b"\r\n".get(..gap).unwrap_or_default());
            to.content(side, &bytes);
            return ControlFlow::Continue(());
        }
        if gap > 0 {
            self.end_of_line(to)?;
        }
        self.line.extend_from_slice(&bytes);
        self.whole_lines(side, to)?;
        // A line of a head that is empty in `--trace-ascii` is the end of the head.
        if hex_is_absent(text) && bytes.is_empty() {
            return to.head(side, b"\r\n");
        }
        ControlFlow::Continue(())
    }
}

impl Trace {
    /// Hands over the lines that are whole.
    fn whole_lines(&mut self, side: Side, to: &mut Assembler<'_>) -> ControlFlow<()> {
        while let Some(at) = memchr::memchr(b'\n', &self.line) {
            let rest = self.line.split_off(at + 1);
            let line = std::mem::replace(&mut self.line, rest);
            to.head(side, &line)?;
        }
        ControlFlow::Continue(())
    }

    /// What was shown is a whole line, without its line break.
    fn end_of_line(&mut self, to: &mut Assembler<'_>) -> ControlFlow<()> {
        let line = std::mem::take(&mut self.line);
        match self.block {
            Some(Block::Head(side)) if !line.is_empty() => to.head(side, &line),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// `0010: …` as the offset and what follows.
fn offset(line: &[u8]) -> Option<(usize, &[u8])> {
    let line = trim(line);
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if !(4..=8).contains(&digits) {
        return None;
    }
    let offset = usize::from_str_radix(std::str::from_utf8(line.get(..digits)?).ok()?, 16).ok()?;
    let rest = line.get(digits..)?.strip_prefix(b":")?;
    Some((offset, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// The bytes of a line of a hex dump: sixteen of them take 48 columns, then their text follows.
fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let columns = text.get(..48).unwrap_or(text);
    let mut bytes = Vec::with_capacity(16);
    let mut ended = false;
    for three in columns.chunks(3) {
        match three {
            [b' ', b' ', b' '] => ended = true,
            [high, low, b' '] if !ended => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push((digit(high)? << 4 | digit(low)?) as u8);
            }
            _ => return None,
        }
    }
    (!bytes.is_empty() && text.len() > 48).then_some(bytes)
}

fn hex_is_absent(text: &[u8]) -> bool {
    hex(text).is_none()
}
