//! Signals of a run without a screen: the first one stops the source and lets everything be written; when
//! nobody reads what is written, or at a second one, the program ends.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use nix::sys::signal::{SigSet, Signal};

use crate::source::Stop;

/// A write that takes so long after a signal is not waited for any more: nobody reads.
const GRACE: Duration = Duration::from_millis(150);
/// So long after a signal what was captured is still taken in, explained and written.
const PATIENCE: Duration = Duration::from_millis(100);

/// Tells a write that takes its time from one that never ends, and whether the time to end is up.
#[derive(Clone, Debug, Default)]
pub(super) struct Headway {
    writes: Arc<AtomicU64>,
    overdue: Arc<AtomicBool>,
}

impl Headway {
    /// Does `write`, which may block.
    pub(super) fn during<T>(&self, write: impl FnOnce() -> T) -> T {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let written = write();
        self.writes.fetch_add(1, Ordering::Relaxed);
        written
    }
    /// Odd while something is being written.
    fn now(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
    /// Whether a signal came [`PATIENCE`] ago: whatever is not done is left.
    pub(super) fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }
    /// The time is up.
    pub(super) fn set_overdue(&self) {
        self.overdue.store(true, Ordering::Relaxed);
    }
}

fn wanted() -> SigSet {
    [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect()
}

/// Makes a write beyond the limit on the size of files (`ulimit -f`) an error instead of the end of the process. To be called
/// before any thread starts.
pub(super) fn block_file_size() -> io::Result<()> {
    SigSet::from(Signal::SIGXFSZ).thread_block().map_err(io::Error::from)
}

/// Keeps signals from this thread and those that it starts. To be called before any thread starts.
pub(super) fn block() -> io::Result<()> {
    wanted().thread_block().map_err(io::Error::from)
}

/// Waits for signals on a thread of its own; the first one throws `stop`.
pub(super) fn watch(stop: &Stop, headway: &Headway) -> io::Result<()> {
    let (stop, headway) = (stop.clone(), headway.clone());
    let watcher = thread::Builder::new().name("signals".into());
    watcher.spawn(move || {
        if wanted().wait().is_err() {
            return;
        }
        stop.stop();
        let again = thread::Builder::new().name("second signal".into());
        let _ = again.spawn(|| {
            if wanted().wait().is_ok() {
                process::exit(0);
            }
        });
        thread::sleep(PATIENCE);
        headway.set_overdue();
        loop {
            let before = headway.now();
            thread::sleep(GRACE);
            if before % 2 == 1 && headway.now() == before {
                process::exit(0);
            }
        }
    })?;
    Ok(())
}
