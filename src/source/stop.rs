//! How a source is told to end, also while it waits for bytes that never come.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// A switch that many may hold and anybody may throw, once. Whoever waits on it together with a file wakes at once.
#[derive(Clone, Debug)]
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_set: AtomicBool,
    bell: UnixStream,
    ear: UnixStream,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// The file can be read (or has ended or failed, which reading will tell).
    File,
    /// Somebody threw a switch.
    Stopped,
    /// Nothing happened in the time given.
    Nothing,
}

impl Stop {
    /// A switch that is not thrown. Fails only when the process is out of file descriptors.
    pub fn new() -> io::Result<Self> {
        let (bell, ear) = UnixStream::pair()?;
        bell.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self(Arc::new(Inner { is_set: AtomicBool::new(false), bell, ear })))
    }
    /// Throws it. Every wait ends, now and later.
    pub fn stop(&self) {
        if !self.0.is_set.swap(true, Ordering::SeqCst) {
            // A full pipe wakes as well as one byte more.
            let _ = (&self.0.bell).write(&[1]);
        }
    }
    /// Whether it was thrown.
    pub fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Relaxed)
    }
    /// Waits until it is thrown, `timeout` at most; says whether it was.
    pub fn wait(&self, timeout: Duration) -> bool {
        wait_for(None, &[self], Some(timeout)) == Ready::Stopped
    }
}

/// Waits for `file` or any of the switches; without a timeout, for ever.
pub(crate) fn wait_for(file: Option<BorrowedFd<'_>>, stops: &[&Stop], timeout: Option<Duration>) -> Ready {
    if stops.iter().any(|stop| stop.is_set()) {
        return Ready::Stopped;
    }
    let mut fds: Vec<PollFd<'_>> =
        stops.iter().map(|stop| PollFd::new(stop.0.ear.as_fd(), PollFlags::POLLIN)).collect();
    fds.extend(file.map(|file| PollFd::new(file, PollFlags::POLLIN)));
    let timeout = timeout
        .map_or(PollTimeout::NONE, |timeout| PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX));
    match poll(&mut fds, timeout) {
        Ok(0) | Err(Errno::EINTR) => Ready::Nothing,
        _ if stops.iter().any(|stop| stop.is_set()) => Ready::Stopped,
        _ => Ready::File,
    }
}

/// What ended a wait for two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Both {
    /// The first can be read.
    First,
    /// The second can be read.
    Second,
    /// Somebody threw the switch.
    Stopped,
}

/// Waits until one of two files can be read, for ever. The second goes first: it is the one that is read in small pieces.
pub(crate) fn wait_for_both(first: BorrowedFd<'_>, second: Option<BorrowedFd<'_>>, stop: &Stop) -> Both {
    loop {
        if stop.is_set() {
            return Both::Stopped;
        }
        let mut fds =
            vec![PollFd::new(stop.0.ear.as_fd(), PollFlags::POLLIN), PollFd::new(first, PollFlags::POLLIN)];
        fds.extend(second.map(|second| PollFd::new(second, PollFlags::POLLIN)));
        let polled = poll(&mut fds, PollTimeout::NONE);
        let is_ready = |at: usize| fds.get(at).is_some_and(|fd| fd.any().unwrap_or(true));
        match polled {
            Err(Errno::EINTR) => {}
            _ if stop.is_set() => return Both::Stopped,
            _ if is_ready(2) => return Both::Second,
            _ if is_ready(1) => return Both::First,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn wakes_who_waits() {
        let stop = Stop::new().unwrap();
        assert!(!stop.wait(Duration::ZERO));
        let (silent, _peer) = UnixStream::pair().unwrap();
        let other = stop.clone();
        let thrower = std::thread::spawn(move || other.stop());
        let started = Instant::now();
        assert_eq!(wait_for(Some(silent.as_fd()), &[&stop], None), Ready::Stopped);
        assert!(started.elapsed() < Duration::from_secs(5));
        thrower.join().unwrap();
        assert!(stop.is_set());
    }

    #[test]
    fn tells_a_readable_file() {
        let stop = Stop::new().unwrap();
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(b"x").unwrap();
        assert_eq!(wait_for(Some(reader.as_fd()), &[&stop], None), Ready::File);
    }
}
