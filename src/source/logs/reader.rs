//! The inspector's end of the log reader process.

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

use super::LogError;
use super::message::LogEvent;

/// Bytes read at once.
const CHUNK: usize = 256 << 10;

/// A running log reader process. It ends when this is dropped, which closes the pipe.
#[derive(Debug)]
pub struct LogReader {
    /// Where its messages come from.
    output: BufReader<ChildStdout>,
    /// Logs that it named before it was ready.
    early: std::vec::IntoIter<LogEvent>,
    child: Child,
}

impl LogReader {
    /// Starts it, and waits until it has opened everything that `words` name. What stands in the last `back` bytes of a file is
    /// read too. Start it before privileges are given up.
    pub fn start(words: &[String], back: u64) -> Result<Self, LogError> {
        let failed = |error| LogError::Io(words.join(" "), error);
        let takes_stdin = words.iter().any(|word| word == "-");
        if takes_stdin && io::stdin().is_terminal() {
            return Err(LogError::Terminal);
        }
        let mut command = Command::new("/proc/self/exe");
        command.args(["helper", "logs", "--back", &back.to_string()]);
        command.args(words.iter().map(|word| format!("--log={word}")));
        command.stdin(if takes_stdin { Stdio::inherit() } else { Stdio::null() });
        // In a group of its own, so that Ctrl-C in the terminal ends the inspector first, which reads the last lines.
        command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn().map_err(failed)?;
        let output = child.stdout.take().ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let mut output = BufReader::with_capacity(CHUNK, output);
        let mut early = Vec::new();
        loop {
            match LogEvent::read(&mut output).map_err(failed)? {
                Some(LogEvent::Ready) => break,
                Some(LogEvent::Failed(text)) => return Err(LogError::Reader(text)),
                Some(event) => early.push(event),
                None => return Err(LogError::Reader("the log reader process ended at once".into())),
            }
        }
        Ok(Self { output, early: early.into_iter(), child })
    }

    /// The next message; `None` when the process has ended.
    pub fn next_event(&mut self) -> io::Result<Option<LogEvent>> {
        match self.early.next() {
            Some(event) => Ok(Some(event)),
            None => LogEvent::read(&mut self.output),
        }
    }

    /// Whether the next message, or a part of it, is here already.
    pub fn has_more(&self) -> bool {
        !self.early.as_slice().is_empty() || !self.output.buffer().is_empty()
    }

    /// Waits until a message comes or the process has ended.
    pub fn wait(&mut self) -> io::Result<()> {
        self.output.fill_buf().map(drop)
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        // Takes its end in, should it have ended; else the end of the pipe ends it.
        let _ = self.child.try_wait();
    }
}
