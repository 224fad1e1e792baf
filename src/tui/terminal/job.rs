//! Being stopped and let go on by a shell, or by whoever sends SIGTSTP.
//!
//! The signal is blocked in every thread, so that it stops nothing before the terminal is given back; one thread waits for it
//! and tells the loop, which gives the terminal back and then lets itself be stopped.

use std::io;
use std::thread;

use nix::sys::signal::{SigSet, Signal, kill, raise};
use nix::unistd::Pid;
use tokio::sync::mpsc;

/// Keeps SIGTSTP from this thread and those that it starts. To be called before any thread starts.
pub fn block_stop() -> io::Result<()> {
    stop_signal().thread_block().map_err(io::Error::from)
}

/// Who is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Whom {
    /// All that the shell started with us, as Ctrl-Z does.
    Job,
    /// This process; whoever sent the signal has sent it to the others, or did not want to.
    Us,
}

/// The wishes of others that we stop.
#[derive(Debug)]
pub(in crate::tui) struct Stops(mpsc::Receiver<()>);

impl Stops {
    /// Starts the thread, which ends with the process.
    pub(in crate::tui) fn start() -> io::Result<Self> {
        block_stop()?;
        let (send, asked) = mpsc::channel(1);
        thread::Builder::new()
            .name("why403-stop".into())
            .spawn(move || while stop_signal().wait().is_ok() && send.blocking_send(()).is_ok() {})?;
        Ok(Self(asked))
    }

    /// Waits until somebody wants us to stop. Cancel safe.
    pub(in crate::tui) async fn asked(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Stops until SIGCONT comes. Where nobody could let us go on (the shell is gone) the kernel does nothing.
pub(in crate::tui) fn stop(whom: Whom) -> io::Result<()> {
    stop_signal().thread_unblock()?;
    let stopped = match whom {
        Whom::Job => kill(Pid::from_raw(0), Signal::SIGTSTP),
        Whom::Us => raise(Signal::SIGTSTP),
    };
    block_stop()?;
    stopped.map_err(io::Error::from)
}

fn stop_signal() -> SigSet {
    SigSet::from(Signal::SIGTSTP)
}
