//! The real terminal: taken once, given back whatever happens.

pub(super) mod clipboard;
pub(super) mod input;
pub(super) mod job;
pub mod pace;
pub mod painter;

use std::io::{self, Write};
use std::panic;
use std::sync::{Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::thread::{self, ThreadId};

use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, execute};
use tokio::sync::mpsc as tokio_mpsc;

/// The thread that has taken the terminal, if one has; the panic hook needs to know.
static TAKEN: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Holds the terminal in raw mode on its alternate screen; dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard {
    mouse: bool,
}

impl Guard {
    /// Takes the terminal.
    pub fn take(mouse: bool) -> io::Result<Self> {
        restore_on_panic();
        enable_raw_mode()?;
        let guard = Self { mouse };
        *taken() = Some(thread::current().id());
        let mut out = io::stdout();
        execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if guard.mouse {
            execute!(out, EnableMouseCapture)?;
        }
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back if it is ours. Errors are of no use here: there is nobody to tell.
fn restore() {
    if taken().take().is_none() {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste, cursor::Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

/// Whether the screen has the terminal.
pub fn is_taken() -> bool {
    taken().is_some()
}

fn taken() -> MutexGuard<'static, Option<ThreadId>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Another thread's end need not be the screen's.
            if *taken() == Some(thread::current().id()) {
                restore();
            }
            before(info);
        }));
    });
}

/// Writes to the terminal from a thread of its own, so that a slow line never holds up the consumer of the capture.
#[derive(Debug)]
pub struct Writer {
    send: Option<mpsc::SyncSender<Vec<u8>>>,
    done: tokio_mpsc::Receiver<io::Result<Vec<u8>>>,
    thread: Option<thread::JoinHandle<()>>,
    busy: bool,
    spare: Vec<u8>,
}

impl Writer {
    /// Starts the thread.
    pub fn start() -> io::Result<Self> {
        let (send, frames) = mpsc::sync_channel::<Vec<u8>>(1);
        let (report, done) = tokio_mpsc::channel(2);
        let thread = thread::Builder::new().name("why403-screen".into()).spawn(move || {
            let mut out = io::stdout();
            while let Ok(mut frame) = frames.recv() {
                let written = out.write_all(&frame).and_then(|()| out.flush());
                frame.clear();
                if report.blocking_send(written.map(|()| frame)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { send: Some(send), done, thread: Some(thread), busy: false, spare: Vec::new() })
    }

    /// Whether the last frame is still on its way. Send nothing then.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// A buffer to paint the next frame into.
    pub fn buffer(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// Hands a frame to the thread.
    pub fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the writer has stopped");
        self.send.as_ref().ok_or_else(gone)?.try_send(frame).map_err(|_| gone())?;
        self.busy = true;
        Ok(())
    }

    /// Waits until the frame on its way is written. Cancel safe.
    pub async fn written(&mut self) -> io::Result<()> {
        if !self.busy {
            return std::future::pending().await;
        }
        let outcome = self.done.recv().await;
        self.busy = false;
        self.spare = outcome.ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))??;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.send.take());
        if !self.busy
            && let Some(thread) = self.thread.take()
        {
            let _ = thread.join();
        }
    }
}
