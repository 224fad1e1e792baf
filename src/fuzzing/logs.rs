//! Lines of a server's log: any bytes are joined to a refusal without a panic, within the bound of the journal.

use std::net::SocketAddr;
use std::sync::LazyLock;

use crate::history::History;
use crate::knowledge::Sources;
use crate::logs::{Journal, Patterns, join};
use crate::model::Timestamp;
use crate::synth::Conversation;
use crate::wire::pipeline::{Limits, Pipeline};

const REQUEST: &[u8] =
    b"POST /a HTTP/1.1\r\nHost: x\r\nX-Request-Id: a1b2c3d4e5\r\nContent-Length: 0\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| Patterns::read(&Sources::default()).ok());

/// Lines cut out of `data` at its line breaks; those that begin with a tab are of a second file.
pub fn log_lines(data: &[u8]) {
    assert!(PATTERNS.is_some(), "the patterns can be read");
    let Some(patterns) = &*PATTERNS else { return };
    let mut journal = Journal::with_limit(2026, 64 << 10);
    let files = [journal.add_file("a.log"), journal.add_file("b.log")];
    let mut last = 0;
    for line in data.split(|byte| *byte == b'\n') {
        last = if line.starts_with(b"\t") { 1 - last } else { last };
        journal.add_line(files[last], line, patterns);
    }
    let history = history();
    let matches = join(&journal, &history, patterns);
    for one in matches.values().flatten() {
        assert!((0.0..=1.0).contains(&one.confidence), "confidence {}", one.confidence);
        assert!(one.text.len() <= 4096, "{} bytes of text", one.text.len());
    }
    assert!(matches.len() <= history.len(), "every match is of an exchange");
}

/// Two refusals on one connection.
fn history() -> History {
    let (client, server) = (SocketAddr::from(([10, 0, 0, 7], 4711)), SocketAddr::from(([10, 0, 0, 1], 80)));
    let time = |millis: i64| Timestamp(1_795_336_157_000_000_000 + millis * 1_000_000);
    let mut talk = Conversation::new(client, server).handshake(time(0));
    for number in 0..2 {
        talk = talk.client(REQUEST, time(number * 20 + 1)).server(RESPONSE, time(number * 20 + 5));
    }
    let (mut pipeline, mut exchanges) = (Pipeline::new(Limits::default()), Vec::new());
    for made in talk.fin(time(90)).into_frames() {
        pipeline.ingest(&made.frame(), &mut exchanges);
    }
    pipeline.finish(&mut exchanges);
    let mut history = History::new(1 << 20);
    for exchange in exchanges {
        history.insert(exchange);
    }
    history
}
