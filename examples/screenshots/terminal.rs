//! A pseudo-terminal with the program in it.

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, NativePtySystem, PtySize, PtySystem};

/// How long to wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    output: Receiver<Vec<u8>>,
    parser: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
}

impl Terminal {
    pub(crate) fn open(program: &Path, arguments: &[&str], (cols, rows): (u16, u16)) -> io::Result<Self> {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = NativePtySystem::default().openpty(size).map_err(io::Error::other)?;
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        for (name, value) in [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).map_err(io::Error::other)?;
        let mut reader = pair.master.try_clone_reader().map_err(io::Error::other)?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut chunk = vec![0; 65_536];
            while let Ok(read @ 1..) = reader.read(&mut chunk) {
                if sender.send(chunk.iter().take(read).copied().collect()).is_err() {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().map_err(io::Error::other)?;
        Ok(Self { child, keys, output, parser: vt100::Parser::new(rows, cols, 0), _master: pair.master })
    }

    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub(crate) fn press(&mut self, keys: &str) -> io::Result<()> {
        self.keys.write_all(keys.as_bytes())?;
        self.keys.flush()
    }

    pub(crate) fn until(&mut self, text: &str) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !self.screen().contents().contains(text) {
            if !self.take(end)? {
                return Err(io::Error::other(format!(
                    "'{text}' never came; the screen shows\n{}",
                    self.screen().contents()
                )));
            }
        }
        Ok(())
    }

    pub(crate) fn rest(&mut self, time: Duration) -> io::Result<()> {
        let end = Instant::now() + time;
        while self.take(end)? {}
        Ok(())
    }

    /// Takes in some output; `false` when none came until `end`.
    fn take(&mut self, end: Instant) -> io::Result<bool> {
        match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.parser.process(&bytes);
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("the program ended")),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
