//! Asks on the terminal for the password that sudo wants on the other host.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::ChildStdin;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};

use crate::edge::sanitize;
use crate::source::stop::{Ready, Stop, wait_for};

use super::output::answer;

/// The longest password that is taken.
const LONGEST: usize = 1024;

/// Whether there is a terminal to ask on.
pub(super) fn can_ask() -> bool {
    terminal().is_ok()
}

fn terminal() -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open("/dev/tty")
}

/// Asks, without echo, and passes the answer on.
pub(super) fn ask(host: &str, to: &mut ChildStdin, stop: &Stop) -> io::Result<()> {
    let terminal = terminal()?;
    let quiet = Quiet::new(&terminal)?;
    write!(&terminal, "sudo password on {}: ", sanitize::text(host))?;
    let password = read_line(&terminal, stop);
    drop(quiet);
    writeln!(&terminal)?;
    let mut password = password?;
    let answered = answer(to, &password);
    password.fill(0);
    answered
}

fn read_line(mut terminal: &File, stop: &Stop) -> io::Result<Vec<u8>> {
    let mut line = Vec::with_capacity(LONGEST);
    let mut byte = [0];
    while line.len() < LONGEST {
        if wait_for(Some(terminal.as_fd()), &[stop], None) == Ready::Stopped {
            return Err(io::ErrorKind::Interrupted.into());
        }
        match terminal.read(&mut byte)? {
            0 => break,
            _ if byte == [b'\n'] => break,
            _ => line.extend_from_slice(&byte),
        }
    }
    Ok(line)
}

/// A terminal without echo, until it is dropped.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // A terminal that is gone has no echo to be restored.
        let _ = tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}
