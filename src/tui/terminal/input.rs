//! Keys, pastes and the mouse, read by a thread of their own; and the news that the terminal is gone.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::sync::mpsc;

/// Events that wait for the loop; a paste is one.
const WAITING: usize = 256;
/// How long crossterm looks at what is there. With no time at all it does not look; and what is typed in this time after the last
/// key is ours, even if that key was the end and it was meant for the shell.
const LOOK: Duration = Duration::from_micros(20);
/// What the kernel says of a terminal that nobody holds any more.
const GONE: PollFlags = PollFlags::POLLHUP.union(PollFlags::POLLERR).union(PollFlags::POLLNVAL);

/// What the user did. Ends when the terminal is gone.
#[derive(Debug)]
pub(in crate::tui) struct Input {
    events: mpsc::Receiver<io::Result<Event>>,
    stopped: Arc<AtomicBool>,
}

impl Input {
    /// Starts the thread. It ends with the terminal, with the receiver, or with the process.
    pub(in crate::tui) fn start() -> io::Result<Self> {
        let (send, events) = mpsc::channel(WAITING);
        let terminal = if io::stdin().is_terminal() { None } else { Some(File::open("/dev/tty")?) };
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        thread::Builder::new().name("why403-keys".into()).spawn(move || match terminal {
            Some(terminal) => read(&terminal, &stop, &send),
            None => read(&io::stdin(), &stop, &send),
        })?;
        Ok(Self { events, stopped })
    }

    /// The next event; nothing when the terminal is gone. Cancel safe.
    pub(in crate::tui) async fn next(&mut self) -> Option<io::Result<Event>> {
        self.events.recv().await
    }
}

impl Drop for Input {
    /// What is typed from now on is for the shell.
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

/// Asks the kernel before crossterm does: at the end of its input crossterm would read it again and again, without end.
fn read(terminal: &impl AsFd, stopped: &AtomicBool, send: &mpsc::Sender<io::Result<Event>>) {
    // The first round waits for nothing: crossterm opens what it needs in it, as long as that can be opened.
    let mut patience = PollTimeout::ZERO;
    loop {
        let mut watched = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        let ready = match poll(&mut watched, std::mem::replace(&mut patience, PollTimeout::NONE)) {
            Ok(_) => watched[0].revents().unwrap_or(GONE),
            Err(Errno::EINTR) => continue,
            Err(error) => {
                let _ = send.blocking_send(Err(error.into()));
                return;
            }
        };
        if ready.intersects(GONE) || stopped.load(Ordering::Relaxed) {
            return;
        }
        loop {
            let event = match event::poll(LOOK) {
                Ok(true) => event::read(),
                Ok(false) => break,
                Err(error) => Err(error),
            };
            let failed = event.is_err();
            if send.blocking_send(event).is_err() || failed {
                return;
            }
        }
    }
}
