//! What a capture hands to whoever shows it: messages over one bounded channel.
//!
//! The capture side never waits for the screen: a live source uses `try_send` and counts what did not fit in
//! [`SourceCounters::queue_dropped`]; a file reader may wait (`blocking_send`), because nothing is lost by waiting.

use tokio::sync::mpsc;

use crate::logs::LogBatch;
use crate::model::{Counters, Exchange, SourceCounters};

/// Messages that fit into the channel. A batch is bounded by its sender ([`BATCH`]), so this bounds the queue in exchanges. Few,
/// so that what is taken out is still in the cache; what a live source finds no room for is held back beside it.
pub const CAPACITY: usize = 6;

/// Exchanges in one [`Message::Exchanges`], at most.
pub const BATCH: usize = 1024;

/// The capture's end of the channel.
pub type Sender = mpsc::Sender<Message>;

/// The consumer's end of the channel.
pub type Receiver = mpsc::Receiver<Message>;

/// A channel with room for [`CAPACITY`] messages.
pub fn channel() -> (Sender, Receiver) {
    mpsc::channel(CAPACITY)
}

/// One thing that happened at the source.
#[derive(Clone, Debug)]
pub enum Message {
    /// Finished exchanges, in the order they finished; at most [`BATCH`].
    Exchanges(Vec<Exchange>),
    /// Lines of the server's logs, in the order of each log.
    Logs(LogBatch),
    /// The pipeline's counters, replacing those sent before.
    Counters(Box<Counters>),
    /// The source's counters, replacing those sent before.
    Source(SourceCounters),
    /// How far a file was read.
    Progress(Progress),
    /// Something a person should know; one line, safe to show after escaping.
    Warning(String),
    /// Nothing more will come.
    Ended(Ended),
}

/// How far a file was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes there are, when known.
    pub total: Option<u64>,
}

/// Why nothing more will come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The input was read to its end.
    Whole,
    /// The source was closed by the other side, or stopped on purpose.
    Stopped(String),
    /// The source failed; what was read before is kept. Says what to do.
    Failed(String),
}

/// What kind of source feeds the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceKind {
    /// Interfaces of this machine.
    #[default]
    Live,
    /// A capture file.
    File,
    /// A pcap stream: standard input, a socket.
    Stream,
    /// tcpdump on another host.
    Ssh,
    /// The TLS tap.
    Tap,
    /// The embedded staging box.
    Demo,
}

/// The source, described for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What kind it is.
    pub kind: SourceKind,
    /// Short, for the status line: `any`, `dump.pcapng`, `ssh box`.
    pub label: String,
    /// One sentence on what is listened to: "every interface, tcp port 8080".
    pub listening: String,
    /// What to try when nothing comes, most useful first: interfaces with traffic, a command.
    pub hints: Vec<String>,
    /// What was said at the start, before the screen hid it; a line each.
    pub notes: Vec<String>,
}
